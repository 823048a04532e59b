#include "services/ctl/import/append_pipe.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;

// gRPC's codes are Abseil's.
absl::Status ToAbsl(const grpc::Status& status, absl::string_view doing) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(doing, ": ", status.error_message()));
}

// Whether a stream that ended so may go on over another connection. CANCELLED: a server that shuts down ends
// its calls so; OK: it ended the stream before it had answered everything.
bool MayRetry(grpc::StatusCode code) {
  return code == grpc::StatusCode::OK || code == grpc::StatusCode::UNAVAILABLE ||
         code == grpc::StatusCode::RESOURCE_EXHAUSTED || code == grpc::StatusCode::CANCELLED;
}

std::string RangeOf(const PipeMessage& message) {
  return absl::StrCat("records ", message.first_record, " to ", message.last_record, " (from line ",
                      message.first_line, " to the record on line ", message.last_line, ")");
}

std::string ReasonOf(const pb::ErrorStatus& status) {
  for (const google::protobuf::Any& detail : status.details()) {
    // Under google.rpc's own type URL, so not by UnpackTo.
    pb::ErrorInfo info;
    if (detail.type_url() == "type.googleapis.com/google.rpc.ErrorInfo" &&
        info.ParseFromString(detail.value())) {
      return absl::StrCat(" [", info.reason(), "]");
    }
  }
  return "";
}

}  // namespace

AppendPipe::AppendPipe(Options options, pb::LedgerService::StubInterface* stub)
    : options_(std::move(options)), stub_(stub) {}

AppendPipe::~AppendPipe() { Disconnect(/*cancel=*/true); }

absl::StatusOr<uint64_t> AppendPipe::Start() {
  LEDGER_ASSIGN_OR_RETURN(const uint64_t sequence, AskSequence());
  MutexLock lock(mutex_);
  last_record_appended_ = sequence;
  return sequence;
}

absl::StatusOr<uint64_t> AppendPipe::AskSequence() {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  pb::GetProducerRequest request;
  request.set_ledger(options_.ledger);
  request.set_producer(options_.producer);
  pb::GetProducerResponse response;
  const grpc::Status status = stub_->GetProducer(&context, request, &response);
  LEDGER_RETURN_IF_ERROR(ToAbsl(status, "asking how far the import is"));
  return response.producer_sequence();
}

absl::Status AppendPipe::Send(PipeMessage message) {
  auto sent = std::make_shared<PipeMessage>(std::move(message));
  sent->request.set_correlation(++correlation_);
  if (stream_ == nullptr) Connect();
  while (true) {
    bool broken = false;
    bool refused = false;
    {
      MutexLock lock(mutex_);
      while (in_flight_.size() >= options_.messages_in_flight_max && !broken_ && refusal_.ok()) {
        changed_.Wait(mutex_);
      }
      broken = broken_;
      refused = !refusal_.ok();
      if (!broken && !refused) in_flight_.push_back(sent);
    }
    if (refused) return Refused();
    if (!broken) break;
    LEDGER_RETURN_IF_ERROR(Recover());
  }
  if (stream_->Write(sent->request)) return absl::OkStatus();
  return Recover();
}

absl::Status AppendPipe::Finish() {
  while (stream_ != nullptr) {
    bool refused = false;
    bool done = false;
    {
      MutexLock lock(mutex_);
      while (!in_flight_.empty() && !broken_ && refusal_.ok()) changed_.Wait(mutex_);
      refused = !refusal_.ok();
      done = in_flight_.empty();
    }
    if (refused) return Refused();
    if (done) {
      // Everything is answered, so how the server ends the stream changes nothing.
      stream_->WritesDone();
      Disconnect(/*cancel=*/false);
      return absl::OkStatus();
    }
    LEDGER_RETURN_IF_ERROR(Recover());
  }
  return absl::OkStatus();
}

uint64_t AppendPipe::events_appended() const {
  MutexLock lock(mutex_);
  return events_appended_;
}

void AppendPipe::Connect() {
  {
    MutexLock lock(mutex_);
    broken_ = false;
  }
  context_ = std::make_unique<grpc::ClientContext>();
  stream_ = stub_->AppendStream(context_.get());
  reader_ = std::thread([this, stream = stream_.get()] { ReadAnswers(stream); });
}

grpc::Status AppendPipe::Disconnect(bool cancel) {
  if (stream_ == nullptr) return grpc::Status::OK;
  if (cancel) context_->TryCancel();
  reader_.join();
  grpc::Status status = stream_->Finish();
  stream_.reset();
  context_.reset();
  return status;
}

