#include "projections/rules/custody.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "projections/rules/civil_time.h"
#include "projections/rules/claim/claim.h"
#include "projections/rules/claim/election.h"
#include "projections/rules/dispute/dispute.h"
#include "projections/rules/hand_over/hand_over.h"
#include "projections/rules/lapse/card.h"
#include "projections/rules/lapse/lapse.h"
#include "projections/rules/pool/wake_up.h"

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

// Kept where somebody may not take the customer back for a while; whoever owned in between does not matter.
void RememberFormerOwner(const policy::Timeline& timeline, absl::Time at, ScopeState* scope) {
  if (scope->custody() != CUSTODY_OWNED || scope->provisional()) return;
  if (!PolicyInForce(timeline, at).policy.pool().has_cool_down()) return;
  const std::string key = HolderKey(scope->owner());
  auto* former = scope->mutable_former_owners();
  int place = 0;
  while (place < former->size() && former->Get(place).holder() < key) ++place;
  if (place == former->size() || former->Get(place).holder() != key) {
    former->Add()->set_holder(key);
    for (int i = former->size() - 1; i > place; --i) former->SwapElements(i, i - 1);
  }
  former->Mutable(place)->set_left_us(ToMicros(at));
  former->Mutable(place)->set_position(scope->lapse().evidence_position());
}

// An ownership begins at the step: so do the clocks that end it.
void StartClocks(const Step& step, LapseState* lapse) {
  const int64_t now = ToMicros(step.at());
  lapse->set_evidence_kind(EVIDENCE_KIND_START);
  lapse->set_evidence_us(now);
  lapse->set_evidence_position(step.event.position);
  lapse->set_was_held(false);
  lapse->set_held_until_us(0);
  lapse->clear_clocks();
  const pb::Dormancy& dormancy = step.policy.policy.lapse().dormancy();
  if (!dormancy.needs_each()) return;
  std::vector<int> kinds(dormancy.evidence().begin(), dormancy.evidence().end());
  std::sort(kinds.begin(), kinds.end());
  for (const int kind : kinds) {
    EvidenceClock* clock = lapse->add_clocks();
    clock->set_evidence(kind);
    clock->set_since_us(now);
  }
}

void EndOwnership(Custody custody, absl::Time at, const pb::Basis& basis, ScopeState* scope) {
  RetireClaims(nullptr, scope);
  scope->set_custody(custody);
  scope->clear_owner();
  *scope->mutable_basis() = basis;
  scope->set_since_us(ToMicros(at));
  scope->set_provisional(false);
  scope->set_approved(false);
  scope->clear_lapse();
  scope->clear_transfer();
  scope->clear_transfer_review();
  scope->clear_call_back();
  scope->clear_wake_up();
}

// Another rule that says the same as `basis`; once.
void Concur(const std::string& rule_id, pb::Basis* basis) {
  const auto& known = basis->concurring_rule_ids();
  if (rule_id.empty() || std::find(known.begin(), known.end(), rule_id) != known.end()) return;
  basis->add_concurring_rule_ids(rule_id);
}

// What comes next.
enum class What { kNothing, kVoid, kPool, kWakeUp };
struct Due {
  What what = What::kNothing;
  absl::Time at = absl::InfiniteFuture();
  pb::Basis basis;
  int claim = -1;        // kVoid: whose
  std::string staff_id;  // kWakeUp: who is chosen; empty: nobody
  bool tied = false;     // kWakeUp: because several share the highest count
};

// Keeps what comes first. Of several at one instant the first asked counts, and the others concur where both end the
// same ownership (conv.simultaneous).
void Keep(Due candidate, Due* next) {
  if (candidate.at < next->at) {
    *next = std::move(candidate);
  } else if (candidate.at == next->at && candidate.what == What::kPool && next->what != What::kNothing) {
    next->basis.add_concurring_rule_ids(candidate.basis.rule_id());
  }
}

