#include "projections/rules/call_back/occasion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

pb::Policy Festivals() {
  return PolicyFrom(R"pb(
    id: "p"
    utc_offset_seconds: 28800
    phone_region: "CN"
    ownership { claim_by: CLAIM_ACT_REGISTRATION }
    facts {
      name: "old"
      established_by {
        event: "deal_recorded"
        where { field: "kind" any_of: "sale" }
      }
    }
    facts {
      name: "festival"
      established_by {
        event: "profile_changed"
        where { field: "changes.festival" }
      }
      value_field: "changes.festival"
    }
    call_back {
      occasions {
        name: "Dragon Boat"
        dates { year: 2026 month: 6 day: 19 }
        dates { year: 2027 month: 6 day: 9 }
        fact: "old"
        channel: CONTACT_CHANNEL_SMS
        after_tracking_ended: true
        rule_id: "p.holiday"
      }
      occasions { name: "own" date_fact: "festival" rule_id: "p.own" }
      occasions {
        name: "news"
        on {
          event: "contact_planned"
          where { field: "purpose" any_of: "news" }
        }
        within { days: 3 }
        rule_id: "p.news"
      }
    })pb");
}

std::string Told(const Scenario& scenario, absl::string_view at) {
  std::string text;
  for (const pb::Callback& callback : ReadCallbacks(scenario.timeline(), scenario.StateAt(at), Local(at))) {
    text += (text.empty() ? "" : ", ") + callback.occasion() + " " + LocalText(callback.due_time());
  }
  return text.empty() ? "none" : text;
}

TEST(OccasionTest, HolidaysForThoseTheyAreMeantFor) {
  Scenario scenario(Festivals());
  scenario.Given("2026-05-01", Registered("liu"));
  EXPECT_EQ(Told(scenario, "2026-05-01"), "none");
  scenario.Given("2026-05-29", Deal());
  scenario.Given("2026-05-29 12:00", TrackingEnded());
  EXPECT_EQ(Told(scenario, "2026-06-19 23:59:59"), "Dragon Boat 2026-06-19 23:59:59");
  EXPECT_EQ(Told(scenario, "2026-06-18 23:59:59"), "none");
  EXPECT_EQ(Told(scenario, "2026-06-19"), "Dragon Boat 2026-06-19 23:59:59");
  EXPECT_EQ(Told(scenario, "2026-06-20"), "none");
  EXPECT_EQ(Told(scenario, "2027-06-09"), "Dragon Boat 2027-06-09 23:59:59");
  const auto callbacks =
      ReadCallbacks(scenario.timeline(), scenario.StateAt("2026-06-19"), Local("2026-06-19"));
  ASSERT_EQ(callbacks.size(), 1u);
  EXPECT_THAT(callbacks[0].allowed_channels(), ::testing::ElementsAre(pb::CONTACT_CHANNEL_SMS));
  EXPECT_EQ(callbacks[0].basis().rule_id(), "p.holiday");
  EXPECT_EQ(callbacks[0].basis().arithmetic(), "Dragon Boat on 2026-06-19");
}

TEST(OccasionTest, ListsAgreeWithAnswersAtEveryInstant) {
  Scenario scenario(Festivals());
  scenario.Given("2026-05-01", Registered("liu"));
  scenario.Given("2026-05-29", Deal());
  pb::Event changed;
  changed.mutable_profile_changed()->set_customer_id("c1");
  (*changed.mutable_profile_changed()->mutable_changes())["festival"] = "06-19";  // on the holiday
  scenario.Given("2026-05-30", changed);
  const CustomerState state = scenario.StateAt("2026-05-30");
  const auto intervals = CallbackIntervals(scenario.timeline(), state);
  for (const char* at :
       {"2026-05-30", "2026-06-18 23:59:59", "2026-06-19", "2026-06-19 23:59:59", "2026-06-20",
        "2027-06-09 12:00", "2027-06-10", "2027-06-19", "2028-06-19", "2028-06-20"}) {
    std::vector<std::string> listed;
    for (const CallbackInterval& interval : intervals) {
      if (interval.from <= Local(at) && Local(at) < interval.until) {
        listed.push_back(absl::FormatTime(interval.due, absl::UTCTimeZone()));
      }
    }
    std::vector<std::string> told;
    for (const pb::Callback& callback : ReadCallbacks(scenario.timeline(), state, Local(at))) {
      const std::string due =
          absl::FormatTime(absl::FromUnixSeconds(callback.due_time().seconds()), absl::UTCTimeZone());
      if (told.empty() || told.back() != due) told.push_back(due);
    }
    EXPECT_EQ(listed, told) << at;
  }
}

TEST(OccasionTest, TheCustomersOwnDayComesEveryYearAndAContactSettlesIt) {
  Scenario scenario(Festivals());
  scenario.Given("2026-05-01", Registered("liu"));
  pb::Event changed;
  changed.mutable_profile_changed()->set_customer_id("c1");
  (*changed.mutable_profile_changed()->mutable_changes())["festival"] = "02-29";
  scenario.Given("2026-05-02", changed);
  EXPECT_EQ(Told(scenario, "2027-02-28"), "none");  // the day exists in leap years only
  EXPECT_EQ(Told(scenario, "2027-03-01"), "none");
  EXPECT_EQ(Told(scenario, "2028-02-29"), "own 2028-02-29 23:59:59");
  scenario.Given("2028-02-29 10:00", Contact("liu"));
  EXPECT_EQ(Told(scenario, "2028-02-29 10:00"), "none");
  EXPECT_EQ(Told(scenario, "2032-02-29"), "own 2032-02-29 23:59:59");
}

TEST(OccasionTest, WhatIsAnnouncedStandsForItsTime) {
  Scenario scenario(Festivals());
  scenario.Given("2026-05-01", Registered("liu"));
  pb::Event planned;
  planned.mutable_contact_planned()->set_customer_id("c1");
  planned.mutable_contact_planned()->set_purpose("news");
  scenario.Given("2026-05-10 09:00", planned);
  EXPECT_EQ(Told(scenario, "2026-05-13 23:59:59"), "news 2026-05-13 23:59:59");
  EXPECT_EQ(Told(scenario, "2026-05-14"), "none");
  scenario.Given("2026-05-12", Contact("liu"));
  EXPECT_EQ(Told(scenario, "2026-05-12"), "none");
}

TEST(OccasionTest, OnlyThePolicyOfTheDayNamesIt) {
  Scenario scenario(Festivals());
  scenario.Given("2026-05-01", Registered("liu"));
  scenario.Given("2026-05-02", Deal());
  pb::Policy next = Festivals();
  next.mutable_call_back()->mutable_occasions(0)->clear_dates();
  scenario.Adopt("2026-06-01", next);
  EXPECT_EQ(Told(scenario, "2026-06-19"), "none");
}

}  // namespace
}  // namespace ledger::rules::testing
