#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/policy_duty.pb.h"
#include "customerledger/v1/query_duty.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/state.pb.h"

// What follows when something was not done, and which time it was.
namespace ledger::rules {

// Counts `times` more at `at`; returns the number of the last. `own_name` is the group of a consequence without one.
uint64_t CountTimes(const policy::Timeline& timeline, const customerledger::v1::Policy& policy,
                    const customerledger::v1::Consequence& consequence, absl::string_view own_name,
                    uint64_t times, absl::Time at, CustomerState* state);

// What `times` times cost of which the last was number `last`.
customerledger::v1::ConsequenceDue ConsequenceOf(const customerledger::v1::Consequence& consequence,
                                                 uint64_t times, uint64_t last);

}  // namespace ledger::rules