Due NextDue(const policy::Timeline& timeline, const ScopeState& scope, absl::Time bound) {
  Due next;
  // The owner's card first, so that a pool rule of the same instant concurs with it.
  for (const bool owning : {true, false}) {
    for (int i = 0; i < scope.claims_size(); ++i) {
      if ((scope.claims(i).standing() == CLAIM_STANDING_OWNS) != owning) continue;
      const std::optional<DueLapse> due = NextVoid(timeline, scope, scope.claims(i), bound);
      if (due.has_value()) Keep({What::kVoid, due->at, due->basis, i, "", false}, &next);
    }
  }
  if (const std::optional<DueLapse> due = NextDormancy(timeline, scope, bound)) {
    Keep({What::kPool, due->at, due->basis, -1, "", false}, &next);
  }
  if (const std::optional<DueLapse> due = NextBypass(timeline, scope, bound)) {
    Keep({What::kPool, due->at, due->basis, -1, "", false}, &next);
  }
  if (const std::optional<DueWakeUp> due = NextWakeUp(timeline, scope, bound)) {
    Keep({What::kWakeUp, due->at, due->basis, -1, due->staff_id, due->tied}, &next);
  }
  return next;
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
  if (was_owned && !SameHolder(scope->owner(), owner)) RememberFormerOwner(step.timeline, step.at(), scope);
  RetireClaims(&owner, scope);
  CountHolder(owner, scope, state);
  scope->set_custody(CUSTODY_OWNED);
  *scope->mutable_owner() = owner;
  *scope->mutable_basis() = basis;
  scope->set_since_us(now);
  scope->set_provisional(false);
  scope->clear_transfer();
  scope->clear_wake_up();
  if (filing != Filing::kClaimed) AddDecidedClaim(step, owner, scope);
  scope->clear_transfer_review();

  LapseState* lapse = scope->mutable_lapse();
  if (filing != Filing::kMoved || !was_owned) {
    lapse->set_protection_from_us(now);
    lapse->set_protection_position(step.event.position);
    scope->clear_call_back();
    scope->mutable_call_back()->set_start_us(now);
    scope->mutable_call_back()->set_start_position(step.event.position);
  }
  StartClocks(step, lapse);
  lapse->clear_month();
}

void SetPooled(const policy::Timeline& timeline, absl::Time at, const pb::Basis& basis, ScopeState* scope) {
  RememberFormerOwner(timeline, at, scope);
  EndOwnership(CUSTODY_POOLED, at, basis, scope);
}

void SetVoid(const policy::Timeline& timeline, absl::Time at, const pb::Basis& basis, ScopeState* scope) {
  RememberFormerOwner(timeline, at, scope);
  EndOwnership(CUSTODY_VOID, at, basis, scope);
}

void ConfirmOwner(const Step& step, ScopeState* scope) {
  scope->set_provisional(false);
  scope->set_approved(true);
  scope->set_since_us(ToMicros(step.at()));
  pb::Basis* basis = scope->mutable_basis();
  *basis->mutable_since_time() = ToTimestamp(step.at());
  basis->add_positions(step.event.position);
  StartClocks(step, scope->mutable_lapse());
}

bool InLimbo(const policy::Timeline& /*timeline*/, const ScopeState& scope) {
  return scope.has_transfer() && scope.transfer().nobody_owns();
}

std::optional<DueLapse> NextChange(const policy::Timeline& timeline, const ScopeState& scope) {
  const Due due = NextDue(timeline, scope, absl::InfiniteFuture());
  if (due.what == What::kNothing) return std::nullopt;
  return DueLapse{due.at, due.basis};
}

