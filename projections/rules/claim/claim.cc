#include "projections/rules/claim/claim.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/claim/election.h"
#include "projections/rules/lapse/card.h"
#include "projections/rules/lapse/lapse.h"
#include "projections/rules/pool/pool.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// A registration makes a claim, though it may have to wait for a signature or an approval.
bool ClaimsByRegistering(const policy::PolicyVersion& policy) {
  const pb::OwnershipRules& rules = policy.policy.ownership();
  if (rules.by_recorded_assignment()) return false;
  switch (rules.claim_by()) {
    case pb::CLAIM_ACT_REGISTRATION:
    case pb::CLAIM_ACT_SIGNATURE:
    case pb::CLAIM_ACT_APPROVAL:
      return true;
    default:
      return false;
  }
}

bool ClaimsByApproval(const policy::PolicyVersion& policy) {
  return !policy.policy.ownership().by_recorded_assignment() &&
         policy.policy.ownership().claim_by() == pb::CLAIM_ACT_APPROVAL;
}

// Until when somebody who owned the customer may not take it back; InfinitePast: nothing stands in the way.
absl::Time CooledDown(const Step& step, const ScopeState& scope, const pb::Owner& claimant) {
  for (const FormerOwnerState& former : scope.former_owners()) {
    if (former.holder() != HolderKey(claimant)) continue;
    const absl::Time left = FromMicros(former.left_us());
    const policy::PolicyVersion& policy = PolicyInForce(step.timeline, left);
    if (!policy.policy.pool().has_cool_down()) continue;
    return PeriodEnd(step.timeline, policy.policy, left, policy.policy.pool().cool_down().period());
  }
  return absl::InfinitePast();
}

// Who may not take a public customer now.
absl::Status CheckPoolClaim(const Step& step, const ScopeState& scope, const pb::Owner& claimant,
                            uint64_t claims_today) {
  const pb::Pool& rules = step.policy.policy.pool();
  const absl::Time cooled_down = CooledDown(step, scope, claimant);
  if (step.at() < cooled_down) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "COOL_DOWN",
                  absl::StrCat(HolderText(claimant), " owned this customer and may not take it back before ",
                               LocalText(step.policy.policy, cooled_down), "; somebody else may"),
                  rules.cool_down().rule_id());
  }
  if (rules.has_daily_cap() && claims_today >= rules.daily_cap().customers()) {
    return Refuse(
        absl::StatusCode::kFailedPrecondition, "DAILY_CAP",
        absl::StrCat(HolderText(claimant), " took ", claims_today, " customers from the pool today and ",
                     rules.daily_cap().customers(), " are allowed; try again tomorrow"),
        rules.daily_cap().rule_id());
  }
  return absl::OkStatus();
}

// Why a claim made now would own; a basis without a rule and positions where it would not.
struct Outcome {
  bool owns = false;
  pb::Basis basis;
};

Outcome Judge(const Step& step, const ScopeState& scope, const pb::Owner& claimant) {
  Outcome outcome;
  if (!scope.disputes().empty()) return outcome;  // frozen: the claim is kept as evidence
  switch (scope.custody()) {
    case CUSTODY_NONE:
    case CUSTODY_VOID:
    case Custody_INT_MIN_SENTINEL_DO_NOT_USE_:
    case Custody_INT_MAX_SENTINEL_DO_NOT_USE_:
      outcome.owns = true;
      outcome.basis = MakeBasis(step.policy.policy.ownership().claim_rule_id(), step.policy, step.at());
      break;
    case CUSTODY_POOLED:
      if (!PoolIsOpen(step.policy) || step.at() < CooledDown(step, scope, claimant)) return outcome;
      outcome.owns = true;
      outcome.basis = MakeBasis(step.policy.policy.pool().rule_id(), step.policy, step.at());
      break;
    case CUSTODY_OWNED: {
      const ProtectionTerm term = ProtectionOf(step.timeline, scope.lapse());
      if (InLimbo(step.timeline, scope) || step.at() < term.end) return outcome;
      outcome.owns = true;
      outcome.basis = MakeBasis(term.rule_id, step.policy, step.at());
      outcome.basis.add_positions(scope.lapse().protection_position());
      outcome.basis.set_arithmetic(absl::StrCat("protection ", term.arithmetic, ", registered after it"));
      break;
    }
  }
  outcome.basis.add_positions(step.event.position);
  return outcome;
}

