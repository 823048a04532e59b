#pragma once

#include "absl/status/statusor.h"
#include "projections/rules/mechanism.h"

// Mechanism 5, hand-over: proposed by the owner, accepted by the receiver.
// proposed -> accepted | declined | cancelled | dropped (the customer found another owner, or fell to the pool).
namespace ledger::rules {

void ApplyTransferProposed(const Step& step, CustomerState* state);
void ApplyTransferAccepted(const Step& step, CustomerState* state);
// Declined or cancelled: the old link goes on with its original clock.
void ApplyTransferEnded(const Step& step, absl::string_view transfer_id, CustomerState* state);

void ReadTransfer(const policy::Timeline& timeline, const ScopeState& scope,
                  customerledger::v1::Ownership* ownership);

absl::StatusOr<Decision> DecideTransferProposed(const Proposal& proposal,
                                                const customerledger::v1::TransferProposed& proposed);
absl::StatusOr<Decision> DecideTransferAccepted(const Proposal& proposal,
                                                const customerledger::v1::TransferAccepted& accepted);
absl::StatusOr<Decision> DecideTransferDeclined(const Proposal& proposal,
                                                const customerledger::v1::TransferDeclined& declined);
absl::StatusOr<Decision> DecideTransferCancelled(const Proposal& proposal,
                                                 const customerledger::v1::TransferCancelled& cancelled);

}  // namespace ledger::rules
