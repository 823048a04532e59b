#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage/event_log.h"
#include "storage/mutex.h"

namespace ledger::runtime::testing {

// A log in memory that commits whatever it is given. Thread-safe.
class FakeLog : public storage::LogReader {
 public:
  storage::LedgerNumber AddLedger(const std::string& name, bool simulated = false)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Commits one event. `event_type` 0: the body's own number. Returns its position.
  uint64_t Append(storage::LedgerNumber ledger, const customerledger::v1::Event& event,
                  absl::Time recorded_time, uint32_t event_type = 0) ABSL_LOCKS_EXCLUDED(mutex_);
  // Forgets what lies after `position`, as a restore does, under a new lineage.
  void Restore(storage::LedgerNumber ledger, uint64_t position, const std::string& lineage)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string& lineage() const override { return lineage_; }
  std::vector<storage::LedgerIdentity> Ledgers() const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<storage::LedgerIdentity> FindLedger(absl::string_view name) const override;
  uint64_t CommittedPosition(storage::LedgerNumber ledger) const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Time CommittedTime(storage::LedgerNumber ledger) const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Scan(storage::LedgerNumber ledger, uint64_t from, storage::Order order,
                    const std::function<bool(uint64_t, absl::string_view)>& visit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::string> Read(storage::LedgerNumber ledger, uint64_t position) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<storage::SubjectHead> Head(storage::LedgerNumber ledger,
                                            const storage::SubjectKey& subject) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ScanSubject(storage::LedgerNumber ledger, const storage::SubjectKey& subject,
                           uint64_t from_version, storage::Order order,
                           const std::function<bool(uint64_t, uint64_t)>& visit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ScanSubjects(
      storage::LedgerNumber ledger, customerledger::v1::SubjectKind kind, absl::string_view after_id,
      const std::function<bool(absl::string_view, const storage::SubjectHead&)>& visit) const override
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::string> ReadCiphertext(storage::LedgerNumber, uint64_t) const override;
  absl::StatusOr<std::string> Root(storage::LedgerNumber) const override;
  absl::StatusOr<std::pair<uint64_t, uint64_t>> Producer(storage::LedgerNumber,
                                                         absl::string_view) const override;

 private:
  struct Book {
    storage::LedgerIdentity identity;
    std::vector<std::string> records;
    std::map<storage::SubjectKey, std::vector<uint64_t>> subjects;
    absl::Time last_time = absl::InfinitePast();
  };

  std::string lineage_ = "lineage-00000001";
  mutable Mutex mutex_;
  std::map<storage::LedgerNumber, Book> books_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::runtime::testing