// The time that a claim is compared by.
int64_t EffectiveMicros(const ClaimState& claim) {
  return claim.has_effective() ? claim.effective_us() : claim.time_us();
}

// Who received a customer first: the first claim's, and since when. Nobody: no claim is known.
struct FirstReceiver {
  pb::Owner owner;
  int64_t time_us = 0;
  uint64_t position = 0;
};
FirstReceiver FirstReceiverOf(const CustomerState& customer, absl::string_view scope_name) {
  FirstReceiver first;
  const ScopeState* scope = FindScope(customer, scope_name);
  if (scope == nullptr) return first;
  for (const ClaimState& claim : scope->claims()) {
    if (claim.standing() == CLAIM_STANDING_WAITING) continue;
    if (first.position != 0 && EffectiveMicros(claim) >= first.time_us) continue;
    first = {claim.claimant(), EffectiveMicros(claim), claim.position()};
  }
  if (first.position == 0 && scope->custody() == CUSTODY_OWNED) {
    first = {scope->owner(), scope->since_us(), scope->lapse().protection_position()};
  }
  return first;
}

// The assignment that follows from a referral or a family.
pb::Event Assignment(const pb::ZonedTime& when, const std::string& customer_id, const std::string& scope,
                     const pb::Owner& owner, const std::string& reason, const std::string& rule_id) {
  pb::Event event;
  *event.mutable_occurred_time() = when;
  pb::OwnerAssigned* assigned = event.mutable_owner_assigned();
  assigned->set_customer_id(customer_id);
  assigned->set_scope(scope);
  *assigned->mutable_owner() = owner;
  assigned->set_reason(reason);
  assigned->set_rule_id(rule_id);
  return event;
}

// Who refers a customer keeps the friends of that customer, as long as they are here.
void DecideReferral(const Proposal& proposal, const DecisionContext& context, const pb::Event& event,
                    Decision* decision) {
  const pb::CustomerRegistered& registered = event.customer_registered();
  const pb::OwnershipRules& rules = proposal.policy.policy.ownership();
  if (!rules.has_referral() || context.related == nullptr || !decision->claim_owns) return;
  const FirstReceiver first = FirstReceiverOf(*context.related, registered.scope());
  if (HolderKey(first.owner).empty() || SameHolder(first.owner, ClaimantOf(registered))) return;
  if (!StaffIsHere(proposal, first.owner.staff_id(), "").ok()) return;
  decision->derived.push_back(Assignment(
      event.occurred_time(),
      context.joined_customer_id.empty() ? registered.customer_id() : context.joined_customer_id,
      registered.scope(), first.owner, absl::StrCat("referred by ", registered.referrer_customer_id()),
      rules.referral().rule_id()));
}

}  // namespace

pb::Owner ClaimantOf(const pb::CustomerRegistered& registered) {
  pb::Owner claimant;
  if (!registered.registrar_id().empty()) {
    claimant.set_staff_id(registered.registrar_id());
  } else if (!registered.unit_id().empty()) {
    claimant.set_unit_id(registered.unit_id());
  }
  return claimant;
}

