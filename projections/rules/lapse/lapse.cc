#include "projections/rules/lapse/lapse.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// The dormancy rule that the clock running since `anchor` keeps; nullptr: it never runs out.
const pb::Dormancy* DormancyOf(const policy::PolicyVersion& policy) {
  if (policy.policy.ownership().by_recorded_assignment()) return nullptr;
  return policy.policy.lapse().has_dormancy() ? &policy.policy.lapse().dormancy() : nullptr;
}

absl::string_view EvidenceText(EvidenceKind kind) {
  switch (kind) {
    case EVIDENCE_KIND_CONTACT:
      return "last contact";
    case EVIDENCE_KIND_VISIT:
      return "last visit";
    case EVIDENCE_KIND_DEAL:
      return "last deal";
    case EVIDENCE_KIND_CONSUMPTION:
      return "last consumption";
    case EVIDENCE_KIND_ATTENDANCE:
      return "last attendance";
    case EVIDENCE_KIND_HOME_VISIT:
      return "last home visit";
    case EVIDENCE_KIND_START:
    case EvidenceKind_INT_MIN_SENTINEL_DO_NOT_USE_:
    case EvidenceKind_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "owned since";
}

EvidenceKind KindOf(pb::Evidence evidence) {
  switch (evidence) {
    case pb::EVIDENCE_CONTACT:
      return EVIDENCE_KIND_CONTACT;
    case pb::EVIDENCE_VISIT:
      return EVIDENCE_KIND_VISIT;
    case pb::EVIDENCE_DEAL:
      return EVIDENCE_KIND_DEAL;
    case pb::EVIDENCE_CONSUMPTION_VIA_OWNER:
      return EVIDENCE_KIND_CONSUMPTION;
    case pb::EVIDENCE_ATTENDANCE:
      return EVIDENCE_KIND_ATTENDANCE;
    case pb::EVIDENCE_HOME_VISIT:
      return EVIDENCE_KIND_HOME_VISIT;
    default:
      return EVIDENCE_KIND_START;
  }
}

// A dormancy clock.
struct Clock {
  EvidenceKind kind = EVIDENCE_KIND_START;
  absl::Time since;
  uint64_t position = 0;
  absl::Time end = absl::InfiniteFuture();
};

Clock Wound(const policy::Timeline& timeline, EvidenceKind kind, int64_t since_us, uint64_t position) {
  Clock clock{kind, FromMicros(since_us), position, absl::InfiniteFuture()};
  const policy::PolicyVersion& policy = PolicyInForce(timeline, clock.since);
  const pb::Dormancy* dormancy = DormancyOf(policy);
  if (dormancy != nullptr) clock.end = PeriodEnd(timeline, policy.policy, clock.since, dormancy->period());
  return clock;
}

// The clock that runs out first, whatever holds it back.
Clock RunningClock(const policy::Timeline& timeline, const LapseState& lapse) {
  if (lapse.clocks().empty()) {
    return Wound(timeline, lapse.evidence_kind(), lapse.evidence_us(), lapse.evidence_position());
  }
  Clock first;
  for (const EvidenceClock& each : lapse.clocks()) {
    const EvidenceKind kind =
        each.position() == 0 ? EVIDENCE_KIND_START : KindOf(static_cast<pb::Evidence>(each.evidence()));
    const Clock clock = Wound(timeline, kind, each.since_us(),
                              each.position() == 0 ? lapse.evidence_position() : each.position());
    if (clock.end < first.end) first = clock;
  }
  return first;
}

bool Lists(const pb::Dormancy& dormancy, pb::Evidence evidence) {
  return std::find(dormancy.evidence().begin(), dormancy.evidence().end(), evidence) !=
         dormancy.evidence().end();
}

// A running clock keeps its own list; where none runs, today's list starts one.
const pb::Dormancy* RuleFor(const Step& step, const ScopeState& scope, pb::Evidence evidence) {
  const pb::Dormancy* running =
      DormancyOf(PolicyInForce(step.timeline, FromMicros(scope.lapse().evidence_us())));
  if (running == nullptr) running = DormancyOf(step.policy);
  return running != nullptr && Lists(*running, evidence) ? running : nullptr;
}

void Renew(const Step& step, pb::Evidence evidence, ScopeState* scope) {
  if (scope->custody() != CUSTODY_OWNED || InLimbo(step.timeline, *scope)) return;
  const pb::Dormancy* dormancy = RuleFor(step, *scope, evidence);
  if (dormancy == nullptr || !RecordedInTime(step)) return;
  LapseState* lapse = scope->mutable_lapse();
  if (dormancy->needs_each()) {
    for (EvidenceClock& clock : *lapse->mutable_clocks()) {
      if (clock.evidence() != evidence) continue;
      clock.set_since_us(ToMicros(step.at()));
      clock.set_position(step.event.position);
    }
    return;
  }
  // A lapse that fell due during a dispute is only held back: later acts do not undo it.
  if (dormancy->result() != pb::DORMANCY_RESULT_OPEN_TO_OTHERS &&
      RunningClock(step.timeline, *lapse).end <= step.at()) {
    return;
  }
  lapse->set_evidence_kind(KindOf(evidence));
  lapse->set_evidence_us(ToMicros(step.at()));
  lapse->set_evidence_position(step.event.position);
}

bool Reached(const pb::ContactLogged& contact) {
  return contact.outcome() == pb::CONTACT_OUTCOME_UNSPECIFIED ||
         contact.outcome() == pb::CONTACT_OUTCOME_REACHED;
}

bool CanLapse(const policy::Timeline& timeline, const ScopeState& scope) {
  return scope.custody() == CUSTODY_OWNED && !scope.provisional() && scope.disputes().empty() &&
         !InLimbo(timeline, scope);
}

std::optional<DueLapse> DormancyDue(const policy::Timeline& timeline, const ScopeState& scope,
                                    pb::DormancyResult result, absl::Time bound) {
  const Clock clock = RunningClock(timeline, scope.lapse());
  if (clock.end == absl::InfiniteFuture()) return std::nullopt;
  DueLapse due;
  due.at = AfterHold(scope, clock.end);
  if (due.at > bound) return std::nullopt;
  const policy::PolicyVersion& policy = PolicyInForce(timeline, clock.since);
  const pb::Dormancy& dormancy = policy.policy.lapse().dormancy();
  if (dormancy.result() != result) return std::nullopt;
  due.basis = MakeBasis(dormancy.rule_id(), policy, due.at);
  due.basis.add_positions(clock.position);
  due.basis.set_arithmetic(absl::StrCat(
      EvidenceText(clock.kind), " ", DescribePeriod(policy.policy, clock.since, dormancy.period(), clock.end),
      HoldText(scope, policy, clock.end)));
  return due;
}

void CountConsumption(const Step& step, const ConsumptionRecord& consumption, ScopeState* scope) {
  if (!step.policy.policy.lapse().has_bypass()) return;
  if (scope->custody() != CUSTODY_OWNED || InLimbo(step.timeline, *scope)) return;
  const int64_t month = MonthNumber(step.policy.policy, step.at());
  MonthCount* count = scope->mutable_lapse()->mutable_month();
  if (count->month() != month) count->Clear();
  count->set_month(month);
  count->set_total(count->total() + 1);
  if (consumption.via_owner) {
    count->set_via_owner(count->via_owner() + 1);
  } else {
    count->add_positions(step.event.position);
  }
}

}  // namespace

