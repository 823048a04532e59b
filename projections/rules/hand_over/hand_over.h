#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 5, hand-over: proposed, then any number of steps in the order of the policy, each by whom it says.
// proposed -> ... -> the receiver owns -> ... -> finished
//          -> declined | cancelled | dropped (the customer found another owner, or fell to the pool)
namespace ledger::rules {

// The scope in which the hand-over is open, or nullptr.
const ScopeState* FindTransfer(const CustomerState& state, absl::string_view transfer_id);

void ApplyTransferProposed(const Step& step, CustomerState* state);
// Audited, accepted, confirmed or completed. A step out of its turn changes nothing, and neither does one that must
// wait for a dispute's decision.
void ApplyTransferStep(const Step& step, CustomerState* state);
// Declined or cancelled: the old link goes on with its original clock; what fell due while nobody owned applies at
// this instant (AMB-25). Nothing is undone once the receiver owns.
void ApplyTransferEnded(const Step& step, absl::string_view transfer_id, CustomerState* state);
// A profile was submitted or reviewed: the approval that a customer waits for after a hand-over.
void ApplyTransferReview(const Step& step, CustomerState* state);

// True if what is reserved or consumed does not count yet, because the customer was handed over and nobody has approved
// it since (AMB-25). The rule that says so is ReviewOf(...)->counts_rule_id().
bool AwaitsTransferReview(const ScopeState& scope);
// What the policy says about that review; nullptr where none is awaited.
const customerledger::v1::HandOverReview* ReviewOf(const policy::Timeline& timeline, const ScopeState& scope);

// Requires: what else `ownership` says was filled in before.
void ReadTransfer(const policy::Timeline& timeline, const ScopeState& scope,
                  customerledger::v1::Ownership* ownership);

absl::StatusOr<Decision> DecideTransferProposed(const Proposal& proposal,
                                                const customerledger::v1::TransferProposed& proposed);
// Audited, accepted, confirmed or completed.
absl::StatusOr<Decision> DecideTransferStep(const Proposal& proposal, const customerledger::v1::Event& event);
absl::StatusOr<Decision> DecideTransferDeclined(const Proposal& proposal,
                                                const customerledger::v1::TransferDeclined& declined);
absl::StatusOr<Decision> DecideTransferCancelled(const Proposal& proposal,
                                                 const customerledger::v1::TransferCancelled& cancelled);
// Whether a profile may be submitted or reviewed as far as a hand-over is concerned; OK where none waits for it.
absl::Status CheckTransferReview(const Proposal& proposal, const customerledger::v1::Event& event);

}  // namespace ledger::rules
