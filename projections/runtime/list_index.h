#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "projections/runtime/projection_kind.h"
#include "projections/runtime/view_row.pb.h"

// What a customer's state puts on the lists. Pure; any thread.
namespace ledger::runtime {

// The rows of all lists that a projection keeps: key (after the generation's prefix) -> serialised
// IntervalRow.
std::map<std::string, std::string> ListRows(ProjectionKind kind, const policy::Timeline& timeline,
                                            absl::string_view customer_id, const rules::CustomerState& state);

absl::Time FromOf(const IntervalRow& row);
absl::Time UntilOf(const IntervalRow& row);

// True if the stretch holds `time`; its end is not included.
inline bool Holds(const IntervalRow& row, absl::Time time) {
  return FromOf(row) <= time && time < UntilOf(row);
}

}  // namespace ledger::runtime