ProtectionTerm ProtectionOf(const policy::Timeline& timeline, const LapseState& lapse) {
  ProtectionTerm term;
  const absl::Time from = FromMicros(lapse.protection_from_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, from);
  const pb::Protection& protection = policy.policy.lapse().protection();
  if (!policy.policy.lapse().has_protection()) return term;
  term.end = PeriodEnd(timeline, policy.policy, from, protection.period());
  term.rule_id = protection.rule_id();
  if (term.end < absl::InfiniteFuture()) {
    term.arithmetic = DescribePeriod(policy.policy, from, protection.period(), term.end);
  }
  return term;
}

absl::Time AfterHold(const ScopeState& scope, absl::Time due) {
  if (!scope.lapse().was_held()) return due;
  return std::max(due, FromMicros(scope.lapse().held_until_us()));
}

std::string HoldText(const ScopeState& scope, const policy::PolicyVersion& policy, absl::Time due) {
  const absl::Time at = AfterHold(scope, due);
  return at == due ? "" : absl::StrCat(", held back until ", LocalText(policy.policy, at));
}

std::optional<DueLapse> NextDormancy(const policy::Timeline& timeline, const ScopeState& scope,
                                     absl::Time bound) {
  if (!CanLapse(timeline, scope)) return std::nullopt;
  return DormancyDue(timeline, scope, pb::DORMANCY_RESULT_UNSPECIFIED, bound);
}

