#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "storage/event_log.h"

namespace ledger::runtime {

// Where a subject's records come from: the committed log, or what a writer has staged on top of it.
class SubjectSource {
 public:
  virtual ~SubjectSource() = default;

  // The subject's records at positions <= `known_position`, ascending. Empty: it has none. kDataLoss: stored
  // bytes make no sense.
  virtual absl::StatusOr<std::vector<customerledger::v1::Record>> Records(const storage::SubjectKey& subject,
                                                                          uint64_t known_position) = 0;
};

// The committed records of one ledger. Borrows the log. Thread-safe.
class LogSubjectSource : public SubjectSource {
 public:
  LogSubjectSource(const storage::LogReader& log, storage::LedgerNumber ledger)
      : log_(log), ledger_(ledger) {}

  absl::StatusOr<std::vector<customerledger::v1::Record>> Records(const storage::SubjectKey& subject,
                                                                  uint64_t known_position) override;

 private:
  const storage::LogReader& log_;
  const storage::LedgerNumber ledger_;
};

// Who a customer id stands for.
struct CustomerIdentity {
  std::string customer_id;           // the id that goes on; of several, or in a circle, the least
  std::vector<std::string> aliases;  // all other ids, ascending
};

// One customer's whole history, under all its ids.
struct CustomerHistory {
  CustomerIdentity identity;
  rules::History history;

  // True if nothing is known about the customer.
  bool empty() const { return history.records.empty(); }
};

// Reads the corrected history of the customer behind `customer_id`, as known at `known_position` (UINT64_MAX:
// everything). A link between two ids counts if the records of both tell it. An id without events comes back
// with an empty history. kDataLoss: as SubjectSource.
absl::StatusOr<CustomerHistory> LoadHistory(SubjectSource& source, const policy::Timeline& timeline,
                                            absl::string_view customer_id, uint64_t known_position);
absl::StatusOr<CustomerHistory> LoadHistory(const storage::LogReader& log, storage::LedgerNumber ledger,
                                            const policy::Timeline& timeline, absl::string_view customer_id,
                                            uint64_t known_position);

// As LoadHistory, without building the history.
absl::StatusOr<CustomerIdentity> LoadIdentity(SubjectSource& source, absl::string_view customer_id,
                                              uint64_t known_position);

}  // namespace ledger::runtime
