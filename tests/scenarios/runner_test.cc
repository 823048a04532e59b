#include "tests/scenarios/runner.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::scenarios {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A runner that passes everything would prove nothing: wrong expectations must be found.
class RunnerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    absl::StatusOr<std::unique_ptr<World>> world = World::Start();
    ASSERT_TRUE(world.ok()) << world.status();
    world_ = world->release();
  }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
  }

  static Scenario Parse(const std::string& lines) {
    std::vector<Problem> problems;
    Scenario scenario = ParseScenario(absl::StrCat("scenario self test\npolicy default\n", lines), &problems);
    for (const Problem& problem : problems) ADD_FAILURE() << ToText("f", problem);
    return scenario;
  }

  static std::vector<std::string> Run(const std::string& lines, Mode mode = Mode::kInOrder) {
    const Scenario scenario = Parse(lines);
    for (const Problem& problem : CheckScenario(scenario)) ADD_FAILURE() << ToText("f", problem);
    return RunCase(*world_, "f", scenario, scenario.cases[0], mode, 1);
  }

  static World* world_;
};
World* RunnerTest::world_ = nullptr;

constexpr char kRegistered[] = "2026-01-05 10:00 K customer_registered registrar=A phone=13900000001\n";

TEST_F(RunnerTest, FindsAWrongAnswerAtOnceAndAtTheEnd) {
  EXPECT_THAT(
      Run(absl::StrCat(kRegistered, "ask 2026-01-05 10:00 K owner B\n")),
      ElementsAre(AllOf(HasSubstr("f:4: "), HasSubstr("ask 2026-01-05 10:00 K owner B"),
                        HasSubstr("expected ownerships[0].owner=B, got staff_id: \"A\""),
                        HasSubstr("since_time: 2026-01-05 10:00:00"), HasSubstr("claim.first-position")),
                  HasSubstr("asked again after the last line")));
}

TEST_F(RunnerTest, FindsAnAnswerThatLaterEventsChange) {
  EXPECT_THAT(Run(absl::StrCat(kRegistered, "ask 2026-04-06 10:00 K owner public\n",
                               "2026-04-05 10:00 K contact_logged staff=A recorded=2026-04-09T10:00\n")),
              ElementsAre(HasSubstr("f:4: asked again after the last line")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered, "ask 2026-04-06 10:00 K owner public as_known_then\n",
                               "2026-04-05 10:00 K contact_logged staff=A recorded=2026-04-09T10:00\n",
                               "ask 2026-04-06 10:00 K owner A\n")),
              IsEmpty());
}

TEST_F(RunnerTest, FindsRefusalsThatDoNotCome) {
  EXPECT_THAT(Run("2026-01-05 10:00 K customer_registered registrar=A refused\n"),
              ElementsAre(HasSubstr("expected a refusal, but it was accepted")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered,
                               "2026-01-05 10:00 K transfer_accepted transfer=T receiver=B refused "
                               "some.rule\n")),
              ElementsAre(HasSubstr("expected to be refused by some.rule, got NO_OPEN_TRANSFER")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered, "2026-01-05 10:00 K transfer_accepted transfer=T receiver=B\n",
                               "ask 2026-01-05 10:00 K owner A\n")),
              ElementsAre(HasSubstr("was refused: NO_OPEN_TRANSFER")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered, "ask 2026-01-05 10:00 K9 owner refused OTHER_REASON\n")),
              ElementsAre(HasSubstr("expected to be refused by OTHER_REASON, got CUSTOMER_NOT_FOUND"),
                          HasSubstr("asked again")));
}

