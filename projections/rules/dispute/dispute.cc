#include "projections/rules/dispute/dispute.h"

#include <algorithm>
#include <utility>

#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/dispute/chain.h"
#include "projections/rules/lapse/lapse.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kKeptMax = 64;

int IndexOf(const ScopeState& scope, absl::string_view dispute_id) {
  for (int i = 0; i < scope.disputes_size(); ++i) {
    if (absl::string_view(scope.disputes(i).dispute_id()) == dispute_id) return i;
  }
  return -1;
}

bool Contains(const google::protobuf::RepeatedField<int>& steps, pb::DisputeStep step) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

bool Contains(const google::protobuf::RepeatedField<uint64_t>& positions, uint64_t position) {
  return std::find(positions.begin(), positions.end(), position) != positions.end();
}

// Who is credited instead of the parties.
std::string ForfeitUnit(const Step& step, const pb::DisputeForfeit& rule, const ScopeState& scope) {
  if (!rule.unit_id().empty()) return rule.unit_id();
  if (scope.owner().has_unit_id()) return scope.owner().unit_id();
  const auto owner = step.timeline.StaffAt(scope.owner().staff_id(), step.at());
  return owner.has_value() ? owner->unit_id : "";
}

void Forfeit(const Step& step, const pb::Dispute& rules, pb::DisputeStep taken, const ScopeState& scope,
             DisputeState* dispute) {
  if (dispute->has_forfeit()) return;
  for (const pb::DisputeForfeit& rule : rules.forfeits()) {
    if (!Contains(rule.steps(), taken)) continue;
    ForfeitState* forfeit = dispute->mutable_forfeit();
    forfeit->set_position(step.event.position);
    forfeit->set_time_us(ToMicros(step.at()));
    forfeit->set_unit_id(ForfeitUnit(step, rule, scope));
    forfeit->set_rule_id(rule.rule_id().empty() ? rules.rule_id() : rule.rule_id());
    return;
  }
}

void TakeStep(const Step& step, const pb::DisputeStepTaken& taken, const ScopeState& scope,
              DisputeState* dispute) {
  if (dispute->steps_size() < kKeptMax) {
    DisputeStepState* kept = dispute->add_steps();
    kept->set_step(taken.step());
    kept->set_taken_by(taken.taken_by());
    kept->set_position(step.event.position);
    kept->set_time_us(ToMicros(step.at()));
  }
  const pb::Dispute& rules = RulesOf(step.timeline, *dispute).policy.dispute();
  if (!dispute->has_resolution()) {
    const std::optional<int> level = LevelAfter(rules, *dispute, taken.step());
    if (level.has_value()) dispute->set_level(static_cast<uint32_t>(*level));
  }
  Forfeit(step, rules, taken.step(), scope, dispute);
}

// Keeps a decided dispute where the policy has more to say about it.
void Keep(const Step& step, DisputeState dispute, ScopeState* scope) {
  const policy::PolicyVersion& policy = RulesOf(step.timeline, dispute);
  if (!policy.policy.has_dispute()) return;
  const pb::DisputeResolved& resolved = step.event.event->dispute_resolved();
  ResolutionState* resolution = dispute.mutable_resolution();
  resolution->set_position(step.event.position);
  resolution->set_time_us(ToMicros(step.at()));
  if (resolved.has_owner()) *resolution->mutable_owner() = resolved.owner();
  *resolution->mutable_performance_shares() = resolved.performance_shares();
  *resolution->mutable_bonus_shares() = resolved.bonus_shares();
  resolution->set_rule_id(ResolutionRule(policy.policy.dispute(), dispute, resolved));
  resolution->set_decided_by(resolved.decided_by());
  const pb::DisputeLevel* level = LevelOf(policy.policy.dispute(), dispute);
  resolution->set_is_final(level != nullptr && level->is_final());
  *scope->add_decided_disputes() = std::move(dispute);
}

void Decided(const Step& step, const pb::Basis& basis, ScopeState* scope, CustomerState* state) {
  const pb::Owner& owner = step.event.event->dispute_resolved().owner();
  std::optional<TransferState> goes_on;
  if (scope->has_transfer() && SameHolder(scope->transfer().from(), owner) &&
      !scope->transfer().receiver_owns() && !scope->transfer().has_former()) {
    goes_on = scope->transfer();
  }
  SetOwner(step, owner, basis, Filing::kNew, scope, state);
  if (goes_on.has_value()) *scope->mutable_transfer() = *std::move(goes_on);
}

