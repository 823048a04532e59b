#include "projections/rules/grade/grade.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "projections/rules/civil_time.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

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

std::string RuleOf(const policy::PolicyVersion& policy, absl::string_view scheme, absl::string_view name) {
  const pb::GradeClass* grade = FindClass(FindScheme(policy, scheme), name);
  return grade == nullptr ? "" : grade->rule_id();
}

pb::Tier GivenTier(const policy::Timeline& timeline, const GradeState& grade) {
  pb::Tier tier;
  tier.set_scheme(grade.scheme());
  tier.set_class_name(grade.class_name());
  const absl::Time since = FromMicros(grade.time_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, since);
  *tier.mutable_basis() = MakeBasis(RuleOf(policy, grade.scheme(), grade.class_name()), policy, since);
  tier.mutable_basis()->add_positions(grade.position());
  for (const std::string& who : grade.decided_by()) tier.add_decided_by(who);
  return tier;
}

}  // namespace

void ApplyGradeChanged(const Step& step, CustomerState* state) {
  const pb::GradeChanged& changed = step.event.event->grade_changed();
  auto* grades = state->mutable_grades();
  int place = 0;
  while (place < grades->size() && grades->Get(place).scheme() < changed.scheme()) ++place;
  if (place == grades->size() || grades->Get(place).scheme() != changed.scheme()) {
    grades->Add()->set_scheme(changed.scheme());
    for (int i = grades->size() - 1; i > place; --i) grades->SwapElements(i, i - 1);
  }
  GradeState* grade = grades->Mutable(place);
  grade->set_class_name(changed.to_class());
  grade->set_time_us(ToMicros(step.at()));
  grade->set_position(step.event.position);
  *grade->mutable_decided_by() = changed.decided_by();
}

const GradeState* FindGrade(const CustomerState& state, absl::string_view scheme) {
  for (const GradeState& grade : state.grades()) {
    if (absl::string_view(grade.scheme()) == scheme) return &grade;
  }
  return nullptr;
}

std::vector<pb::Tier> ReadGrades(const policy::Timeline& timeline, const CustomerState& state,
                                 absl::Time at) {
  std::vector<pb::Tier> tiers;
  const policy::PolicyVersion& policy = PolicyInForce(timeline, at);
  for (const pb::GradeScheme& scheme : policy.policy.grade_schemes()) {
    if (const GradeState* grade = FindGrade(state, scheme.name())) {
      tiers.push_back(GivenTier(timeline, *grade));
    } else {
      pb::Tier tier;
      tier.set_scheme(scheme.name());
      if (state.events() > 0 && !scheme.initial_class().empty()) {
        tier.set_class_name(scheme.initial_class());
        *tier.mutable_basis() = MakeBasis(RuleOf(policy, scheme.name(), scheme.initial_class()), policy,
                                          FromMicros(state.first_us()));
        tier.mutable_basis()->add_positions(state.first_position());
      }
      tiers.push_back(std::move(tier));
    }
    tiers.back().set_hidden_from_customer(scheme.hidden_from_customer());
  }
  for (const GradeState& grade : state.grades()) {
    if (FindScheme(policy, grade.scheme()) == nullptr) tiers.push_back(GivenTier(timeline, grade));
  }
  return tiers;
}

absl::StatusOr<Decision> DecideGradeChanged(const Proposal& proposal, const pb::GradeChanged& changed) {
  const pb::GradeScheme* scheme = FindScheme(proposal.policy, changed.scheme());
  if (scheme == nullptr) {
    return Refuse(absl::StatusCode::kInvalidArgument, "UNKNOWN_GRADE",
                  absl::StrCat("the policy in force has no grade scheme \"", changed.scheme(), "\"; it has ",
                               proposal.policy.policy.grade_schemes().empty() ? "none" : "",
                               absl::StrJoin(proposal.policy.policy.grade_schemes(), ", ",
                                             [](std::string* out, const pb::GradeScheme& known) {
                                               absl::StrAppend(out, known.name());
                                             })),
                  "");
  }
  Decision decision;
  if (changed.to_class().empty()) return decision;
  const pb::GradeClass* grade = FindClass(scheme, changed.to_class());
  if (grade == nullptr) {
    return Refuse(absl::StatusCode::kInvalidArgument, "UNKNOWN_GRADE",
                  absl::StrCat("the scheme \"", changed.scheme(), "\" has no class \"", changed.to_class(),
                               "\"; it has ",
                               absl::StrJoin(scheme->classes(), ", ",
                                             [](std::string* out, const pb::GradeClass& known) {
                                               absl::StrAppend(out, known.name());
                                             })),
                  "");
  }
  decision.rule_id = grade->rule_id();
  return decision;
}

}  // namespace ledger::rules
