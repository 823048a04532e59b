#include "services/ledger/append_stream.h"

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "services/common/grpc_status.h"
#include "services/common/identity.h"

namespace ledger::services {

namespace pb = ::customerledger::v1;

namespace {

absl::Status ShuttingDown() {
  return absl::UnavailableError("SHUTTING_DOWN: the server is stopping; retry what was not answered");
}

// A reactor for a call that is refused before it begins.
class RefusedStream : public AppendStreams::Reactor {
 public:
  explicit RefusedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

// reading -> (read ended, refused or stopped) draining -> finished. Answers are written in the order of the messages:
// the sequencer completes one ledger's jobs in order, and a stream keeps to one ledger.
class AppendStreams::Stream : public AppendStreams::Reactor {
 public:
  Stream(AppendStreams& owner, pb::Who who)
      : owner_(owner), who_(std::move(who)), gate_(std::make_shared<StreamGate>()) {}

  void Start() {
    MutexLock lock(mutex_);
    Read();
  }

  // Ends the stream once everything that was read is answered.
  void EndBecause(absl::Status status) {
    MutexLock lock(mutex_);
    End(std::move(status));
    Advance();
  }

  void OnReadDone(bool ok) override {
    std::optional<pb::AppendStreamRequest> message;
    {
      MutexLock lock(mutex_);
      reading_ = false;
      handling_ = ok && !ended_;
      if (!handling_) {
        // The client has said everything, or is gone.
        End(absl::OkStatus());
        Advance();
        return;
      }
      message = std::move(incoming_);
      incoming_ = pb::AppendStreamRequest();
      ++in_flight_;
      in_flight_bytes_ += message->ByteSizeLong();
    }
    Handle(*std::move(message));
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    answers_.pop_front();
    if (!ok) {
      answers_.clear();
      gate_->closed.store(true);
      End(absl::CancelledError("CANCELLED: the caller went away"));
    }
    Advance();
  }

  void OnCancel() override {
    // What was read may still be committed; nobody hears of it here, and a retry settles it.
    MutexLock lock(mutex_);
    gate_->closed.store(true);
    End(absl::CancelledError("CANCELLED: the caller went away"));
    Advance();
  }

  void OnDone() override {
    // Whoever called Finish may still hold the lock on another thread.
    { MutexLock lock(mutex_); }
    owner_.Forget(this);
    delete this;
  }

 private:
  void Handle(pb::AppendStreamRequest message) ABSL_LOCKS_EXCLUDED(mutex_) {
    const uint64_t correlation = message.correlation();
    const size_t bytes = message.ByteSizeLong();
    const bool from_producer = !message.producer().empty();
    absl::Status status;
    {
      MutexLock lock(mutex_);
      if (ledger_.empty()) ledger_ = message.append().ledger();
      if (ledger_ != message.append().ledger()) {
        status =
            absl::InvalidArgumentError("OTHER_LEDGER: a stream appends to one ledger; open another stream");
      }
    }
    if (status.ok()) {
      absl::StatusOr<AppendJob> job =
          owner_.preparer_.Prepare(std::move(*message.mutable_append()), who_,
                                   std::move(*message.mutable_producer()), message.producer_sequence());
      status = job.status();
      if (job.ok()) {
        job->gate = gate_;
        job->done = [this, correlation, bytes](absl::StatusOr<pb::AppendResponse> outcome) {
          Answer(correlation, bytes, std::move(outcome));
        };
        status = owner_.sequencer_.Submit(*std::move(job));
        if (status.ok()) {
          MutexLock lock(mutex_);
          handling_ = false;
          Read();
          return;
        }
      }
    }
    // A refusal waits for the answers before it, so that the caller sees them in order.
    MutexLock lock(mutex_);
    handling_ = false;
    late_refusals_.push_back({correlation, bytes, in_flight_ - 1, std::move(status)});
    if (from_producer) {
      End(
          absl::FailedPreconditionError("PRODUCER_STOPPED: a message was refused and nothing after it was "
                                        "appended; mend it and go on from there"));
    }
    DeliverRefusals();
    Read();
    Advance();
  }

