#include "projections/rules/hand_over/hand_over.h"

#include <algorithm>
#include <utility>

#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/hand_over/procedure.h"
#include "projections/rules/lapse/lapse.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// A step as an event names it.
struct Taken {
  pb::HandOverStep step = pb::HAND_OVER_STEP_UNSPECIFIED;
  absl::string_view transfer_id;
  absl::string_view actor;
  bool passed = true;
};

Taken TakenBy(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kTransferAudited:
      return {pb::HAND_OVER_STEP_AUDIT, event.transfer_audited().transfer_id(),
              event.transfer_audited().auditor_id(), event.transfer_audited().passed()};
    case pb::Event::kTransferAccepted:
      return {pb::HAND_OVER_STEP_ACCEPT, event.transfer_accepted().transfer_id(),
              event.transfer_accepted().receiver_id()};
    case pb::Event::kTransferConfirmed:
      return {pb::HAND_OVER_STEP_CONFIRM, event.transfer_confirmed().transfer_id(),
              event.transfer_confirmed().confirmed_by()};
    case pb::Event::kTransferCompleted:
      return {pb::HAND_OVER_STEP_COMPLETE, event.transfer_completed().transfer_id(), ""};
    case pb::Event::kCustomerNotified:
      if (event.customer_notified().cause() != "transfer") return {};
      return {pb::HAND_OVER_STEP_NOTIFY, "", event.customer_notified().sender_id()};
    default:
      return {};
  }
}

pb::Basis BasisOf(const Step& step, const TransferState& transfer, const std::string& rule_id) {
  // The hand-over keeps the policy it was proposed under.
  const policy::PolicyVersion& policy = PolicyInForce(step.timeline, FromMicros(transfer.time_us()));
  pb::Basis basis = MakeBasis(rule_id, policy, step.at());
  for (const TransferStepState& taken : transfer.steps()) basis.add_positions(taken.position());
  return basis;
}

void MakeProvisionalOwner(const Step& step, const pb::HandOverProcedure& procedure, ScopeState* scope,
                          CustomerState* state) {
  TransferState transfer = scope->transfer();
  if (scope->custody() == CUSTODY_OWNED) {
    FormerOwnership* former = transfer.mutable_former();
    *former->mutable_owner() = scope->owner();
    *former->mutable_basis() = scope->basis();
    former->set_since_us(scope->since_us());
    *former->mutable_lapse() = scope->lapse();
    *former->mutable_call_back() = scope->call_back();
  }
  const pb::Basis basis = BasisOf(step, transfer, RuleOf(procedure, procedure.steps(0)));
  SetOwner(step, transfer.to(), basis, Filing::kMoved, scope, state);
  *scope->mutable_transfer() = std::move(transfer);
}

void MakeOwner(const Step& step, const pb::HandOverProcedure& procedure, const pb::HandOverAct& act,
               ScopeState* scope, CustomerState* state) {
  TransferState transfer = scope->transfer();
  const Filing filing = procedure.filing() == pb::FILING_MOVE_ANEW ? Filing::kNew : Filing::kMoved;
  SetOwner(step, transfer.to(), BasisOf(step, transfer, RuleOf(procedure, act)), filing, scope, state);
  if (procedure.has_review()) {
    TransferReviewState* review = scope->mutable_transfer_review();
    review->Clear();
    review->set_transfer_id(transfer.transfer_id());
    review->set_time_us(ToMicros(step.at()));
    review->set_proposed_us(transfer.time_us());
    review->set_kind(transfer.kind());
    scope->set_approved(false);
  }
  transfer.set_receiver_owns(true);
  transfer.set_nobody_owns(false);
  transfer.clear_former();
  *scope->mutable_transfer() = std::move(transfer);
}

// Takes the step `act`, which is one of those that come next.
void Take(const Step& step, const pb::HandOverProcedure& procedure, const Act& act, absl::string_view actor,
          ScopeState* scope, CustomerState* state) {
  TransferState* transfer = scope->mutable_transfer();
  TransferStepState* taken = transfer->add_steps();
  taken->set_place(static_cast<uint32_t>(act.place));
  taken->set_taken_by(std::string(actor));
  taken->set_position(step.event.position);
  taken->set_time_us(ToMicros(step.at()));
  transfer->clear_rejected_position();
  if (act.act->step() == pb::HAND_OVER_STEP_ACCEPT) transfer->set_accepted(true);
  if (act.receiver_owns) MakeOwner(step, procedure, *act.act, scope, state);
  if (scope->transfer().receiver_owns() && IsFinished(NextActs(procedure, scope->transfer()))) {
    scope->clear_transfer();
  }
}

// True if the hand-over moves the present owner's customer, or one that nobody owns, as the procedure wants it.
bool MayBegin(const pb::HandOverProcedure& procedure, const pb::TransferProposed& proposed,
              const ScopeState& scope) {
  if (!scope.disputes().empty() || scope.has_transfer() || HolderKey(proposed.to()).empty()) return false;
  if (procedure.without_owner()) {
    return scope.custody() != CUSTODY_OWNED && scope.custody() != CUSTODY_NONE;
  }
  if (scope.custody() != CUSTODY_OWNED) return false;
  return HolderKey(proposed.from()).empty() || SameHolder(proposed.from(), scope.owner());
}

