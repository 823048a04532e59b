#pragma once

#include <vector>

#include "absl/time/time.h"
#include "projections/rules/call_back/call_back.h"

// Days on which customers are contacted beside their cadence: holidays, the customer's own days, what is announced.
namespace ledger::rules {

// The occasions of `scope` that stand at `at` or later, in the order they are due; of each date only policies in force on
// that day have a say. At most 12.
std::vector<DueCallBack> Occasions(const policy::Timeline& timeline, const CustomerState& state,
                                   const ScopeState& scope, absl::Time at);

}  // namespace ledger::rules
