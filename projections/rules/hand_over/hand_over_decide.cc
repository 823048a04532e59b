#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/hand_over/hand_over.h"
#include "projections/rules/hand_over/procedure.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr auto kNo = absl::StatusCode::kFailedPrecondition;

const std::string& Or(const std::string& rule_id, const std::string& otherwise) {
  return rule_id.empty() ? otherwise : rule_id;
}

Decision Accepted(absl::string_view rule_id) {
  Decision decision;
  decision.rule_id = std::string(rule_id);
  return decision;
}

// "audit", "accept".
std::string StepText(pb::HandOverStep step) {
  constexpr absl::string_view kPrefix = "HAND_OVER_STEP_";
  return absl::AsciiStrToLower(absl::string_view(pb::HandOverStep_Name(step)).substr(kPrefix.size()));
}

template <typename Names>
std::string Listed(const Names& names) {
  std::string list;
  for (const std::string& name : names) absl::StrAppend(&list, list.empty() ? "" : ", ", name);
  return list;
}

// Who may take `act`, for people.
std::string WhoText(const pb::HandOverAct& act, const pb::Owner& owner, const pb::Owner& receiver) {
  std::string who;
  if (act.by_owner()) absl::StrAppend(&who, "the owner, ", HolderText(owner));
  if (act.by_receiver() || IsReceiversAlone(act)) {
    absl::StrAppend(&who, who.empty() ? "" : "; ", "the intended owner, ", HolderText(receiver));
  }
  if (!act.roles().empty()) {
    absl::StrAppend(&who, who.empty() ? "" : "; ", "whoever has the role ", Listed(act.roles()));
  }
  return who.empty() ? "anybody" : who;
}

// Whether the policy that a hand-over proposed at `proposed_us` follows lets unknown roles act.
bool UnknownMay(const Proposal& proposal, int64_t proposed_us) {
  return PolicyInForce(proposal.timeline, FromMicros(proposed_us)).policy.hand_over().unknown_role_may();
}

// Why `actor` may not take `act`; OK: may.
absl::Status MayTake(const Proposal& proposal, const pb::HandOverAct& act, absl::string_view actor,
                     const pb::Owner& owner, const pb::Owner& receiver, bool unknown_may,
                     const std::string& rule_id) {
  const bool receivers = act.by_receiver() || IsReceiversAlone(act);
  if (!act.by_owner() && !receivers && act.roles().empty()) return absl::OkStatus();
  if (act.by_owner() && !HolderKey(owner).empty()) {
    if (ActsFor(owner, actor)) return absl::OkStatus();
    if (actor.empty() && act.step() == pb::HAND_OVER_STEP_PROPOSE) return absl::OkStatus();
  }
  if (receivers && ActsFor(receiver, actor)) return absl::OkStatus();
  if (HoldsRole(proposal, actor, act.roles(), unknown_may)) return absl::OkStatus();
  absl::string_view reason = "WRONG_ROLE";
  if (act.roles().empty()) reason = receivers ? "NOT_THE_RECEIVER" : "NOT_THE_OWNER";
  const std::string whom = actor.empty() ? "a step without a name" : absl::StrCat("\"", actor, "\"");
  return Refuse(absl::StatusCode::kPermissionDenied, reason,
                absl::StrCat("the step ", StepText(act.step()), " is not for ", whom, " to take; it is for ",
                             WhoText(act, owner, receiver)),
                rule_id);
}

absl::Status NoOpenTransfer(const Proposal& proposal, absl::string_view transfer_id) {
  const auto& procedures = proposal.policy.policy.hand_over().procedures();
  return Refuse(absl::StatusCode::kNotFound, "NO_OPEN_TRANSFER",
                absl::StrCat("no hand-over \"", transfer_id,
                             "\" of this customer is open; read the owner to see what is"),
                procedures.empty() ? "" : procedures[0].rule_id());
}

