#include "projections/policy/checks.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

void CheckScheme(const pb::Policy& policy, int index, Findings* findings) {
  const pb::GradeScheme& scheme = policy.grade_schemes(index);
  const std::string path = absl::StrCat("grade_schemes[", index, "]");
  findings->CheckName(absl::StrCat(path, ".name"), scheme.name());
  for (int i = 0; i < index; ++i) {
    if (policy.grade_schemes(i).name() != scheme.name() || scheme.name().empty()) continue;
    findings->Error(
        absl::StrCat(path, ".name"),
        absl::StrCat("\"", scheme.name(), "\" names two schemes and no grade could tell which; rename one"));
    break;
  }
  if (scheme.classes().empty()) {
    findings->Error(absl::StrCat(path, ".classes"),
                    "is empty: no grade could be given; list at least one class");
  }
  std::set<std::string> seen;
  for (int i = 0; i < scheme.classes_size(); ++i) {
    const std::string class_path = absl::StrCat(path, ".classes[", i, "].name");
    const std::string& name = scheme.classes(i).name();
    findings->CheckName(class_path, name);
    if (!name.empty() && !seen.insert(name).second) {
      findings->Error(class_path, absl::StrCat("\"", name, "\" names two classes of one scheme; rename one"));
    }
  }
  if (!scheme.initial_class().empty() && !seen.contains(scheme.initial_class())) {
    findings->Error(
        absl::StrCat(path, ".initial_class"),
        absl::StrCat("the scheme has no class \"", scheme.initial_class(), "\"; name one of its classes"));
  }
}

bool IsBlank(const pb::MeasureRange& range) {
  return !range.has_at_least_milli() && !range.has_more_than_milli() && !range.has_at_most_milli() &&
         !range.has_less_than_milli();
}

// The least value in the range, and the first beyond it; thousandths are whole.
int64_t Lower(const pb::MeasureRange& range) {
  int64_t lower = std::numeric_limits<int64_t>::min();
  if (range.has_at_least_milli()) lower = range.at_least_milli();
  if (range.has_more_than_milli() && range.more_than_milli() >= lower) {
    lower = range.more_than_milli() == std::numeric_limits<int64_t>::max() ? range.more_than_milli()
                                                                           : range.more_than_milli() + 1;
  }
  return lower;
}

int64_t Upper(const pb::MeasureRange& range) {
  int64_t upper = std::numeric_limits<int64_t>::max();
  if (range.has_at_most_milli()) upper = range.at_most_milli();
  if (range.has_less_than_milli() && range.less_than_milli() <= upper) {
    upper = range.less_than_milli() == std::numeric_limits<int64_t>::min() ? range.less_than_milli()
                                                                           : range.less_than_milli() - 1;
  }
  return upper;
}

void CheckRange(const std::string& path, const pb::MeasureRange& range, Findings* findings) {
  if (IsBlank(range)) {
    findings->Error(path, "has no bound, and no value would fall into it; set one, or leave the range out");
  } else if (Lower(range) > Upper(range)) {
    findings->Error(path, "is empty: its lower bound lies above its upper one; no value would fall into it");
  }
}

// A value between two classes would have none.
void CheckGaps(const pb::GradeScheme& scheme, const std::string& path, Findings* findings) {
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (const pb::GradeClass& grade : scheme.classes()) {
    if (grade.has_range() && !IsBlank(grade.range())) {
      ranges.emplace_back(Lower(grade.range()), Upper(grade.range()));
    }
  }
  std::sort(ranges.begin(), ranges.end());
  int64_t reached = std::numeric_limits<int64_t>::min();
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i > 0 && reached != std::numeric_limits<int64_t>::max() && ranges[i].first > reached + 1) {
      findings->Warning(absl::StrCat(path, ".classes"),
                        absl::StrCat("leave a gap: values from ", reached + 1, " to ", ranges[i].first - 1,
                                     " thousandths would have no class"));
    }
    reached = std::max(reached, ranges[i].second);
  }
}

void CheckVariants(const pb::GradeScheme& scheme, const pb::GradeClass& grade, const std::string& path,
                   Findings* findings) {
  for (int i = 0; i < grade.variants_size(); ++i) {
    const pb::RangeVariant& variant = grade.variants(i);
    const std::string here = absl::StrCat(path, ".variants[", i, "]");
    const bool factors = variant.lower_bound_per_mille() != 0 || variant.upper_bound_per_mille() != 0;
    if (!variant.has_range() && !factors) {
      findings->Error(here, "changes nothing; set a factor or a range, or remove it");
    } else if (variant.has_range() && factors) {
      findings->Error(here, "has a range, so its factors would do nothing; remove one of the two");
    }
    if (variant.has_range()) CheckRange(absl::StrCat(here, ".range"), variant.range(), findings);
    if (!variant.has_range() || scheme.stricter() == pb::STRICTER_UNSPECIFIED) continue;
    const bool looser = scheme.stricter() == pb::STRICTER_LOWER
                            ? Lower(variant.range()) > Lower(grade.range())
                            : Lower(variant.range()) < Lower(grade.range());
    if (looser) {
      findings->Error(absl::StrCat(here, ".range"),
                      absl::StrCat("is looser than the company's range, which grade scheme \"", scheme.name(),
                                   "\" does not allow; local ranges may only be stricter"));
    }
  }
}

void CheckDeciders(const std::string& path, const google::protobuf::RepeatedPtrField<pb::Decider>& deciders,
                   Findings* findings) {
  for (int i = 0; i < deciders.size(); ++i) {
    if (!deciders[i].role().empty() || !deciders[i].unit_id().empty()) continue;
    findings->Error(absl::StrCat(path, "[", i, "]"),
                    "names nobody, and nobody could decide; set role or unit_id");
  }
}