void ApplyRegistered(const Step& step, CustomerState* state) {
  if (!ClaimsByRegistering(step.policy)) return;
  const pb::CustomerRegistered& registered = step.event.event->customer_registered();
  const pb::Owner claimant = ClaimantOf(registered);
  if (HolderKey(claimant).empty()) return;
  ScopeState* scope = FindOrAddScope(state, registered.scope());
  if (scope->custody() == CUSTODY_OWNED && SameHolder(scope->owner(), claimant)) return;

  const pb::OwnershipRules& rules = step.policy.policy.ownership();
  ClaimState claim;
  *claim.mutable_claimant() = claimant;
  claim.set_position(step.event.position);
  claim.set_time_us(ToMicros(step.at()));
  claim.set_registered_as(registered.customer_id());
  claim.set_card_id(registered.card_id());
  if (rules.claim_by() != pb::CLAIM_ACT_REGISTRATION) {
    claim.set_standing(CLAIM_STANDING_WAITING);
    *scope->add_claims() = std::move(claim);
    return;
  }
  if (ClaimsCompete(step.policy)) {
    claim.set_standing(CLAIM_STANDING_SECOND);
    claim.set_has_effective(true);
    claim.set_effective_us(ToMicros(step.at()));
    claim.set_effective_position(step.event.position);
    claim.set_rank(rules.form_time_counts() ? kLateRank : kInOrderRank);  // until its form is in
    if (registered.has_form_time()) claim.set_form_us(ToMicros(ToTime(registered.form_time().time())));
    StartCard(step, &claim);
    *scope->add_claims() = std::move(claim);
    Elect(step, scope, state);
    return;
  }
  const Outcome outcome = Judge(step, *scope, claimant);
  if (outcome.owns) SetOwner(step, claimant, outcome.basis, Filing::kClaimed, scope, state);
  claim.set_standing(outcome.owns ? CLAIM_STANDING_OWNS : CLAIM_STANDING_SECOND);
  *scope->add_claims() = std::move(claim);
}

void ApplyReviewed(const Step& step, CustomerState* state) {
  if (!ClaimsByApproval(step.policy)) return;
  const pb::ProfileReviewed& reviewed = step.event.event->profile_reviewed();
  ScopeState* scope = FindScope(state, reviewed.scope());
  if (scope == nullptr) return;
  if (reviewed.result() != pb::REVIEW_RESULT_APPROVED) {
    scope->set_approved(false);
    return;
  }
  if (scope->custody() == CUSTODY_OWNED && scope->provisional()) {
    ConfirmOwner(step, scope);
    return;
  }
  if (scope->custody() == CUSTODY_OWNED && !scope->approved()) {
    scope->set_approved(true);  // what changed, or was handed over, is in order
    return;
  }
  for (int i = 0; i < scope->claims_size(); ++i) {
    if (scope->claims(i).standing() != CLAIM_STANDING_WAITING) continue;
    const pb::Owner claimant = scope->claims(i).claimant();
    Outcome outcome = Judge(step, *scope, claimant);
    if (outcome.owns) {
      outcome.basis.clear_positions();
      outcome.basis.add_positions(scope->claims(i).position());
      outcome.basis.add_positions(step.event.position);
      SetOwner(step, claimant, outcome.basis, Filing::kClaimed, scope, state);
      scope->set_approved(true);
    }
    ClaimState* claim = scope->mutable_claims(i);
    claim->set_has_effective(true);
    claim->set_effective_us(ToMicros(step.at()));
    claim->set_effective_position(step.event.position);
    claim->set_standing(outcome.owns ? CLAIM_STANDING_OWNS : CLAIM_STANDING_SECOND);
    break;
  }
}

void ApplyAssigned(const Step& step, CustomerState* state) {
  if (step.policy.policy.ownership().by_recorded_assignment()) return;
  const pb::OwnerAssigned& assigned = step.event.event->owner_assigned();
  if (HolderKey(assigned.owner()).empty()) return;
  ScopeState* scope = FindOrAddScope(state, assigned.scope());
  if (!scope->disputes().empty()) return;  // only the dispute's own decision names an owner
  const std::string& rule_id =
      assigned.rule_id().empty() ? step.policy.policy.ownership().assignment_rule_id() : assigned.rule_id();
  pb::Basis basis = MakeBasis(rule_id, step.policy, step.at());
  basis.add_positions(step.event.position);
  SetOwner(step, assigned.owner(), basis, Filing::kNew, scope, state);
}

