#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

TEST(LapseTest, ThreeMonthsWithoutEvidenceAndTheCustomerIsPublic) {
  Scenario scenario;
  const uint64_t registered = scenario.Given("2025-10-08", Registered("liu"));
  const uint64_t deal = scenario.Given("2025-11-30 20:00", Deal());
  EXPECT_EQ(scenario.OwnerAt("2026-02-28 23:59:59"), "liu");
  const pb::Ownership owned = scenario.OwnershipAt("2026-02-28 23:59:59");
  EXPECT_EQ(LocalText(owned.lapse_time()), "2026-03-01 00:00:00");
  const pb::Ownership pooled = scenario.OwnershipAt("2026-03-01");
  EXPECT_EQ(pooled.state(), pb::CUSTODY_STATE_POOLED);
  EXPECT_EQ(pooled.basis().rule_id(), "lapse.dormancy-3-months");
  EXPECT_EQ(pooled.basis().arithmetic(), "last deal 2025-11-30 + 3 months = 2026-02-28 24:00");
  EXPECT_THAT(pooled.basis().positions(), ::testing::ElementsAre(deal));
  EXPECT_EQ(pooled.claims(0).state(), pb::CLAIM_STATE_PAST);
  EXPECT_EQ(pooled.claims(0).position(), registered);
}

TEST(LapseTest, OnlyTheOwnersEvidenceThatReachedCounts) {
  struct Case {
    pb::Event evidence;
    bool counts;
  };
  for (const Case& test :
       {Case{Contact("liu"), true}, Case{Contact("liu", pb::CONTACT_OUTCOME_UNSPECIFIED), true},
        Case{Contact("liu", pb::CONTACT_OUTCOME_NO_ANSWER), false},
        Case{Contact("liu", pb::CONTACT_OUTCOME_REFUSED), false}, Case{Contact("wang"), false},
        Case{Visit("liu"), true}, Case{Visit("wang"), false}, Case{Deal(), true},
        Case{Deal(pb::DEAL_KIND_LOSS), false}, Case{Deal(pb::DEAL_KIND_SALE, "elsewhere"), false},
        Case{Graded("A"), false}}) {
    Scenario scenario;
    scenario.Given("2026-01-05", Registered("liu"));
    scenario.Given("2026-03-01", test.evidence);
    EXPECT_EQ(scenario.OwnerAt("2026-04-06"), test.counts ? "liu" : "public pool")
        << test.evidence.ShortDebugString();
  }
}

TEST(LapseTest, ALateContactSavesTheCustomerAfterwards) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  EXPECT_EQ(scenario.OwnerAt("2026-04-06"), "public pool");
  scenario.Given("2026-03-01", Contact("liu"), "2026-04-10");
  EXPECT_EQ(scenario.OwnerAt("2026-04-06"), "liu");
}

TEST(LapseTest, ARunningPeriodKeepsItsPolicy) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  pb::Policy shorter = ShippedPolicy("default");
  shorter.mutable_lapse()->mutable_dormancy()->mutable_period()->set_months(1);
  scenario.Adopt("2026-02-01", shorter);
  EXPECT_EQ(scenario.OwnerAt("2026-03-20"), "liu");  // began under three months
  scenario.Given("2026-03-21", Contact("liu"));      // begins a new period, under one month
  EXPECT_EQ(scenario.OwnerAt("2026-04-21 23:59:59"), "liu");
  EXPECT_EQ(scenario.OwnerAt("2026-04-22"), "public pool");
  EXPECT_EQ(scenario.OwnershipAt("2026-04-22").basis().policy_version(), 2u);
}

TEST(LapseTest, AHolidayPublishedLaterReachesARunningPeriod) {
  pb::Policy policy = ShippedPolicy("default");
  policy.set_calendar_id("cn");
  policy.mutable_lapse()->mutable_dormancy()->mutable_period()->set_workdays(1);
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));  // a Monday
  EXPECT_EQ(scenario.OwnerAt("2026-01-07"), "public pool");
  pb::Event calendar;
  calendar.mutable_calendar_published()->set_calendar_id("cn");
  calendar.mutable_calendar_published()->set_year(2026);
  pb::CivilDate* day = calendar.mutable_calendar_published()->add_holidays();
  day->set_year(2026), day->set_month(1), day->set_day(6);
  scenario.Given("2026-01-06", calendar);
  EXPECT_EQ(scenario.OwnerAt("2026-01-07"), "liu");
  EXPECT_EQ(scenario.OwnerAt("2026-01-08"), "public pool");
}

}  // namespace
}  // namespace ledger::rules::testing