bool HasClass(const pb::GradeScheme& scheme, const std::string& name) {
  return std::any_of(scheme.classes().begin(), scheme.classes().end(),
                     [&](const pb::GradeClass& grade) { return grade.name() == name; });
}

void CheckClassNamed(const pb::GradeScheme& scheme, const std::string& path, const std::string& name,
                     Findings* findings) {
  if (HasClass(scheme, name)) return;
  findings->Error(path, absl::StrCat("the scheme has no class \"", name, "\"; name one of its classes"));
}

void CheckMeasure(const pb::GradeScheme& scheme, const std::string& path, Findings* findings) {
  const pb::GradeMeasure& measure = scheme.measure();
  if (measure.metric().empty()) {
    findings->Error(absl::StrCat(path, ".metric"), "is missing, so nothing would be measured; name a figure");
  }
  if (measure.window() == pb::MEASURE_WINDOW_UNSPECIFIED) {
    findings->Error(absl::StrCat(path, ".window"),
                    "is missing, so no figure would count; MEASURE_WINDOW_LATEST and "
                    "MEASURE_WINDOW_LAST_CALENDAR_YEAR are allowed");
  }
  for (int i = 0; i < measure.managed_as_size(); ++i) {
    const pb::ManagedAs& rule = measure.managed_as(i);
    const std::string here = absl::StrCat(path, ".managed_as[", i, "]");
    if (rule.has_range()) CheckRange(absl::StrCat(here, ".range"), rule.range(), findings);
    if (!rule.class_name().empty()) {
      CheckClassNamed(scheme, absl::StrCat(here, ".class_name"), rule.class_name(), findings);
    }
  }
}

void CheckReturn(const pb::GradeScheme& scheme, const std::string& path, Findings* findings) {
  const pb::GradeReturn& rules = scheme.returning();
  if (!rules.has_visit()) {
    findings->Error(absl::StrCat(path, ".visit"),
                    "is missing, so nobody would ever come back; name an event");
  }
  if (rules.bands().empty()) {
    findings->Error(absl::StrCat(path, ".bands"), "is empty, so a return would give no class; list one");
  }
  for (int i = 0; i < rules.bands_size(); ++i) {
    const std::string here = absl::StrCat(path, ".bands[", i, "]");
    CheckClassNamed(scheme, absl::StrCat(here, ".class_name"), rules.bands(i).class_name(), findings);
    if (!rules.bands(i).has_within() && i + 1 < rules.bands_size()) {
      findings->Error(here, "fits every return, so those after it would never count; put it last");
    }
  }
  if (rules.has_away_after()) {
    CheckClassNamed(scheme, absl::StrCat(path, ".away_class"), rules.away_class(), findings);
  } else if (!rules.away_class().empty()) {
    findings->Error(absl::StrCat(path, ".away_after"),
                    "is missing, so nobody would ever be away; set a period");
  }
}

// How classes are given.
void CheckGiving(const pb::GradeScheme& scheme, const std::string& path, Findings* findings) {
  bool any_within = false;
  for (int i = 0; i < scheme.classes_size(); ++i) {
    const pb::GradeClass& grade = scheme.classes(i);
    const std::string here = absl::StrCat(path, ".classes[", i, "]");
    any_within = any_within || grade.has_within();
    CheckDeciders(absl::StrCat(here, ".deciders"), grade.deciders(), findings);
    if (grade.has_range()) CheckRange(absl::StrCat(here, ".range"), grade.range(), findings);
    if (grade.has_range() && !scheme.has_measure()) {
      findings->Error(absl::StrCat(here, ".range"),
                      "would do nothing: the scheme measures nothing; set measure");
    }
    if (!grade.has_range() && !grade.variants().empty()) {
      findings->Error(absl::StrCat(here, ".variants"), "would do nothing: the class has no range");
    }
    if (grade.has_within() && !scheme.has_horizon()) {
      findings->Error(absl::StrCat(here, ".within"), "would do nothing: the scheme has no horizon; set it");
    }
    if (!grade.given_by().empty() && scheme.measure().takes_effect_on_approval()) {
      findings->Error(absl::StrCat(here, ".given_by"),
                      "would do nothing: measure.takes_effect_on_approval lets no event give a class; use "
                      "given_by_facts, which proposes");
    }
    CheckVariants(scheme, grade, here, findings);
  }
  if (scheme.has_horizon() && !any_within) {
    findings->Error(absl::StrCat(path, ".horizon"),
                    "gives no class: none has a within; set it on the classes");
  }
}

}  // namespace

void CheckGrade(const pb::Policy& policy, Findings* findings) {
  for (int i = 0; i < policy.grade_schemes_size(); ++i) {
    CheckScheme(policy, i, findings);
    const pb::GradeScheme& scheme = policy.grade_schemes(i);
    const std::string path = absl::StrCat("grade_schemes[", i, "]");
    CheckGiving(scheme, path, findings);
    CheckGaps(scheme, path, findings);
    CheckDeciders(absl::StrCat(path, ".deciders"), scheme.deciders(), findings);
    CheckDeciders(absl::StrCat(path, ".first_deciders"), scheme.first_deciders(), findings);
    CheckDeciders(absl::StrCat(path, ".proposers"), scheme.proposers(), findings);
    if (scheme.has_measure()) CheckMeasure(scheme, absl::StrCat(path, ".measure"), findings);
    if (scheme.has_returning()) CheckReturn(scheme, absl::StrCat(path, ".returning"), findings);
  }
}

}  // namespace ledger::policy
