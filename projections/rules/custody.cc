#include "projections/rules/custody.h"

#include <algorithm>
#include <optional>

#include "projections/rules/civil_time.h"
#include "projections/rules/claim/claim.h"
#include "projections/rules/hand_over/hand_over.h"
#include "projections/rules/lapse/lapse.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// Counts an owner that follows another. The first owner is not a change, and neither is one who comes back
// from the pool without anybody in between.
void CountHolder(const pb::Owner& owner, ScopeState* scope, CustomerState* state) {
  const std::string key = HolderKey(owner);
  auto* holders = scope->mutable_holders();
  const auto place = std::lower_bound(holders->begin(), holders->end(), key);
  const bool known = place != holders->end() && *place == key;
  if (!scope->last_holder().empty() && scope->last_holder() != key) {
    state->set_owner_changes(state->owner_changes() + 1);
    if (known) state->set_returned(true);
  }
  scope->set_last_holder(key);
  if (known) return;
  const auto index = place - holders->begin();
  holders->Add(std::string(key));
  std::rotate(holders->begin() + index, holders->end() - 1, holders->end());
}

}  // namespace

const ScopeState* FindScope(const CustomerState& state, absl::string_view scope) {
  for (const ScopeState& candidate : state.scopes()) {
    if (absl::string_view(candidate.scope()) == scope) return &candidate;
  }
  return nullptr;
}

ScopeState* FindScope(CustomerState* state, absl::string_view scope) {
  return const_cast<ScopeState*>(FindScope(static_cast<const CustomerState&>(*state), scope));
}

ScopeState* FindOrAddScope(CustomerState* state, absl::string_view scope) {
  if (ScopeState* known = FindScope(state, scope)) return known;
  state->add_scopes()->set_scope(std::string(scope));
  auto* scopes = state->mutable_scopes();
  int place = scopes->size() - 1;
  for (; place > 0 && scope < absl::string_view(scopes->Get(place - 1).scope()); --place) {
    scopes->SwapElements(place, place - 1);
  }
  return scopes->Mutable(place);
}

void SetOwner(const Step& step, const pb::Owner& owner, const pb::Basis& basis, Filing filing,
              ScopeState* scope, CustomerState* state) {
  const int64_t now = ToMicros(step.at());
  const bool was_owned = scope->custody() == CUSTODY_OWNED;
  RetireClaims(&owner, scope);
  CountHolder(owner, scope, state);
  scope->set_custody(CUSTODY_OWNED);
  *scope->mutable_owner() = owner;
  *scope->mutable_basis() = basis;
  scope->set_since_us(now);
  scope->clear_transfer();

  LapseState* lapse = scope->mutable_lapse();
  if (filing == Filing::kNew || !was_owned) {
    lapse->set_protection_from_us(now);
    lapse->set_protection_position(step.event.position);
    scope->clear_call_back();
    scope->mutable_call_back()->set_start_us(now);
    scope->mutable_call_back()->set_start_position(step.event.position);
  }
  lapse->set_evidence_kind(EVIDENCE_KIND_START);
  lapse->set_evidence_us(now);
  lapse->set_evidence_position(step.event.position);
  lapse->set_was_held(false);
  lapse->set_held_until_us(0);
}

void SetPooled(absl::Time at, const pb::Basis& basis, ScopeState* scope) {
  RetireClaims(nullptr, scope);
  scope->set_custody(CUSTODY_POOLED);
  scope->clear_owner();
  *scope->mutable_basis() = basis;
  scope->set_since_us(ToMicros(at));
  scope->clear_lapse();
  scope->clear_transfer();
  scope->clear_call_back();
}

bool InLimbo(const policy::Timeline& timeline, const ScopeState& scope) {
  if (!scope.has_transfer()) return false;
  const policy::PolicyVersion& policy = PolicyInForce(timeline, FromMicros(scope.transfer().time_us()));
  return policy.policy.hand_over().owner_meanwhile() == pb::OWNER_MEANWHILE_NOBODY;
}

std::vector<TimeChange> Advance(const policy::Timeline& timeline, absl::Time at, CustomerState* state) {
  std::vector<TimeChange> changes;
  for (ScopeState& scope : *state->mutable_scopes()) {
    const std::optional<DueLapse> lapse = NextLapse(timeline, scope);
    if (!lapse.has_value() || lapse->at > at) continue;
    changes.push_back({scope.scope(), scope.owner(), lapse->at, lapse->basis});
    SetPooled(lapse->at, lapse->basis, &scope);
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const TimeChange& a, const TimeChange& b) { return a.at < b.at; });
  return changes;
}

pb::Ownership ReadOwnership(const policy::Timeline& timeline, const ScopeState& scope) {
  pb::Ownership ownership;
  ownership.set_scope(scope.scope());
  switch (scope.custody()) {
    case CUSTODY_NONE:
    case Custody_INT_MIN_SENTINEL_DO_NOT_USE_:
    case Custody_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
    case CUSTODY_OWNED:
      if (InLimbo(timeline, scope)) {
        ownership.set_state(pb::CUSTODY_STATE_IN_TRANSFER);
      } else {
        ownership.set_state(pb::CUSTODY_STATE_OWNED);
        *ownership.mutable_owner() = scope.owner();
      }
      break;
    case CUSTODY_POOLED:
      ownership.set_state(pb::CUSTODY_STATE_POOLED);
      break;
  }
  if (scope.custody() != CUSTODY_NONE) *ownership.mutable_basis() = scope.basis();
  ReadTransfer(timeline, scope, &ownership);
  ReadClaims(timeline, scope, &ownership);
  if (const std::optional<DueLapse> lapse = NextLapse(timeline, scope)) {
    *ownership.mutable_lapse_time() = ToTimestamp(lapse->at);
    *ownership.mutable_lapse_basis() = lapse->basis;
  }
  ownership.set_disputed(!scope.disputes().empty());
  return ownership;
}

}  // namespace ledger::rules