absl::Status DisputeOpen(const Proposal& proposal, const std::string& rule_id) {
  return Refuse(kNo, "DISPUTE_OPEN",
                "a dispute about this customer is open, and this step waits for its decision; take it again "
                "afterwards",
                Or(proposal.policy.policy.dispute().rule_id(), rule_id));
}

absl::Status CheckKind(const Proposal& proposal, const pb::TransferProposed& proposed) {
  const pb::HandOver& rules = proposal.policy.policy.hand_over();
  if (rules.procedures().empty()) {
    return Refuse(kNo, "HAND_OVER_OFF", "the policy in force has no hand-over; ask for an assignment instead",
                  "");
  }
  std::string kinds;
  for (const pb::HandOverProcedure& procedure : rules.procedures()) {
    for (const int kind : procedure.kinds()) {
      const std::string& name = pb::TransferKind_Name(static_cast<pb::TransferKind>(kind));
      absl::StrAppend(&kinds, kinds.empty() ? "" : ", ", name);
    }
  }
  if (proposed.kind() == pb::TRANSFER_KIND_UNSPECIFIED) {
    return Refuse(absl::StatusCode::kInvalidArgument, "KIND_MISSING",
                  absl::StrCat("say why the customer is handed over; the policy knows ", kinds),
                  rules.procedures(0).rule_id());
  }
  return Refuse(kNo, "KIND_NOT_ALLOWED",
                absl::StrCat("the policy in force has no hand-over of kind ",
                             pb::TransferKind_Name(proposed.kind()), "; it knows ", kinds),
                rules.procedures(0).rule_id());
}

// Whether the customer is in the hands that the procedure hands over from.
absl::Status CheckOwner(const pb::HandOverProcedure& procedure, const pb::TransferProposed& proposed,
                        const ScopeState& scope, const std::string& rule_id) {
  if (procedure.without_owner()) return absl::OkStatus();
  if (!HolderKey(proposed.from()).empty() && !SameHolder(proposed.from(), scope.owner())) {
    return Refuse(kNo, "NOT_THE_OWNER",
                  absl::StrCat("the customer belongs to ", HolderText(scope.owner()), ", not to ",
                               HolderText(proposed.from()), "; read the owner again"),
                  rule_id);
  }
  return absl::OkStatus();
}

std::string UnitOf(const Proposal& proposal, const pb::Owner& owner) {
  if (owner.has_unit_id()) return owner.unit_id();
  const auto member = proposal.timeline.StaffAt(owner.staff_id(), proposal.at);
  return member.has_value() ? member->unit_id : "";
}

absl::Status CheckReceiver(const Proposal& proposal, const pb::HandOverProcedure& procedure,
                           const pb::TransferProposed& proposed, const ScopeState& scope) {
  const std::string& rule_id = Or(procedure.receiver_rule_id(), procedure.rule_id());
  if (HolderKey(proposed.to()).empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "RECEIVER_MISSING",
                  "name who is to receive the customer", rule_id);
  }
  if (scope.custody() == CUSTODY_OWNED && SameHolder(proposed.to(), scope.owner())) {
    return Refuse(kNo, "ALREADY_THE_OWNER", "the receiver owns the customer already; name somebody else",
                  rule_id);
  }
  if (!procedure.receiver_roles().empty() &&
      !HoldsRole(proposal, proposed.to().staff_id(), procedure.receiver_roles(),
                 proposal.policy.policy.hand_over().unknown_role_may())) {
    return Refuse(kNo, "WRONG_RECEIVER",
                  absl::StrCat("the receiver must have the role ", Listed(procedure.receiver_roles()), "; ",
                               HolderText(proposed.to()), " has not"),
                  rule_id);
  }
  if (procedure.receiver_of_other_unit() && scope.custody() == CUSTODY_OWNED) {
    const std::string unit = UnitOf(proposal, proposed.to());
    if (unit.empty()) {
      return Refuse(kNo, "RECEIVER_UNIT_UNKNOWN",
                    absl::StrCat("the receiver must belong to another unit than the owner, and nobody has "
                                 "said which unit ",
                                 HolderText(proposed.to()), " belongs to; record it first"),
                    rule_id);
    }
    if (unit == UnitOf(proposal, scope.owner())) {
      return Refuse(
          kNo, "WRONG_RECEIVER",
          absl::StrCat("the receiver must belong to another unit than the owner; both belong to ", unit),
          rule_id);
    }
  }
  return StaffIsHere(proposal, proposed.to().staff_id(), rule_id);
}

