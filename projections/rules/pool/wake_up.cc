#include "projections/rules/pool/wake_up.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/lapse/lapse.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// Can take over a customer; somebody whose status was never told is taken to work.
bool Works(const policy::Timeline& timeline, const std::string& staff_id, absl::Time at) {
  switch (timeline.StaffStatusAt(staff_id, at)) {
    case pb::STAFF_STATUS_UNSPECIFIED:
    case pb::STAFF_STATUS_ACTIVE:
    case pb::STAFF_STATUS_TRIAL:
      return true;
    default:
      return false;
  }
}

// The month as a period keeps the policy of its beginning, or that under which the customer became public within it.
const policy::PolicyVersion& PolicyOf(const policy::Timeline& timeline, const ScopeState& scope) {
  const absl::Time since = FromMicros(scope.since_us());
  const policy::PolicyVersion& present = PolicyInForce(timeline, since);
  return PolicyInForce(timeline, std::max(MonthStart(present.policy, scope.wake_up().month()), since));
}

}  // namespace

std::optional<DueWakeUp> NextWakeUp(const policy::Timeline& timeline, const ScopeState& scope,
                                    absl::Time bound) {
  if (scope.custody() != CUSTODY_POOLED || !scope.disputes().empty() || scope.wake_up().counts().empty()) {
    return std::nullopt;
  }
  const policy::PolicyVersion& policy = PolicyOf(timeline, scope);
  if (!policy.policy.pool().has_wake_up()) return std::nullopt;
  const pb::WakeUp& rules = policy.policy.pool().wake_up();
  const absl::Time month_end = MonthStart(policy.policy, scope.wake_up().month() + 1);
  const ReceptionCount* best = nullptr;
  DueWakeUp due;
  due.at = AfterHold(scope, month_end);
  if (due.at > bound) return std::nullopt;
  for (const ReceptionCount& count : scope.wake_up().counts()) {
    if (best != nullptr && count.receptions() == best->receptions()) due.tied = true;
    if (best == nullptr || count.receptions() > best->receptions()) {
      best = &count;
      due.tied = false;
    }
  }
  const bool enough = best->receptions() >= rules.receptions();
  due.tied = due.tied && enough;
  due.basis = MakeBasis(due.tied ? rules.tie_rule_id() : rules.rule_id(), policy, due.at);
  std::string counts;
  for (const ReceptionCount& count : scope.wake_up().counts()) {
    absl::StrAppend(&counts, counts.empty() ? "" : ", ", count.staff_id(), " ", count.receptions());
    for (const uint64_t position : count.positions()) due.basis.add_positions(position);
  }
  std::sort(due.basis.mutable_positions()->begin(), due.basis.mutable_positions()->end());
  due.basis.set_arithmetic(absl::StrCat("receptions in ", MonthText(scope.wake_up().month()), ": ", counts,
                                        ", at least ", rules.receptions(),
                                        HoldText(scope, policy, month_end)));
  // Nobody else takes the place of a winner who does not work any longer.
  if (enough && !due.tied && Works(timeline, best->staff_id(), due.at)) due.staff_id = best->staff_id();
  return due;
}

void ApplyPublicReception(const Step& step, const ConsumptionRecord& consumption, CustomerState* state) {
  if (!step.policy.policy.pool().has_wake_up()) return;
  if (!consumption.is_consumption || !consumption.reserved || consumption.taken_by.empty()) return;
  ScopeState* scope = FindScope(state, consumption.scope);
  if (scope == nullptr || scope->custody() != CUSTODY_POOLED) return;
  const int64_t month = MonthNumber(step.policy.policy, step.at());
  WakeUpState* wake_up = scope->mutable_wake_up();
  if (wake_up->month() != month) wake_up->Clear();
  wake_up->set_month(month);
  auto* counts = wake_up->mutable_counts();
  int place = 0;
  while (place < counts->size() && counts->Get(place).staff_id() < consumption.taken_by) ++place;
  if (place == counts->size() || counts->Get(place).staff_id() != consumption.taken_by) {
    counts->Add()->set_staff_id(consumption.taken_by);
    for (int i = counts->size() - 1; i > place; --i) counts->SwapElements(i, i - 1);
  }
  ReceptionCount* count = counts->Mutable(place);
  count->set_receptions(count->receptions() + 1);
  count->add_positions(step.event.position);
}

void ReadWakeUp(const policy::Timeline& timeline, const ScopeState& scope, absl::Time at,
                pb::Ownership* ownership) {
  const std::optional<DueWakeUp> due = NextWakeUp(timeline, scope);
  if (!due.has_value() || due->at <= at) return;
  pb::WakeUpStanding* standing = ownership->mutable_wake_up();
  for (const ReceptionCount& count : scope.wake_up().counts()) {
    pb::WakeUpStanding::Count* answer = standing->add_counts();
    answer->set_staff_id(count.staff_id());
    answer->set_receptions(count.receptions());
  }
  standing->set_candidate_staff_id(due->staff_id);
  standing->set_tied(due->tied);
  *standing->mutable_decided_time() = ToTimestamp(due->at);
}

}  // namespace ledger::rules
