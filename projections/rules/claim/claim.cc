#include "projections/rules/claim/claim.h"

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/lapse/lapse.h"
#include "projections/rules/pool/pool.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

bool ClaimsByRegistering(const policy::PolicyVersion& policy) {
  const pb::OwnershipRules& rules = policy.policy.ownership();
  return !rules.by_recorded_assignment() && rules.claim_by() == pb::CLAIM_ACT_REGISTRATION;
}

// Why a claim made now would own; a basis without a rule and positions where it would not.
struct Outcome {
  bool owns = false;
  pb::Basis basis;
};

Outcome Judge(const Step& step, const ScopeState& scope) {
  Outcome outcome;
  if (!scope.disputes().empty()) return outcome;  // frozen: the claim is kept as evidence
  switch (scope.custody()) {
    case CUSTODY_NONE:
    case Custody_INT_MIN_SENTINEL_DO_NOT_USE_:
    case Custody_INT_MAX_SENTINEL_DO_NOT_USE_:
      outcome.owns = true;
      outcome.basis = MakeBasis(step.policy.policy.ownership().claim_rule_id(), step.policy, step.at());
      break;
    case CUSTODY_POOLED:
      if (!PoolIsOpen(step.policy)) return outcome;
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

  const Outcome outcome = Judge(step, *scope);
  if (outcome.owns) SetOwner(step, claimant, outcome.basis, Filing::kNew, scope, state);
  ClaimState* claim = scope->add_claims();
  *claim->mutable_claimant() = claimant;
  claim->set_position(step.event.position);
  claim->set_time_us(ToMicros(step.at()));
  claim->set_registered_as(registered.customer_id());
  claim->set_standing(outcome.owns ? CLAIM_STANDING_OWNS : CLAIM_STANDING_SECOND);
}

void ApplyAssigned(const Step& step, CustomerState* state) {
  if (step.policy.policy.ownership().by_recorded_assignment()) return;
  const pb::OwnerAssigned& assigned = step.event.event->owner_assigned();
  if (HolderKey(assigned.owner()).empty()) return;
  ScopeState* scope = FindOrAddScope(state, assigned.scope());
  if (!scope->disputes().empty()) return;  // only the dispute's own decision names an owner
  pb::Basis basis = MakeBasis(assigned.rule_id(), step.policy, step.at());
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
    switch (claim.standing()) {
      case CLAIM_STANDING_SECOND:
        answer->set_state(pb::CLAIM_STATE_SECOND);
        continue;  // a claim that never owned was never protected
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
  for (const std::string& field : policy.registration().required_fields()) {
    if (field == "name" || field == "phone" || field == "email") continue;  // personal data, not seen here
    const auto given = registered.fields().find(field);
    if (given != registered.fields().end() && !given->second.empty()) continue;
    return Refuse(absl::StatusCode::kInvalidArgument, "REQUIRED_FIELD_MISSING",
                  absl::StrCat("a registration must bring the field \"", field, "\"; add it to fields"),
                  policy.registration().required_fields_rule_id());
  }
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
                        Judge(step, *scope).owns;
  if (!context.joined_customer_id.empty() && context.joined_customer_id != registered.customer_id()) {
    pb::Event derived;
    *derived.mutable_occurred_time() = event.occurred_time();
    pb::ClaimJoined* joined = derived.mutable_claim_joined();
    joined->set_customer_id(context.joined_customer_id);
    joined->set_claimant_customer_id(registered.customer_id());
    joined->set_contact_point(context.contact_point);
    decision.derived.push_back(std::move(derived));
  }
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
