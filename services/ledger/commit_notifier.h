#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "storage/event_log.h"
#include "storage/mutex.h"

namespace ledger::services {

// Wakes whoever waits for a ledger's log to grow. Thread-safe.
class CommitNotifier {
 public:
  using Id = uint64_t;

  explicit CommitNotifier(const storage::LogReader& log) : log_(log) {}

  // Calls `wake` once, soon after the ledger's committed position is above `position` (at once if it is already), or at
  // Stop. It runs on a committing thread and must not block. Returns an id for Cancel; 0 if it was called already.
  Id Wait(storage::LedgerNumber ledger, uint64_t position, std::function<void()> wake)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // True if the call will not come any more; false if it came or is coming.
  bool Cancel(storage::LedgerNumber ledger, Id id) ABSL_LOCKS_EXCLUDED(mutex_);

  // The ledger's log has grown.
  void Publish(storage::LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  // Wakes everybody, now and from now on.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const storage::LogReader& log_;
  Mutex mutex_;
  Id next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<storage::LedgerNumber, std::map<Id, std::function<void()>>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::services
