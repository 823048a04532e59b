#include "projections/rules/consumption/consumption.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kMeals[] = R"(
  id: "meals" utc_offset_seconds: 28800 phone_region: "CN"
  ownership { claim_by: CLAIM_ACT_APPROVAL claim_rule_id: "t.approved" }
  consumption { reservation_rule_id: "t.reserved" needs_sms: true sms_rule_id: "t.sms"
    needs_approval: true approval_rule_id: "t.approval" }
  lapse { dormancy { period { months: 3 } evidence: EVIDENCE_CONSUMPTION_VIA_OWNER rule_id: "t.dormant" } })";

pb::Event Approved() { return EventFrom("profile_reviewed { result: REVIEW_RESULT_APPROVED }"); }
pb::Event Reserved(const std::string& staff, const std::string& path, bool sms) {
  return EventFrom(absl::StrCat("reservation_made { reservation_id: 'r' taken_by: '", staff,
                                "' path: RESERVATION_PATH_", path,
                                sms ? " sms_sent_time { time { seconds: 1 } }" : "", " }"));
}
pb::Event Meal(const std::string& reservation = "r") {
  return EventFrom(absl::StrCat("deal_recorded { kind: DEAL_KIND_CONSUMPTION reservation_id: '", reservation,
                                "' closed_by: 'liu' }"));
}

TEST(ConsumptionTest, OnlyWhatIsReservedSentAndApprovedRenewsTheOwnersClock) {
  struct Case {
    pb::Event reserved;
    pb::Event meal;
    bool renews;
  };
  for (const Case& test : {Case{Reserved("liu", "VIA_REFERRER", true), Meal(), true},
                           Case{Reserved("liu", "WALKIN_VIA_REFERRER", true), Meal(), true},
                           Case{Reserved("liu", "VIA_REFERRER", false), Meal(), false},
                           Case{Reserved("wang", "VIA_REFERRER", true), Meal(), false},
                           Case{Reserved("liu", "DIRECT", true), Meal(), false},
                           Case{Reserved("liu", "FRONT_DESK", true), Meal(), false},
                           Case{Reserved("liu", "VIA_REFERRER", true), Meal("other"), false},
                           Case{Reserved("liu", "VIA_REFERRER", true), Meal(""), false}}) {
    Scenario scenario(PolicyFrom(kMeals));
    scenario.Given("2026-01-05", Registered("liu"));
    scenario.Given("2026-01-05", Approved());
    scenario.Given("2026-03-01 10:00", test.reserved);
    scenario.Given("2026-03-01 19:00", test.meal);
    EXPECT_EQ(scenario.OwnerAt("2026-04-06"), test.renews ? "liu" : "public pool")
        << test.reserved.ShortDebugString() << test.meal.ShortDebugString();
  }
}

TEST(ConsumptionTest, ACustomerWhoseProfileIsReopenedHasNoRecordsUntilItIsApprovedAgain) {
  Scenario scenario(PolicyFrom(kMeals));
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-05", Approved());
  scenario.Given("2026-02-01", EventFrom("profile_reviewed { result: REVIEW_RESULT_REOPENED }"));
  scenario.Given("2026-03-01 10:00", Reserved("liu", "VIA_REFERRER", true));
  scenario.Given("2026-03-01 18:00", Approved());
  scenario.Given("2026-03-01 19:00", Meal());
  EXPECT_EQ(scenario.OwnerAt("2026-04-06"), "public pool") << "what counts is the moment of the booking";
}

TEST(ConsumptionTest, AReservationIsUsedUpByItsMeal) {
  Scenario scenario(PolicyFrom(kMeals));
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-05", Approved());
  scenario.Given("2026-01-06 10:00", Reserved("liu", "VIA_REFERRER", true));
  scenario.Given("2026-01-06 19:00", Meal());
  scenario.Given("2026-03-06 19:00", Meal());
  EXPECT_EQ(scenario.OwnerAt("2026-04-07"), "public pool");
  EXPECT_TRUE(scenario.StateAt("2026-04-07").reservations().empty());
}

}  // namespace
}  // namespace ledger::rules::testing
