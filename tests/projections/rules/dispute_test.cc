#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

class DisputeTest : public ::testing::Test {
 protected:
  DisputeTest() {
    scenario_.Given("2026-01-05", Registered("liu"));
    scenario_.Given("2026-03-01", Opened("d1"));
  }
  Scenario scenario_;
};

TEST_F(DisputeTest, FreezesTheOwnerAndFlagsIt) {
  scenario_.Given("2026-03-10", Registered("wang"));  // protection is over, yet nothing moves
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-05-01");  // and nothing lapses
  EXPECT_EQ(ownership.owner().staff_id(), "liu");
  EXPECT_TRUE(ownership.disputed());
  EXPECT_FALSE(ownership.has_lapse_time());
  EXPECT_EQ(ownership.claims(1).state(), pb::CLAIM_STATE_SECOND);
}

TEST_F(DisputeTest, ALapseThatFellDueMeanwhileAppliesAtTheDecision) {
  scenario_.Given("2026-04-20", Contact("liu"));  // after the lapse that is held back: too late
  scenario_.Given("2026-05-01 09:00", Resolved("d1"));
  EXPECT_EQ(scenario_.OwnerAt("2026-05-01 08:59:59"), "liu");
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-05-01 09:00");
  EXPECT_EQ(ownership.state(), pb::CUSTODY_STATE_POOLED);
  EXPECT_EQ(LocalText(ownership.basis().since_time()), "2026-05-01 09:00:00");
  EXPECT_FALSE(ownership.disputed());
}

TEST_F(DisputeTest, ADecisionThatNamesAnOwnerStartsTheClock) {
  scenario_.Given("2026-05-01", Resolved("d1", "wang"));
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-05-02");
  EXPECT_EQ(ownership.owner().staff_id(), "wang");
  EXPECT_EQ(LocalText(ownership.lapse_time()), "2026-08-02 00:00:00");
  EXPECT_EQ(ownership.basis().positions_size(), 2);
}

TEST_F(DisputeTest, ALapseThatIsNotDueYetRunsOn) {
  scenario_.Given("2026-03-20", Resolved("d1"));
  EXPECT_EQ(scenario_.OwnerAt("2026-04-05 23:59:59"), "liu");
  EXPECT_EQ(scenario_.OwnerAt("2026-04-06"), "public pool");
}

TEST_F(DisputeTest, RefusesWhatWouldMoveTheCustomer) {
  const auto kNo = absl::StatusCode::kFailedPrecondition;
  scenario_.ThenRefuses("2026-03-02", Proposed("t1", "liu", "chen"), kNo, "DISPUTE_OPEN");
  scenario_.ThenRefuses("2026-03-02", Assigned("chen"), kNo, "DISPUTE_OPEN");
  scenario_.ThenRefuses("2026-03-02", Released("liu"), kNo, "DISPUTE_OPEN");
  scenario_.ThenRefuses("2026-03-02", Opened("d1"), kNo, "DISPUTE_ALREADY_OPEN");
  scenario_.ThenRefuses("2026-03-02", Resolved("d2"), absl::StatusCode::kNotFound, "NO_OPEN_DISPUTE");
  scenario_.ThenAccepts("2026-03-02", Resolved("d1"));
  scenario_.ThenAccepts("2026-03-02", Opened("d2"));
}

TEST(DisputeTransferTest, SuspendsAHandOverUnderWay) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Proposed("t1", "liu", "chen"));
  scenario.Given("2026-01-07", Opened("d1"));
  scenario.ThenRefuses("2026-01-08", Accepted("t1", "chen"), absl::StatusCode::kFailedPrecondition,
                       "DISPUTE_OPEN");
  scenario.Given("2026-01-09", Resolved("d1"));
  scenario.ThenAccepts("2026-01-10", Accepted("t1", "chen"));
  scenario.Given("2026-01-10", Accepted("t1", "chen"));
  EXPECT_EQ(scenario.OwnerAt("2026-01-10"), "chen");
}

TEST(DisputeTransferTest, TheFreezeIsPerScopeAndUntilTheLastDispute) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-05", Registered("wang", "store"));
  scenario.Given("2026-01-06", Opened("d1"));
  scenario.Given("2026-01-07", Opened("d2"));
  scenario.Given("2026-04-10", Resolved("d1"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-11"), "liu");
  EXPECT_EQ(scenario.OwnerAt("2026-04-11", "store"), "public pool");
  scenario.Given("2026-04-12", Resolved("d2"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-12"), "public pool");
}

}  // namespace
}  // namespace ledger::rules::testing