absl::Status CheckProposer(const Proposal& proposal, const pb::HandOverProcedure& procedure,
                           const pb::TransferProposed& proposed, const ScopeState& scope) {
  const std::string& record_rule = Or(procedure.record_rule_id(), procedure.rule_id());
  if (procedure.proposer_required() && proposed.proposed_by().empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "PROPOSER_MISSING",
                  "say who proposes the hand-over, so that it leaves a record", record_rule);
  }
  if (procedure.reason_required() && proposed.reason().empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "REASON_MISSING",
                  "say why the customer is handed over, so that it leaves a record", record_rule);
  }
  const pb::HandOverAct& first = procedure.steps(0);
  const std::string& rule_id = RuleOf(procedure, first);
  const pb::Owner nobody;
  const pb::Owner& owner = scope.custody() == CUSTODY_OWNED ? scope.owner() : nobody;
  LEDGER_RETURN_IF_ERROR(MayTake(proposal, first, proposed.proposed_by(), owner, proposed.to(),
                                 proposal.policy.policy.hand_over().unknown_role_may(), rule_id));
  // Whoever leaves hands over together with the formalities of leaving.
  if (proposed.kind() == pb::TRANSFER_KIND_LEAVE && ActsFor(owner, proposed.proposed_by())) {
    return absl::OkStatus();
  }
  return StaffIsHere(proposal, proposed.proposed_by(), rule_id);
}

struct Asked {
  pb::HandOverStep step;
  absl::string_view transfer_id;
  absl::string_view actor;
};

Asked AskedBy(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kTransferAudited:
      return {pb::HAND_OVER_STEP_AUDIT, event.transfer_audited().transfer_id(),
              event.transfer_audited().auditor_id()};
    case pb::Event::kTransferAccepted:
      return {pb::HAND_OVER_STEP_ACCEPT, event.transfer_accepted().transfer_id(),
              event.transfer_accepted().receiver_id()};
    case pb::Event::kTransferConfirmed:
      return {pb::HAND_OVER_STEP_CONFIRM, event.transfer_confirmed().transfer_id(),
              event.transfer_confirmed().confirmed_by()};
    default:
      return {pb::HAND_OVER_STEP_COMPLETE, event.transfer_completed().transfer_id(), ""};
  }
}

// The step of that kind that may be taken now.
absl::StatusOr<Act> FindNext(const pb::HandOverProcedure& procedure, const TransferState& transfer,
                             pb::HandOverStep step) {
  const std::vector<Act> next = NextActs(procedure, transfer);
  for (const Act& act : next) {
    if (act.act->step() == step) return act;
  }
  if (next.empty()) {
    return Refuse(kNo, "STEP_NOT_DUE", "the hand-over has no further step", procedure.rule_id());
  }
  const pb::HandOverAct& due = *next.back().act;
  return Refuse(kNo, "STEP_NOT_DUE",
                absl::StrCat("the step ", StepText(step), " is not next; next is ", StepText(due.step()),
                             ", by ", WhoText(due, transfer.from(), transfer.to())),
                RuleOf(procedure, due));
}

}  // namespace

