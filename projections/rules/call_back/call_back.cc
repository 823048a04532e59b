#include "projections/rules/call_back/call_back.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_match.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/fact/fact.h"
#include "projections/rules/grade/grade.h"
#include "projections/rules/lapse/card.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// Contacts before the last that are remembered, for the case that some turn out false.
constexpr int kMostEarlier = 8;
constexpr int kMostPlans = 64;

// What a period is counted from.
struct Anchor {
  absl::Time at;
  uint64_t position = 0;
  absl::string_view text;

  bool Before(absl::Time time, uint64_t other) const {
    return std::make_pair(at, position) < std::make_pair(time, other);
  }
};

pb::Basis AnchorBasis(const policy::PolicyVersion& policy, const Anchor& anchor, const std::string& rule_id,
                      const std::string& arithmetic) {
  pb::Basis basis = MakeBasis(rule_id, policy, anchor.at);
  basis.add_positions(anchor.position);
  basis.set_arithmetic(absl::StrCat(anchor.text, " ", arithmetic));
  return basis;
}

std::optional<DueCallBack> Count(const policy::Timeline& timeline, const policy::PolicyVersion& policy,
                                 const Anchor& anchor, const pb::Period& period, const std::string& rule_id) {
  const absl::Time end = PeriodEnd(timeline, policy.policy, anchor.at, period);
  if (end == absl::InfiniteFuture()) return std::nullopt;
  DueCallBack call;
  call.due = LastInTime(end);
  call.basis = AnchorBasis(policy, anchor, rule_id, DescribePeriod(policy.policy, anchor.at, period, end));
  return call;
}

void SetHardLimit(const policy::Timeline& timeline, const policy::PolicyVersion& policy, const Anchor& anchor,
                  const pb::Period& period, const std::string& rule_id, std::optional<DueCallBack>* call) {
  if (!call->has_value()) return;
  const absl::Time end = PeriodEnd(timeline, policy.policy, anchor.at, period);
  if (end == absl::InfiniteFuture() || LastInTime(end) <= (*call)->due) return;
  (*call)->has_hard_limit = true;
  (*call)->hard_due = LastInTime(end);
  (*call)->hard_basis =
      AnchorBasis(policy, anchor, rule_id, DescribePeriod(policy.policy, anchor.at, period, end));
}

DueCallBack SameDay(const policy::PolicyVersion& policy, const Anchor& anchor, const std::string& rule_id) {
  const absl::CivilDay day = LocalDay(policy.policy, anchor.at);
  DueCallBack call;
  call.due = LastInTime(StartOfDay(policy.policy, day + 1));
  call.basis = AnchorBasis(policy, anchor, rule_id,
                           absl::StrCat(absl::FormatCivilTime(day), ", due the same day, 24:00"));
  return call;
}

void KeepEarlier(std::optional<DueCallBack> call, std::optional<DueCallBack>* best) {
  if (call.has_value() && (!best->has_value() || call->due < (*best)->due)) *best = std::move(call);
}

// What calls are counted from: the last contact, or the beginning where there was none.
struct Base {
  Anchor anchor;
  bool is_contact = false;
};

Base BaseOf(const CallBackState& call_back) {
  if (call_back.has_contact()) {
    return {{FromMicros(call_back.contact_us()), call_back.contact_position(), "last contact"}, true};
  }
  return {{FromMicros(call_back.start_us()), call_back.start_position(), "owned since"}, false};
}

bool Concerns(const pb::Cadence& cadence, const CustomerState& state) {
  return (cadence.fact().empty() || Holds(state, cadence.fact())) &&
         (cadence.unless_fact().empty() || !Holds(state, cadence.unless_fact()));
}