void ApplyToScope(const Step& step, const Taken& taken, ScopeState* scope, CustomerState* state) {
  const pb::HandOverProcedure* procedure = ProcedureOf(step.timeline, scope->transfer());
  if (procedure == nullptr) return;
  for (const Act& act : NextActs(*procedure, scope->transfer())) {
    if (act.act->step() != taken.step) continue;
    if (!scope->disputes().empty() && WaitsForDispute(act)) return;
    if (IsReceiversAlone(*act.act) && !ActsFor(scope->transfer().to(), taken.actor)) return;
    if (!taken.passed) {
      scope->mutable_transfer()->set_rejected_position(step.event.position);
      return;
    }
    Take(step, *procedure, act, taken.actor, scope, state);
    return;
  }
}

void GiveBack(const Step& step, ScopeState* scope, CustomerState* state) {
  const FormerOwnership former = scope->transfer().former();
  // Through the one place where owners change, which counts them; then with the dates it had.
  SetOwner(step, former.owner(), former.basis(), Filing::kMoved, scope, state);
  scope->set_since_us(former.since_us());
  *scope->mutable_lapse() = former.lapse();
  *scope->mutable_call_back() = former.call_back();
  EndHold(step, scope);
}

void ReadNext(const pb::HandOverProcedure& procedure, const Act& act, const TransferState& transfer,
              pb::NextTransferStep* next) {
  next->set_step(act.act->step());
  if (act.act->by_owner()) *next->mutable_by() = transfer.from();
  if (act.act->by_receiver() || IsReceiversAlone(*act.act)) *next->mutable_by() = transfer.to();
  *next->mutable_roles() = act.act->roles();
  next->set_rule_id(RuleOf(procedure, *act.act));
  next->set_may_be_skipped(act.act->may_be_skipped());
  next->set_receiver_owns(act.receiver_owns);
}

void ReadReview(const policy::Timeline& timeline, const ScopeState& scope, pb::Ownership* ownership) {
  const pb::HandOverReview* rules = ReviewOf(timeline, scope);
  if (rules == nullptr) return;
  const TransferReviewState& review = scope.transfer_review();
  pb::TransferReview* answer = ownership->mutable_transfer_review();
  answer->set_transfer_id(review.transfer_id());
  *answer->mutable_since_time() = ToTimestamp(FromMicros(review.time_us()));
  if (review.is_submitted()) {
    *answer->mutable_submitted_time() = ToTimestamp(FromMicros(review.submitted_us()));
  }
  answer->set_rejected_position(review.rejected_position());
  answer->set_counts_rule_id(rules->counts_rule_id());
  answer->set_rule_id(review.is_submitted() ? rules->approve_rule_id() : rules->submit_rule_id());
}

}  // namespace

const ScopeState* FindTransfer(const CustomerState& state, absl::string_view transfer_id) {
  for (const ScopeState& scope : state.scopes()) {
    if (scope.has_transfer() && absl::string_view(scope.transfer().transfer_id()) == transfer_id) {
      return &scope;
    }
  }
  return nullptr;
}

void ApplyTransferProposed(const Step& step, CustomerState* state) {
  const pb::TransferProposed& proposed = step.event.event->transfer_proposed();
  const pb::HandOverProcedure* procedure = ProcedureFor(step.policy, proposed.kind());
  if (procedure == nullptr || FindTransfer(*state, proposed.transfer_id()) != nullptr) return;
  ScopeState* scope = FindScope(state, proposed.scope());
  if (scope == nullptr || !MayBegin(*procedure, proposed, *scope)) return;
  TransferState* transfer = scope->mutable_transfer();
  transfer->set_transfer_id(proposed.transfer_id());
  if (scope->custody() == CUSTODY_OWNED) *transfer->mutable_from() = scope->owner();
  *transfer->mutable_to() = proposed.to();
  transfer->set_position(step.event.position);
  transfer->set_time_us(ToMicros(step.at()));
  transfer->set_kind(proposed.kind());
  transfer->set_same_post(proposed.same_post());
  transfer->set_reason(proposed.reason());
  transfer->set_nobody_owns(scope->custody() == CUSTODY_OWNED &&
                            procedure->owner_meanwhile() == pb::OWNER_MEANWHILE_NOBODY);
  const std::vector<Act> acts = ActsOf(*procedure, proposed.same_post());
  Take(step, *procedure, acts.front(), proposed.proposed_by(), scope, state);
  if (procedure->owner_meanwhile() == pb::OWNER_MEANWHILE_RECEIVER && scope->has_transfer() &&
      !scope->transfer().receiver_owns()) {
    MakeProvisionalOwner(step, *procedure, scope, state);
  }
}

