#include "projections/policy/checks.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckHandOver(const pb::Policy& policy, Findings* findings) {
  const auto& steps = policy.hand_over().steps();
  if (steps.empty()) return;
  if (steps[0] != pb::HAND_OVER_STEP_PROPOSE) {
    findings->Error(
        "hand_over.steps[0]",
        "a hand-over that does not begin with HAND_OVER_STEP_PROPOSE could never begin; put it first");
  }
  std::set<int> seen;
  for (int i = 0; i < steps.size(); ++i) {
    const std::string path = absl::StrCat("hand_over.steps[", i, "]");
    if (steps[i] == pb::HAND_OVER_STEP_UNSPECIFIED) {
      findings->Error(path, "names no step; HAND_OVER_STEP_PROPOSE and HAND_OVER_STEP_ACCEPT are allowed");
    } else if (!seen.insert(steps[i]).second) {
      findings->Error(path, "is listed twice; each step is taken once");
    }
  }
  if (!seen.contains(pb::HAND_OVER_STEP_ACCEPT)) {
    findings->Error("hand_over.steps",
                    "lacks HAND_OVER_STEP_ACCEPT: a hand-over would never take effect; add it");
  }
}

}  // namespace ledger::policy
