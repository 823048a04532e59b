#include "tests/scenarios/event_line.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

EventLine Line(const std::string& line) {
  std::vector<Problem> problems;
  const Scenario scenario = ParseScenario(
      absl::StrCat("scenario s t\npolicy p\n", line, "\nask 2027-01-01 00:00 K owner none\n"), &problems);
  for (const Problem& problem : problems) ADD_FAILURE() << ToText("f", problem);
  return problems.empty() ? *scenario.cases[0].lines[0].event : EventLine();
}

pb::NewEvent Build(const std::string& line, std::vector<std::string>* texts) {
  Reading reading;
  reading.utc_offset_seconds = 8 * 3600;
  std::vector<Problem> problems;
  pb::NewEvent added = BuildEvent(Line(line), reading, &problems);
  for (const Problem& problem : problems) texts->push_back(ToText("f", problem));
  return added;
}

TEST(EventLineTest, BuildsTheWholeEvent) {
  std::vector<std::string> problems;
  const pb::NewEvent added = Build(
      "2026-03-02 09:00 K1 customer_registered registrar=A name=\"李 明\" phone=139 email=a@b address=x "
      "note=n "
      "fields.channel=web form_time=13:00",
      &problems);
  EXPECT_THAT(problems, IsEmpty());
  const pb::CustomerRegistered& registered = added.event().customer_registered();
  EXPECT_EQ(registered.customer_id(), "K1");
  EXPECT_EQ(registered.registrar_id(), "A");
  EXPECT_EQ(registered.fields().at("channel"), "web");
  EXPECT_EQ(registered.form_time().time().seconds() - added.event().occurred_time().time().seconds(),
            4 * 3600);
  EXPECT_EQ(added.event().note(), "n");
  EXPECT_EQ(added.personal().name(), "李 明");
  EXPECT_EQ(added.personal().contact_points_size(), 2);
  EXPECT_EQ(added.personal().address(), "x");
}

TEST(EventLineTest, TheSecondColumnIsWhomTheEventIsAbout) {
  std::vector<std::string> problems;
  EXPECT_EQ(Build("2026-03-02 09:00 B presence_changed presence=out_on_business", &problems)
                .event()
                .presence_changed()
                .staff_id(),
            "B");
  EXPECT_EQ(Build("2026-03-02 09:00 hall rotation_set staff=A,B", &problems).event().rotation_set().site_id(),
            "hall");
  EXPECT_EQ(Build("2026-03-02 09:00 - list_submitted list=L1", &problems).event().list_submitted().list_id(),
            "L1");
  EXPECT_THAT(problems, IsEmpty());
}

TEST(EventLineTest, APolicyIsAdoptedByItsChanges) {
  Reading reading;
  reading.policy.set_id("here");
  reading.policy.mutable_lapse()->mutable_dormancy()->set_rule_id("a.b");
  std::vector<Problem> problems;
  const pb::NewEvent added = BuildEvent(Line("2026-03-02 09:00 - policy_adopted effective=12:00 "
                                             "set.lapse.dormancy.period={months:4} set.title=\"x y\""),
                                        reading, &problems);
  EXPECT_THAT(problems, IsEmpty());
  const pb::Policy& policy = added.event().policy_adopted().policy();
  EXPECT_EQ(policy.id(), "here");
  EXPECT_EQ(policy.title(), "x y");
  EXPECT_EQ(policy.lapse().dormancy().period().months(), 4U);
  EXPECT_EQ(policy.lapse().dormancy().rule_id(), "a.b");
  BuildEvent(Line("2026-03-02 09:00 - policy_adopted set.lapse.sleep=1"), reading, &problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(ToText("f", problems[0]), HasSubstr("f:3:35: \"sleep\" is no field of Lapse"));
}

TEST(EventLineTest, SaysWhereAnEventIsWrong) {
  std::vector<std::string> problems;
  Build("2026-03-02 09:00 K customer_registred registrar=A", &problems);
  Build("2026-03-02 09:00 K contact_logged stuff=A", &problems);
  Build("2026-03-02 09:00 K contact_logged channel=pigeon staff~A", &problems);
  EXPECT_THAT(problems,
              ElementsAre(HasSubstr("f:3:20: \"customer_registred\" is no event"),
                          HasSubstr("f:3:35: \"stuff\" is no field of ContactLogged"),
                          HasSubstr("f:3:43: \"pigeon\" is none of"), HasSubstr("f:3:50: an event's field")));
}

TEST(EventLineTest, OnlyFactsAreLate) {
  pb::Policy policy;
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K contact_logged"), policy), Lateness::kLate);
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K contact_logged on_time"), policy), Lateness::kOnTime);
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K deal_recorded"), policy), Lateness::kLate);
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K customer_registered"), policy), Lateness::kOnTime);
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K transfer_accepted"), policy), Lateness::kOnTime);
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K event_corrected"), policy), Lateness::kCorrection);
  policy.mutable_business_time()->add_counted_when_recorded("deal_recorded");
  EXPECT_EQ(LatenessOf(Line("2026-03-02 09:00 K deal_recorded"), policy), Lateness::kOnTime);
}

}  // namespace
}  // namespace ledger::scenarios