void ApplyRecordedOwner(const Step& step, CustomerState* state) {
  const pb::OwnershipRules& rules = step.policy.policy.ownership();
  const pb::Event& event = *step.event.event;
  if (!rules.by_recorded_assignment() || !event.evidence().has_recorded_owner()) return;
  const pb::Owner& owner = event.evidence().recorded_owner();
  if (HolderKey(owner).empty()) return;
  ScopeState* scope = FindOrAddScope(state, "");
  if (scope->custody() == CUSTODY_OWNED && SameHolder(scope->owner(), owner)) return;
  pb::Basis basis = MakeBasis(rules.recorded_rule_id(), step.policy, step.at());
  basis.add_positions(step.event.position);
  SetOwner(step, owner, basis, Filing::kMoved, scope, state);
}

void RetireClaims(const pb::Owner* next_owner, ScopeState* scope) {
  for (ClaimState& claim : *scope->mutable_claims()) {
    if (claim.standing() != CLAIM_STANDING_OWNS) continue;
    if (next_owner != nullptr && SameHolder(claim.claimant(), *next_owner)) continue;
    claim.set_standing(CLAIM_STANDING_PAST);
  }
}

void ReadClaims(const policy::Timeline& timeline, const ScopeState& scope, pb::Ownership* ownership) {
  for (const ClaimState& claim : scope.claims()) {
    pb::Claim* answer = ownership->add_claims();
    *answer->mutable_claimant() = claim.claimant();
    answer->set_position(claim.position());
    *answer->mutable_claim_time() = ToTimestamp(FromMicros(claim.time_us()));
    answer->set_registered_as(claim.registered_as());
    answer->set_card_id(claim.card_id());
    answer->set_late(claim.rank() == kLateRank);
    if (claim.has_effective())
      *answer->mutable_effective_time() = ToTimestamp(FromMicros(claim.effective_us()));
    for (const ClaimState& other : scope.claims()) {
      if (&other != &claim && EffectiveMicros(other) == EffectiveMicros(claim)) answer->set_tied(true);
    }
    answer->set_call_backs(claim.card().call_backs());
    if (const std::optional<CardTerm> term = CardTermOf(timeline, claim)) {
      *answer->mutable_call_back_due_time() = ToTimestamp(LastInTime(term->end));
    }
    switch (claim.standing()) {
      case CLAIM_STANDING_SECOND:
        answer->set_state(pb::CLAIM_STATE_SECOND);
        continue;  // a claim that never owned was never protected
      case CLAIM_STANDING_WAITING:
        answer->set_state(pb::CLAIM_STATE_WAITING);
        continue;
      case CLAIM_STANDING_VOID:
        answer->set_state(pb::CLAIM_STATE_VOID);
        *answer->mutable_void_basis() = claim.void_basis();
        continue;
      case CLAIM_STANDING_OWNS:
        answer->set_state(pb::CLAIM_STATE_OWNS);
        break;
      case CLAIM_STANDING_PAST:
        answer->set_state(pb::CLAIM_STATE_PAST);
        break;
      case ClaimStanding_INT_MIN_SENTINEL_DO_NOT_USE_:
      case ClaimStanding_INT_MAX_SENTINEL_DO_NOT_USE_:
        break;
    }
    LapseState own_term;
    own_term.set_protection_from_us(claim.time_us());
    const ProtectionTerm term = ProtectionOf(timeline, own_term);
    if (term.end < absl::InfiniteFuture()) *answer->mutable_protected_until_time() = ToTimestamp(term.end);
  }
}

