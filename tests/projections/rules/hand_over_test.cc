#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

class HandOverTest : public ::testing::Test {
 protected:
  HandOverTest() { scenario_.Given("2026-01-05", Registered("liu")); }
  Scenario scenario_;
};

TEST_F(HandOverTest, OnlyTheOwnerProposes) {
  scenario_.ThenAccepts("2026-01-06", Proposed("t1", "liu", "chen", "liu"));
  scenario_.ThenAccepts("2026-01-06", Proposed("t1", "liu", "chen"));
  scenario_.ThenRefuses("2026-01-06", Proposed("t1", "wang", "chen"), absl::StatusCode::kFailedPrecondition,
                        "NOT_THE_OWNER");
  scenario_.ThenRefuses("2026-01-06", Proposed("t1", "liu", "chen", "wang"),
                        absl::StatusCode::kPermissionDenied, "NOT_THE_OWNER");
  scenario_.ThenRefuses("2026-01-06", Proposed("t1", "liu", "liu"), absl::StatusCode::kFailedPrecondition,
                        "ALREADY_THE_OWNER");
  scenario_.ThenRefuses("2026-01-06", Proposed("t1", "liu", ""), absl::StatusCode::kInvalidArgument,
                        "RECEIVER_MISSING");
  scenario_.ThenRefuses("2026-01-06", Proposed("", "liu", "chen"), absl::StatusCode::kInvalidArgument,
                        "TRANSFER_ID_MISSING");
  scenario_.ThenRefuses("2026-04-06", Proposed("t1", "liu", "chen"), absl::StatusCode::kFailedPrecondition,
                        "NO_OWNER");  // public by then
  scenario_.SetStaff("2026-01-06", "chen", pb::STAFF_STATUS_LEFT);
  scenario_.ThenRefuses("2026-01-07", Proposed("t1", "liu", "chen"), absl::StatusCode::kFailedPrecondition,
                        "STAFF_HAS_LEFT");
}

TEST_F(HandOverTest, OnlyTheReceiverAccepts) {
  scenario_.ThenRefuses("2026-01-06", Accepted("t1", "chen"), absl::StatusCode::kNotFound,
                        "NO_OPEN_TRANSFER");
  scenario_.Given("2026-01-06", Proposed("t1", "liu", "chen"));
  scenario_.ThenRefuses("2026-01-07", Proposed("t2", "liu", "wang"), absl::StatusCode::kFailedPrecondition,
                        "TRANSFER_ALREADY_OPEN");
  const auto refused = scenario_.WhenProposed("2026-01-07", Accepted("t1", "wang"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(refused.status().message().substr(0, 18), "NOT_THE_RECEIVER: ");
  EXPECT_EQ(RefusalRuleId(refused.status()), "hand-over.propose-accept");
  scenario_.ThenRefuses("2026-01-07", Declined("t1", "wang"), absl::StatusCode::kPermissionDenied,
                        "NOT_THE_RECEIVER");
  scenario_.ThenRefuses("2026-01-07", Cancelled("t9"), absl::StatusCode::kNotFound, "NO_OPEN_TRANSFER");
  scenario_.ThenAccepts("2026-01-07", Accepted("t1", "chen"));
  scenario_.ThenAccepts("2026-01-07", Declined("t1", "chen"));
  scenario_.ThenAccepts("2026-01-07", Cancelled("t1"));
}

TEST_F(HandOverTest, TheClockStartsAndProtectionKeepsItsDates) {
  scenario_.Given("2026-01-06", Proposed("t1", "liu", "chen"));
  EXPECT_EQ(scenario_.OwnerAt("2026-01-06"), "liu");
  EXPECT_EQ(scenario_.OwnershipAt("2026-01-06").transfer().transfer_id(), "t1");
  scenario_.Given("2026-02-20", Accepted("t1", "chen"));
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-02-21");
  EXPECT_EQ(ownership.owner().staff_id(), "chen");
  EXPECT_EQ(ownership.basis().rule_id(), "hand-over.propose-accept");
  EXPECT_EQ(ownership.basis().positions_size(), 2);
  EXPECT_FALSE(ownership.has_transfer());
  EXPECT_EQ(ownership.claims(0).state(), pb::CLAIM_STATE_PAST);
  EXPECT_EQ(LocalText(ownership.lapse_time()), "2026-05-21 00:00:00");
  scenario_.Given("2026-03-06", Registered("wang"));  // protection from 5 January is over
  EXPECT_EQ(scenario_.OwnerAt("2026-03-06"), "wang");
}

TEST_F(HandOverTest, DeclinedAndCancelledLeaveTheOwner) {
  scenario_.Given("2026-01-06", Proposed("t1", "liu", "chen"));
  scenario_.Given("2026-01-07", Declined("t1", "chen"));
  scenario_.Given("2026-01-08", Accepted("t1", "chen"));  // too late; history keeps it without effect
  EXPECT_EQ(scenario_.OwnerAt("2026-01-09"), "liu");
  EXPECT_FALSE(scenario_.OwnershipAt("2026-01-09").has_transfer());
}

TEST(HandOverNobodyTest, NobodyOwnsMeanwhileAndALapseWaits) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_hand_over()->mutable_procedures(0)->set_owner_meanwhile(pb::OWNER_MEANWHILE_NOBODY);
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-03-20", Proposed("t1", "liu", "chen"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-20"), "in transfer");
  EXPECT_EQ(scenario.CallbackAt("2026-03-20"), "none");
  EXPECT_TRUE(CustodyIntervals(scenario.timeline(), scenario.StateAt("2026-03-20")).empty());
  scenario.Given("2026-04-01", Registered("wang"));  // not public: kept as a second claim
  EXPECT_EQ(scenario.OwnerAt("2026-04-10"), "in transfer");
  scenario.Given("2026-04-20 10:00", Cancelled("t1"));
  const pb::Ownership ownership = scenario.OwnershipAt("2026-04-20 10:00");
  EXPECT_EQ(ownership.state(), pb::CUSTODY_STATE_POOLED);
  EXPECT_EQ(LocalText(ownership.basis().since_time()), "2026-04-20 10:00:00");
}

TEST(HandOverOffTest, WithoutStepsNobodyHandsOver) {
  pb::Policy policy = ShippedPolicy("default");
  policy.clear_hand_over();
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.ThenRefuses("2026-01-06", Proposed("t1", "liu", "chen"), absl::StatusCode::kFailedPrecondition,
                       "HAND_OVER_OFF");
}

}  // namespace
}  // namespace ledger::rules::testing
