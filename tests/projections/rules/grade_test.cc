#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

TEST(GradeTest, TheLatestGradeInBusinessOrderCounts) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  EXPECT_EQ(scenario.TierAt("2026-01-05"), "none");
  const uint64_t position = scenario.Given("2026-01-10", Graded("A"));
  scenario.Given("2026-01-08", Graded("H"), "2026-01-12");
  EXPECT_EQ(scenario.TierAt("2026-01-09"), "H");
  EXPECT_EQ(scenario.TierAt("2026-01-10"), "A");
  const auto tiers = ReadTiers(scenario.timeline(), scenario.StateAt("2026-01-11"), Local("2026-01-11"));
  ASSERT_EQ(tiers.size(), 1u);
  EXPECT_EQ(tiers[0].basis().rule_id(), "grade.intent-a");
  EXPECT_THAT(tiers[0].basis().positions(), ::testing::ElementsAre(position));
  EXPECT_EQ(tiers[0].decided_by(0), "boss");
  scenario.Given("2026-01-13", Graded(""));
  EXPECT_EQ(scenario.TierAt("2026-01-14"), "none");
}

TEST(GradeTest, SchemesDoNotMixAndAnUngradedCustomerHasTheInitialClass) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_grade_schemes(0)->set_initial_class("C");
  pb::GradeScheme* value = policy.add_grade_schemes();
  value->set_name("value");
  value->set_hidden_from_customer(true);
  value->add_classes()->set_name("A");
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Graded("A", "value"));
  scenario.Given("2026-01-06", Graded("x", "elsewhere"));
  const auto tiers = ReadTiers(scenario.timeline(), scenario.StateAt("2026-01-07"), Local("2026-01-07"));
  ASSERT_EQ(tiers.size(), 3u);
  EXPECT_EQ(tiers[0].scheme() + tiers[0].class_name(), "intentC");
  EXPECT_EQ(LocalText(tiers[0].basis().since_time()), "2026-01-05 00:00:00");
  EXPECT_EQ(tiers[1].scheme() + tiers[1].class_name(), "valueA");
  EXPECT_TRUE(tiers[1].hidden_from_customer());
  EXPECT_EQ(tiers[2].scheme() + tiers[2].class_name(), "elsewherex");
}

TEST(GradeTest, UnknownGradesAreRefused) {
  Scenario scenario;
  scenario.ThenRefuses("2026-01-05", Graded("D"), absl::StatusCode::kInvalidArgument, "UNKNOWN_GRADE");
  scenario.ThenRefuses("2026-01-05", Graded("A", "value"), absl::StatusCode::kInvalidArgument,
                       "UNKNOWN_GRADE");
  EXPECT_EQ(scenario.WhenProposed("2026-01-05", Graded("H"))->rule_id, "grade.intent-h");
  scenario.ThenAccepts("2026-01-05", Graded(""));
}

}  // namespace
}  // namespace ledger::rules::testing
