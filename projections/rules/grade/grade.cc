#include "projections/rules/grade/grade.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_match.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/fact/fact.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kMostAuthorities = 64;

GradeState* FindOrAddGrade(const std::string& scheme, CustomerState* state) {
  auto* grades = state->mutable_grades();
  int place = 0;
  while (place < grades->size() && grades->Get(place).scheme() < scheme) ++place;
  if (place == grades->size() || grades->Get(place).scheme() != scheme) {
    grades->Add()->set_scheme(scheme);
    for (int i = grades->size() - 1; i > place; --i) grades->SwapElements(i, i - 1);
    grades->Mutable(place)->set_source(GRADE_SOURCE_NONE);
  }
  return grades->Mutable(place);
}

void Give(const Step& step, GradeSource source, const std::string& class_name, GradeState* grade) {
  grade->set_class_name(class_name);
  grade->set_time_us(ToMicros(step.at()));
  grade->set_position(step.event.position);
  grade->set_source(source);
  grade->set_expected_us(0);
  grade->clear_decided_by();
  grade->clear_earlier_positions();
  grade->clear_decided_rule_id();
}

void AddName(const std::string& name, google::protobuf::RepeatedPtrField<std::string>* names) {
  if (std::find(names->begin(), names->end(), name) == names->end()) *names->Add() = name;
}

// Whether everybody who must agree is among `names`.
bool AllAgreed(const Step& step, const Deciders& deciders,
               const google::protobuf::RepeatedPtrField<std::string>& names) {
  return std::all_of(deciders.who->begin(), deciders.who->end(), [&](const pb::Decider& decider) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return IsDecider(step.timeline, decider, name, step.at());
    });
  });
}

