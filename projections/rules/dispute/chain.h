#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "customerledger/v1/policy.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// The chain of levels that decides disputes, and where a dispute stands in it. Pure; what is returned points into the
// arguments.
namespace ledger::rules {

// The scope in which the dispute is open, or nullptr.
const ScopeState* FindDispute(const CustomerState& state, absl::string_view dispute_id);

// The policy in force when `dispute` was opened, which counts to its end.
const policy::PolicyVersion& RulesOf(const policy::Timeline& timeline, const DisputeState& dispute);

// The level that `dispute` is on; nullptr: the policy has no levels.
const customerledger::v1::DisputeLevel* LevelOf(const customerledger::v1::Dispute& rules,
                                                const DisputeState& dispute);

// The level that `step` takes `dispute` to, counting from 0; nullopt: it stays where it is.
std::optional<int> LevelAfter(const customerledger::v1::Dispute& rules, const DisputeState& dispute,
                              customerledger::v1::DisputeStep step);

// The rule a decision cites: its own, else its level's, else the mechanism's.
std::string ResolutionRule(const customerledger::v1::Dispute& rules, const DisputeState& dispute,
                           const customerledger::v1::DisputeResolved& resolved);

// What happened at or before this instant is heard: the opening, or the deal that settled claims before it. In
// microseconds.
int64_t HeardUntil(const DisputeState& dispute);

}  // namespace ledger::rules
