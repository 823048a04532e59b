#include "projections/rules/mechanism.h"

#include <algorithm>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kRuleId[] = "rule_id";

}  // namespace

const policy::PolicyVersion& PolicyInForce(const policy::Timeline& timeline, absl::Time time) {
  static const auto* const none = new policy::PolicyVersion();
  return timeline.empty() ? *none : timeline.PolicyAt(time);
}

std::string HolderKey(const pb::Owner& owner) {
  switch (owner.owner_case()) {
    case pb::Owner::kStaffId:
      return owner.staff_id().empty() ? "" : absl::StrCat("staff/", owner.staff_id());
    case pb::Owner::kUnitId:
      return owner.unit_id().empty() ? "" : absl::StrCat("unit/", owner.unit_id());
    case pb::Owner::OWNER_NOT_SET:
      break;
  }
  return "";
}

std::string HolderText(const pb::Owner& owner) {
  switch (owner.owner_case()) {
    case pb::Owner::kStaffId:
      return owner.staff_id();
    case pb::Owner::kUnitId:
      return absl::StrCat("unit ", owner.unit_id());
    case pb::Owner::OWNER_NOT_SET:
      break;
  }
  return "nobody";
}

bool SameHolder(const pb::Owner& a, const pb::Owner& b) { return HolderKey(a) == HolderKey(b); }

bool ActsFor(const pb::Owner& owner, absl::string_view staff_id) {
  if (owner.owner_case() == pb::Owner::kUnitId) return true;
  return owner.has_staff_id() && absl::string_view(owner.staff_id()) == staff_id;
}

absl::Status Refuse(absl::StatusCode code, absl::string_view reason, absl::string_view sentence,
                    absl::string_view rule_id) {
  absl::Status refusal(code, absl::StrCat(reason, ": ", sentence));
  if (!rule_id.empty()) refusal.SetPayload(kRuleId, absl::Cord(rule_id));
  return refusal;
}

std::string RefusalRuleId(const absl::Status& refusal) {
  const auto payload = refusal.GetPayload(kRuleId);
  return payload.has_value() ? std::string(*payload) : "";
}

absl::Status StaffIsHere(const Proposal& proposal, absl::string_view staff_id, absl::string_view rule_id) {
  if (staff_id.empty() || proposal.timeline.StaffStatusAt(staff_id, proposal.at) != pb::STAFF_STATUS_LEFT) {
    return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, "STAFF_HAS_LEFT",
                absl::StrCat("the staff member \"", staff_id, "\" has left the company; name somebody else"),
                rule_id);
}

bool HoldsRole(const Proposal& proposal, absl::string_view staff_id,
               const google::protobuf::RepeatedPtrField<std::string>& roles, bool unknown_may) {
  if (staff_id.empty() || roles.empty()) return false;
  const std::optional<policy::StaffMember> member = proposal.timeline.StaffAt(staff_id, proposal.at);
  if (!member.has_value() || member->role.empty()) return unknown_may;
  return std::find(roles.begin(), roles.end(), member->role) != roles.end();
}

pb::Basis MakeBasis(absl::string_view rule_id, const policy::PolicyVersion& policy, absl::Time since) {
  pb::Basis basis;
  basis.set_rule_id(std::string(rule_id));
  basis.set_policy_version(policy.number);
  *basis.mutable_since_time() = ToTimestamp(since);
  return basis;
}

}  // namespace ledger::rules
