#include "projections/rules/lapse/lapse.h"

#include <algorithm>

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
    case EVIDENCE_KIND_START:
    case EvidenceKind_INT_MIN_SENTINEL_DO_NOT_USE_:
    case EvidenceKind_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "owned since";
}

// When the dormancy clock runs out, whatever holds it back.
absl::Time ClockEnd(const policy::Timeline& timeline, const LapseState& lapse) {
  const absl::Time anchor = FromMicros(lapse.evidence_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, anchor);
  const pb::Dormancy* dormancy = DormancyOf(policy);
  if (dormancy == nullptr) return absl::InfiniteFuture();
  return PeriodEnd(timeline, policy.policy, anchor, dormancy->period());
}

bool Lists(const pb::Dormancy& dormancy, pb::Evidence evidence) {
  return std::find(dormancy.evidence().begin(), dormancy.evidence().end(), evidence) !=
         dormancy.evidence().end();
}

// A running clock keeps its own list; where none runs, today's list starts one.
bool Counts(const Step& step, const ScopeState& scope, pb::Evidence evidence) {
  const pb::Dormancy* running =
      DormancyOf(PolicyInForce(step.timeline, FromMicros(scope.lapse().evidence_us())));
  if (running != nullptr) return Lists(*running, evidence);
  const pb::Dormancy* present = DormancyOf(step.policy);
  return present != nullptr && Lists(*present, evidence);
}

void Renew(const Step& step, pb::Evidence evidence, EvidenceKind kind, ScopeState* scope) {
  if (scope->custody() != CUSTODY_OWNED || InLimbo(step.timeline, *scope)) return;
  if (!Counts(step, *scope, evidence)) return;
  LapseState* lapse = scope->mutable_lapse();
  // A lapse that fell due during a dispute is only held back: later acts do not undo it.
  if (ClockEnd(step.timeline, *lapse) <= step.at()) return;
  lapse->set_evidence_kind(kind);
  lapse->set_evidence_us(ToMicros(step.at()));
  lapse->set_evidence_position(step.event.position);
}

bool Reached(const pb::ContactLogged& contact) {
  return contact.outcome() == pb::CONTACT_OUTCOME_UNSPECIFIED ||
         contact.outcome() == pb::CONTACT_OUTCOME_REACHED;
}

}  // namespace

ProtectionTerm ProtectionOf(const policy::Timeline& timeline, const LapseState& lapse) {
  ProtectionTerm term;
  const absl::Time from = FromMicros(lapse.protection_from_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, from);
  if (!policy.policy.lapse().has_protection()) return term;
  const pb::Protection& protection = policy.policy.lapse().protection();
  term.rule_id = protection.rule_id();
  term.end = PeriodEnd(timeline, policy.policy, from, protection.period());
  if (term.end < absl::InfiniteFuture()) {
    term.arithmetic = DescribePeriod(policy.policy, from, protection.period(), term.end);
  }
  return term;
}

std::optional<DueLapse> NextLapse(const policy::Timeline& timeline, const ScopeState& scope) {
  if (scope.custody() != CUSTODY_OWNED || !scope.disputes().empty() || InLimbo(timeline, scope)) {
    return std::nullopt;
  }
  const LapseState& lapse = scope.lapse();
  const absl::Time clock_end = ClockEnd(timeline, lapse);
  if (clock_end == absl::InfiniteFuture()) return std::nullopt;

  const absl::Time anchor = FromMicros(lapse.evidence_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, anchor);
  const pb::Dormancy& dormancy = policy.policy.lapse().dormancy();
  DueLapse due;
  due.at = clock_end;
  std::string arithmetic = absl::StrCat(EvidenceText(lapse.evidence_kind()), " ",
                                        DescribePeriod(policy.policy, anchor, dormancy.period(), clock_end));
  if (lapse.was_held() && FromMicros(lapse.held_until_us()) > clock_end) {
    due.at = FromMicros(lapse.held_until_us());
    absl::StrAppend(&arithmetic, ", held back until ", LocalText(policy.policy, due.at));
  }
  due.basis = MakeBasis(dormancy.rule_id(), policy, due.at);
  due.basis.add_positions(lapse.evidence_position());
  due.basis.set_arithmetic(std::move(arithmetic));
  return due;
}

void EndHold(const Step& step, ScopeState* scope) {
  if (scope->custody() != CUSTODY_OWNED) return;
  scope->mutable_lapse()->set_was_held(true);
  scope->mutable_lapse()->set_held_until_us(ToMicros(step.at()));
}

void ApplyEvidence(const Step& step, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (event.has_contact_logged()) {
      const pb::ContactLogged& contact = event.contact_logged();
      if (!Reached(contact) || !ActsFor(scope.owner(), contact.staff_id())) continue;
      Renew(step, pb::EVIDENCE_CONTACT, EVIDENCE_KIND_CONTACT, &scope);
    } else if (event.has_visit_logged()) {
      if (!ActsFor(scope.owner(), event.visit_logged().staff_id())) continue;
      Renew(step, pb::EVIDENCE_VISIT, EVIDENCE_KIND_VISIT, &scope);
    } else if (event.has_deal_recorded()) {
      const pb::DealRecorded& deal = event.deal_recorded();
      if (deal.kind() == pb::DEAL_KIND_LOSS) continue;
      if (!deal.scope().empty() && deal.scope() != scope.scope()) continue;
      Renew(step, pb::EVIDENCE_DEAL, EVIDENCE_KIND_DEAL, &scope);
    }
  }
}

}  // namespace ledger::rules
