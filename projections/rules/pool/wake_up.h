#pragma once

#include <optional>

#include "absl/time/time.h"
#include "projections/rules/consumption/consumption.h"
#include "projections/rules/mechanism.h"

// Mechanism 4, wake-up: a public customer goes to whoever received it most often in a calendar month.
namespace ledger::rules {

// The end of the month that a public customer was last received in, and who would own then.
struct DueWakeUp {
  absl::Time at;
  std::string staff_id;  // empty: nobody; the customer stays public
  bool tied = false;
  customerledger::v1::Basis basis;
};
// Empty: not public, not received, no such rule, a dispute is open, or not until `bound`, included.
std::optional<DueWakeUp> NextWakeUp(const policy::Timeline& timeline, const ScopeState& scope,
                                    absl::Time bound = absl::InfiniteFuture());

// A guest came; `consumption` is what TakeConsumption said.
void ApplyPublicReception(const Step& step, const ConsumptionRecord& consumption, CustomerState* state);

// The present month's counts, for answers. Requires: `scope` was advanced to `at`.
void ReadWakeUp(const policy::Timeline& timeline, const ScopeState& scope, absl::Time at,
                customerledger::v1::Ownership* ownership);

}  // namespace ledger::rules