absl::Status AppendPipe::Recover() {
  absl::Duration wait = options_.retry_wait_first;
  while (true) {
    // The reader ends by itself: a write or read has failed, so the call is over.
    const grpc::Status ended = Disconnect(/*cancel=*/false);
    {
      MutexLock lock(mutex_);
      if (answers_ != progress_seen_) retries_ = 0;
      progress_seen_ = answers_;
    }
    absl::Status why = ToAbsl(ended, "the connection to the ledger was lost");
    if (why.ok()) why = absl::UnavailableError("the ledger ended the stream before it had answered");
    if (!MayRetry(ended.error_code())) {
      bool refused = false;
      {
        MutexLock lock(mutex_);
        refused = !refusal_.ok();
        if (!refused && !in_flight_.empty()) {
          why = absl::Status(why.code(), absl::StrCat("the ledger stopped at ", RangeOf(*in_flight_.front()),
                                                      ": ", ended.error_message()));
        }
      }
      return refused ? Refused() : why;
    }
    while (true) {
      if (++retries_ > options_.retries_max) {
        return absl::UnavailableError(absl::StrCat(why.message(), "; gave up after ", options_.retries_max,
                                                   " tries. Nothing is lost: run the import again later and "
                                                   "it goes on where it ended"));
      }
      std::this_thread::sleep_for(absl::ToChronoNanoseconds(wait));
      wait = std::min(2 * wait, options_.retry_wait_max);
      absl::StatusOr<uint64_t> sequence = AskSequence();
      if (sequence.ok()) {
        LEDGER_RETURN_IF_ERROR(Settle(*sequence));
        break;
      }
      why = sequence.status();
      if (!absl::IsUnavailable(why) && !absl::IsDeadlineExceeded(why) && !absl::IsCancelled(why) &&
          !absl::IsResourceExhausted(why)) {
        return why;
      }
    }
    bool refused = false;
    {
      MutexLock lock(mutex_);
      refused = !refusal_.ok();
    }
    if (refused) return Refused();
    Connect();
    if (Resend()) return absl::OkStatus();
  }
}

absl::Status AppendPipe::Settle(uint64_t sequence) {
  MutexLock lock(mutex_);
  while (!in_flight_.empty() && in_flight_.front()->last_record <= sequence) {
    events_appended_ += static_cast<uint64_t>(in_flight_.front()->request.append().events_size());
    last_record_appended_ = in_flight_.front()->last_record;
    in_flight_.pop_front();
    ++answers_;
  }
  // A message is appended whole or not at all, so the two differ only if somebody else has a hand in it.
  if (sequence > last_record_appended_) {
    return absl::AbortedError(absl::StrCat("another run is importing as '", options_.producer,
                                           "' at this moment; wait for it, then run again"));
  }
  if (sequence < last_record_appended_) {
    return absl::AbortedError(
        absl::StrCat("the ledger went back from record ", last_record_appended_, " to ", sequence,
                     ": it was restored from a backup meanwhile; run the import again"));
  }
  return absl::OkStatus();
}

bool AppendPipe::Resend() {
  std::vector<std::shared_ptr<PipeMessage>> messages;
  {
    MutexLock lock(mutex_);
    messages.assign(in_flight_.begin(), in_flight_.end());
  }
  for (const std::shared_ptr<PipeMessage>& message : messages) {
    if (!stream_->Write(message->request)) return false;
  }
  return true;
}

absl::Status AppendPipe::Refused() {
  // What was sent behind the refused message is settled before the import ends, so that the text is true.
  if (stream_ != nullptr) {
    stream_->WritesDone();
    Disconnect(/*cancel=*/false);
  }
  MutexLock lock(mutex_);
  if (last_record_appended_ <= refused_record_) return refusal_;
  return absl::Status(
      refusal_.code(),
      absl::StrCat(refusal_.message(), ". Later records up to ", last_record_appended_,
                   " were on their way and are in the ledger; after mending the mapping, import the refused "
                   "records from a file of their own under another name"));
}

void AppendPipe::ReadAnswers(Stream* stream) {
  pb::AppendStreamResponse answer;
  while (stream->Read(&answer)) {
    MutexLock lock(mutex_);
    TakeAnswer(answer);
    changed_.NotifyAll();
  }
  MutexLock lock(mutex_);
  broken_ = true;
  changed_.NotifyAll();
}

void AppendPipe::TakeAnswer(const pb::AppendStreamResponse& answer) {
  const auto message = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& sent) {
    return sent->request.correlation() == answer.correlation();
  });
  if (message == in_flight_.end()) return;
  ++answers_;
  if (answer.has_refused()) {
    if (refusal_.ok()) {
      refused_record_ = (*message)->last_record;
      const int code = answer.refused().code();
      refusal_ = absl::Status(
          code > 0 && code <= 16 ? static_cast<absl::StatusCode>(code) : absl::StatusCode::kUnknown,
          absl::StrCat("the ledger refused ", RangeOf(**message), ": ", answer.refused().message(),
                       ReasonOf(answer.refused())));
    }
  } else if (answer.appended().replayed()) {
    // What the producer's count had passed was left out, so a replay means that the count is not ours alone.
    if (refusal_.ok()) {
      refused_record_ = (*message)->last_record;
      refusal_ = absl::AbortedError(absl::StrCat("the ledger had counted past ", RangeOf(**message),
                                                 " already: another import runs under the same name"));
    }
  } else {
    events_appended_ += static_cast<uint64_t>((*message)->request.append().events_size());
    last_record_appended_ = std::max(last_record_appended_, (*message)->last_record);
  }
  in_flight_.erase(message);
}

}  // namespace ledger::ctl