absl::StatusOr<Decision> DecideTransferProposed(const Proposal& proposal,
                                                const pb::TransferProposed& proposed) {
  const pb::HandOverProcedure* procedure = ProcedureFor(proposal.policy, proposed.kind());
  if (procedure == nullptr) return CheckKind(proposal, proposed);
  const std::string& rule_id = RuleOf(*procedure, procedure->steps(0));
  if (proposed.transfer_id().empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "TRANSFER_ID_MISSING",
                  "give the hand-over an id that is unique among the customer's", rule_id);
  }
  const ScopeState* scope = FindScope(proposal.customer, proposed.scope());
  const bool owned = scope != nullptr && scope->custody() == CUSTODY_OWNED;
  if (!procedure->without_owner() && !owned) {
    return Refuse(kNo, "NO_OWNER", "the customer has no owner in this scope; register it instead", rule_id);
  }
  if (procedure->without_owner() && (owned || scope == nullptr || scope->custody() == CUSTODY_NONE)) {
    return Refuse(kNo, "STILL_OWNED",
                  "this kind of hand-over is for customers that somebody owned and nobody owns any longer",
                  rule_id);
  }
  if (!scope->disputes().empty()) return DisputeOpen(proposal, rule_id);
  if (scope->has_transfer()) {
    return Refuse(kNo, "TRANSFER_ALREADY_OPEN",
                  absl::StrCat("the hand-over \"", scope->transfer().transfer_id(),
                               "\" is open; have it finished, declined or cancelled first"),
                  rule_id);
  }
  if (const ScopeState* other = FindTransfer(proposal.customer, proposed.transfer_id())) {
    return Refuse(
        kNo, "TRANSFER_ID_TAKEN",
        absl::StrCat("the hand-over \"", proposed.transfer_id(), "\" of this customer is open in ",
                     other->scope().empty() ? "the whole company" : other->scope(), "; use another id"),
        rule_id);
  }
  LEDGER_RETURN_IF_ERROR(CheckOwner(*procedure, proposed, *scope, rule_id));
  LEDGER_RETURN_IF_ERROR(CheckProposer(proposal, *procedure, proposed, *scope));
  LEDGER_RETURN_IF_ERROR(CheckReceiver(proposal, *procedure, proposed, *scope));
  return Accepted(rule_id);
}

absl::StatusOr<Decision> DecideTransferStep(const Proposal& proposal, const pb::Event& event) {
  const Asked asked = AskedBy(event);
  const ScopeState* scope = FindTransfer(proposal.customer, asked.transfer_id);
  if (scope == nullptr) return NoOpenTransfer(proposal, asked.transfer_id);
  const TransferState& transfer = scope->transfer();
  const pb::HandOverProcedure* procedure = ProcedureOf(proposal.timeline, transfer);
  if (procedure == nullptr) return NoOpenTransfer(proposal, asked.transfer_id);
  LEDGER_ASSIGN_OR_RETURN(const Act act, FindNext(*procedure, transfer, asked.step));
  const std::string& rule_id = RuleOf(*procedure, *act.act);
  if (!scope->disputes().empty() && WaitsForDispute(act)) return DisputeOpen(proposal, rule_id);
  // A completed slip names nobody: it is the system's.
  if (asked.step != pb::HAND_OVER_STEP_COMPLETE) {
    LEDGER_RETURN_IF_ERROR(MayTake(proposal, *act.act, asked.actor, transfer.from(), transfer.to(),
                                   UnknownMay(proposal, transfer.time_us()), rule_id));
    LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, asked.actor, rule_id));
  }
  if (act.receiver_owns) {
    LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, transfer.to().staff_id(), rule_id));
  }
  return Accepted(rule_id);
}

absl::StatusOr<Decision> DecideTransferDeclined(const Proposal& proposal,
                                                const pb::TransferDeclined& declined) {
  const ScopeState* scope = FindTransfer(proposal.customer, declined.transfer_id());
  const pb::HandOverProcedure* procedure =
      scope == nullptr ? nullptr : ProcedureOf(proposal.timeline, scope->transfer());
  if (procedure == nullptr) return NoOpenTransfer(proposal, declined.transfer_id());
  if (scope->transfer().receiver_owns()) {
    return Refuse(kNo, "TRANSFER_TOOK_EFFECT",
                  "the receiver owns the customer already; hand it over anew instead", procedure->rule_id());
  }
  if (!ActsFor(scope->transfer().to(), declined.receiver_id())) {
    return Refuse(absl::StatusCode::kPermissionDenied, "NOT_THE_RECEIVER",
                  absl::StrCat("only the intended owner, ", HolderText(scope->transfer().to()),
                               ", declines; anybody else cancels"),
                  procedure->rule_id());
  }
  return Accepted(procedure->rule_id());
}

