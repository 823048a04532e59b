#include "projections/rules/claim/election.h"

#include <tuple>

#include "projections/rules/civil_time.h"
#include "projections/rules/claim/claim.h"
#include "projections/rules/lapse/card.h"
#include "projections/rules/registration/filing.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

bool IsAlive(const ClaimState& claim) {
  return claim.has_effective() &&
         (claim.standing() == CLAIM_STANDING_OWNS || claim.standing() == CLAIM_STANDING_SECOND);
}

bool ComesFirst(const ClaimState& a, const ClaimState& b) {
  return std::make_tuple(a.rank(), a.effective_us(), a.effective_position()) <
         std::make_tuple(b.rank(), b.effective_us(), b.effective_position());
}

int FirstAlive(const ScopeState& scope) {
  int first = -1;
  for (int i = 0; i < scope.claims_size(); ++i) {
    if (!IsAlive(scope.claims(i))) continue;
    if (first < 0 || ComesFirst(scope.claims(i), scope.claims(first))) first = i;
  }
  return first;
}

void AddClaimPositions(const ClaimState& claim, pb::Basis* basis) {
  basis->add_positions(claim.position());
  if (claim.effective_position() != claim.position()) basis->add_positions(claim.effective_position());
}

// Why the claim at `index` owns.
pb::Basis BasisOf(const Step& step, const ScopeState& scope, int index) {
  const pb::OwnershipRules& rules = step.policy.policy.ownership();
  const ClaimState& winner = scope.claims(index);
  const bool invited = rules.claim_by() == pb::CLAIM_ACT_INVITATION;
  pb::Basis basis =
      MakeBasis(invited ? rules.invitations().rule_id() : rules.claim_rule_id(), step.policy, step.at());
  AddClaimPositions(winner, &basis);
  for (const ClaimState& other : scope.claims()) {
    if (!IsAlive(other) || other.rank() <= winner.rank() || other.effective_us() > winner.effective_us())
      continue;
    // An earlier one that came late gives the reason.
    if (invited) basis.set_rule_id(rules.invitations().late_rule_id());
    AddClaimPositions(other, &basis);
  }
  return basis;
}

void Install(const Step& step, int index, const pb::Basis& basis, ScopeState* scope, CustomerState* state) {
  for (ClaimState& claim : *scope->mutable_claims()) {
    if (claim.standing() == CLAIM_STANDING_OWNS) claim.set_standing(CLAIM_STANDING_SECOND);
  }
  const pb::Owner owner = scope->claims(index).claimant();
  if (scope->custody() != CUSTODY_OWNED || !SameHolder(scope->owner(), owner)) {
    SetOwner(step, owner, basis, Filing::kClaimed, scope, state);
  }
  scope->mutable_claims(index)->set_standing(CLAIM_STANDING_OWNS);
}

// Somebody let a card die, and somebody else's card takes its place.
void FindReplaced(const Step& step, const ClaimState& signed_claim, ScopeState* scope) {
  const pb::CardLife& rules = step.policy.policy.lapse().card();
  if (rules.replaced_rule_id().empty() || scope->custody() != CUSTODY_VOID) return;
  const ClaimState* replaced = nullptr;
  for (const ClaimState& claim : scope->claims()) {
    if (claim.standing() != CLAIM_STANDING_VOID || SameHolder(claim.claimant(), signed_claim.claimant()))
      continue;
    const std::string& why = claim.void_basis().rule_id();
    if (why == rules.first_rule_id() || why == rules.further_rule_id()) replaced = &claim;
  }
  if (replaced == nullptr) return;
  BreachState* breach = scope->add_breaches();
  breach->set_rule_id(rules.replaced_rule_id());
  *breach->mutable_by() = replaced->claimant();
  if (rules.has_replaced_amount()) *breach->mutable_amount() = rules.replaced_amount();
  breach->set_since_us(ToMicros(step.at()));
  breach->add_positions(replaced->position());
  breach->add_positions(step.event.position);
}

// The day that an instant counts for: after the cut-off the next one.
absl::CivilDay CountedDay(const pb::Policy& policy, const pb::TimeOfDay& cut_off, absl::Time at) {
  const absl::CivilDay day = LocalDay(policy, at);
  return at > AtTimeOfDay(policy, day, cut_off) ? day + 1 : day;
}

}  // namespace

bool ClaimsCompete(const policy::PolicyVersion& policy) {
  const pb::OwnershipRules& rules = policy.policy.ownership();
  if (rules.by_recorded_assignment()) return false;
  return rules.claim_by() == pb::CLAIM_ACT_SIGNATURE || rules.claim_by() == pb::CLAIM_ACT_INVITATION ||
         rules.form_time_counts() || rules.next_claim_succeeds() || policy.policy.lapse().has_card();
}

void Elect(const Step& step, ScopeState* scope, CustomerState* state) {
  if (!scope->disputes().empty() || InLimbo(step.timeline, *scope)) return;
  const int first = FirstAlive(*scope);
  if (first < 0 || scope->claims(first).standing() == CLAIM_STANDING_OWNS) return;
  Install(step, first, BasisOf(step, *scope, first), scope, state);
}

void SucceedVoid(const Step& step, const pb::Basis& basis, ScopeState* scope, CustomerState* state) {
  const pb::OwnershipRules& rules = step.policy.policy.ownership();
  const int next = rules.next_claim_succeeds() ? FirstAlive(*scope) : -1;
  if (next < 0) {
    SetVoid(step.timeline, step.at(), basis, scope);
    return;
  }
  pb::Basis succeeds = MakeBasis(rules.next_claim_rule_id(), step.policy, step.at());
  succeeds.set_arithmetic(basis.arithmetic());
  succeeds.add_concurring_rule_ids(basis.rule_id());
  *succeeds.mutable_positions() = basis.positions();
  AddClaimPositions(scope->claims(next), &succeeds);
  Install(step, next, succeeds, scope, state);
}

