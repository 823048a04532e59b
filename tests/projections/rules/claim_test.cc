#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

using ::testing::ElementsAre;

std::vector<std::string> Claims(const pb::Ownership& ownership) {
  std::vector<std::string> claims;
  for (const pb::Claim& claim : ownership.claims()) {
    claims.push_back(claim.claimant().staff_id() + claim.claimant().unit_id() + " " +
                     pb::ClaimState_Name(claim.state()).substr(12));
  }
  return claims;
}

TEST(ClaimTest, TheFirstPositionWinsAndTheSecondIsKept) {
  Scenario scenario;
  const uint64_t first = scenario.Given("2026-01-05 10:00", Registered("liu"));
  scenario.Given("2026-01-05 10:00", Registered("wang", "", "c9"));
  const pb::Ownership ownership = scenario.OwnershipAt("2026-01-06");
  EXPECT_EQ(ownership.owner().staff_id(), "liu");
  EXPECT_THAT(Claims(ownership), ElementsAre("liu OWNS", "wang SECOND"));
  EXPECT_EQ(ownership.claims(1).registered_as(), "c9");
  EXPECT_EQ(ownership.basis().rule_id(), "claim.first-position");
  EXPECT_THAT(ownership.basis().positions(), ElementsAre(first));
  EXPECT_EQ(ownership.basis().policy_version(), 1u);
  EXPECT_EQ(LocalText(ownership.claims(0).protected_until_time()), "2026-03-06 00:00:00");
  EXPECT_FALSE(ownership.claims(1).has_protected_until_time());
}

TEST(ClaimTest, ARegistrationCountsWhenRecorded) {
  Scenario scenario;
  scenario.Given("2026-01-05 10:00", Registered("liu"));
  scenario.Given("2026-01-01 10:00", Registered("wang"), "2026-01-06 10:00");
  EXPECT_EQ(scenario.OwnerAt("2026-01-07"), "liu");
  EXPECT_EQ(scenario.OwnerAt("2026-01-02"), "none");
}

TEST(ClaimTest, AnotherWinsOnlyOnceProtectionIsOver) {
  for (const bool late : {false, true}) {
    Scenario scenario;
    scenario.Given("2026-03-31 15:00", Registered("liu"));
    scenario.Given(late ? "2026-06-01 00:00" : "2026-05-31 23:59:59", Registered("wang"));
    const pb::Ownership ownership = scenario.OwnershipAt("2026-06-02");
    EXPECT_EQ(ownership.owner().staff_id(), late ? "wang" : "liu");
    if (late) {
      EXPECT_THAT(Claims(ownership), ElementsAre("liu PAST", "wang OWNS"));
      EXPECT_EQ(ownership.basis().arithmetic(),
                "protection 2026-03-31 + 2 months = 2026-05-31 24:00, registered after it");
    }
  }
}

TEST(ClaimTest, ProtectionEndsButTheOwnerStays) {
  Scenario scenario;
  scenario.Given("2026-03-31 15:00", Registered("liu"));
  EXPECT_EQ(scenario.OwnerAt("2026-06-15"), "liu");
}

TEST(ClaimTest, RegisteringOnesOwnCustomerAgainIsNoNewClaim) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-03-10", Registered("liu"));
  const pb::Ownership ownership = scenario.OwnershipAt("2026-03-11");
  EXPECT_THAT(Claims(ownership), ElementsAre("liu OWNS"));
  EXPECT_EQ(LocalText(ownership.basis().since_time()), "2026-01-05 00:00:00");
}

TEST(ClaimTest, ScopesAreOwnedApart) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("wang", "store-2"));
  scenario.Given("2026-01-06", Registered("liu", ""));
  scenario.Given("2026-01-07", Registered("chen", "store-1"));
  EXPECT_EQ(scenario.OwnerAt("2026-01-08"), "liu");
  EXPECT_EQ(scenario.OwnerAt("2026-01-08", "store-1"), "chen");
  EXPECT_EQ(scenario.OwnerAt("2026-01-08", "store-2"), "wang");
  std::vector<std::string> scopes;
  const CustomerState state = scenario.StateAt("2026-01-08");
  for (const ScopeState& scope : state.scopes()) scopes.push_back(scope.scope());
  EXPECT_THAT(scopes, ElementsAre("", "store-1", "store-2"));
}

TEST(ClaimTest, AUnitRegistersAlone) {
  Scenario scenario;
  pb::Event event = Registered("");
  event.mutable_customer_registered()->set_unit_id("north");
  scenario.Given("2026-01-05", event);
  EXPECT_EQ(scenario.OwnerAt("2026-01-06"), "unit north");
}

