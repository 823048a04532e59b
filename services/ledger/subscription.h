#pragma once

#include <cstdint>
#include <set>
#include <thread>

#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "services/common/worker_pool.h"
#include "services/ledger/commit_notifier.h"
#include "storage/event_log.h"
#include "storage/mutex.h"

namespace ledger::services {

// The server's open Subscribe calls. Each reads the log for itself, a batch when the one before has been taken, and
// waits for commits at its end: so there is no moment between catching up and going live in which an event could be
// lost or repeated, and a reader that stops reading holds one batch and no thread. Thread-safe.
class Subscriptions {
 public:
  using Reactor = grpc::ServerWriteReactor<customerledger::v1::SubscribeResponse>;

  static constexpr int kSubscriptionsMax = 1024;
  // A batch ends here, or where the filter has passed over so many events.
  static constexpr uint64_t kScannedMax = 10'000;
  static constexpr int kBatchRecordsMax = 1'000;
  // A reader that has stopped holds one such batch, so a thousand of them hold a quarter of a gigabyte.
  static constexpr size_t kBatchBytesMax = 256 << 10;
  // More than this behind the log, after having caught up, is worth telling.
  static constexpr uint64_t kFellBehind = 10'000;
  static constexpr int kHeartbeatSeconds = 10;

  Subscriptions(const storage::LogReader& log, CommitNotifier& notifier, WorkerPool& workers);
  ~Subscriptions();  // stops

  // A reactor that deletes itself when the call is over.
  Reactor* Open(const customerledger::v1::SubscribeRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends every subscription with UNAVAILABLE "SHUTTING_DOWN"; new ones are refused. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Subscription;
  friend class Subscription;

  void Forget(Subscription* subscription) ABSL_LOCKS_EXCLUDED(mutex_);
  void SendHeartbeats() ABSL_LOCKS_EXCLUDED(mutex_);

  const storage::LogReader& log_;
  CommitNotifier& notifier_;
  WorkerPool& workers_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Subscription*> subscriptions_ ABSL_GUARDED_BY(mutex_);
  std::thread heartbeats_;
};

}  // namespace ledger::services
