#include "projections/rules/hand_over/hand_over.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/lapse/lapse.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

bool HandsOver(const policy::PolicyVersion& policy) {
  return !policy.policy.ownership().by_recorded_assignment() &&
         std::find(policy.policy.hand_over().steps().begin(), policy.policy.hand_over().steps().end(),
                   pb::HAND_OVER_STEP_ACCEPT) != policy.policy.hand_over().steps().end();
}

const ScopeState* FindTransfer(const CustomerState& state, absl::string_view transfer_id) {
  for (const ScopeState& scope : state.scopes()) {
    if (scope.has_transfer() && absl::string_view(scope.transfer().transfer_id()) == transfer_id) {
      return &scope;
    }
  }
  return nullptr;
}

absl::Status NoOpenTransfer(absl::string_view transfer_id, absl::string_view rule_id) {
  return Refuse(absl::StatusCode::kNotFound, "NO_OPEN_TRANSFER",
                absl::StrCat("no hand-over \"", transfer_id,
                             "\" of this customer is open; read the owner to see what is"),
                rule_id);
}

absl::Status DisputeOpen(absl::string_view rule_id) {
  return Refuse(absl::StatusCode::kFailedPrecondition, "DISPUTE_OPEN",
                "a dispute about this customer is open; hand it over after the decision", rule_id);
}

Decision Accepted(absl::string_view rule_id) {
  Decision decision;
  decision.rule_id = std::string(rule_id);
  return decision;
}

absl::Status CheckParties(const Proposal& proposal, const pb::TransferProposed& proposed,
                          const ScopeState& scope, absl::string_view rule_id) {
  const bool from_is_owner = HolderKey(proposed.from()).empty() || SameHolder(proposed.from(), scope.owner());
  if (!from_is_owner) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "NOT_THE_OWNER",
                  absl::StrCat("the customer belongs to ", HolderText(scope.owner()), ", not to ",
                               HolderText(proposed.from()), "; read the owner again"),
                  rule_id);
  }
  if (!proposed.proposed_by().empty() && !ActsFor(scope.owner(), proposed.proposed_by())) {
    return Refuse(absl::StatusCode::kPermissionDenied, "NOT_THE_OWNER",
                  absl::StrCat("only the owner, ", HolderText(scope.owner()), ", proposes a hand-over"),
                  rule_id);
  }
  if (HolderKey(proposed.to()).empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "RECEIVER_MISSING",
                  "name who is to receive the customer", rule_id);
  }
  if (SameHolder(proposed.to(), scope.owner())) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "ALREADY_THE_OWNER",
                  "the receiver owns the customer already; name somebody else", rule_id);
  }
  return StaffIsHere(proposal, proposed.to().staff_id(), rule_id);
}

}  // namespace

void ApplyTransferProposed(const Step& step, CustomerState* state) {
  if (!HandsOver(step.policy)) return;
  const pb::TransferProposed& proposed = step.event.event->transfer_proposed();
  ScopeState* scope = FindScope(state, proposed.scope());
  if (scope == nullptr || scope->custody() != CUSTODY_OWNED || scope->has_transfer()) return;
  if (!scope->disputes().empty() || HolderKey(proposed.to()).empty()) return;
  if (!HolderKey(proposed.from()).empty() && !SameHolder(proposed.from(), scope->owner())) return;
  TransferState* transfer = scope->mutable_transfer();
  transfer->set_transfer_id(proposed.transfer_id());
  *transfer->mutable_from() = scope->owner();
  *transfer->mutable_to() = proposed.to();
  transfer->set_position(step.event.position);
  transfer->set_time_us(ToMicros(step.at()));
}

void ApplyTransferAccepted(const Step& step, CustomerState* state) {
  const pb::TransferAccepted& accepted = step.event.event->transfer_accepted();
  const ScopeState* found = FindTransfer(*state, accepted.transfer_id());
  if (found == nullptr || !found->disputes().empty()) return;
  const TransferState transfer = found->transfer();
  if (!ActsFor(transfer.to(), accepted.receiver_id())) return;
  // The hand-over keeps the policy it was proposed under.
  const policy::PolicyVersion& policy = PolicyInForce(step.timeline, FromMicros(transfer.time_us()));
  pb::Basis basis = MakeBasis(policy.policy.hand_over().rule_id(), policy, step.at());
  basis.add_positions(transfer.position());
  basis.add_positions(step.event.position);
  SetOwner(step, transfer.to(), basis, Filing::kMoved, FindScope(state, found->scope()), state);
}