void ReadDispute(const policy::Timeline& timeline, const ScopeState& scope, const DisputeState& dispute,
                 pb::DisputeAnswer* answer) {
  answer->set_dispute_id(dispute.dispute_id());
  answer->set_position(dispute.position());
  *answer->mutable_since_time() = ToTimestamp(FromMicros(dispute.time_us()));
  *answer->mutable_parties() = dispute.parties();
  answer->set_deal_id(dispute.deal_id());
  answer->set_opened_by(dispute.opened_by());
  for (const DisputeStepState& taken : dispute.steps()) {
    pb::DisputeStepAnswer* step = answer->add_steps();
    step->set_step(taken.step());
    step->set_taken_by(taken.taken_by());
    *step->mutable_time() = ToTimestamp(FromMicros(taken.time_us()));
    step->set_position(taken.position());
  }
  const pb::Dispute& rules = RulesOf(timeline, dispute).policy.dispute();
  answer->set_rule_id(rules.rule_id());
  if (const pb::DisputeLevel* level = LevelOf(rules, dispute)) {
    answer->set_level(level->name());
    *answer->mutable_decider_roles() = level->decider_roles();
    answer->set_parties_decide(level->parties_decide());
    if (!level->rule_id().empty()) answer->set_rule_id(level->rule_id());
  }
  if (dispute.has_forfeit()) {
    pb::DisputeForfeiture* forfeiture = answer->mutable_forfeiture();
    if (!dispute.forfeit().unit_id().empty()) {
      forfeiture->mutable_to()->set_unit_id(dispute.forfeit().unit_id());
    }
    forfeiture->set_position(dispute.forfeit().position());
    *forfeiture->mutable_since_time() = ToTimestamp(FromMicros(dispute.forfeit().time_us()));
    forfeiture->set_rule_id(dispute.forfeit().rule_id());
  }
  for (const ClaimState& claim : scope.claims()) {
    if (claim.time_us() <= HeardUntil(dispute) ||
        Contains(dispute.late_evidence_positions(), claim.position())) {
      answer->add_heard_claim_positions(claim.position());
    }
  }
  *answer->mutable_late_evidence_positions() = dispute.late_evidence_positions();
  if (!dispute.has_resolution()) return;
  const ResolutionState& resolution = dispute.resolution();
  *answer->mutable_resolved_time() = ToTimestamp(FromMicros(resolution.time_us()));
  answer->set_resolved_position(resolution.position());
  if (resolution.has_owner()) *answer->mutable_owner() = resolution.owner();
  answer->set_decided_by(resolution.decided_by());
  answer->set_resolved_rule_id(resolution.rule_id());
}

}  // namespace

void ApplyDisputeOpened(const Step& step, CustomerState* state) {
  const pb::DisputeOpened& opened = step.event.event->dispute_opened();
  if (FindDispute(*state, opened.dispute_id()) != nullptr) return;
  DisputeState* dispute = FindOrAddScope(state, opened.scope())->add_disputes();
  dispute->set_dispute_id(opened.dispute_id());
  dispute->set_position(step.event.position);
  dispute->set_time_us(ToMicros(step.at()));
  *dispute->mutable_parties() = opened.parties();
  dispute->set_deal_id(opened.deal_id());
  dispute->set_opened_by(opened.opened_by());
  if (opened.deal_id().empty()) return;
  for (const SettledDealState& deal : state->settled_deals()) {
    if (deal.deal_id() != opened.deal_id()) continue;
    dispute->set_is_settled(true);
    dispute->set_settled_us(deal.time_us());
  }
}

void ApplyDisputeStep(const Step& step, CustomerState* state) {
  const pb::DisputeStepTaken& taken = step.event.event->dispute_step_taken();
  for (ScopeState& scope : *state->mutable_scopes()) {
    const int index = IndexOf(scope, taken.dispute_id());
    if (index >= 0) TakeStep(step, taken, scope, scope.mutable_disputes(index));
    for (DisputeState& decided : *scope.mutable_decided_disputes()) {
      if (decided.dispute_id() == taken.dispute_id()) TakeStep(step, taken, scope, &decided);
    }
  }
}

void ApplyDisputeResolved(const Step& step, CustomerState* state) {
  const pb::DisputeResolved& resolved = step.event.event->dispute_resolved();
  const ScopeState* found = FindDispute(*state, resolved.dispute_id());
  const std::string name = found != nullptr ? found->scope() : resolved.scope();
  std::string rule_id = resolved.rule_id();
  uint64_t opened_position = 0;
  if (found != nullptr) {
    ScopeState* scope = FindScope(state, name);
    const int index = IndexOf(*scope, resolved.dispute_id());
    DisputeState dispute = scope->disputes(index);
    opened_position = dispute.position();
    rule_id = ResolutionRule(RulesOf(step.timeline, dispute).policy.dispute(), dispute, resolved);
    scope->mutable_disputes()->DeleteSubrange(index, 1);
    if (scope->disputes().empty()) EndHold(step, scope);
    Keep(step, std::move(dispute), scope);
  }
  if (HolderKey(resolved.owner()).empty() || step.policy.policy.ownership().by_recorded_assignment()) return;
  const absl::Time since = DecidesFrom(*step.event.event).value_or(step.at());
  pb::Basis basis = MakeBasis(rule_id, step.policy, since);
  if (opened_position != 0) basis.add_positions(opened_position);
  basis.add_positions(step.event.position);
  Decided(step, basis, FindOrAddScope(state, name), state);
}

