#include "projections/policy/checks.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckRegistration(const pb::Policy& policy, Findings* findings) {
  const auto& fields = policy.registration().required_fields();
  if (fields.size() > kMaxNameBytes) {
    findings->Error(
        "registration.required_fields",
        absl::StrCat("has ", fields.size(), " entries, but a registration carries at most 64 fields"));
  }
  std::set<std::string> seen;
  for (int i = 0; i < fields.size(); ++i) {
    const std::string path = absl::StrCat("registration.required_fields[", i, "]");
    if (fields[i].empty()) {
      findings->Error(path, "is empty, and no registration could meet it; name a field");
    } else if (!seen.insert(fields[i]).second) {
      findings->Error(path, absl::StrCat("\"", fields[i], "\" is listed twice; once is enough"));
    }
  }
}

}  // namespace ledger::policy
