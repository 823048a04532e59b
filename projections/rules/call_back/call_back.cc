#include "projections/rules/call_back/call_back.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/grade/grade.h"
#include "projections/rules/lapse/card.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// What a period is counted from.
struct Anchor {
  absl::Time at;
  uint64_t position = 0;
  absl::string_view text;
};

std::optional<DueCallBack> Count(const policy::Timeline& timeline, const policy::PolicyVersion& policy,
                                 const Anchor& anchor, const pb::Period& period, const std::string& rule_id) {
  const absl::Time end = PeriodEnd(timeline, policy.policy, anchor.at, period);
  if (end == absl::InfiniteFuture()) return std::nullopt;
  DueCallBack call;
  call.due = LastInTime(end);
  call.basis = MakeBasis(rule_id, policy, anchor.at);
  call.basis.add_positions(anchor.position);
  call.basis.set_arithmetic(
      absl::StrCat(anchor.text, " ", DescribePeriod(policy.policy, anchor.at, period, end)));
  return call;
}

void KeepEarlier(std::optional<DueCallBack> call, std::optional<DueCallBack>* best) {
  if (call.has_value() && (!best->has_value() || call->due < (*best)->due)) *best = std::move(call);
}

// By the cadences that fit the grade in `scheme` ("": those for every grade), from the later of `base` and the
// grade's beginning.
void CountScheme(const policy::Timeline& timeline, const Anchor& base, const std::string& scheme,
                 const std::string& class_name, const GradeState* grade, std::optional<DueCallBack>* best) {
  Anchor anchor = base;
  if (grade != nullptr && FromMicros(grade->time_us()) > base.at) {
    anchor = {FromMicros(grade->time_us()), grade->position(), "grade changed"};
  }
  const policy::PolicyVersion& policy = PolicyInForce(timeline, anchor.at);
  for (const pb::Cadence& cadence : policy.policy.call_back().cadences()) {
    if (cadence.scheme() != scheme || (!scheme.empty() && cadence.class_name() != class_name)) continue;
    KeepEarlier(Count(timeline, policy, anchor, cadence.every(), cadence.rule_id()), best);
  }
}

std::optional<DueCallBack> CountCadences(const policy::Timeline& timeline, const CustomerState& state,
                                         const Anchor& base) {
  std::optional<DueCallBack> best;
  CountScheme(timeline, base, "", "", nullptr, &best);
  for (const GradeState& grade : state.grades()) {
    if (grade.class_name().empty() || grade.scheme().empty()) continue;
    CountScheme(timeline, base, grade.scheme(), grade.class_name(), &grade, &best);
  }
  for (const pb::GradeScheme& scheme : PolicyInForce(timeline, base.at).policy.grade_schemes()) {
    if (scheme.initial_class().empty() || FindGrade(state, scheme.name()) != nullptr) continue;
    CountScheme(timeline, base, scheme.name(), scheme.initial_class(), nullptr, &best);
  }
  return best;
}

void SetAgreed(const Step& step, const pb::ZonedTime& agreed, CallBackState* call_back) {
  call_back->set_has_agreed(true);
  call_back->set_agreed_us(ToMicros(ToTime(agreed.time())));
  call_back->set_agreed_position(step.event.position);
  call_back->set_agreed_in_us(ToMicros(step.at()));
}

void ClearAgreed(CallBackState* call_back) {
  call_back->set_has_agreed(false);
  call_back->set_agreed_us(0);
  call_back->set_agreed_position(0);
  call_back->set_agreed_in_us(0);
}

// The owner's card lives by its call-backs: what would void it is what is due.
std::optional<DueCallBack> CardCallBack(const policy::Timeline& timeline, const ScopeState& scope) {
  for (const ClaimState& claim : scope.claims()) {
    if (claim.standing() != CLAIM_STANDING_OWNS) continue;
    const std::optional<CardTerm> term = CardTermOf(timeline, claim);
    if (!term.has_value()) return std::nullopt;
    DueCallBack call;
    call.due = LastInTime(term->end);
    call.basis.set_rule_id(term->rule_id);
    call.basis.set_policy_version(term->policy_version);
    *call.basis.mutable_since_time() = ToTimestamp(FromMicros(claim.card().counted_from_us()));
    call.basis.add_positions(term->position);
    call.basis.set_arithmetic(term->arithmetic);
    return call;
  }
  return std::nullopt;
}

}  // namespace

void ApplyContact(const Step& step, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  const bool is_visit = event.has_visit_logged();
  const pb::ContactLogged& contact = event.contact_logged();
  const std::string& staff_id = is_visit ? event.visit_logged().staff_id() : contact.staff_id();
  const bool reached = is_visit || contact.outcome() == pb::CONTACT_OUTCOME_UNSPECIFIED ||
                       contact.outcome() == pb::CONTACT_OUTCOME_REACHED;
  const bool has_agreed =
      is_visit ? event.visit_logged().has_next_contact_time() : contact.has_next_contact_time();
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (scope.custody() != CUSTODY_OWNED || InLimbo(step.timeline, scope)) continue;
    if (!ActsFor(scope.owner(), staff_id)) continue;
    CallBackState* call_back = scope.mutable_call_back();
    if (reached) {
      call_back->set_has_contact(true);
      call_back->set_contact_us(ToMicros(step.at()));
      call_back->set_contact_position(step.event.position);
      ClearAgreed(call_back);
    }
    // "Call me next week" counts also where the customer had no time to talk.
    if (has_agreed) {
      SetAgreed(step, is_visit ? event.visit_logged().next_contact_time() : contact.next_contact_time(),
                call_back);
    }
  }
}

void ApplyTrackingEnded(const Step&, CustomerState* state) {
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (scope.custody() == CUSTODY_OWNED) scope.mutable_call_back()->set_ended(true);
  }
}

std::optional<DueCallBack> NextCallBack(const policy::Timeline& timeline, const CustomerState& state,
                                        const ScopeState& scope) {
  const CallBackState& call_back = scope.call_back();
  if (scope.custody() != CUSTODY_OWNED || InLimbo(timeline, scope) || call_back.ended()) return std::nullopt;
  if (std::optional<DueCallBack> card = CardCallBack(timeline, scope)) return card;

  if (call_back.has_agreed()) {
    const absl::Time agreed_in = FromMicros(call_back.agreed_in_us());
    const policy::PolicyVersion& policy = PolicyInForce(timeline, agreed_in);
    if (policy.policy.call_back().agreed_time_counts()) {
      DueCallBack call;
      call.due = FromMicros(call_back.agreed_us());
      call.basis = MakeBasis(policy.policy.call_back().agreed_rule_id(), policy, agreed_in);
      call.basis.add_positions(call_back.agreed_position());
      call.basis.set_arithmetic(
          absl::StrCat("agreed with the customer for ", LocalText(policy.policy, call.due)));
      return call;
    }
  }
  if (call_back.has_contact()) {
    return CountCadences(timeline, state,
                         {FromMicros(call_back.contact_us()), call_back.contact_position(), "last contact"});
  }
  const Anchor start{FromMicros(call_back.start_us()), call_back.start_position(), "owned since"};
  const policy::PolicyVersion& policy = PolicyInForce(timeline, start.at);
  if (policy.policy.call_back().has_first()) {
    return Count(timeline, policy, start, policy.policy.call_back().first(),
                 policy.policy.call_back().first_rule_id());
  }
  return CountCadences(timeline, state, start);
}

}  // namespace ledger::rules
