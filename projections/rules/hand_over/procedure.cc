#include "projections/rules/hand_over/procedure.h"

#include <algorithm>

#include "projections/rules/civil_time.h"

namespace ledger::rules {

namespace pb = ::customerledger::v1;

const pb::HandOverProcedure* ProcedureFor(const policy::PolicyVersion& policy, pb::TransferKind kind) {
  if (policy.policy.ownership().by_recorded_assignment()) return nullptr;
  const pb::HandOverProcedure* otherwise = nullptr;
  for (const pb::HandOverProcedure& procedure : policy.policy.hand_over().procedures()) {
    if (procedure.steps().empty()) continue;
    if (procedure.kinds().empty()) {
      if (otherwise == nullptr) otherwise = &procedure;
      continue;
    }
    if (std::find(procedure.kinds().begin(), procedure.kinds().end(), kind) != procedure.kinds().end()) {
      return &procedure;
    }
  }
  return otherwise;
}

const pb::HandOverProcedure* ProcedureOf(const policy::Timeline& timeline, const TransferState& transfer) {
  return ProcedureFor(PolicyInForce(timeline, FromMicros(transfer.time_us())), transfer.kind());
}

std::vector<Act> ActsOf(const pb::HandOverProcedure& procedure, bool same_post) {
  std::vector<Act> acts;
  acts.reserve(static_cast<size_t>(procedure.steps_size()));
  for (int place = 0; place < procedure.steps_size(); ++place) {
    const pb::HandOverAct& act = procedure.steps(place);
    if (act.post() == pb::POST_MATCH_SAME && !same_post) continue;
    if (act.post() == pb::POST_MATCH_DIFFERENT && same_post) continue;
    acts.push_back({place, &act, act.receiver_owns()});
  }
  if (std::any_of(acts.begin(), acts.end(), [](const Act& act) { return act.receiver_owns; })) return acts;
  for (auto act = acts.rbegin(); act != acts.rend(); ++act) {
    if (act->act->may_be_skipped()) continue;
    act->receiver_owns = true;
    break;
  }
  return acts;
}

std::vector<Act> NextActs(const pb::HandOverProcedure& procedure, const TransferState& transfer) {
  const int taken = transfer.steps().empty() ? -1 : static_cast<int>(transfer.steps().rbegin()->place());
  std::vector<Act> next;
  for (const Act& act : ActsOf(procedure, transfer.same_post())) {
    if (act.place <= taken) continue;
    next.push_back(act);
    if (!act.act->may_be_skipped()) break;
  }
  return next;
}

bool IsFinished(const std::vector<Act>& next) {
  return std::all_of(next.begin(), next.end(), [](const Act& act) { return act.act->may_be_skipped(); });
}

const std::string& RuleOf(const pb::HandOverProcedure& procedure, const pb::HandOverAct& act) {
  return act.rule_id().empty() ? procedure.rule_id() : act.rule_id();
}

bool IsReceiversAlone(const pb::HandOverAct& act) {
  if (act.by_owner() || !act.roles().empty()) return false;
  return act.by_receiver() || act.step() == pb::HAND_OVER_STEP_ACCEPT;
}

bool WaitsForDispute(const Act& act) {
  if (act.receiver_owns) return true;
  switch (act.act->step()) {
    case pb::HAND_OVER_STEP_PROPOSE:
    case pb::HAND_OVER_STEP_CONFIRM:
    case pb::HAND_OVER_STEP_COMPLETE:
      return true;
    default:
      return false;
  }
}

}  // namespace ledger::rules
