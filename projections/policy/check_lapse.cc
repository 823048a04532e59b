#include "projections/policy/checks.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckLapse(const pb::Policy& policy, Findings* findings) {
  const pb::Lapse& lapse = policy.lapse();
  if (lapse.has_protection()) {
    findings->CheckPeriod("lapse.protection.period", lapse.protection().has_period());
  }
  if (!lapse.has_dormancy()) return;
  findings->CheckPeriod("lapse.dormancy.period", lapse.dormancy().has_period());
  const auto& evidence = lapse.dormancy().evidence();
  if (evidence.empty()) {
    findings->Error("lapse.dormancy.evidence",
                    "is empty: every customer would fall to the public pool however well it is kept. List "
                    "EVIDENCE_CONTACT, "
                    "EVIDENCE_VISIT or EVIDENCE_DEAL");
  }
  std::set<int> seen;
  for (int i = 0; i < evidence.size(); ++i) {
    const std::string path = absl::StrCat("lapse.dormancy.evidence[", i, "]");
    if (evidence[i] == pb::EVIDENCE_UNSPECIFIED) {
      findings->Error(path,
                      "names no evidence; EVIDENCE_CONTACT, EVIDENCE_VISIT and EVIDENCE_DEAL are allowed");
    } else if (!seen.insert(evidence[i]).second) {
      findings->Error(path, "is listed twice; once is enough");
    }
  }
}

}  // namespace ledger::policy
