#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "customerledger/v1/policy.pb.h"
#include "projections/policy/policy_check.h"

namespace ledger::services {

// kInvalidArgument "BAD_POLICY" with the first thing that is wrong with `policy`; OK if nothing is.
inline absl::Status CheckPolicyHolds(const customerledger::v1::Policy& policy) {
  const std::vector<customerledger::v1::PolicyFinding> findings = policy::PolicyErrors(policy);
  if (findings.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("BAD_POLICY: ", findings[0].field(), ": ",
                                                 findings[0].message(),
                                                 findings.size() > 1 ? " (and more; check the policy)" : ""));
}

}  // namespace ledger::services