TEST_F(RunnerTest, FindsWrongDerivedEventsAndAnswers) {
  const std::string second = "2026-01-06 10:00 K2 customer_registered registrar=B phone=13900000001 ";
  EXPECT_THAT(Run(absl::StrCat(kRegistered, second, "derives claim_joined customer=K\n")), IsEmpty());
  EXPECT_THAT(Run(absl::StrCat(kRegistered, second, "derives claim_joined customer=K7\n")),
              ElementsAre(HasSubstr("customer is K")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered, second, "derives reception_assigned\n")),
              ElementsAre(HasSubstr("nothing of that type was added")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered, second, "derives nothing\n")),
              ElementsAre(HasSubstr("expected the rules to add nothing")));
  EXPECT_THAT(Run(absl::StrCat(kRegistered, second, "answers joined.owner=B\n")),
              ElementsAre(HasSubstr("expected joined.owner=B")));
}

TEST_F(RunnerTest, FindsRulesThatNoAnswerNames) {
  const Scenario scenario =
      Parse(absl::StrCat("rules claim.first-position some.rule\nunnamed other.rule lapse.dormancy-3-months\n",
                         kRegistered, "ask 2026-01-05 10:00 K owner A\n"));
  std::vector<std::string> texts;
  for (const Problem& problem : FindMisnamedRules(*world_, "f", scenario))
    texts.push_back(ToText("f", problem));
  EXPECT_THAT(texts, ElementsAre(HasSubstr("f:3:28: nothing that was answered names some.rule"),
                                 HasSubstr("f:4:20: an answer names lapse.dormancy-3-months")));
}

TEST_F(RunnerTest, DeliversFactsLate) {
  const std::string lines = absl::StrCat(kRegistered, "2026-02-05 10:00 K contact_logged staff=A\n",
                                         "2026-03-05 10:00 K contact_logged staff=A\n",
                                         "2026-06-05 10:00 K9 customer_registered registrar=B @last\n",
                                         "ask 2026-06-05 10:00 K owner A until 2026-06-05 24:00\n",
                                         "ask 2026-06-05 10:00 K owner public as_known_then\n",
                                         "ask 2026-06-05 10:00 K owner public not_late\n");
  EXPECT_THAT(Run(lines, Mode::kLate), IsEmpty());
  EXPECT_THAT(Run(absl::StrCat(lines, "ask 2026-06-05 10:00 K owner B\n"), Mode::kLate),
              ElementsAre(HasSubstr("delivered late, LEDGER_SCENARIO_SEED=1")));
  // K9 is registered right after K: the contacts are recorded behind both.
  EXPECT_THAT(Run(absl::StrCat(lines, "ask 2026-06-05 10:00 K9 owner B deciding @last basis.positions=4\n"),
                  Mode::kLate),
              IsEmpty());
  const Scenario scenario = Parse(lines);
  EXPECT_TRUE(HasLateMode(scenario, scenario.cases[0]));
  const Scenario off = Parse(absl::StrCat("late off: a test\n", lines));
  EXPECT_FALSE(HasLateMode(off, off.cases[0]));
  const Scenario on_time = Parse(absl::StrCat(kRegistered, "ask 2026-06-05 10:00 K owner A\n"));
  EXPECT_FALSE(HasLateMode(on_time, on_time.cases[0]));
}

TEST_F(RunnerTest, FindsWordsThatMakeNoSenseBeforeAnythingRuns) {
  const Scenario scenario = Parse(
      "set lapse.sleep = 1\n2026-01-05 10:00 K customer_registered registrar=A @a derives claim_jained\n"
      "2026-01-04 10:00 K contact_logged staff=A @a\nask 2026-01-05 10:00 K owner A deciding @b\n"
      "2026-01-06 10:00 K event_corrected target_position=@c\n");
  std::vector<std::string> texts;
  for (const Problem& problem : CheckScenario(scenario)) texts.push_back(ToText("f", problem));
  EXPECT_THAT(texts,
              ElementsAre(HasSubstr("f:3:5: \"sleep\" is no field of Lapse"),
                          HasSubstr("f:4:63: \"claim_jained\" is no event"), HasSubstr("f:5: a second @a"),
                          HasSubstr("f:5: recorded before the event above"),
                          HasSubstr("f:6:41: no event before this one has the label @b"),
                          HasSubstr("f:7:52: no event before this one has the label @c")));
}

}  // namespace
}  // namespace ledger::scenarios
