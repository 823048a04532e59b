#include "projections/policy/policy_check.h"

#include <algorithm>

#include "projections/policy/checks.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

std::vector<pb::PolicyFinding> CheckPolicy(const pb::Policy& policy) {
  Findings findings;
  CheckForm(policy, &findings);
  CheckTerms(policy, &findings);
  CheckRules(policy, &findings);
  CheckHead(policy, &findings);
  CheckRegistration(policy, &findings);
  CheckOwnership(policy, &findings);
  CheckLapse(policy, &findings);
  CheckPool(policy, &findings);
  CheckHandOver(policy, &findings);
  CheckGrade(policy, &findings);
  CheckCallBack(policy, &findings);
  CheckDispute(policy, &findings);
  CheckCredit(policy, &findings);
  CheckReception(policy, &findings);
  CheckDuty(policy, &findings);
  CheckFacts(policy, &findings);
  return findings.Take();
}

std::vector<pb::PolicyFinding> PolicyErrors(const pb::Policy& policy) {
  std::vector<pb::PolicyFinding> findings = CheckPolicy(policy);
  findings.erase(std::remove_if(findings.begin(), findings.end(),
                                [](const pb::PolicyFinding& finding) {
                                  return finding.severity() == pb::POLICY_FINDING_SEVERITY_WARNING;
                                }),
                 findings.end());
  return findings;
}

}  // namespace ledger::policy