absl::StatusOr<Decision> DecideTransferCancelled(const Proposal& proposal,
                                                 const pb::TransferCancelled& cancelled) {
  const ScopeState* scope = FindTransfer(proposal.customer, cancelled.transfer_id());
  const pb::HandOverProcedure* procedure =
      scope == nullptr ? nullptr : ProcedureOf(proposal.timeline, scope->transfer());
  if (procedure == nullptr) return NoOpenTransfer(proposal, cancelled.transfer_id());
  const std::string& rule_id = Or(procedure->cancel_rule_id(), procedure->rule_id());
  if (scope->transfer().receiver_owns()) {
    return Refuse(kNo, "TRANSFER_TOOK_EFFECT",
                  "the receiver owns the customer already; hand it over anew instead", rule_id);
  }
  const bool owners =
      scope->transfer().has_from() && ActsFor(scope->transfer().from(), cancelled.cancelled_by());
  if (!procedure->cancel_roles().empty() && !owners &&
      !HoldsRole(proposal, cancelled.cancelled_by(), procedure->cancel_roles(),
                 UnknownMay(proposal, scope->transfer().time_us()))) {
    return Refuse(
        absl::StatusCode::kPermissionDenied, "WRONG_ROLE",
        absl::StrCat("a hand-over is cancelled by the owner, ", HolderText(scope->transfer().from()),
                     ", or by whoever has the role ", Listed(procedure->cancel_roles())),
        rule_id);
  }
  return Accepted(rule_id);
}

absl::Status CheckTransferReview(const Proposal& proposal, const pb::Event& event) {
  const bool submitted = event.has_profile_submitted();
  const std::string& name = submitted ? event.profile_submitted().scope() : event.profile_reviewed().scope();
  const ScopeState* scope = FindScope(proposal.customer, name);
  const pb::HandOverReview* rules = scope == nullptr ? nullptr : ReviewOf(proposal.timeline, *scope);
  if (rules == nullptr) return absl::OkStatus();
  if (submitted) {
    if (ActsFor(scope->owner(), event.profile_submitted().submitted_by())) return absl::OkStatus();
    return Refuse(absl::StatusCode::kPermissionDenied, "NOT_THE_RECEIVER",
                  absl::StrCat("whoever received the customer, ", HolderText(scope->owner()),
                               ", looks at it and submits it"),
                  rules->submit_rule_id());
  }
  const pb::ProfileReviewed& reviewed = event.profile_reviewed();
  if (reviewed.result() == pb::REVIEW_RESULT_REOPENED) return absl::OkStatus();
  if (!scope->transfer_review().is_submitted()) {
    return Refuse(kNo, "NOT_SUBMITTED",
                  absl::StrCat("the customer was handed over to ", HolderText(scope->owner()),
                               ", who has to submit it before it is reviewed"),
                  rules->submit_rule_id());
  }
  if (!rules->reviewer_roles().empty() &&
      !HoldsRole(proposal, reviewed.reviewer_id(), rules->reviewer_roles(),
                 UnknownMay(proposal, scope->transfer_review().proposed_us()))) {
    return Refuse(absl::StatusCode::kPermissionDenied, "WRONG_ROLE",
                  absl::StrCat("a customer that was handed over is reviewed by whoever has the role ",
                               Listed(rules->reviewer_roles())),
                  rules->approve_rule_id());
  }
  return StaffIsHere(proposal, reviewed.reviewer_id(), rules->approve_rule_id());
}

}  // namespace ledger::rules