std::optional<DueLapse> OpeningToOthers(const policy::Timeline& timeline, const ScopeState& scope) {
  if (!CanLapse(timeline, scope)) return std::nullopt;
  return DormancyDue(timeline, scope, pb::DORMANCY_RESULT_OPEN_TO_OTHERS, absl::InfiniteFuture());
}

std::optional<DueLapse> NextBypass(const policy::Timeline& timeline, const ScopeState& scope,
                                   absl::Time bound) {
  const MonthCount& count = scope.lapse().month();
  if (count.total() == 0 || !CanLapse(timeline, scope)) return std::nullopt;
  // The month is the period: it keeps the version it began under, or that of the ownership within it.
  const policy::PolicyVersion& present = PolicyInForce(timeline, FromMicros(scope.since_us()));
  const absl::Time began = std::max(MonthStart(present.policy, count.month()), FromMicros(scope.since_us()));
  const policy::PolicyVersion& policy = PolicyInForce(timeline, began);
  if (!policy.policy.lapse().has_bypass()) return std::nullopt;
  const pb::Bypass& bypass = policy.policy.lapse().bypass();
  const uint64_t others = count.total() - count.via_owner();
  if (others * 10'000 < uint64_t{bypass.share_basis_points()} * count.total()) return std::nullopt;
  const absl::Time month_end = MonthStart(policy.policy, count.month() + 1);
  DueLapse due;
  due.at = AfterHold(scope, month_end);
  if (due.at > bound) return std::nullopt;
  due.basis = MakeBasis(bypass.rule_id(), policy, due.at);
  for (const uint64_t position : count.positions()) due.basis.add_positions(position);
  due.basis.set_arithmetic(absl::StrCat(others, " of ", count.total(), " consumptions in ",
                                        MonthText(count.month()), " not through the owner, the limit is ",
                                        BasisPointsText(bypass.share_basis_points()),
                                        HoldText(scope, policy, month_end)));
  return due;
}

void EndHold(const Step& step, ScopeState* scope) {
  if (scope->custody() == CUSTODY_NONE) return;
  scope->mutable_lapse()->set_was_held(true);
  scope->mutable_lapse()->set_held_until_us(ToMicros(step.at()));
}

bool RecordedInTime(const Step& step) {
  const pb::Lapse& lapse = step.policy.policy.lapse();
  if (!lapse.has_recorded_within()) return true;
  const absl::Time happened = ToTime(step.event.event->occurred_time().time());
  return step.event.recorded_time <
         PeriodEnd(step.timeline, step.policy.policy, happened, lapse.recorded_within());
}

void ApplyEvidence(const Step& step, const ConsumptionRecord& consumption, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (event.has_contact_logged()) {
      const pb::ContactLogged& contact = event.contact_logged();
      if (!Reached(contact) || !ActsFor(scope.owner(), contact.staff_id())) continue;
      Renew(step, pb::EVIDENCE_CONTACT, &scope);
    } else if (event.has_visit_logged()) {
      const pb::VisitLogged& visit = event.visit_logged();
      // Who came to an occasion came, whoever received them there.
      if (visit.direction() == pb::DIRECTION_INBOUND && !visit.occasion_id().empty()) {
        Renew(step, pb::EVIDENCE_ATTENDANCE, &scope);
      }
      if (!ActsFor(scope.owner(), visit.staff_id())) continue;
      Renew(step, pb::EVIDENCE_VISIT, &scope);
      if (visit.direction() == pb::DIRECTION_OUTBOUND && visit.on_site()) {
        Renew(step, pb::EVIDENCE_HOME_VISIT, &scope);
      }
    } else if (event.has_deal_recorded()) {
      const pb::DealRecorded& deal = event.deal_recorded();
      if (deal.kind() == pb::DEAL_KIND_LOSS) continue;
      const std::string& within = consumption.is_consumption ? consumption.scope : deal.scope();
      if (!within.empty() && within != scope.scope()) continue;
      if (consumption.is_consumption && !consumption.counts) continue;
      Renew(step, pb::EVIDENCE_DEAL, &scope);
      if (!consumption.is_consumption) continue;
      if (consumption.via_owner) Renew(step, pb::EVIDENCE_CONSUMPTION_VIA_OWNER, &scope);
      CountConsumption(step, consumption, &scope);
    }
  }
}

}  // namespace ledger::rules
