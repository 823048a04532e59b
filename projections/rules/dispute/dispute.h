#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// The dispute half of mechanism 10. While a dispute is open its scope is frozen, under any policy; who takes which
// step, who decides, and what the parties lose is the policy's. opened -> steps -> resolved.
namespace ledger::rules {

void ApplyDisputeOpened(const Step& step, CustomerState* state);
void ApplyDisputeStep(const Step& step, CustomerState* state);
// Ends the dispute. An owner named by the decision owns from then on with clocks that start now; where the decision
// counts from an earlier time, see ApplyDecidedEarlier. A hand-over of the decided owner's goes on, any other is
// dropped.
void ApplyDisputeResolved(const Step& step, CustomerState* state);
// At the earlier instant from which a decision counts: its owner owns from here on, as far as is known once the decision
// is (conv.bitemporal, AMB-57). What was known before the decision was recorded is answered as it was.
void ApplyDecidedEarlier(const Step& step, CustomerState* state);
// A deal: it settles claims where the policy says so.
void ApplySettlingDeal(const Step& step, CustomerState* state);
// Any event: one that happened before an open dispute and counts only now is kept as late evidence.
void ApplyLateEvidence(const Step& step, CustomerState* state);

// If `event` decides that an owner counts from a time before the decision, that time.
std::optional<absl::Time> DecidesFrom(const customerledger::v1::Event& event);

// For the credit of a deal. The dispute, open or decided, by which its credit went to a unit; nullptr: none did. A
// dispute that names no deal concerns every deal of the customer. `forfeit` of the result is set.
const DisputeState* ForfeitOf(const CustomerState& state, absl::string_view deal_id);
// The last decided dispute about the deal; nullptr: none was decided, or the policy keeps none. `resolution` is set.
const DisputeState* ResolutionOf(const CustomerState& state, absl::string_view deal_id);

void ReadDisputes(const policy::Timeline& timeline, const ScopeState& scope,
                  customerledger::v1::Ownership* ownership);

absl::StatusOr<Decision> DecideDisputeOpened(const Proposal& proposal,
                                             const customerledger::v1::DisputeOpened& opened);
absl::StatusOr<Decision> DecideDisputeStep(const Proposal& proposal,
                                           const customerledger::v1::DisputeStepTaken& taken);
absl::StatusOr<Decision> DecideDisputeResolved(const Proposal& proposal,
                                               const customerledger::v1::Event& event);

}  // namespace ledger::rules