void AddDecidedClaim(const Step& step, const pb::Owner& owner, ScopeState* scope) {
  if (!ClaimsCompete(step.policy)) return;
  ClaimState* claim = scope->add_claims();
  *claim->mutable_claimant() = owner;
  claim->set_position(step.event.position);
  claim->set_time_us(ToMicros(step.at()));
  claim->set_standing(CLAIM_STANDING_OWNS);
  claim->set_has_effective(true);
  claim->set_effective_us(ToMicros(step.at()));
  claim->set_effective_position(step.event.position);
  StartCard(step, claim);
}

void ApplySigned(const Step& step, CustomerState* state) {
  if (step.policy.policy.ownership().claim_by() != pb::CLAIM_ACT_SIGNATURE) return;
  const pb::RegistrationSigned& event = step.event.event->registration_signed();
  ScopeState* scope = FindScope(state, event.scope());
  if (scope == nullptr) return;
  for (ClaimState& claim : *scope->mutable_claims()) {
    if (claim.standing() != CLAIM_STANDING_WAITING) continue;
    if (!event.card_id().empty() && claim.card_id() != event.card_id()) continue;
    claim.set_standing(CLAIM_STANDING_SECOND);
    claim.set_has_effective(true);
    claim.set_effective_us(ToMicros(step.at()));
    claim.set_effective_position(step.event.position);
    StartCard(step, &claim);
    FindReplaced(step, claim, scope);
    break;
  }
  Elect(step, scope, state);
}

void ApplyInvitation(const Step& step, CustomerState* state) {
  if (step.policy.policy.ownership().claim_by() != pb::CLAIM_ACT_INVITATION) return;
  const pb::InvitationConfirmed& event = step.event.event->invitation_confirmed();
  pb::Owner claimant;
  if (!event.staff_id().empty()) {
    claimant.set_staff_id(event.staff_id());
  } else if (!event.unit_id().empty()) {
    claimant.set_unit_id(event.unit_id());
  } else {
    return;
  }
  ScopeState* scope = FindOrAddScope(state, event.occasion_id());
  for (const ClaimState& claim : scope->claims()) {
    if (IsAlive(claim) && SameHolder(claim.claimant(), claimant)) return;
  }
  ClaimState* claim = scope->add_claims();
  *claim->mutable_claimant() = claimant;
  claim->set_unit_id(event.unit_id());
  claim->set_position(step.event.position);
  claim->set_time_us(ToMicros(step.at()));
  claim->set_standing(CLAIM_STANDING_SECOND);
  claim->set_has_effective(true);
  claim->set_effective_us(ToMicros(step.at()));
  claim->set_effective_position(step.event.position);
  claim->set_rank(kLateRank);  // until its list is in
  Elect(step, scope, state);
}

void ApplyForms(const Step& step, CustomerState* state) {
  if (!step.policy.policy.ownership().form_time_counts()) return;
  for (ScopeState& scope : *state->mutable_scopes()) {
    bool found = false;
    for (ClaimState& claim : *scope.mutable_claims()) {
      if (!IsAlive(claim) || claim.rank() != kLateRank) continue;
      const auto judged = EffectiveClaim(step.timeline, *state, claim.position(), step.at());
      if (!judged.has_value()) continue;
      found = true;
      claim.set_rank(kInOrderRank);
      claim.set_effective_us(ToMicros(*judged->effective));
      // Of two forms with the same time the one registered first comes first.
      claim.set_effective_position(claim.position());
    }
    if (found) Elect(step, &scope, state);
  }
}

void ApplyList(const Step& step, CustomerState* state) {
  if (step.policy.policy.ownership().claim_by() != pb::CLAIM_ACT_INVITATION) return;
  const pb::ListSubmitted& list = step.event.event->list_submitted();
  if (list.list_kind() != pb::LIST_KIND_CONFIRMED) return;
  ScopeState* scope = FindScope(state, list.occasion_id());
  if (scope == nullptr) return;
  const pb::Policy& policy = step.policy.policy;
  const pb::Invitations& rules = policy.ownership().invitations();
  const absl::CivilDay day =
      LocalDay(policy, list.has_for_time() ? ToTime(list.for_time().time()) : step.at());
  const bool in_time = step.at() <= AtTimeOfDay(policy, day, rules.list_cut_off());
  bool found = false;
  for (ClaimState& claim : *scope->mutable_claims()) {
    if (!IsAlive(claim) || claim.unit_id() != list.unit_id() || claim.rank() != kLateRank) continue;
    if (CountedDay(policy, rules.list_cut_off(), FromMicros(claim.time_us())) != day) continue;
    found = true;
    if (in_time) claim.set_rank(kInOrderRank);
  }
  if (found && !in_time && !rules.late_breach_rule_id().empty()) {
    BreachState* breach = scope->add_breaches();
    breach->set_rule_id(rules.late_breach_rule_id());
    breach->mutable_by()->set_unit_id(list.unit_id());
    if (rules.has_late_breach_amount()) *breach->mutable_amount() = rules.late_breach_amount();
    breach->set_since_us(ToMicros(step.at()));
    breach->add_positions(step.event.position);
  }
  Elect(step, scope, state);
}

}  // namespace ledger::rules