// By the cadences that fit the grade in `scheme` ("": those for every grade), from the later of `base` and the
// grade's beginning.
void CountScheme(const policy::Timeline& timeline, const CustomerState& state, const Base& base,
                 const std::string& scheme, const GradeReading* grade, std::optional<DueCallBack>* best) {
  Anchor anchor = base.anchor;
  bool graded_since = !base.is_contact;
  if (grade != nullptr && !grade->is_initial && !grade->positions.empty()) {
    if (grade->since > anchor.at) anchor = {grade->since, grade->positions.back(), "grade changed"};
    graded_since = graded_since || base.anchor.Before(grade->since, grade->positions.back());
  }
  const policy::PolicyVersion& policy = PolicyInForce(timeline, anchor.at);
  for (const pb::Cadence& cadence : policy.policy.call_back().cadences()) {
    if (cadence.scheme() != scheme) continue;
    if (grade != nullptr && cadence.class_name() != grade->class_name) continue;
    if (!Concerns(cadence, state)) continue;
    if (cadence.first_same_day() && graded_since) {
      KeepEarlier(SameDay(policy, anchor, cadence.rule_id()), best);
      continue;
    }
    if (cadence.once()) continue;
    std::optional<DueCallBack> call = Count(timeline, policy, anchor, cadence.every(), cadence.rule_id());
    if (cadence.has_hard_limit()) {
      SetHardLimit(timeline, policy, anchor, cadence.hard_limit(), cadence.hard_limit_rule_id(), &call);
    }
    KeepEarlier(std::move(call), best);
  }
}

std::optional<DueCallBack> CountCadences(const policy::Timeline& timeline, const CustomerState& state,
                                         const Base& base, absl::Time at) {
  std::optional<DueCallBack> best;
  CountScheme(timeline, state, base, "", nullptr, &best);
  const auto count = [&](const std::string& scheme) {
    const GradeReading grade = CurrentGrade(timeline, state, scheme, at);
    if (!grade.class_name.empty()) CountScheme(timeline, state, base, scheme, &grade, &best);
  };
  for (const GradeState& grade : state.grades()) {
    if (!grade.scheme().empty()) count(grade.scheme());
  }
  for (const pb::GradeScheme& scheme : PolicyInForce(timeline, at).policy.grade_schemes()) {
    if (scheme.initial_class().empty() && !scheme.has_measure()) continue;
    if (FindGrade(state, scheme.name()) == nullptr) count(scheme.name());
  }
  return best;
}

std::optional<DueCallBack> CountBase(const policy::Timeline& timeline, const CustomerState& state,
                                     const CallBackState& call_back, absl::Time at) {
  const Base base = BaseOf(call_back);
  const policy::PolicyVersion& policy = PolicyInForce(timeline, base.anchor.at);
  const pb::CallBack& rules = policy.policy.call_back();
  if (!base.is_contact && rules.has_first()) {
    std::optional<DueCallBack> call =
        Count(timeline, policy, base.anchor, rules.first(), rules.first_rule_id());
    if (rules.has_first_hard_limit()) {
      SetHardLimit(timeline, policy, base.anchor, rules.first_hard_limit(), rules.first_hard_limit_rule_id(),
                   &call);
    }
    return call;
  }
  if (base.is_contact && call_back.contacts() == 1 && rules.has_second()) {
    return Count(timeline, policy, base.anchor, rules.second(), rules.second_rule_id());
  }
  return CountCadences(timeline, state, base, at);
}

// The time the customer named, or was promised. nullopt: none that the policy counts.
std::optional<DueCallBack> Appointed(const policy::Timeline& timeline, const CallBackState& call_back) {
  if (call_back.has_agreed()) {
    const Anchor agreed{FromMicros(call_back.agreed_in_us()), call_back.agreed_position(), "contact"};
    const policy::PolicyVersion& policy = PolicyInForce(timeline, agreed.at);
    const pb::CallBack& rules = policy.policy.call_back();
    if (rules.agreed_time_counts()) {
      DueCallBack call;
      call.due = FromMicros(call_back.agreed_us());
      if (rules.has_agreed_at_most()) {
        std::optional<DueCallBack> most =
            Count(timeline, policy, agreed, rules.agreed_at_most(), rules.agreed_at_most_rule_id());
        if (most.has_value() && most->due < call.due) return most;
      }
      call.basis = MakeBasis(rules.agreed_rule_id(), policy, agreed.at);
      call.basis.add_positions(agreed.position);
      call.basis.set_arithmetic(
          absl::StrCat("agreed with the customer for ", LocalText(policy.policy, call.due)));
      return call;
    }
  }
  if (!call_back.has_promise()) return std::nullopt;
  const Anchor promised{FromMicros(call_back.promise_us()), call_back.promise_position(), "not convenient"};
  const policy::PolicyVersion& policy = PolicyInForce(timeline, promised.at);
  const pb::CallBack& rules = policy.policy.call_back();
  if (!rules.has_not_convenient()) return std::nullopt;
  return Count(timeline, policy, promised, rules.not_convenient(), rules.not_convenient_rule_id());
}