  void Answer(uint64_t correlation, size_t bytes, absl::StatusOr<pb::AppendResponse> outcome)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    for (Refusal& refusal : late_refusals_) {
      if (refusal.answers_before > 0) --refusal.answers_before;
    }
    Put(correlation, bytes, std::move(outcome));
    DeliverRefusals();
    Read();
    Advance();
  }

  void DeliverRefusals() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!late_refusals_.empty() && late_refusals_.front().answers_before == 0) {
      Refusal refusal = std::move(late_refusals_.front());
      late_refusals_.pop_front();
      for (Refusal& later : late_refusals_) {
        if (later.answers_before > 0) --later.answers_before;
      }
      Put(refusal.correlation, refusal.bytes, std::move(refusal.status));
    }
  }

  // Queues the answer to one message. An outcome that is unknown, or want of room, ends the stream instead.
  void Put(uint64_t correlation, size_t bytes, absl::StatusOr<pb::AppendResponse> outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    --in_flight_;
    in_flight_bytes_ -= bytes;
    if (absl::IsUnavailable(outcome.status()) || absl::IsResourceExhausted(outcome.status())) {
      gate_->closed.store(true);
      End(outcome.status());
      return;
    }
    pb::AppendStreamResponse answer;
    answer.set_correlation(correlation);
    if (outcome.ok()) {
      *answer.mutable_appended() = *std::move(outcome);
    } else {
      *answer.mutable_refused() = ToErrorStatus(outcome.status());
    }
    answers_.push_back(std::move(answer));
  }

  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // The next message is read when this one has its place in the queue, whatever is answered meanwhile.
    if (reading_ || handling_ || ended_ || in_flight_ >= kWindowMessages ||
        in_flight_bytes_ >= kWindowBytes || answers_.size() >= kWindowMessages) {
      return;
    }
    reading_ = true;
    StartRead(&incoming_);
  }

  // The first reason counts.
  void End(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (ended_) return;
    ended_ = true;
    end_status_ = std::move(status);
  }

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (!answers_.empty()) {
      writing_ = true;
      StartWrite(&answers_.front());
      return;
    }
    if (ended_ && in_flight_ == 0) {
      finished_ = true;
      Finish(ToGrpcStatus(end_status_));
      return;
    }
    Read();
  }

  struct Refusal {
    uint64_t correlation = 0;
    size_t bytes = 0;
    int answers_before = 0;
    absl::Status status;
  };

  AppendStreams& owner_;
  const pb::Who who_;
  const std::shared_ptr<StreamGate> gate_;
  Mutex mutex_;
  pb::AppendStreamRequest incoming_;  // written by gRPC while reading_
  std::string ledger_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool handling_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_status_ ABSL_GUARDED_BY(mutex_);
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<pb::AppendStreamResponse> answers_ ABSL_GUARDED_BY(mutex_);
  std::deque<Refusal> late_refusals_ ABSL_GUARDED_BY(mutex_);
};

AppendStreams::AppendStreams(Preparer& preparer, Sequencer& sequencer)
    : preparer_(preparer), sequencer_(sequencer) {}

AppendStreams::~AppendStreams() { Stop(); }

AppendStreams::Reactor* AppendStreams::Open(grpc::CallbackServerContext* context) {
  absl::StatusOr<pb::Who> who = CallerOf(*context);
  if (!who.ok()) return new RefusedStream(who.status());
  Stream* stream = nullptr;
  {
    MutexLock lock(mutex_);
    if (stopping_) return new RefusedStream(ShuttingDown());
    if (streams_.size() >= kStreamsMax) {
      return new RefusedStream(absl::ResourceExhaustedError(
          "TOO_MANY_STREAMS: at most 256 AppendStream calls at a time; close one, or retry later"));
    }
    stream = new Stream(*this, *std::move(who));
    streams_.insert(stream);
  }
  stream->Start();
  return stream;
}

void AppendStreams::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (Stream* stream : streams_) stream->EndBecause(ShuttingDown());
}

void AppendStreams::Forget(Stream* stream) {
  MutexLock lock(mutex_);
  streams_.erase(stream);
}

}  // namespace ledger::services