absl::StatusOr<Decision> DecideRegistered(const Proposal& proposal, const DecisionContext& context,
                                          const pb::Event& event) {
  const pb::CustomerRegistered& registered = event.customer_registered();
  const pb::Policy& policy = proposal.policy.policy;
  if (!ClaimsByRegistering(proposal.policy)) return Decision{};

  const std::string& rule_id = policy.ownership().claim_rule_id();
  const pb::Owner claimant = ClaimantOf(registered);
  if (HolderKey(claimant).empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "CLAIMANT_MISSING",
                  "a registration is a claim; give registrar_id or unit_id", rule_id);
  }
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, registered.registrar_id(), rule_id));

  Decision decision;
  decision.rule_id = rule_id;
  const ScopeState* scope = FindScope(proposal.customer, registered.scope());
  HistoryEvent now;
  now.business_time = proposal.at;
  const Step step{proposal.timeline, proposal.policy, now};
  decision.claim_owns = scope == nullptr ||
                        (scope->custody() == CUSTODY_OWNED && SameHolder(scope->owner(), claimant)) ||
                        Judge(step, *scope, claimant).owns;
  if (scope != nullptr && scope->custody() == CUSTODY_POOLED && PoolIsOpen(proposal.policy)) {
    LEDGER_RETURN_IF_ERROR(CheckPoolClaim(step, *scope, claimant, context.pool_claims_today));
    decision.from_pool = decision.claim_owns;
  }
  if (!context.joined_customer_id.empty() && context.joined_customer_id != registered.customer_id()) {
    pb::Event derived;
    *derived.mutable_occurred_time() = event.occurred_time();
    pb::ClaimJoined* joined = derived.mutable_claim_joined();
    joined->set_customer_id(context.joined_customer_id);
    joined->set_claimant_customer_id(registered.customer_id());
    joined->set_contact_point(context.contact_point);
    decision.derived.push_back(std::move(derived));
  }
  DecideReferral(proposal, context, event, &decision);
  return decision;
}

absl::StatusOr<Decision> DecideLinked(const Proposal& proposal, const DecisionContext& context,
                                      const pb::Event& event) {
  const pb::CustomersLinked& linked = event.customers_linked();
  const pb::OwnershipRules& rules = proposal.policy.policy.ownership();
  Decision decision;
  if (linked.kind() != pb::LINK_KIND_SAME_FAMILY || !rules.has_family() || context.related == nullptr)
    return decision;
  decision.rule_id = rules.family().rule_id();
  const FirstReceiver one = FirstReceiverOf(proposal.customer, "");
  const FirstReceiver other = FirstReceiverOf(*context.related, "");
  if (one.position == 0 || other.position == 0 || SameHolder(one.owner, other.owner)) return decision;
  const bool one_is_first =
      one.time_us < other.time_us || (one.time_us == other.time_us && one.position < other.position);
  const FirstReceiver& first = one_is_first ? one : other;
  if (!StaffIsHere(proposal, first.owner.staff_id(), "").ok()) return decision;
  decision.derived.push_back(
      Assignment(event.occurred_time(), one_is_first ? linked.other_customer_id() : linked.customer_id(), "",
                 first.owner,
                 absl::StrCat("family of ", one_is_first ? linked.customer_id() : linked.other_customer_id()),
                 rules.family().rule_id()));
  return decision;
}

absl::StatusOr<Decision> DecideAssigned(const Proposal& proposal, const pb::OwnerAssigned& assigned) {
  if (HolderKey(assigned.owner()).empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "OWNER_MISSING", "name the new owner",
                  assigned.rule_id());
  }
  const ScopeState* scope = FindScope(proposal.customer, assigned.scope());
  if (scope != nullptr && !scope->disputes().empty()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "DISPUTE_OPEN",
                  "a dispute about this customer is open; resolve it with the owner in its decision",
                  assigned.rule_id());
  }
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, assigned.owner().staff_id(), assigned.rule_id()));
  Decision decision;
  decision.rule_id = assigned.rule_id();
  return decision;
}

}  // namespace ledger::rules
