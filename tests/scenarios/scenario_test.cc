#include "tests/scenarios/scenario.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kHead[] = "scenario SC-01 Three months\npolicy default\n";

std::vector<std::string> ProblemsOf(const std::string& text) {
  std::vector<Problem> problems;
  ParseScenario(text, &problems);
  std::vector<std::string> texts;
  texts.reserve(problems.size());
  for (const Problem& problem : problems) texts.push_back(ToText("f", problem));
  return texts;
}

Scenario Parsed(const std::string& text) {
  std::vector<Problem> problems;
  Scenario scenario = ParseScenario(text, &problems);
  for (const Problem& problem : problems) ADD_FAILURE() << ToText("f", problem);
  return scenario;
}

TEST(ScenarioTest, TakesAnEventApart) {
  const Scenario scenario = Parsed(absl::StrCat(
      kHead,
      "2025-10-08 10:00  G1  customer_registered  registrar=A  name=\"李 明\" @first as boss on_time "
      "recorded=12:00 derives claim_joined customer=G0 answers joined.owner=A   # why\n"));
  ASSERT_THAT(scenario.cases, SizeIs(1));
  ASSERT_THAT(scenario.cases[0].lines, SizeIs(1));
  const EventLine& event = *scenario.cases[0].lines[0].event;
  EXPECT_EQ(event.at.time, absl::CivilSecond(2025, 10, 8, 10, 0, 0));
  ASSERT_TRUE(event.recorded.has_value());
  EXPECT_EQ(event.recorded->time, absl::CivilSecond(2025, 10, 8, 12, 0, 0));
  EXPECT_EQ(event.subject.key, "G1");
  EXPECT_EQ(event.type.key, "customer_registered");
  ASSERT_THAT(event.fields, SizeIs(2));
  EXPECT_EQ(event.fields[1].key, "name");
  EXPECT_EQ(event.fields[1].value, "李 明");
  EXPECT_TRUE(event.fields[1].quoted);
  EXPECT_EQ(event.label, "first");
  EXPECT_EQ(event.on_behalf_of, "boss");
  EXPECT_TRUE(event.on_time);
  ASSERT_THAT(event.derives, SizeIs(1));
  EXPECT_EQ(event.derives[0].type.key, "claim_joined");
  ASSERT_THAT(event.derives[0].fields, SizeIs(1));
  ASSERT_THAT(event.answers, SizeIs(1));
}

TEST(ScenarioTest, TakesAQuestionApart) {
  const Scenario scenario = Parsed(absl::StrCat(
      kHead,
      "ask 2026-02-28 24:00 G1 owner A since 2026-01-01 claims[state=owns].by~x known 2026-03-01 10:00 "
      "not_late\n"));
  const Ask& ask = *scenario.cases[0].lines[0].ask;
  EXPECT_EQ(ask.at.time, absl::CivilSecond(2026, 3, 1));
  EXPECT_TRUE(ask.at.end_of_day);
  EXPECT_EQ(ask.question.key, "owner");
  ASSERT_THAT(ask.words, SizeIs(4));
  EXPECT_EQ(ask.words[3].key, "claims[state=owns].by");
  EXPECT_EQ(ask.words[3].op, "~");
  ASSERT_TRUE(ask.known.has_value());
  EXPECT_EQ(ask.known->time, absl::CivilSecond(2026, 3, 1, 10, 0, 0));
  EXPECT_TRUE(ask.not_late);
}

TEST(ScenarioTest, LinesBeforeTheFirstCaseBelongToEveryCase) {
  const Scenario scenario = Parsed(absl::StrCat(kHead,
                                                "set a.b = { x: 1 }\nlate off: a reason\n"
                                                "ask 2026-01-01 00:00 G owner none\n"
                                                "case one\nset c=2\n"
                                                "case two words\nask 2026-01-02 00:00 G owner none\n"));
  ASSERT_THAT(scenario.cases, SizeIs(2));
  EXPECT_THAT(scenario.cases[0].lines, SizeIs(1));
  ASSERT_THAT(scenario.cases[0].settings, SizeIs(2));
  EXPECT_EQ(scenario.cases[0].settings[0].path.key, "a.b");
  EXPECT_EQ(scenario.cases[0].settings[0].path.value, "{ x: 1 }");
  EXPECT_EQ(scenario.cases[1].name, "two words");
  EXPECT_THAT(scenario.cases[1].lines, SizeIs(2));
  EXPECT_THAT(scenario.cases[1].settings, SizeIs(1));
  EXPECT_EQ(scenario.cases[1].late_off, "a reason");
}

