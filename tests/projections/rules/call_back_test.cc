#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/rules/civil_time.h"

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

pb::Event Numbered(const std::string& contact_id) {
  pb::Event event = Contact("liu");
  event.mutable_contact_logged()->set_contact_id(contact_id);
  return event;
}

pb::Event FoundFalse(const std::string& contact_id) {
  pb::Event event;
  event.mutable_contact_reviewed()->set_customer_id("c1");
  event.mutable_contact_reviewed()->set_contact_id(contact_id);
  event.mutable_contact_reviewed()->set_verdict(pb::CONTACT_VERDICT_FALSE);
  return event;
}

TEST(CallBackTest, DueTheSameDayThenDailyUntilDelivery) {
  Scenario scenario(ShippedPolicy("auto-dealer-habc"));
  scenario.Given("2026-03-01", Registered("liu"));
  scenario.Given("2026-03-02 10:00", Contact("liu"));
  scenario.Given("2026-03-02 10:00", Graded("C", "habc"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-02 10:00"), "2026-04-02 23:59:59");
  scenario.Given("2026-03-20 10:00", Contact("liu"));
  scenario.Given("2026-03-20 10:05", Graded("A", "habc"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-27 23:59:59"), "2026-03-27 23:59:59");
  EXPECT_EQ(scenario.CallbackAt("2026-03-28"), "2026-03-27 23:59:59 overdue");
  scenario.Given("2026-03-30", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-30"), "2026-04-06 23:59:59");
  scenario.Given("2026-04-03 11:00", Deal(pb::DEAL_KIND_ORDER));
  EXPECT_EQ(scenario.CallbackAt("2026-04-03 11:00"), "2026-04-03 23:59:59");
  EXPECT_EQ(scenario.CallbackAt("2026-04-04"), "2026-04-03 23:59:59 overdue");
  scenario.Given("2026-04-03 18:00", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-04-03 18:00"), "2026-04-04 23:59:59");
  scenario.Given("2026-04-04 18:00", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-04-04 18:00"), "2026-04-05 23:59:59");
  scenario.Given("2026-04-10", Deal(pb::DEAL_KIND_DELIVERY));
  const auto callbacks =
      ReadCallbacks(scenario.timeline(), scenario.StateAt("2026-04-10"), Local("2026-04-10"));
  ASSERT_EQ(callbacks.size(), 1u);
  EXPECT_EQ(callbacks[0].occasion(), "after purchase");
  EXPECT_FALSE(callbacks[0].has_due_time());
  EXPECT_FALSE(callbacks[0].overdue());
  EXPECT_TRUE(CallbackIntervals(scenario.timeline(), scenario.StateAt("2026-04-10")).empty());
  scenario.Given("2026-04-12", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-04-12"), "none");
}

TEST(CallBackTest, TheSwitchForOnceOnly) {
  pb::Policy policy = ShippedPolicy("auto-dealer-habc");
  policy.mutable_call_back()->mutable_cadences(0)->set_once(true);
  Scenario scenario(policy);
  scenario.Given("2026-04-01", Registered("liu"));
  scenario.Given("2026-04-03 11:00", Deal(pb::DEAL_KIND_ORDER));
  EXPECT_EQ(scenario.CallbackAt("2026-04-03 11:00"), "2026-04-03 23:59:59");
  scenario.Given("2026-04-03 18:00", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-04-03 18:00"), "none");
}

TEST(CallBackTest, TrackingEndsForTheNamedReasonsOnly) {
  Scenario scenario(ShippedPolicy("auto-dealer-habc"));
  scenario.Given("2026-04-01", Registered("liu"));
  pb::Event ended = TrackingEnded();
  ended.mutable_tracking_ended()->set_reason(pb::TRACKING_END_OTHER);
  const auto refusal = scenario.WhenProposed("2026-04-02", ended).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RefusalRuleId(refusal), "auto-dealer-habc.tracking-end");
  ended.mutable_tracking_ended()->set_reason(pb::TRACKING_END_NOT_INTERESTED);
  scenario.ThenAccepts("2026-04-02", ended);
}

TEST(CallBackTest, AFalseContactNoLongerCountsFromItsReviewOn) {
  Scenario scenario(ShippedPolicy("auto-dealer-habc"));
  scenario.Given("2026-03-01", Registered("liu"));
  scenario.Given("2026-03-02", Graded("A", "habc"));
  scenario.Given("2026-03-03", Numbered("k1"));
  scenario.Given("2026-03-08", Numbered("k2"));
  scenario.Given("2026-03-14", Numbered("k3"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-15"), "2026-03-21 23:59:59");
  scenario.Given("2026-03-16", FoundFalse("k3"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-15"), "2026-03-21 23:59:59");
  EXPECT_EQ(scenario.CallbackAt("2026-03-16"), "2026-03-15 23:59:59 overdue");
  scenario.Given("2026-03-17", FoundFalse("k1"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-17"), "2026-03-15 23:59:59 overdue");
  scenario.Given("2026-03-18", FoundFalse("k2"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-18"), "2026-03-09 23:59:59 overdue");
}

TEST(CallBackTest, NobodyPutsACustomerOffForEver) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_call_back()->mutable_agreed_at_most()->set_months(2);
  policy.mutable_call_back()->set_agreed_at_most_rule_id("p.two-months");
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-07", ContactAgreeing("liu", "2026-03-07 15:30"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-07"), "2026-03-07 15:30:00");
  scenario.Given("2026-01-08", ContactAgreeing("liu", "2099-01-01"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-08"), "2026-03-08 23:59:59");
}

TEST(CallBackTest, OwedUntilDeliveryWithoutADate) {
  Scenario scenario(ShippedPolicy("auto-dealer-a-card"));
  scenario.Given("2026-05-01", Registered("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-05-01"), "none");
  scenario.Given("2026-05-06", Deal(pb::DEAL_KIND_ORDER));
  scenario.Given("2026-05-10", Contact("liu"));
  const auto callbacks =
      ReadCallbacks(scenario.timeline(), scenario.StateAt("2026-05-19"), Local("2026-05-19"));
  ASSERT_EQ(callbacks.size(), 1u);
  EXPECT_EQ(callbacks[0].occasion(), "until delivery");
  EXPECT_EQ(callbacks[0].basis().rule_id(), "auto-dealer-a-card.follow-until-delivery");
  scenario.Given("2026-05-12", ContactAgreeing("liu", "2026-05-15 10:00"));
  EXPECT_EQ(scenario.CallbackAt("2026-05-12"), "2026-05-15 10:00:00");
  scenario.Given("2026-05-20", Deal(pb::DEAL_KIND_DELIVERY));
  EXPECT_EQ(scenario.CallbackAt("2026-05-20"), "none");
}

TEST(CallBackTest, PlannedContactsAreDueUntilTheyAreMade) {
  Scenario scenario(ShippedPolicy("intention-stages"));
  scenario.Given("2026-04-01", Registered("liu"));
  pb::Event planned;
  planned.mutable_contact_planned()->set_customer_id("c1");
  planned.mutable_contact_planned()->set_plan_id("p1");
  planned.mutable_contact_planned()->set_staff_id("liu");
  *planned.mutable_contact_planned()->mutable_due_time()->mutable_time() =
      ToTimestamp(Local("2026-04-10 10:00"));
  scenario.Given("2026-04-02", planned);
  EXPECT_EQ(scenario.CallbackAt("2026-04-02"), "2026-04-10 10:00:00");
  scenario.Given("2026-04-05", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-04-10 10:00:01"), "2026-04-10 10:00:00 overdue");
  pb::Event made = Contact("liu");
  made.mutable_contact_logged()->set_plan_id("p1");
  scenario.Given("2026-04-11", made);
  EXPECT_EQ(scenario.CallbackAt("2026-04-11"), "none");
}

TEST(CallBackTest, TheSecondCallHasItsOwnPeriod) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_call_back()->mutable_second()->set_days(5);
  policy.mutable_call_back()->set_second_rule_id("p.second");
  policy.mutable_call_back()->mutable_first_hard_limit()->set_days(7);
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-12 23:59:59"), "2026-01-08 23:59:59");
  EXPECT_EQ(scenario.CallbackAt("2026-01-13"), "2026-01-08 23:59:59 overdue");
  scenario.Given("2026-01-06", Graded("B"));
  scenario.Given("2026-01-07", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-07"), "2026-01-12 23:59:59");
  scenario.Given("2026-01-10", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-01-10"), "2026-01-24 23:59:59");
}

TEST(CallBackTest, AClassThatTimeChangesMovesTheList) {
  pb::Policy policy = ShippedPolicy("default");
  *policy.mutable_grade_schemes(0) = ShippedPolicy("purchase-intent-signals").grade_schemes(0);
  auto* rules = policy.mutable_call_back();
  rules->clear_cadences();
  rules->clear_first();
  pb::Cadence* cadence = rules->add_cadences();
  cadence->set_scheme("heat");
  cadence->set_class_name("watching");
  cadence->mutable_every()->set_days(10);
  policy.clear_lapse();
  Scenario scenario(policy);
  scenario.Given("2026-04-01", Registered("liu"));
  scenario.Given("2026-04-10", Visit("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-05-10 23:59:59"), "none");
  EXPECT_EQ(scenario.CallbackAt("2026-05-11"), "2026-05-21 23:59:59");
  const auto intervals = CallbackIntervals(scenario.timeline(), scenario.StateAt("2026-04-10"));
  ASSERT_EQ(intervals.size(), 1u);
  EXPECT_EQ(intervals[0].from, Local("2026-05-11"));
  EXPECT_EQ(intervals[0].due, Local("2026-05-21 23:59:59"));
}

}  // namespace
}  // namespace ledger::rules::testing
