#include "projections/rules/pool/pool.h"

#include "absl/strings/str_cat.h"
#include "projections/rules/custody.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// True if the release means the present owner; an owner that is not named is the present one.
bool NamesOwner(const pb::OwnerReleased& released, const ScopeState& scope) {
  return HolderKey(released.owner()).empty() || SameHolder(released.owner(), scope.owner());
}

}  // namespace

bool PoolIsOpen(const policy::PolicyVersion& policy) { return policy.policy.pool().claim_by_registration(); }

void ApplyReleased(const Step& step, CustomerState* state) {
  if (step.policy.policy.ownership().by_recorded_assignment()) return;
  const pb::OwnerReleased& released = step.event.event->owner_released();
  ScopeState* scope = FindScope(state, released.scope());
  if (scope == nullptr || scope->custody() != CUSTODY_OWNED || !scope->disputes().empty()) return;
  if (!NamesOwner(released, *scope)) return;
  pb::Basis basis = MakeBasis(released.rule_id(), step.policy, step.at());
  basis.add_positions(step.event.position);
  SetPooled(step.timeline, step.at(), basis, scope);
}

absl::StatusOr<Decision> DecideReleased(const Proposal& proposal, const pb::OwnerReleased& released) {
  const ScopeState* scope = FindScope(proposal.customer, released.scope());
  if (scope == nullptr || scope->custody() != CUSTODY_OWNED) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "NO_OWNER",
                  "the customer has no owner in this scope, so there is nothing to give up",
                  released.rule_id());
  }
  if (!scope->disputes().empty()) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "DISPUTE_OPEN",
                  "a dispute about this customer is open; wait for its decision", released.rule_id());
  }
  if (!NamesOwner(released, *scope)) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "NOT_THE_OWNER",
                  absl::StrCat("the customer belongs to ", HolderText(scope->owner()), ", not to ",
                               HolderText(released.owner()), "; read the owner again"),
                  released.rule_id());
  }
  Decision decision;
  decision.rule_id = released.rule_id();
  return decision;
}

}  // namespace ledger::rules
