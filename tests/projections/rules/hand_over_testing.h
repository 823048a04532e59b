#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/projections/rules/testing.h"

// Hand-overs and disputes, said shortly.
namespace ledger::rules::testing {

// The default policy with another hand_over block.
inline customerledger::v1::Policy WithHandOver(const std::string& rules) {
  customerledger::v1::Policy policy = ShippedPolicy("default");
  policy.mutable_hand_over()->Clear();
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(rules, policy.mutable_hand_over())) << rules;
  return policy;
}

// The default policy with a dispute block.
inline customerledger::v1::Policy WithDispute(const std::string& rules) {
  customerledger::v1::Policy policy = ShippedPolicy("default");
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(rules, policy.mutable_dispute())) << rules;
  return policy;
}

inline void Joins(Scenario* scenario, const std::string& time, const std::string& staff,
                  const std::string& role, const std::string& unit) {
  customerledger::v1::Event event;
  customerledger::v1::StaffStatusChanged* joined = event.mutable_staff_status_changed();
  joined->set_staff_id(staff);
  joined->set_status(customerledger::v1::STAFF_STATUS_ACTIVE);
  joined->set_role(role);
  joined->set_unit_id(unit);
  scenario->Given(time, event);
}

inline customerledger::v1::Event Audited(const std::string& id, const std::string& by, bool passed = true) {
  customerledger::v1::Event event;
  event.mutable_transfer_audited()->set_customer_id("c1");
  event.mutable_transfer_audited()->set_transfer_id(id);
  event.mutable_transfer_audited()->set_auditor_id(by);
  event.mutable_transfer_audited()->set_passed(passed);
  return event;
}

inline customerledger::v1::Event Confirmed(const std::string& id, const std::string& by) {
  customerledger::v1::Event event;
  event.mutable_transfer_confirmed()->set_customer_id("c1");
  event.mutable_transfer_confirmed()->set_transfer_id(id);
  event.mutable_transfer_confirmed()->set_confirmed_by(by);
  return event;
}

inline customerledger::v1::Event Completed(const std::string& id) {
  customerledger::v1::Event event;
  event.mutable_transfer_completed()->set_customer_id("c1");
  event.mutable_transfer_completed()->set_transfer_id(id);
  return event;
}

inline customerledger::v1::Event Cancelled(const std::string& id, const std::string& by) {
  customerledger::v1::Event event = Cancelled(id);
  event.mutable_transfer_cancelled()->set_cancelled_by(by);
  return event;
}

inline customerledger::v1::Event Notified(const std::string& cause = "transfer") {
  customerledger::v1::Event event;
  event.mutable_customer_notified()->set_customer_id("c1");
  event.mutable_customer_notified()->set_cause(cause);
  return event;
}

inline customerledger::v1::Event Submitted(const std::string& by) {
  customerledger::v1::Event event;
  event.mutable_profile_submitted()->set_customer_id("c1");
  event.mutable_profile_submitted()->set_stage("transfer");
  event.mutable_profile_submitted()->set_submitted_by(by);
  return event;
}

inline customerledger::v1::Event Reviewed(
    const std::string& by,
    customerledger::v1::ReviewResult result = customerledger::v1::REVIEW_RESULT_APPROVED) {
  customerledger::v1::Event event;
  event.mutable_profile_reviewed()->set_customer_id("c1");
  event.mutable_profile_reviewed()->set_reviewer_id(by);
  event.mutable_profile_reviewed()->set_result(result);
  return event;
}

inline customerledger::v1::Event StepTaken(const std::string& dispute, customerledger::v1::DisputeStep step,
                                           const std::string& by = "") {
  customerledger::v1::Event event;
  event.mutable_dispute_step_taken()->set_customer_id("c1");
  event.mutable_dispute_step_taken()->set_dispute_id(dispute);
  event.mutable_dispute_step_taken()->set_step(step);
  event.mutable_dispute_step_taken()->set_taken_by(by);
  return event;
}

inline customerledger::v1::Event OpenedBy(const std::string& dispute, const std::string& one,
                                          const std::string& other, const std::string& deal = "") {
  customerledger::v1::Event event = Opened(dispute);
  *event.mutable_dispute_opened()->add_parties() = Staff(one);
  *event.mutable_dispute_opened()->add_parties() = Staff(other);
  event.mutable_dispute_opened()->set_deal_id(deal);
  return event;
}

inline customerledger::v1::Event DecidedBy(const std::string& dispute, const std::string& owner,
                                           const std::string& by) {
  customerledger::v1::Event event = Resolved(dispute, owner);
  event.mutable_dispute_resolved()->set_decided_by(by);
  return event;
}

}  // namespace ledger::rules::testing
