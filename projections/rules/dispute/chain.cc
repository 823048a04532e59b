#include "projections/rules/dispute/chain.h"

#include <algorithm>

#include "projections/rules/civil_time.h"

namespace ledger::rules {

namespace pb = ::customerledger::v1;

const ScopeState* FindDispute(const CustomerState& state, absl::string_view dispute_id) {
  for (const ScopeState& scope : state.scopes()) {
    for (const DisputeState& dispute : scope.disputes()) {
      if (absl::string_view(dispute.dispute_id()) == dispute_id) return &scope;
    }
  }
  return nullptr;
}

const policy::PolicyVersion& RulesOf(const policy::Timeline& timeline, const DisputeState& dispute) {
  return PolicyInForce(timeline, FromMicros(dispute.time_us()));
}

const pb::DisputeLevel* LevelOf(const pb::Dispute& rules, const DisputeState& dispute) {
  if (rules.levels().empty()) return nullptr;
  return &rules.levels(std::min(static_cast<int>(dispute.level()), rules.levels_size() - 1));
}

std::optional<int> LevelAfter(const pb::Dispute& rules, const DisputeState& dispute, pb::DisputeStep step) {
  const int first = static_cast<int>(dispute.level()) + 1;
  const int last =
      rules.levels_in_order() ? std::min(first, rules.levels_size() - 1) : rules.levels_size() - 1;
  for (int level = first; level <= last; ++level) {
    const auto& reached_by = rules.levels(level).reached_by();
    if (std::find(reached_by.begin(), reached_by.end(), step) != reached_by.end()) return level;
  }
  return std::nullopt;
}

std::string ResolutionRule(const pb::Dispute& rules, const DisputeState& dispute,
                           const pb::DisputeResolved& resolved) {
  if (!resolved.rule_id().empty()) return resolved.rule_id();
  const pb::DisputeLevel* level = LevelOf(rules, dispute);
  return level == nullptr || level->rule_id().empty() ? rules.rule_id() : level->rule_id();
}

int64_t HeardUntil(const DisputeState& dispute) {
  return dispute.is_settled() ? std::min(dispute.time_us(), dispute.settled_us()) : dispute.time_us();
}

}  // namespace ledger::rules
