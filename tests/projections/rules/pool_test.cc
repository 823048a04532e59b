#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

TEST(PoolTest, TheNextRegistrationTakesAPooledCustomer) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  const uint64_t taken = scenario.Given("2026-04-06", Registered("wang"));  // the instant it lapses
  scenario.Given("2026-04-06", Registered("chen"));
  const pb::Ownership ownership = scenario.OwnershipAt("2026-04-07");
  EXPECT_EQ(ownership.owner().staff_id(), "wang");
  EXPECT_EQ(ownership.basis().rule_id(), "pool.next-registration");
  EXPECT_THAT(ownership.basis().positions(), ::testing::ElementsAre(taken));
  EXPECT_EQ(ownership.claims(2).state(), pb::CLAIM_STATE_SECOND);
  EXPECT_EQ(scenario.StateAt("2026-04-07").owner_changes(), 1u);
}

TEST(PoolTest, TakingOnesOwnCustomerBackIsNoChangeOfOwner) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-04-06", Registered("liu"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-07"), "liu");
  EXPECT_EQ(scenario.StateAt("2026-04-07").owner_changes(), 0u);
  EXPECT_FALSE(scenario.StateAt("2026-04-07").returned());
}

TEST(PoolTest, AClosedPoolKeepsTheClaimAsEvidence) {
  pb::Policy policy = ShippedPolicy("default");
  policy.clear_pool();
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-04-06", Registered("wang"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-07"), "public pool");
  EXPECT_EQ(scenario.OwnershipAt("2026-04-07").claims(1).state(), pb::CLAIM_STATE_SECOND);
  scenario.Given("2026-04-08", Assigned("chen"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-09"), "chen");
}

TEST(PoolTest, AnOwnerGivesACustomerUp) {
  Scenario scenario;
  scenario.ThenRefuses("2026-01-04", Released("liu"), absl::StatusCode::kFailedPrecondition, "NO_OWNER");
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.ThenRefuses("2026-01-06", Released("wang"), absl::StatusCode::kFailedPrecondition,
                       "NOT_THE_OWNER");
  scenario.ThenAccepts("2026-01-06", Released("liu"));
  scenario.Given("2026-01-06", Released("liu"));
  EXPECT_EQ(scenario.OwnerAt("2026-01-06"), "public pool");
  EXPECT_EQ(scenario.CallbackAt("2026-01-06"), "none");
}

}  // namespace
}  // namespace ledger::rules::testing
