#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/checks.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckDuty(const pb::Policy& policy, Findings* findings) {
  std::set<std::string> seen;
  for (int i = 0; i < policy.duties_size(); ++i) {
    const std::string path = JoinPath(JoinPath("", "duties", i), "name");
    const std::string& name = policy.duties(i).name();
    findings->CheckName(path, name);
    if (!name.empty() && !seen.insert(name).second) {
      findings->Error(path, absl::StrCat("\"", name,
                                         "\" names two duties, and what is done could not be told apart; "
                                         "rename one"));
    }
  }
}

}  // namespace ledger::policy