void ApplyTransferEnded(const Step& step, absl::string_view transfer_id, CustomerState* state) {
  const ScopeState* found = FindTransfer(*state, transfer_id);
  if (found == nullptr) return;
  ScopeState* scope = FindScope(state, found->scope());
  if (InLimbo(step.timeline, *scope)) EndHold(step, scope);
  scope->clear_transfer();
}

void ReadTransfer(const policy::Timeline&, const ScopeState& scope, pb::Ownership* ownership) {
  if (!scope.has_transfer()) return;
  pb::OpenTransfer* transfer = ownership->mutable_transfer();
  transfer->set_transfer_id(scope.transfer().transfer_id());
  *transfer->mutable_from() = scope.transfer().from();
  *transfer->mutable_to() = scope.transfer().to();
  transfer->set_position(scope.transfer().position());
}

absl::StatusOr<Decision> DecideTransferProposed(const Proposal& proposal,
                                                const pb::TransferProposed& proposed) {
  const std::string& rule_id = proposal.policy.policy.hand_over().rule_id();
  if (!HandsOver(proposal.policy)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "HAND_OVER_OFF",
                  "the policy in force has no hand-over; ask for an assignment instead", rule_id);
  }
  if (proposed.transfer_id().empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "TRANSFER_ID_MISSING",
                  "give the hand-over an id that is unique among the customer's", rule_id);
  }
  const ScopeState* scope = FindScope(proposal.customer, proposed.scope());
  if (scope == nullptr || scope->custody() != CUSTODY_OWNED) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "NO_OWNER",
                  "the customer has no owner in this scope; register it instead", rule_id);
  }
  if (!scope->disputes().empty()) return DisputeOpen(rule_id);
  if (scope->has_transfer()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "TRANSFER_ALREADY_OPEN",
                  absl::StrCat("the hand-over \"", scope->transfer().transfer_id(),
                               "\" is open; have it accepted, declined or cancelled first"),
                  rule_id);
  }
  LEDGER_RETURN_IF_ERROR(CheckParties(proposal, proposed, *scope, rule_id));
  return Accepted(rule_id);
}

absl::StatusOr<Decision> DecideTransferAccepted(const Proposal& proposal,
                                                const pb::TransferAccepted& accepted) {
  const std::string& rule_id = proposal.policy.policy.hand_over().rule_id();
  const ScopeState* scope = FindTransfer(proposal.customer, accepted.transfer_id());
  if (scope == nullptr) return NoOpenTransfer(accepted.transfer_id(), rule_id);
  if (!scope->disputes().empty()) return DisputeOpen(rule_id);
  if (!ActsFor(scope->transfer().to(), accepted.receiver_id())) {
    return Refuse(absl::StatusCode::kPermissionDenied, "NOT_THE_RECEIVER",
                  absl::StrCat("only the intended owner, ", HolderText(scope->transfer().to()), ", accepts"),
                  rule_id);
  }
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, accepted.receiver_id(), rule_id));
  return Accepted(rule_id);
}

absl::StatusOr<Decision> DecideTransferDeclined(const Proposal& proposal,
                                                const pb::TransferDeclined& declined) {
  const std::string& rule_id = proposal.policy.policy.hand_over().rule_id();
  const ScopeState* scope = FindTransfer(proposal.customer, declined.transfer_id());
  if (scope == nullptr) return NoOpenTransfer(declined.transfer_id(), rule_id);
  if (!ActsFor(scope->transfer().to(), declined.receiver_id())) {
    return Refuse(absl::StatusCode::kPermissionDenied, "NOT_THE_RECEIVER",
                  absl::StrCat("only the intended owner, ", HolderText(scope->transfer().to()),
                               ", declines; anybody else cancels"),
                  rule_id);
  }
  return Accepted(rule_id);
}

absl::StatusOr<Decision> DecideTransferCancelled(const Proposal& proposal,
                                                 const pb::TransferCancelled& cancelled) {
  const std::string& rule_id = proposal.policy.policy.hand_over().rule_id();
  if (FindTransfer(proposal.customer, cancelled.transfer_id()) == nullptr) {
    return NoOpenTransfer(cancelled.transfer_id(), rule_id);
  }
  return Accepted(rule_id);
}

}  // namespace ledger::rules
