#include "projections/policy/checks.h"

#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckOwnership(const pb::Policy& policy, Findings* findings) {
  const pb::OwnershipRules& rules = policy.ownership();
  if (!rules.by_recorded_assignment()) return;
  const absl::string_view nothing =
      "would do nothing: ownership.by_recorded_assignment lets only recorded owners count; remove one of "
      "the two";
  if (rules.claim_by() != pb::CLAIM_ACT_UNSPECIFIED) findings->Error("ownership.claim_by", nothing);
  if (policy.has_lapse()) findings->Error("lapse", nothing);
  if (policy.pool().claim_by_registration()) findings->Error("pool.claim_by_registration", nothing);
  if (!policy.hand_over().steps().empty()) findings->Error("hand_over.steps", nothing);
}

}  // namespace ledger::policy