TEST(ScenarioTest, ReadsCalendarsAndRules) {
  const Scenario scenario = Parsed(absl::StrCat(
      kHead, "rules a.b c.d-e\nunnamed f.g\ncalendar cn 2026 holidays 2026-04-06 makeup 2026-04-11\n",
      "ask 2026-01-01 00:00 G owner none\n"));
  EXPECT_THAT(scenario.rules, SizeIs(2));
  EXPECT_THAT(scenario.unnamed_rules, SizeIs(1));
  const Calendar& calendar = scenario.cases[0].calendars[0];
  EXPECT_EQ(calendar.id, "cn");
  EXPECT_EQ(calendar.year, 2026);
  EXPECT_THAT(calendar.holidays, ElementsAre(absl::CivilDay(2026, 4, 6)));
  EXPECT_THAT(calendar.makeup_workdays, ElementsAre(absl::CivilDay(2026, 4, 11)));
}

TEST(ScenarioTest, SaysWhereAWordIsWrong) {
  const struct {
    std::string line;
    std::string problem;
  } cases[] = {
      {"hello world", "f:3:1: \"hello\" begins no line"},
      {"2026-02-30 10:00 G x_y", "f:3:1: \"2026-02-30\" begins no line"},
      {"2026-02-03 25:00 G x_y", "f:3:12: after the day the time is missing"},
      {"ask 2026-02-03 G owner A", "f:3:16: after the day the time is missing"},
      {"ask 2026-02-03 10:00", "whom the question is about"},
      {"2026-02-03 10:00 G", "f:3:18: after \"G\" the event is missing"},
      {"2026-02-03 10:00 G x_y a=\"b c", "f:3:26: the quote that begins here"},
      {"2026-02-03 10:00 G x_y a=\"李\"c", "f:3:29: a blank must follow"},
      {"2026-02-03 10:00 G x_y refusd", "f:3:24: \"refusd\" is neither"},
      {"2026-02-03 10:00 G x_y recorded=soon", "f:3:33: \"soon\" is no instant"},
      {"2026-02-03 10:00 G x_y @a @b", "f:3:27: a second \"@b\""},
      {"2026-02-03 10:00 G x_y refused answers a=b", "a refused event derives and answers nothing"},
      {"late off", "write \"late off: why\""},
      {"late off:", "f:3:6: after \"off:\" the reason"},
      {"set a", "write \"set PATH = VALUE\""},
      {"calendar cn 26", "f:3:13: \"26\" is no year"},
      {"calendar cn 2026 holidays 2026-13-01", "f:3:27: \"2026-13-01\" is no day"},
      {"rules nonsense", "f:3:7: \"nonsense\" is no rule id"},
      {"policy other", "f:3:1: a second \"policy\""},
      {"case", "the case's name is missing"},
  };
  for (const auto& one : cases) {
    const std::vector<std::string> problems = ProblemsOf(absl::StrCat(kHead, one.line, "\n"));
    ASSERT_FALSE(problems.empty()) << one.line;
    EXPECT_THAT(problems[0], HasSubstr(one.problem)) << one.line;
  }
}

TEST(ScenarioTest, AFileMustBeAbleToFail) {
  EXPECT_THAT(ProblemsOf("policy default\nask 2026-01-01 00:00 G owner none\n"),
              ElementsAre("f: no line \"scenario ID TITLE\""));
  EXPECT_THAT(ProblemsOf("scenario a b\nask 2026-01-01 00:00 G owner none\n"),
              ElementsAre("f: no line \"policy NAME\""));
  EXPECT_THAT(ProblemsOf(absl::StrCat(kHead, "2026-02-03 10:00 G x_y\n")),
              ElementsAre(HasSubstr("this cannot fail")));
  EXPECT_THAT(ProblemsOf(absl::StrCat(kHead, "2026-02-03 10:00 G x_y refused\n")), IsEmpty());
}

TEST(ScenarioTest, ReadsInstants) {
  EXPECT_EQ(ParseInstant("2026-03-01T15:00")->time, absl::CivilSecond(2026, 3, 1, 15));
  EXPECT_EQ(ParseInstant("2026-03-01T15:00:01")->time, absl::CivilSecond(2026, 3, 1, 15, 0, 1));
  EXPECT_EQ(ParseInstant("2026-03-01")->time, absl::CivilSecond(2026, 3, 1));
  EXPECT_EQ(ParseInstant("15:00", absl::CivilDay(2026, 3, 2))->time, absl::CivilSecond(2026, 3, 2, 15));
  EXPECT_EQ(ParseInstant("2026-02-28T24:00")->time, absl::CivilSecond(2026, 3, 1));
  for (const char* text : {"", "15:00", "24:01", "2026-3-1", "2026-02-29", "2026-03-01T", "2026-03-01T7:00",
                           "2026-03-01T07:60", "x"}) {
    EXPECT_FALSE(ParseInstant(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace ledger::scenarios
