#include "projections/policy/checks.h"

#include <set>
#include <string>

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

}  // namespace

void CheckGrade(const pb::Policy& policy, Findings* findings) {
  for (int i = 0; i < policy.grade_schemes_size(); ++i) CheckScheme(policy, i, findings);
}

}  // namespace ledger::policy
