#include "projections/policy/checks.h"

#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

// What only one way of claiming reads.
void CheckClaims(const pb::Policy& policy, Findings* findings) {
  const pb::OwnershipRules& rules = policy.ownership();
  const bool invites = rules.claim_by() == pb::CLAIM_ACT_INVITATION;
  if (invites && !rules.invitations().has_list_cut_off()) {
    findings->Error(
        "ownership.invitations.list_cut_off",
        "is missing: no list could ever be in time, so that every invitation would be late; say until "
        "when a day's list is handed in");
  }
  if (!invites && rules.has_invitations()) {
    findings->Error("ownership.invitations",
                    "would do nothing: only CLAIM_ACT_INVITATION reads it; set claim_by, or remove it");
  }
  if (rules.form_time_counts() && rules.claim_by() != pb::CLAIM_ACT_REGISTRATION) {
    findings->Error(
        "ownership.form_time_counts",
        "would do nothing: forms decide between registrations; set claim_by to CLAIM_ACT_REGISTRATION");
  }
  if (rules.next_claim_succeeds() && !policy.lapse().has_card()) {
    findings->Warning("ownership.next_claim_succeeds",
                      "never happens: only a card can become void and leave its place; set lapse.card");
  }
}

}  // namespace

void CheckOwnership(const pb::Policy& policy, Findings* findings) {
  const pb::OwnershipRules& rules = policy.ownership();
  CheckClaims(policy, findings);
  if (!rules.by_recorded_assignment()) return;
  const absl::string_view nothing =
      "would do nothing: ownership.by_recorded_assignment lets only recorded owners count; remove one of "
      "the two";
  if (rules.claim_by() != pb::CLAIM_ACT_UNSPECIFIED) findings->Error("ownership.claim_by", nothing);
  if (policy.has_lapse()) findings->Error("lapse", nothing);
  if (policy.pool().claim_by_registration()) findings->Error("pool.claim_by_registration", nothing);
  if (policy.has_hand_over()) findings->Error("hand_over", nothing);
}

}  // namespace ledger::policy