void ApplyTransferStep(const Step& step, CustomerState* state) {
  const Taken taken = TakenBy(*step.event.event);
  switch (taken.step) {
    case pb::HAND_OVER_STEP_UNSPECIFIED:
      return;
    case pb::HAND_OVER_STEP_NOTIFY:  // names no hand-over: it tells of every one that waits for it
      for (ScopeState& scope : *state->mutable_scopes()) {
        if (scope.has_transfer()) ApplyToScope(step, taken, &scope, state);
      }
      return;
    default: {
      const ScopeState* found = FindTransfer(*state, taken.transfer_id);
      if (found != nullptr) ApplyToScope(step, taken, FindScope(state, found->scope()), state);
    }
  }
}

void ApplyTransferEnded(const Step& step, absl::string_view transfer_id, CustomerState* state) {
  const ScopeState* found = FindTransfer(*state, transfer_id);
  if (found == nullptr || found->transfer().receiver_owns()) return;
  ScopeState* scope = FindScope(state, found->scope());
  if (scope->transfer().has_former()) {
    GiveBack(step, scope, state);
  } else if (scope->transfer().nobody_owns()) {
    EndHold(step, scope);
  }
  scope->clear_transfer();
}

void ApplyTransferReview(const Step& step, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  const bool submitted = event.has_profile_submitted();
  ScopeState* scope =
      FindScope(state, submitted ? event.profile_submitted().scope() : event.profile_reviewed().scope());
  if (scope == nullptr || !scope->has_transfer_review()) return;
  TransferReviewState* review = scope->mutable_transfer_review();
  if (submitted) {
    review->set_is_submitted(true);
    review->set_submitted_us(ToMicros(step.at()));
    return;
  }
  switch (event.profile_reviewed().result()) {
    case pb::REVIEW_RESULT_APPROVED:
      scope->clear_transfer_review();
      scope->set_approved(true);
      break;
    case pb::REVIEW_RESULT_REJECTED:
      review->set_is_submitted(false);
      review->set_submitted_us(0);
      review->set_rejected_position(step.event.position);
      break;
    default:
      break;
  }
}

bool AwaitsTransferReview(const ScopeState& scope) { return scope.has_transfer_review(); }

const pb::HandOverReview* ReviewOf(const policy::Timeline& timeline, const ScopeState& scope) {
  if (!scope.has_transfer_review()) return nullptr;
  const TransferReviewState& review = scope.transfer_review();
  const pb::HandOverProcedure* procedure =
      ProcedureFor(PolicyInForce(timeline, FromMicros(review.proposed_us())), review.kind());
  return procedure != nullptr && procedure->has_review() ? &procedure->review() : nullptr;
}

void ReadTransfer(const policy::Timeline& timeline, const ScopeState& scope, pb::Ownership* ownership) {
  ReadReview(timeline, scope, ownership);
  if (!scope.has_transfer()) return;
  const TransferState& transfer = scope.transfer();
  pb::OpenTransfer* answer = ownership->mutable_transfer();
  answer->set_transfer_id(transfer.transfer_id());
  if (transfer.has_from()) *answer->mutable_from() = transfer.from();
  *answer->mutable_to() = transfer.to();
  answer->set_position(transfer.position());
  answer->set_kind(transfer.kind());
  answer->set_reason(transfer.reason());
  answer->set_same_post(transfer.same_post());
  *answer->mutable_since_time() = ToTimestamp(FromMicros(transfer.time_us()));
  answer->set_semi_linked(transfer.accepted() && !transfer.receiver_owns());
  answer->set_suspended(!scope.disputes().empty());
  answer->set_receiver_owns(transfer.receiver_owns());
  answer->set_rejected_position(transfer.rejected_position());
  const pb::HandOverProcedure* procedure = ProcedureOf(timeline, transfer);
  if (procedure == nullptr) return;
  answer->set_rule_id(procedure->rule_id());
  answer->set_moves_rule_id(procedure->moves_rule_id());
  for (const TransferStepState& taken : transfer.steps()) {
    const pb::HandOverAct& act = procedure->steps(static_cast<int>(taken.place()));
    pb::TransferStep* step = answer->add_steps();
    step->set_step(act.step());
    step->set_taken_by(taken.taken_by());
    *step->mutable_time() = ToTimestamp(FromMicros(taken.time_us()));
    step->set_position(taken.position());
    step->set_rule_id(RuleOf(*procedure, act));
  }
  for (const Act& act : NextActs(*procedure, transfer))
    ReadNext(*procedure, act, transfer, answer->add_next());
  if (!transfer.nobody_owns()) return;
  // Nobody owns because of the proposal, and not because of what made the former owner one.
  const absl::Time since = FromMicros(transfer.time_us());
  pb::Basis basis = MakeBasis(RuleOf(*procedure, procedure->steps(0)), PolicyInForce(timeline, since), since);
  basis.add_positions(transfer.position());
  *ownership->mutable_basis() = std::move(basis);
}

}  // namespace ledger::rules
