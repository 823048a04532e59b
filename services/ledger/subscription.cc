#include "services/ledger/subscription.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "services/common/grpc_status.h"
#include "services/ledger/log_reading.h"

namespace ledger::services {

namespace pb = ::customerledger::v1;

namespace {

absl::Status ShuttingDown() {
  return absl::UnavailableError(
      "SHUTTING_DOWN: the server is stopping; subscribe again after the last position");
}

class RefusedSubscription : public Subscriptions::Reactor {
 public:
  explicit RefusedSubscription(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

// One reader. Exactly one of these holds at any time: a task reads the log for it (kReading), a message is on its way
// (kWriting), it waits for a commit (kWaiting), or it is over (kFinished).
class Subscriptions::Subscription : public Subscriptions::Reactor {
 public:
  Subscription(Subscriptions& owner, storage::LedgerIdentity ledger, uint64_t after, pb::EventFilter filter)
      : owner_(owner), ledger_(std::move(ledger)), filter_(std::move(filter)), delivered_(after) {}

  void Start() {
    MutexLock lock(mutex_);
    ReadNext();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    if (!ok) End(absl::CancelledError("CANCELLED: the caller went away"));
    ReadNext();
  }

  void OnCancel() override { EndBecause(absl::CancelledError("CANCELLED: the caller went away")); }

  void OnDone() override {
    // Whoever called Finish may still hold the lock on another thread.
    { MutexLock lock(mutex_); }
    owner_.Forget(this);
    delete this;
  }

  void EndBecause(const absl::Status& status) {
    MutexLock lock(mutex_);
    End(status);
    LeaveWaiting();
  }

  // Says that the connection lives, if nothing else is on its way.
  void Beat() {
    MutexLock lock(mutex_);
    if (state_ != State::kWaiting) return;
    beat_ = true;
    LeaveWaiting();
  }

 private:
  enum class State { kReading, kWriting, kWaiting, kFinished };

  void End(absl::Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_) end_ = std::move(status);
  }

  // Turns a wait into a read at once; if the commit's wake-up is on its way already, that will do it.
  void LeaveWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (state_ == State::kWaiting && owner_.notifier_.Cancel(ledger_.number, wait_id_)) ReadNext();
  }

  void ReadNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (end_) {
      state_ = State::kFinished;
      Finish(ToGrpcStatus(*end_));
      return;
    }
    state_ = State::kReading;
    owner_.workers_.Run([this] { Read(); });
  }

  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    state_ = State::kWriting;
    message_.mutable_position()->set_lineage(owner_.log_.lineage());
    message_.mutable_position()->set_position(delivered_);
    StartWrite(&message_);
  }

  void Read() {
    // Nobody else touches message_ and delivered_ while the state is kReading.
    message_.Clear();
    const uint64_t last = owner_.log_.CommittedPosition(ledger_.number);
    if (delivered_ >= last) {
      MutexLock lock(mutex_);
      if (end_) {
        ReadNext();
      } else if (!caught_up_) {
        caught_up_ = true;
        message_.mutable_caught_up();
        Write();
      } else if (std::exchange(beat_, false)) {
        message_.mutable_heartbeat();
        Write();
      } else {
        Wait();
      }
      return;
    }
    if (caught_up_ && last - delivered_ > kFellBehind) {
      caught_up_ = false;
      message_.mutable_fell_behind();
      MutexLock lock(mutex_);
      Write();
      return;
    }
    size_t bytes = 0;
    uint64_t scanned = 0;
    uint64_t reached = delivered_;
    absl::Status inner;
    absl::Status status = owner_.log_.Scan(
        ledger_.number, delivered_ + 1, storage::Order::kForward,
        [&](uint64_t position, absl::string_view record) {
          const absl::StatusOr<bool> matches = Matches(filter_, record);
          if (!matches.ok()) {
            inner = matches.status();
            return false;
          }
          if (*matches) {
            if (bytes > 0 && bytes + record.size() > kBatchBytesMax) return false;
            message_.mutable_batch()->add_records(record.data(), record.size());
            bytes += record.size();
          }
          reached = position;
          return ++scanned < kScannedMax && message_.batch().records_size() < kBatchRecordsMax;
        });
    if (status.ok()) status = inner;
    MutexLock lock(mutex_);
    if (!status.ok()) {
      End(std::move(status));
      ReadNext();
      return;
    }
    delivered_ = reached;
    // Without a match this is a checkpoint: where to go on after a break.
    if (!message_.has_batch()) message_.clear_content();
    Write();
  }

  void Wait() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    state_ = State::kWaiting;
    const uint64_t delivered = delivered_;
    wait_id_ = 0;
    // The wake-up may come inside this call, with our lock held: it only queues a task.
    wait_id_ = owner_.notifier_.Wait(ledger_.number, delivered,
                                     [this] { owner_.workers_.Run([this] { WakeUp(); }); });
  }

  void WakeUp() {
    MutexLock lock(mutex_);
    if (state_ == State::kWaiting) ReadNext();
  }

  Subscriptions& owner_;
  const storage::LedgerIdentity ledger_;
  const pb::EventFilter filter_;
  pb::SubscribeResponse message_;
  uint64_t delivered_;
  bool caught_up_ = false;
  Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kReading;
  CommitNotifier::Id wait_id_ ABSL_GUARDED_BY(mutex_) = 0;
  bool beat_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

Subscriptions::Subscriptions(const storage::LogReader& log, CommitNotifier& notifier, WorkerPool& workers)
    : log_(log), notifier_(notifier), workers_(workers), heartbeats_([this] { SendHeartbeats(); }) {}

Subscriptions::~Subscriptions() { Stop(); }

Subscriptions::Reactor* Subscriptions::Open(const pb::SubscribeRequest& request) {
  absl::StatusOr<storage::LedgerIdentity> ledger = log_.FindLedger(request.ledger());
  if (!ledger.ok()) return new RefusedSubscription(ledger.status());
  if (const absl::Status status = CheckLineage(log_, request.after()); !status.ok()) {
    return new RefusedSubscription(status);
  }
  if (const absl::Status status = ValidateFilter(request.filter()); !status.ok()) {
    return new RefusedSubscription(status);
  }
  if (request.after().position() > log_.CommittedPosition(ledger->number)) {
    return new RefusedSubscription(absl::OutOfRangeError(
        "POSITION_NOT_REACHED: the log does not reach that position; subscribe after its last"));
  }
  Subscription* subscription = nullptr;
  {
    MutexLock lock(mutex_);
    if (stopping_) return new RefusedSubscription(ShuttingDown());
    if (subscriptions_.size() >= kSubscriptionsMax) {
      return new RefusedSubscription(absl::ResourceExhaustedError(
          "TOO_MANY_SUBSCRIPTIONS: at most 1,024 at a time; close one, or retry later"));
    }
    subscription = new Subscription(*this, *std::move(ledger), request.after().position(), request.filter());
    subscriptions_.insert(subscription);
  }
  subscription->Start();
  return subscription;
}

void Subscriptions::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    for (Subscription* subscription : subscriptions_) subscription->EndBecause(ShuttingDown());
  }
  if (heartbeats_.joinable()) heartbeats_.join();
}

void Subscriptions::Forget(Subscription* subscription) {
  MutexLock lock(mutex_);
  subscriptions_.erase(subscription);
}

void Subscriptions::SendHeartbeats() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    if (wake_.WaitFor(mutex_, std::chrono::seconds(kHeartbeatSeconds))) continue;
    for (Subscription* subscription : subscriptions_) subscription->Beat();
  }
}

}  // namespace ledger::services