// The call-back that keeps the owner's card alive, where claims are cards.
std::optional<DueCallBack> CardCall(const policy::Timeline& timeline, const ScopeState& scope) {
  for (const ClaimState& claim : scope.claims()) {
    if (claim.standing() != CLAIM_STANDING_OWNS) continue;
    const std::optional<CardTerm> term = CardTermOf(timeline, claim);
    if (!term.has_value() || term->end == absl::InfiniteFuture()) continue;
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

void CountPlans(const policy::Timeline& timeline, const CallBackState& call_back,
                std::optional<DueCallBack>* best) {
  for (const PlanState& plan : call_back.plans()) {
    const absl::Time planned = FromMicros(plan.planned_us());
    const policy::PolicyVersion& policy = PolicyInForce(timeline, planned);
    DueCallBack call;
    call.due = FromMicros(plan.due_us());
    call.occasion = plan.purpose();
    call.basis = MakeBasis(policy.policy.call_back().planned_rule_id(), policy, planned);
    call.basis.add_positions(plan.position());
    call.basis.set_arithmetic(absl::StrCat("planned for ", LocalText(policy.policy, call.due)));
    KeepEarlier(std::move(call), best);
  }
}

// Follow-ups with a date compete with `best`; the first without one is returned in `undated`.
void CountFollowUps(const policy::Timeline& timeline, const CustomerState& state,
                    const CallBackState& call_back, std::optional<DueCallBack>* best,
                    std::optional<DueCallBack>* undated) {
  for (const FollowUpState& open : state.follow_ups()) {
    const Anchor from{FromMicros(open.from_us()), open.position(), open.name()};
    const policy::PolicyVersion& policy = PolicyInForce(timeline, from.at);
    const auto& known = policy.policy.call_back().follow_ups();
    const auto rule = std::find_if(known.begin(), known.end(), [&](const pb::FollowUp& candidate) {
      return candidate.name() == open.name();
    });
    if (rule == known.end() || (call_back.ended() && !rule->after_tracking_ended())) continue;
    const Base base = BaseOf(call_back);
    const bool called = base.is_contact && from.Before(base.anchor.at, base.anchor.position);
    if (called && rule->once()) continue;
    std::optional<DueCallBack> call;
    if (called && rule->has_every()) {
      call = Count(timeline, policy, base.anchor, rule->every(), rule->rule_id());
    } else if (!called && rule->has_due()) {
      call = Count(timeline, policy, from, rule->due(), rule->rule_id());
    }
    if (call.has_value()) {
      call->occasion = rule->name();
      KeepEarlier(std::move(call), best);
    } else if (!undated->has_value()) {
      call.emplace();
      call->has_date = false;
      call->due = absl::InfiniteFuture();
      call->occasion = rule->name();
      call->basis = AnchorBasis(policy, from, rule->rule_id(),
                                absl::StrCat("since ", LocalText(policy.policy, from.at), ", no date"));
      *undated = std::move(call);
    }
  }
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

void SetPromise(const Step& step, CallBackState* call_back) {
  call_back->set_has_promise(true);
  call_back->set_promise_us(ToMicros(step.at()));
  call_back->set_promise_position(step.event.position);
}

void ClearPromise(CallBackState* call_back) {
  call_back->set_has_promise(false);
  call_back->set_promise_us(0);
  call_back->set_promise_position(0);
}

void ClearRefusal(CallBackState* call_back) {
  call_back->set_has_refusal(false);
  call_back->set_refused_until_us(0);
  call_back->set_refused_position(0);
}

void RememberContact(const Step& step, CallBackState* call_back) {
  if (!step.policy.policy.call_back().false_contacts_do_not_count()) return;
  if (call_back->has_contact()) {
    ContactMark* earlier = call_back->add_earlier();
    earlier->set_time_us(call_back->contact_us());
    earlier->set_position(call_back->contact_position());
    earlier->set_contact_id(call_back->contact_id());
    if (call_back->earlier_size() > kMostEarlier) call_back->mutable_earlier()->DeleteSubrange(0, 1);
  }
  call_back->set_contact_id(std::string(ContactIdOf(*step.event.event)));
}

void CountContact(const Step& step, CallBackState* call_back) {
  RememberContact(step, call_back);
  call_back->set_has_contact(true);
  call_back->set_contact_us(ToMicros(step.at()));
  call_back->set_contact_position(step.event.position);
  call_back->set_contacts(std::min<uint32_t>(call_back->contacts() + 1, 2));
  ClearAgreed(call_back);
  ClearPromise(call_back);
  ClearRefusal(call_back);
}

// Goes back to the contact before the last.
void DropContact(CallBackState* call_back) {
  if (call_back->earlier().empty()) {
    call_back->set_has_contact(false);
    call_back->set_contact_us(0);
    call_back->set_contact_position(0);
    call_back->clear_contact_id();
  } else {
    const ContactMark& before = call_back->earlier(call_back->earlier_size() - 1);
    call_back->set_contact_us(before.time_us());
    call_back->set_contact_position(before.position());
    call_back->set_contact_id(before.contact_id());
    call_back->mutable_earlier()->RemoveLast();
  }
}

template <typename Matches>
bool AnyMatches(const Matches& matches, const pb::Event& event) {
  return std::any_of(matches.begin(), matches.end(),
                     [&](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

void BeginFollowUp(const Step& step, const std::string& name, CustomerState* state) {
  auto* open = state->mutable_follow_ups();
  int place = 0;
  while (place < open->size() && open->Get(place).name() < name) ++place;
  if (place == open->size() || open->Get(place).name() != name) {
    open->Add()->set_name(name);
    for (int i = open->size() - 1; i > place; --i) open->SwapElements(i, i - 1);
  }
  open->Mutable(place)->set_from_us(ToMicros(step.at()));
  open->Mutable(place)->set_position(step.event.position);
}

void EndFollowUp(const std::string& name, CustomerState* state) {
  auto* open = state->mutable_follow_ups();
  open->erase(std::remove_if(open->begin(), open->end(),
                             [&](const FollowUpState& candidate) { return candidate.name() == name; }),
              open->end());
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
    if (reached) CountContact(step, call_back);
    // "Call me next week" counts also where the customer had no time to talk.
    if (has_agreed) {
      SetAgreed(step, is_visit ? event.visit_logged().next_contact_time() : contact.next_contact_time(),
                call_back);
      ClearPromise(call_back);
    } else if (contact.outcome() == pb::CONTACT_OUTCOME_INCONVENIENT &&
               step.policy.policy.call_back().has_not_convenient()) {
      ClearAgreed(call_back);
      SetPromise(step, call_back);
    }
    if (contact.outcome() == pb::CONTACT_OUTCOME_REFUSED && has_agreed &&
        step.policy.policy.call_back().refusal_holds()) {
      call_back->set_has_refusal(true);
      call_back->set_refused_until_us(ToMicros(ToTime(contact.next_contact_time().time())));
      call_back->set_refused_position(step.event.position);
    }
    if (reached && !contact.plan_id().empty()) {
      auto* plans = call_back->mutable_plans();
      plans->erase(std::remove_if(plans->begin(), plans->end(),
                                  [&](const PlanState& plan) { return plan.plan_id() == contact.plan_id(); }),
                   plans->end());
    }
  }
}

void ApplyContactPlanned(const Step& step, CustomerState* state) {
  if (!step.policy.policy.call_back().planned_contacts_count()) return;
  const pb::ContactPlanned& planned = step.event.event->contact_planned();
  if (!planned.has_due_time()) return;
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (scope.custody() != CUSTODY_OWNED || InLimbo(step.timeline, scope)) continue;
    if (!planned.staff_id().empty() && !ActsFor(scope.owner(), planned.staff_id())) continue;
    PlanState* plan = scope.mutable_call_back()->add_plans();
    plan->set_plan_id(planned.plan_id());
    plan->set_due_us(ToMicros(ToTime(planned.due_time().time())));
    plan->set_planned_us(ToMicros(step.at()));
    plan->set_position(step.event.position);
    plan->set_purpose(planned.purpose());
    if (scope.call_back().plans_size() > kMostPlans) {
      scope.mutable_call_back()->mutable_plans()->DeleteSubrange(0, 1);
    }
  }
}

void ApplyContactReviewed(const Step& step, CustomerState* state) {
  const absl::string_view contact_id = FoundFalse(*step.event.event);
  if (contact_id.empty() || !step.policy.policy.call_back().false_contacts_do_not_count()) return;
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (!scope.has_call_back()) continue;
    CallBackState* call_back = scope.mutable_call_back();
    auto* earlier = call_back->mutable_earlier();
    uint64_t false_position = 0;
    for (int i = earlier->size() - 1; i >= 0; --i) {
      if (absl::string_view(earlier->Get(i).contact_id()) != contact_id) continue;
      earlier->DeleteSubrange(i, 1);
    }
    if (call_back->has_contact() && absl::string_view(call_back->contact_id()) == contact_id) {
      false_position = call_back->contact_position();
      DropContact(call_back);
    }
    call_back->set_contacts(call_back->has_contact() ? std::min<uint32_t>(call_back->earlier_size() + 1, 2)
                                                     : 0);
    if (false_position != 0 && call_back->agreed_position() == false_position) ClearAgreed(call_back);
  }
}

void ApplyTrackingEnded(const Step&, CustomerState* state) {
  for (ScopeState& scope : *state->mutable_scopes()) {
    if (scope.custody() == CUSTODY_OWNED) scope.mutable_call_back()->set_ended(true);
  }
}

void ApplyCallBackSigns(const Step& step, CustomerState* state) {
  const pb::CallBack& rules = step.policy.policy.call_back();
  const pb::Event& event = *step.event.event;
  const bool ends = AnyMatches(rules.ended_by(), event);
  const bool resumes = !ends && AnyMatches(rules.resumed_by(), event);
  if (ends || resumes) {
    for (ScopeState& scope : *state->mutable_scopes()) {
      if (scope.custody() == CUSTODY_OWNED) scope.mutable_call_back()->set_ended(ends);
    }
  }
  for (const pb::FollowUp& follow_up : rules.follow_ups()) {
    if (AnyMatches(follow_up.until(), event)) EndFollowUp(follow_up.name(), state);
    if (AnyMatches(follow_up.from(), event)) BeginFollowUp(step, follow_up.name(), state);
  }
  for (const pb::Occasion& occasion : rules.occasions()) {
    if (AnyMatches(occasion.on(), event)) BeginFollowUp(step, occasion.name(), state);
  }
}

std::optional<DueCallBack> NextCallBack(const policy::Timeline& timeline, const CustomerState& state,
                                        const ScopeState& scope, absl::Time at) {
  const CallBackState& call_back = scope.call_back();
  if (scope.custody() != CUSTODY_OWNED || InLimbo(timeline, scope)) return std::nullopt;
  std::optional<DueCallBack> best;
  std::optional<DueCallBack> undated;
  if (!call_back.ended()) {
    std::optional<DueCallBack> card = CardCall(timeline, scope);
    std::optional<DueCallBack> appointed = Appointed(timeline, call_back);
    // What was agreed does not keep a card alive.
    if (card.has_value()) KeepEarlier(card, &appointed);
    if (appointed.has_value()) return appointed;
    best = CountBase(timeline, state, call_back, at);
    CountPlans(timeline, call_back, &best);
  }
  CountFollowUps(timeline, state, call_back, &best, &undated);
  return best.has_value() ? best : undated;
}

}  // namespace ledger::rules