template <typename Matches>
bool AnyMatches(const Matches& matches, const pb::Event& event) {
  return std::any_of(matches.begin(), matches.end(),
                     [&](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

bool NeedsMet(const pb::GradeClass& grade, const CustomerState& state) {
  return std::all_of(grade.needs().begin(), grade.needs().end(),
                     [&](const pb::FactNeeded& need) { return Holds(state, need.fact()); });
}

// Classes that an event or a fact gives at this instant; of several the most demanding.
void ApplyClassSigns(const Step& step, const pb::GradeScheme& scheme, CustomerState* state) {
  if (scheme.measure().takes_effect_on_approval()) return;  // facts only propose there
  for (const pb::GradeClass& grade : scheme.classes()) {
    if (grade.given_by().empty() && grade.given_by_facts().empty()) continue;
    const bool given = AnyMatches(grade.given_by(), *step.event.event) ||
                       std::any_of(grade.given_by_facts().begin(), grade.given_by_facts().end(),
                                   [&](const std::string& fact) { return BeganToHold(step, *state, fact); });
    if (!given || !NeedsMet(grade, *state)) continue;
    Give(step, GRADE_SOURCE_EVENT, grade.name(), FindOrAddGrade(scheme.name(), state));
    return;
  }
  for (const pb::GradeClass& grade : scheme.classes()) {
    if (grade.ended_by().empty() || !AnyMatches(grade.ended_by(), *step.event.event)) continue;
    if (CurrentGrade(step.timeline, *state, scheme.name(), step.at()).class_name != grade.name()) continue;
    Give(step, GRADE_SOURCE_EVENT, "", FindOrAddGrade(scheme.name(), state));
    return;
  }
}

void ApplyHorizon(const Step& step, const pb::GradeScheme& scheme, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  const pb::ZonedTime* expected = nullptr;
  if (event.contact_logged().has_expected_purchase_time()) {
    expected = &event.contact_logged().expected_purchase_time();
  } else if (event.visit_logged().has_expected_purchase_time()) {
    expected = &event.visit_logged().expected_purchase_time();
  }
  if (expected == nullptr) return;
  GradeState* grade = FindOrAddGrade(scheme.name(), state);
  Give(step, GRADE_SOURCE_HORIZON, "", grade);
  grade->set_expected_us(ToMicros(ToTime(expected->time())));
}

void ApplyReturn(const Step& step, const pb::GradeScheme& scheme, CustomerState* state) {
  if (!policy::Matches(scheme.returning().visit(), *step.event.event)) return;
  GradeState* grade = FindOrAddGrade(scheme.name(), state);
  if (grade->has_visit()) {
    grade->set_has_visit_before(true);
    grade->set_visit_before_us(grade->visit_us());
    grade->set_visit_before_position(grade->visit_position());
  }
  grade->set_has_visit(true);
  grade->set_visit_us(ToMicros(step.at()));
  grade->set_visit_position(step.event.position);
}

}  // namespace

void ApplyGradeChanged(const Step& step, CustomerState* state) {
  const pb::GradeChanged& changed = step.event.event->grade_changed();
  const pb::GradeScheme* scheme = FindScheme(step.policy, changed.scheme());
  GradeState* grade = FindOrAddGrade(changed.scheme(), state);
  const bool is_first = grade->class_name().empty();
  PendingGradeState pending;
  if (grade->has_pending() && grade->pending().to_class() == changed.to_class()) pending = grade->pending();
  std::string rule_id;
  if (scheme != nullptr && !step.event.event->has_evidence()) {
    const Deciders deciders = DecidersOf(*scheme, changed.to_class(), is_first);
    if (!deciders.who->empty()) {
      rule_id = deciders.rule_id;
      for (const std::string& name : changed.decided_by()) AddName(name, pending.mutable_agreed_by());
      if (!AllAgreed(step, deciders, pending.agreed_by())) {
        pending.set_to_class(changed.to_class());
        if (pending.position() == 0) {
          pending.set_position(step.event.position);
          pending.set_time_us(ToMicros(step.at()));
        }
        pending.add_positions(step.event.position);
        *grade->mutable_pending() = std::move(pending);
        return;
      }
    }
  }
  Give(step, GRADE_SOURCE_DECIDED, changed.to_class(), grade);
  grade->set_decided_rule_id(rule_id);
  *grade->mutable_decided_by() = pending.agreed_by();
  for (const std::string& name : changed.decided_by()) AddName(name, grade->mutable_decided_by());
  if (!pending.proposed_by().empty()) grade->add_earlier_positions(pending.position());
  grade->mutable_earlier_positions()->MergeFrom(pending.positions());
  grade->clear_pending();
}

void ApplyGradeProposed(const Step& step, CustomerState* state) {
  const pb::GradeProposed& proposed = step.event.event->grade_proposed();
  const pb::GradeScheme* scheme = FindScheme(step.policy, proposed.scheme());
  // Where nobody must propose nor decide, a proposal leads nowhere.
  if (scheme == nullptr ||
      (!scheme->proposal_first() && DecidersOf(*scheme, proposed.to_class(), false).who->empty())) {
    return;
  }
  GradeState* grade = FindOrAddGrade(proposed.scheme(), state);
  if (grade->has_pending() && grade->pending().to_class() == proposed.to_class()) return;
  PendingGradeState* pending = grade->mutable_pending();
  pending->Clear();
  pending->set_to_class(proposed.to_class());
  pending->set_proposed_by(proposed.proposed_by());
  pending->set_position(step.event.position);
  pending->set_time_us(ToMicros(step.at()));
}

void ApplyAuthority(const Step& step, CustomerState* state) {
  const pb::AuthorityDelegated& letter = step.event.event->authority_delegated();
  const auto& schemes = step.policy.policy.grade_schemes();
  const bool asked = std::any_of(schemes.begin(), schemes.end(), [](const pb::GradeScheme& scheme) {
    return std::any_of(scheme.classes().begin(), scheme.classes().end(), [](const pb::GradeClass& grade) {
      return grade.responsible().others_need_authority();
    });
  });
  if (!asked) return;
  AuthorityState* authority = state->add_authorities();
  authority->set_unit_id(letter.to_unit_id());
  authority->set_from_us(letter.has_valid_from_time() ? ToMicros(ToTime(letter.valid_from_time().time()))
                                                      : ToMicros(step.at()));
  if (letter.has_valid_to_time()) authority->set_to_us(ToMicros(ToTime(letter.valid_to_time().time())));
  authority->set_position(step.event.position);
  if (state->authorities_size() > kMostAuthorities) state->mutable_authorities()->DeleteSubrange(0, 1);
}

void ApplyGradeSigns(const Step& step, CustomerState* state) {
  for (const pb::GradeScheme& scheme : step.policy.policy.grade_schemes()) {
    ApplyClassSigns(step, scheme, state);
    if (scheme.has_horizon()) ApplyHorizon(step, scheme, state);
    if (scheme.has_returning()) ApplyReturn(step, scheme, state);
  }
}

const GradeState* FindGrade(const CustomerState& state, absl::string_view scheme) {
  for (const GradeState& grade : state.grades()) {
    if (absl::string_view(grade.scheme()) == scheme) return &grade;
  }
  return nullptr;
}

Deciders DecidersOf(const pb::GradeScheme& scheme, absl::string_view class_name, bool is_first) {
  const pb::GradeClass* grade = FindClass(&scheme, class_name);
  if (grade != nullptr && !grade->deciders().empty()) return {&grade->deciders(), grade->deciders_rule_id()};
  if (is_first && !scheme.first_deciders().empty()) {
    return {&scheme.first_deciders(), scheme.first_deciders_rule_id()};
  }
  return {&scheme.deciders(), scheme.deciders_rule_id()};
}

bool IsDecider(const policy::Timeline& timeline, const pb::Decider& decider, const std::string& name,
               absl::Time at) {
  const std::optional<policy::StaffMember> staff = timeline.StaffAt(name, at);
  const bool by_role = !decider.role().empty() && staff.has_value() && staff->role == decider.role();
  const bool by_unit = !decider.unit_id().empty() && staff.has_value() && staff->unit_id == decider.unit_id();
  if (!decider.role().empty() && !decider.unit_id().empty()) return by_role && by_unit;
  if (!decider.role().empty()) return by_role || name == decider.role();
  return by_unit || name == decider.unit_id();
}

std::string DeciderText(const pb::Decider& decider) {
  if (decider.role().empty()) return decider.unit_id();
  if (decider.unit_id().empty()) return decider.role();
  return absl::StrCat(decider.role(), " of ", decider.unit_id());
}

const pb::GradeScheme* FindScheme(const policy::PolicyVersion& policy, absl::string_view name) {
  for (const pb::GradeScheme& scheme : policy.policy.grade_schemes()) {
    if (absl::string_view(scheme.name()) == name) return &scheme;
  }
  return nullptr;
}

const pb::GradeClass* FindClass(const pb::GradeScheme* scheme, absl::string_view name) {
  if (scheme == nullptr) return nullptr;
  for (const pb::GradeClass& grade : scheme->classes()) {
    if (absl::string_view(grade.name()) == name) return &grade;
  }
  return nullptr;
}

}  // namespace ledger::rules
