#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/common.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"

// What all mechanisms share. Pure; any thread.
namespace ledger::rules {

// One event that is being applied.
struct Step {
  const policy::Timeline& timeline;
  const policy::PolicyVersion& policy;  // in force at the event's business time
  const HistoryEvent& event;

  absl::Time at() const { return event.business_time; }
};

// One event that is being decided. `customer` has been advanced to `at`.
struct Proposal {
  const policy::Timeline& timeline;
  const policy::PolicyVersion& policy;
  const CustomerState& customer;
  absl::Time at;
};

// As Timeline::PolicyAt; a policy in which everything is off before the first one.
const policy::PolicyVersion& PolicyInForce(const policy::Timeline& timeline, absl::Time time);

// "staff/liu" or "unit/north"; empty if nobody is named. Levels do not tell owners apart.
std::string HolderKey(const customerledger::v1::Owner& owner);
// For people: "liu" or "unit north"; "nobody".
std::string HolderText(const customerledger::v1::Owner& owner);
bool SameHolder(const customerledger::v1::Owner& a, const customerledger::v1::Owner& b);
// True if `staff_id` acts for `owner`: is that staff member, or the owner is a unit (who belongs to it is not
// the rules' business).
bool ActsFor(const customerledger::v1::Owner& owner, absl::string_view staff_id);

// A refusal "REASON: sentence" that carries `rule_id`.
absl::Status Refuse(absl::StatusCode code, absl::string_view reason, absl::string_view sentence,
                    absl::string_view rule_id);

// OK unless `staff_id` is known to have left.
absl::Status StaffIsHere(const Proposal& proposal, absl::string_view staff_id, absl::string_view rule_id);

// True if `staff_id` is named and holds one of `roles` at the time of the proposal. `unknown_may`: also if nobody has
// recorded the role.
bool HoldsRole(const Proposal& proposal, absl::string_view staff_id,
               const google::protobuf::RepeatedPtrField<std::string>& roles, bool unknown_may);

// Makes a Basis for what holds from `since` on.
customerledger::v1::Basis MakeBasis(absl::string_view rule_id, const policy::PolicyVersion& policy,
                                    absl::Time since);

}  // namespace ledger::rules
