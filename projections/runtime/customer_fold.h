#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "projections/runtime/history_loader.h"

namespace ledger::runtime {

// A customer as its events tell.
struct FoldedCustomer {
  CustomerIdentity identity;  // as known, whether parked or not
  bool known = false;         // false: no event about it is known
  rules::CustomerState state;
  absl::Time last_time;         // of the last applied event in business order; InfinitePast: none was applied
  uint64_t last_position = 0;   // of that event; 0: none
  uint64_t noted_position = 0;  // of the last known event, applied or not
  absl::Time noted_time;        // when that was recorded
  uint64_t parked_position = 0;  // not 0: the event there could not be applied; `state` is as known before it
  std::string parked_reason;
};

// Folds what is known at `known_position` until `true_at`. An event that cannot be applied parks the
// customer: the result is then what was known before that event was recorded. A function of the log alone,
// whatever the view did before.
absl::StatusOr<FoldedCustomer> FoldCustomer(SubjectSource& source, const policy::Timeline& timeline,
                                            absl::string_view customer_id, uint64_t known_position,
                                            absl::Time true_at = absl::InfiniteFuture());

// The position of the record that says `event`: the event's own, or that of the correction which put it
// there.
uint64_t SaidAt(const rules::History& history, const rules::HistoryEvent& event);

}  // namespace ledger::runtime