void ApplyDecidedEarlier(const Step& step, CustomerState* state) {
  const pb::DisputeResolved& resolved = step.event.event->dispute_resolved();
  if (HolderKey(resolved.owner()).empty() || step.policy.policy.ownership().by_recorded_assignment()) return;
  ScopeState* scope = FindOrAddScope(state, resolved.scope());
  if (scope->custody() == CUSTODY_OWNED && SameHolder(scope->owner(), resolved.owner())) return;
  const std::string& rule_id =
      resolved.rule_id().empty() ? step.policy.policy.dispute().rule_id() : resolved.rule_id();
  pb::Basis basis = MakeBasis(rule_id, step.policy, step.at());
  basis.add_positions(step.event.position);
  Decided(step, basis, scope, state);
}

void ApplySettlingDeal(const Step& step, CustomerState* state) {
  if (!step.policy.policy.dispute().settled_at_deal()) return;
  const pb::DealRecorded& deal = step.event.event->deal_recorded();
  if (deal.deal_id().empty() || deal.kind() == pb::DEAL_KIND_LOSS) return;
  SettledDealState* settled = state->add_settled_deals();
  settled->set_deal_id(deal.deal_id());
  settled->set_time_us(ToMicros(step.at()));
  for (ScopeState& scope : *state->mutable_scopes()) {
    for (DisputeState& dispute : *scope.mutable_disputes()) {
      if (dispute.deal_id() != deal.deal_id() || dispute.is_settled()) continue;
      dispute.set_is_settled(true);
      dispute.set_settled_us(settled->time_us());
    }
  }
}

void ApplyLateEvidence(const Step& step, CustomerState* state) {
  for (ScopeState& scope : *state->mutable_scopes()) {
    for (DisputeState& dispute : *scope.mutable_disputes()) {
      const int64_t occurred = ToMicros(ToTime(step.event.event->occurred_time().time()));
      if (ToMicros(step.at()) <= dispute.time_us() || occurred > HeardUntil(dispute)) continue;
      if (!step.event.event->has_occurred_time()) continue;
      if (dispute.late_evidence_positions_size() >= kKeptMax) continue;
      dispute.add_late_evidence_positions(step.event.position);
    }
  }
}

std::optional<absl::Time> DecidesFrom(const pb::Event& event) {
  if (!event.has_dispute_resolved() || !event.dispute_resolved().has_effective_from_time()) {
    return std::nullopt;
  }
  if (HolderKey(event.dispute_resolved().owner()).empty()) return std::nullopt;
  // Whole seconds, as all business times.
  const auto at = [](const pb::ZonedTime& time) { return absl::FromUnixSeconds(time.time().seconds()); };
  const absl::Time from = at(event.dispute_resolved().effective_from_time());
  if (from >= at(event.occurred_time())) return std::nullopt;
  return from;
}

const DisputeState* ForfeitOf(const CustomerState& state, absl::string_view deal_id) {
  const auto concerns = [deal_id](const DisputeState& dispute) {
    return dispute.has_forfeit() &&
           (dispute.deal_id().empty() || absl::string_view(dispute.deal_id()) == deal_id);
  };
  for (const ScopeState& scope : state.scopes()) {
    for (const DisputeState& dispute : scope.decided_disputes()) {
      if (concerns(dispute)) return &dispute;
    }
    for (const DisputeState& dispute : scope.disputes()) {
      if (concerns(dispute)) return &dispute;
    }
  }
  return nullptr;
}

const DisputeState* ResolutionOf(const CustomerState& state, absl::string_view deal_id) {
  const DisputeState* last = nullptr;
  for (const ScopeState& scope : state.scopes()) {
    for (const DisputeState& dispute : scope.decided_disputes()) {
      if (!dispute.deal_id().empty() && absl::string_view(dispute.deal_id()) != deal_id) continue;
      const auto when = [](const DisputeState& d) {
        return std::make_pair(d.resolution().time_us(), d.resolution().position());
      };
      if (last == nullptr || when(*last) < when(dispute)) last = &dispute;
    }
  }
  return last;
}

void ReadDisputes(const policy::Timeline& timeline, const ScopeState& scope, pb::Ownership* ownership) {
  ownership->set_disputed(!scope.disputes().empty());
  for (const DisputeState& dispute : scope.decided_disputes()) {
    ReadDispute(timeline, scope, dispute, ownership->add_disputes());
  }
  for (const DisputeState& dispute : scope.disputes()) {
    ReadDispute(timeline, scope, dispute, ownership->add_disputes());
  }
}

}  // namespace ledger::rules
