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

constexpr char kLimits[] = R"(
  id: "limits" utc_offset_seconds: 28800 phone_region: "CN"
  ownership { claim_by: CLAIM_ACT_REGISTRATION claim_rule_id: "t.first" }
  pool { claim_by_registration: true rule_id: "t.pool" daily_cap { customers: 2 rule_id: "t.cap" }
    cool_down { period { days: 30 } rule_id: "t.cool" } })";

TEST(PoolTest, EveryFormerOwnerWaitsAndNotOnlyTheLatest) {
  Scenario scenario(PolicyFrom(kLimits));
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-10", Released("liu"));
  scenario.ThenRefuses("2026-01-10", Registered("liu"), absl::StatusCode::kFailedPrecondition, "COOL_DOWN");
  scenario.Given("2026-01-11", Registered("wang"));
  scenario.Given("2026-01-12", Released("wang"));
  // Two colleagues cannot hand a customer to and fro: liu waits although wang owned last.
  scenario.ThenRefuses("2026-01-13", Registered("liu"), absl::StatusCode::kFailedPrecondition, "COOL_DOWN");
  scenario.ThenRefuses("2026-01-13", Registered("wang"), absl::StatusCode::kFailedPrecondition, "COOL_DOWN");
  scenario.ThenAccepts("2026-01-13", Registered("chen"));
  scenario.ThenRefuses("2026-02-09 23:59:59", Registered("liu"), absl::StatusCode::kFailedPrecondition,
                       "COOL_DOWN");
  scenario.ThenAccepts("2026-02-10", Registered("liu"));
}

TEST(PoolTest, NothingButOwningAgainMovesACoolDown) {
  Scenario scenario(PolicyFrom(kLimits));
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-10", Released("liu"));
  scenario.Given("2026-02-01", Contact("liu"));
  scenario.Given("2026-02-05", EventFrom("profile_changed { changes { key: 'city' value: 'x' } }"));
  scenario.ThenAccepts("2026-02-10", Registered("liu"));
}

TEST(PoolTest, ALateClaimWithinACoolDownIsOnlyEvidence) {
  Scenario scenario(PolicyFrom(kLimits));
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-10", Released("liu"));
  scenario.Given("2026-01-20", Registered("liu"));
  EXPECT_EQ(scenario.OwnerAt("2026-01-20"), "public pool");
  EXPECT_EQ(scenario.OwnershipAt("2026-01-20").claims(1).state(), pb::CLAIM_STATE_SECOND);
}

TEST(PoolTest, ADailyCapCountsWhatWasTaken) {
  Scenario scenario(PolicyFrom(kLimits));
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-10", Released("liu"));
  const CustomerState customer = scenario.StateAt("2026-01-11");
  DecisionContext context;
  context.timeline = &scenario.timeline();
  context.customer = &customer;
  context.recorded_time = Local("2026-01-11");
  EXPECT_EQ(CappedStaffId(scenario.timeline(), context.recorded_time, Registered("wang")), "wang");
  context.pool_claims_today = 1;
  const auto accepted = Decide(context, Registered("wang"));
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_TRUE(accepted->from_pool);
  context.pool_claims_today = 2;
  const auto refused = Decide(context, Registered("wang"));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RefusalRuleId(refused.status()), "t.cap");
}

}  // namespace
}  // namespace ledger::rules::testing
