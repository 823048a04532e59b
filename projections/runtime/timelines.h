#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/timeline.h"
#include "storage/event_log.h"
#include "storage/mutex.h"

namespace ledger::runtime {

// The reference timeline of every ledger, as it was known at any position. Loaded when first asked for, from
// the reference subjects' own events. Thread-safe. Borrows the log.
class TimelineStore {
 public:
  explicit TimelineStore(const storage::LogReader& log) : log_(log) {}

  // What was known at `known_position` (UINT64_MAX: at the committed position). Never nullptr; empty() before
  // the ledger's first policy. The snapshot never changes. kDataLoss: stored bytes make no sense.
  absl::StatusOr<std::shared_ptr<const policy::Timeline>> TimelineAt(storage::LedgerNumber ledger,
                                                                     uint64_t known_position)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // What is known now.
  absl::StatusOr<std::shared_ptr<const policy::Timeline>> Latest(storage::LedgerNumber ledger)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    return TimelineAt(ledger, UINT64_MAX);
  }

  // Tells that `references` are all reference events in [from, to]; spares the store looking for them.
  void Advance(storage::LedgerNumber ledger, uint64_t from, uint64_t to,
               const std::vector<const customerledger::v1::Record*>& references) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    Mutex mutex;  // one ledger's loading keeps no other ledger waiting
    // Every reference event at or before this is in `snapshots`' last.
    uint64_t complete_until ABSL_GUARDED_BY(mutex) = 0;
    std::vector<uint64_t> positions ABSL_GUARDED_BY(mutex);  // of all of them, ascending
    // The latest moments, by the position of their last reference event.
    std::map<uint64_t, std::shared_ptr<const policy::Timeline>> snapshots ABSL_GUARDED_BY(mutex);
  };

  std::shared_ptr<Entry> Find(storage::LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status CatchUp(storage::LedgerNumber ledger, uint64_t position, Entry& entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(entry.mutex);

  const storage::LogReader& log_;
  Mutex mutex_;
  std::map<storage::LedgerNumber, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::runtime