std::optional<TimeChange> AdvanceOnce(const policy::Timeline& timeline, absl::Time at, ScopeState* scope,
                                      CustomerState* state) {
  while (true) {
    const Due due = NextDue(timeline, *scope, at);
    if (due.what == What::kNothing) return std::nullopt;
    TimeChange change;
    change.scope = scope->scope();
    change.at = due.at;
    change.from = CustodyText(timeline, *scope);
    change.basis = due.basis;
    const policy::PolicyVersion& policy = PolicyInForce(timeline, due.at);
    HistoryEvent now;
    now.business_time = due.at;
    now.position = due.basis.positions().empty() ? 0 : *due.basis.positions().rbegin();
    const Step step{timeline, policy, now};
    switch (due.what) {
      case What::kNothing:
        break;
      case What::kPool:
        SetPooled(timeline, due.at, due.basis, scope);
        break;
      case What::kVoid: {
        ClaimState* claim = scope->mutable_claims(due.claim);
        const bool owned = claim->standing() == CLAIM_STANDING_OWNS;
        claim->set_standing(CLAIM_STANDING_VOID);
        *claim->mutable_void_basis() = due.basis;
        if (!owned) continue;  // a duplicate's end changes nothing today
        SucceedVoid(step, due.basis, scope, state);
        change.basis = scope->basis();
        break;
      }
      case What::kWakeUp:
        if (due.staff_id.empty()) {
          scope->clear_wake_up();
          if (due.tied) Concur(due.basis.rule_id(), scope->mutable_basis());
          continue;  // nobody was chosen; the counts begin again
        }
        pb::Owner owner;
        owner.set_staff_id(due.staff_id);
        SetOwner(step, owner, due.basis, Filing::kNew, scope, state);
        scope->set_provisional(!policy.policy.pool().wake_up().approval_rule_id().empty());
        if (scope->provisional())
          Concur(policy.policy.pool().wake_up().approval_rule_id(), scope->mutable_basis());
        scope->set_approved(false);
        break;
    }
    change.to = CustodyText(timeline, *scope);
    return change;
  }
}

bool ChangesBy(const policy::Timeline& timeline, absl::Time at, const CustomerState& state) {
  for (const ScopeState& scope : state.scopes()) {
    if (NextDue(timeline, scope, at).what != What::kNothing) return true;
  }
  return false;
}

std::vector<TimeChange> Advance(const policy::Timeline& timeline, absl::Time at, CustomerState* state) {
  std::vector<TimeChange> changes;
  for (ScopeState& scope : *state->mutable_scopes()) {
    while (std::optional<TimeChange> change = AdvanceOnce(timeline, at, &scope, state)) {
      changes.push_back(*std::move(change));
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const TimeChange& a, const TimeChange& b) { return a.at < b.at; });
  return changes;
}

std::string CustodyText(const policy::Timeline& timeline, const ScopeState& scope) {
  switch (scope.custody()) {
    case CUSTODY_OWNED:
      return InLimbo(timeline, scope) ? "in transfer" : HolderText(scope.owner());
    case CUSTODY_POOLED:
      return "public pool";
    case CUSTODY_VOID:
      return "void";
    case CUSTODY_NONE:
    case Custody_INT_MIN_SENTINEL_DO_NOT_USE_:
    case Custody_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "none";
}

pb::Ownership ReadOwnership(const policy::Timeline& timeline, const ScopeState& scope, absl::Time at) {
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
    case CUSTODY_VOID:
      ownership.set_state(pb::CUSTODY_STATE_VOID);
      break;
  }
  if (scope.custody() != CUSTODY_NONE) *ownership.mutable_basis() = scope.basis();
  ReadTransfer(timeline, scope, &ownership);
  ReadClaims(timeline, scope, &ownership);
  ReadWakeUp(timeline, scope, at, &ownership);
  if (scope.custody() == CUSTODY_OWNED) {
    if (const std::optional<DueLapse> lapse = NextChange(timeline, scope)) {
      *ownership.mutable_lapse_time() = ToTimestamp(lapse->at);
      *ownership.mutable_lapse_basis() = lapse->basis;
    }
    if (const std::optional<DueLapse> open = OpeningToOthers(timeline, scope);
        open.has_value() && open->at <= at) {
      ownership.set_open_to_others(true);
      *ownership.mutable_open_basis() = open->basis;
    }
    ownership.set_provisional(scope.provisional());
  }
  for (const BreachState& breach : scope.breaches()) {
    pb::FoundBreach* found = ownership.add_breaches();
    found->set_rule_id(breach.rule_id());
    *found->mutable_by() = breach.by();
    if (breach.has_amount()) *found->mutable_amount() = breach.amount();
    *found->mutable_since_time() = ToTimestamp(FromMicros(breach.since_us()));
    *found->mutable_positions() = breach.positions();
  }
  ReadDisputes(timeline, scope, &ownership);
  return ownership;
}

}  // namespace ledger::rules
