#include "projections/policy/checks.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

void CheckCadenceClass(const pb::Policy& policy, const std::string& path, const pb::Cadence& cadence,
                       Findings* findings) {
  if (cadence.scheme().empty()) {
    if (cadence.class_name().empty()) return;
    findings->Error(
        absl::StrCat(path, ".scheme"),
        "is missing although a class is named; name the scheme, or leave both empty for every customer");
    return;
  }
  const auto& schemes = policy.grade_schemes();
  const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](const pb::GradeScheme& known) {
    return known.name() == cadence.scheme();
  });
  if (scheme == schemes.end()) {
    findings->Error(absl::StrCat(path, ".scheme"),
                    absl::StrCat("there is no grade scheme \"", cadence.scheme(),
                                 "\", so nobody would be called; name one of "
                                 "grade_schemes"));
    return;
  }
  const auto& classes = scheme->classes();
  const bool known = std::any_of(classes.begin(), classes.end(), [&](const pb::GradeClass& grade) {
    return grade.name() == cadence.class_name();
  });
  if (!known) {
    findings->Error(
        absl::StrCat(path, ".class_name"),
        absl::StrCat("the scheme \"", cadence.scheme(), "\" has no class \"", cadence.class_name(),
                     "\", so nobody would be called; name one of its classes"));
  }
}

}  // namespace

void CheckCallBack(const pb::Policy& policy, Findings* findings) {
  const pb::CallBack& rules = policy.call_back();
  std::set<std::pair<std::string, std::string>> seen;
  for (int i = 0; i < rules.cadences_size(); ++i) {
    const pb::Cadence& cadence = rules.cadences(i);
    const std::string path = absl::StrCat("call_back.cadences[", i, "]");
    CheckCadenceClass(policy, path, cadence, findings);
    if (!seen.insert({cadence.scheme(), cadence.class_name()}).second) {
      findings->Error(absl::StrCat(path, ".class_name"), "a second cadence for the same class; remove one");
    }
    findings->CheckPeriod(absl::StrCat(path, ".every"), cadence.has_every());
  }
}

}  // namespace ledger::policy
