#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

TEST(CallBackTest, TheFirstIsDueWithinThreeDaysWhateverTheGrade) {
  Scenario scenario;
  scenario.Given("2026-01-05 10:00", Registered("liu"));
  scenario.Given("2026-01-06 10:00", Graded("H"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-08 23:59:59"), "2026-01-08 23:59:59");
  EXPECT_EQ(scenario.CallbackAt("2026-01-09"), "2026-01-08 23:59:59 overdue");
}

TEST(CallBackTest, CadenceByClass) {
  struct Case {
    const char* grade;
    const char* due;
  };
  for (const Case& test : {Case{"H", "2026-02-01 23:59:59"}, Case{"A", "2026-02-07 23:59:59"},
                           Case{"B", "2026-02-14 23:59:59"}, Case{"C", "2026-02-28 23:59:59"}}) {
    Scenario scenario;
    scenario.Given("2026-01-05 10:00", Registered("liu"));
    scenario.Given("2026-01-06 10:00", Graded(test.grade));
    scenario.Given("2026-01-31 10:00", Contact("liu"));
    EXPECT_EQ(scenario.CallbackAt("2026-01-31 10:00"), test.due) << test.grade;
  }
}

TEST(CallBackTest, CountsFromTheLaterOfContactAndGrade) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-06"), "none");  // no grade, no cadence
  scenario.Given("2026-01-10", Graded("A"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-10"), "2026-01-17 23:59:59");
  scenario.Given("2026-01-12", Visit("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-12"), "2026-01-19 23:59:59");
  scenario.Given("2026-01-13", Contact("wang"));
  scenario.Given("2026-01-14", Contact("liu", pb::CONTACT_OUTCOME_NO_ANSWER));
  EXPECT_EQ(scenario.CallbackAt("2026-01-15"), "2026-01-19 23:59:59");
}

TEST(CallBackTest, AnAgreedTimeReplacesTheCadenceUntilTheNextContact) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Graded("A"));
  scenario.Given("2026-01-07", ContactAgreeing("liu", "2026-02-20 15:30", pb::CONTACT_OUTCOME_INCONVENIENT));
  EXPECT_EQ(scenario.CallbackAt("2026-02-20 15:30"), "2026-02-20 15:30:00");
  EXPECT_EQ(scenario.CallbackAt("2026-02-20 15:30:01"), "2026-02-20 15:30:00 overdue");
  scenario.Given("2026-02-21", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-02-21"), "2026-02-28 23:59:59");
}

TEST(CallBackTest, AnAgreedTimeCountsOnlyWhereThePolicySaysSo) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_call_back()->set_agreed_time_counts(false);
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Graded("A"));
  scenario.Given("2026-01-07", ContactAgreeing("liu", "2026-02-20 15:30"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-07"), "2026-01-14 23:59:59");
}

TEST(CallBackTest, NoneWhereTrackingEndedOrNobodyOwns) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  const auto intervals = CallbackIntervals(scenario.timeline(), scenario.StateAt("2026-01-05"));
  ASSERT_EQ(intervals.size(), 1u);
  EXPECT_EQ(intervals[0].due, Local("2026-01-08 23:59:59"));
  EXPECT_EQ(intervals[0].until, Local("2026-04-06"));
  EXPECT_EQ(scenario.CallbackAt("2026-04-06"), "none");
  scenario.Given("2026-02-01", TrackingEnded());
  EXPECT_EQ(scenario.CallbackAt("2026-02-01"), "none");
  scenario.Given("2026-04-07", Registered("wang"));  // a new claim is followed again
  EXPECT_EQ(scenario.CallbackAt("2026-04-07"), "2026-04-10 23:59:59");
}

TEST(CallBackTest, TheReceiverOwesWhatTheFormerOwnerOwed) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Graded("B"));
  scenario.Given("2026-01-07", Contact("liu"));
  scenario.Given("2026-01-08", Proposed("t1", "liu", "chen"));
  scenario.Given("2026-01-09", Accepted("t1", "chen"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-09"), "2026-01-21 23:59:59");
}

}  // namespace
}  // namespace ledger::rules::testing