TEST(ClaimTest, DecisionsSayWhetherTheClaimOwns) {
  Scenario scenario;
  EXPECT_TRUE(scenario.WhenProposed("2026-01-05", Registered("liu"))->claim_owns);
  scenario.Given("2026-01-05", Registered("liu"));
  EXPECT_FALSE(scenario.WhenProposed("2026-01-06", Registered("wang"))->claim_owns);
  EXPECT_TRUE(scenario.WhenProposed("2026-01-06", Registered("liu"))->claim_owns);
  EXPECT_TRUE(scenario.WhenProposed("2026-03-06", Registered("wang"))->claim_owns);
  EXPECT_TRUE(scenario.WhenProposed("2026-04-06", Registered("wang"))->claim_owns);  // from the pool
  EXPECT_EQ(scenario.WhenProposed("2026-01-06", Registered("wang"))->rule_id, "claim.first-position");
}

TEST(ClaimTest, AKnownContactPointJoinsTheClaim) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  const CustomerState state = scenario.StateAt("2026-01-06");
  DecisionContext context{&scenario.timeline(), &state, Local("2026-01-06"), "c1", "ab12"};
  const auto decision = Decide(context, Registered("wang", "", "c9"));
  ASSERT_TRUE(decision.ok());
  EXPECT_FALSE(decision->claim_owns);
  ASSERT_EQ(decision->derived.size(), 1u);
  const pb::ClaimJoined& joined = decision->derived[0].claim_joined();
  EXPECT_EQ(joined.customer_id(), "c1");
  EXPECT_EQ(joined.claimant_customer_id(), "c9");
  EXPECT_EQ(joined.contact_point(), "ab12");
}

TEST(ClaimTest, WhoHasLeftMayNotRegisterAndStrangersMay) {
  Scenario scenario;
  scenario.SetStaff("2026-01-01", "liu", pb::STAFF_STATUS_LEFT);
  scenario.ThenRefuses("2026-01-05", Registered("liu"), absl::StatusCode::kFailedPrecondition,
                       "STAFF_HAS_LEFT");
  scenario.ThenRefuses("2026-01-05", Assigned("liu"), absl::StatusCode::kFailedPrecondition,
                       "STAFF_HAS_LEFT");
  scenario.ThenAccepts("2026-01-05", Registered("nobody-knows"));
  scenario.ThenRefuses("2026-01-05", Registered(""), absl::StatusCode::kInvalidArgument, "CLAIMANT_MISSING");
}

TEST(ClaimTest, AnAssignmentDecidesAndStartsItsOwnProtection) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-02-01", Assigned("chen"));
  scenario.Given("2026-03-20", Registered("wang"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-21"), "chen");
  scenario.Given("2026-04-02", Registered("wang"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-03"), "wang");
}

TEST(RecordedTest, OnlyRecordedAssignmentsCount) {
  Scenario scenario(ShippedPolicy("recorded"));
  scenario.Given("2026-01-01", Registered("wang"));
  EXPECT_EQ(scenario.OwnerAt("2026-01-01"), "none");
  scenario.Given("2026-01-02", RecordedOwner("liu"));
  scenario.Given("2026-01-03", RecordedOwner("liu"));
  scenario.Given("2026-01-04", RecordedOwner("chen"));
  scenario.Given("2026-01-05", RecordedOwner(""));
  scenario.Given("2026-01-06", Assigned("wang"));
  scenario.Given("2026-01-07", Released("chen"));
  EXPECT_EQ(scenario.OwnerAt("2026-01-08"), "chen");
  EXPECT_EQ(scenario.OwnerAt("2036-01-08"), "chen");
  CustomerState state = scenario.StateAt("2026-01-08");
  EXPECT_EQ(state.source_events(), 4u);
  EXPECT_EQ(state.owner_changes(), 1u);
  EXPECT_FALSE(state.returned());
  scenario.Given("2026-01-09", RecordedOwner("liu"));
  state = scenario.StateAt("2026-01-10");
  EXPECT_EQ(state.owner_changes(), 2u);
  EXPECT_TRUE(state.returned());
  EXPECT_EQ(scenario.OwnershipAt("2026-01-10").basis().rule_id(), "recorded.assignment");
  scenario.ThenAccepts("2026-01-11", Accepted("t-nowhere", "x"));
}

}  // namespace
}  // namespace ledger::rules::testing
