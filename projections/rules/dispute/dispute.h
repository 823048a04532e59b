#pragma once

#include "absl/status/statusor.h"
#include "projections/rules/mechanism.h"

// The part of mechanism 10 that every policy needs: while a dispute is open, its scope is frozen. opened ->
// resolved.
namespace ledger::rules {

void ApplyDisputeOpened(const Step& step, CustomerState* state);
// An owner named by the decision counts from this event on; `effective_from_time`, where it is earlier, is
// shown as the date the answer holds from. It never changes what was answered for instants before the
// decision.
void ApplyDisputeResolved(const Step& step, CustomerState* state);

absl::StatusOr<Decision> DecideDisputeOpened(const Proposal& proposal,
                                             const customerledger::v1::DisputeOpened& opened);
// Also for steps of a dispute.
absl::StatusOr<Decision> DecideDisputeStep(const Proposal& proposal, absl::string_view dispute_id);
absl::StatusOr<Decision> DecideDisputeResolved(const Proposal& proposal,
                                               const customerledger::v1::Event& event);

}  // namespace ledger::rules
