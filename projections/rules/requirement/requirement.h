#pragma once

#include <vector>

#include "absl/status/status.h"
#include "customerledger/v1/query_duty.pb.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// What an event needs: refused without it, or kept and flagged.
namespace ledger::rules {

// True if `version` has requirements on events of that kind.
bool HasRequirements(const policy::PolicyVersion& version, const customerledger::v1::Event& event);

// kFailedPrecondition REQUIREMENT_NOT_MET with the requirement's rule and what is missing. `counts_at`: when the event
// will count.
absl::Status CheckRequirements(const Proposal& proposal, const customerledger::v1::Event& event,
                               absl::Time counts_at);

// Flags the step's event. Before anything else that the event does.
void ApplyFlags(const Step& step, CustomerState* state);

// By time.
std::vector<customerledger::v1::FlagEntry> ReadFlags(const policy::Timeline& timeline,
                                                     const CustomerState& state);

}  // namespace ledger::rules
