#pragma once

#include <atomic>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "projections/runtime/timelines.h"
#include "services/ledger/append_job.h"
#include "storage/event_log.h"
#include "storage/mutex.h"
#include "storage/vault/vault.h"

namespace ledger::services {

// Does what needs no turn: validates, recognises contact points, encrypts personal data, hashes. Thread-safe; many at
// once. Borrows everything it is given.
class Preparer {
 public:
  // `first_free_slot`: of the vault, as the log has it when it is opened.
  Preparer(const storage::LogReader& log, vault::Vault& vault, runtime::TimelineStore& timelines,
           uint64_t first_free_slot);

  // A job without its `done`. kInvalidArgument, kNotFound: as the message says. kDataLoss: stored bytes make no sense.
  absl::StatusOr<AppendJob> Prepare(customerledger::v1::AppendRequest request, customerledger::v1::Who who,
                                    std::string producer, uint64_t producer_sequence);

  // Encrypts `personal` of `customer_id` under `slot`; 0: under a new one, which is made.
  absl::Status Seal(const storage::LedgerIdentity& ledger, const std::string& customer_id, uint64_t slot,
                    const customerledger::v1::PersonalData& personal, PreparedEvent* event);

 private:
  const storage::LogReader& log_;
  // The key of a ledger's contact points, computed once.
  std::string ContactKeyOf(const storage::LedgerIdentity& ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  // The region of phone numbers without a country code, by the ledger's present policy.
  absl::StatusOr<std::string> PhoneRegion(storage::LedgerNumber ledger);

  vault::Vault& vault_;
  runtime::TimelineStore& timelines_;
  Mutex mutex_;
  absl::flat_hash_map<storage::LedgerNumber, std::string> contact_keys_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> next_slot_;
};

}  // namespace ledger::services
