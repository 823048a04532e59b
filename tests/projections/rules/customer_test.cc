#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

using ::testing::ElementsAre;

HistoryEvent Unknown(uint32_t event_type, const pb::Event* event) {
  HistoryEvent unknown;
  unknown.position = 7;
  unknown.business_time = Local("2026-01-05");
  unknown.event_type = event_type;
  unknown.event = event;
  return unknown;
}

TEST(CustomerTest, AnUnknownTypeThatMayMatterIsDataLossAndOthersArePassedOver) {
  const Scenario scenario;
  const pb::Event event;
  CustomerState state;
  EXPECT_EQ(Apply(scenario.timeline(), Unknown(549, &event), &state).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Apply(scenario.timeline(), Unknown(0, &event), &state).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(Apply(scenario.timeline(), Unknown(599, &event), &state).ok());
  EXPECT_EQ(state.events(), 1u);
  scenario.ThenRefuses("2026-01-05", event, absl::StatusCode::kInvalidArgument, "UNKNOWN_EVENT_TYPE");
}

TEST(CustomerTest, ImportedEventsAreNotDecided) {
  const Scenario scenario;
  pb::Event event = Accepted("t-nowhere", "chen");
  event.mutable_evidence()->set_source("file");
  scenario.ThenAccepts("2026-01-05", event);
}

TEST(CustomerTest, CustodyIntervalsSayWhatComesWithoutFurtherEvents) {
  Scenario scenario;
  scenario.Given("2026-01-05 10:00", Registered("liu"));
  const auto intervals = CustodyIntervals(scenario.timeline(), scenario.StateAt("2026-01-06"));
  ASSERT_EQ(intervals.size(), 2u);
  EXPECT_FALSE(intervals[0].pooled);
  EXPECT_EQ(intervals[0].owner.staff_id(), "liu");
  EXPECT_EQ(intervals[0].from, Local("2026-01-05 10:00"));
  EXPECT_EQ(intervals[0].until, Local("2026-04-06"));
  EXPECT_TRUE(intervals[1].pooled);
  EXPECT_EQ(intervals[1].from, Local("2026-04-06"));
  EXPECT_EQ(intervals[1].until, absl::InfiniteFuture());
}

TEST(CustomerTest, ExplainsEventsAndWhatTimeBroughtAboutBetweenThem) {
  Scenario scenario;
  scenario.Given("2026-01-05 10:00", Registered("liu"));
  scenario.Given("2026-01-06 10:00", Graded("A"));
  scenario.Given("2026-01-07 10:00", Registered("wang"));
  scenario.Given("2026-05-01 10:00", Registered("chen"));
  const History history = BuildHistory(scenario.timeline(), scenario.records());
  CustomerState state;
  std::vector<pb::HistoryEntry> entries;
  for (const HistoryEvent& event : history.events) {
    const auto more = Explain(scenario.timeline(), event, &state);
    ASSERT_TRUE(more.ok());
    entries.insert(entries.end(), more->begin(), more->end());
  }
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].event_name(), "customer_registered");
  EXPECT_THAT(entries[0].changes(),
              ElementsAre("owner: none -> liu", "call-back: none -> 2026-01-08 23:59:59"));
  EXPECT_EQ(entries[0].basis().rule_id(), "claim.first-position");
  EXPECT_THAT(entries[1].changes(), ElementsAre("tier intent: none -> A"));
  EXPECT_EQ(entries[1].basis().rule_id(), "grade.intent-a");
  EXPECT_THAT(entries[2].changes(), ElementsAre("claim: wang is second"));
  EXPECT_EQ(entries[3].event_name(), "lapse");
  EXPECT_EQ(entries[3].position(), 0u);
  EXPECT_THAT(entries[3].changes(), ElementsAre("owner: liu -> public pool"));
  EXPECT_EQ(LocalText(entries[3].business_time()), "2026-04-06 00:00:00");
  EXPECT_EQ(entries[4].changes(0), "owner: public pool -> chen");
  EXPECT_EQ(state.SerializeAsString(), Fold(scenario.timeline(), history)->SerializeAsString());

  const auto later = ExplainUntil(scenario.timeline(), state, Local("2026-08-02"));
  ASSERT_EQ(later.size(), 1u);
  EXPECT_THAT(later[0].changes(), ElementsAre("owner: chen -> public pool"));
  EXPECT_TRUE(ExplainUntil(scenario.timeline(), state, Local("2026-08-01 23:59:59")).empty());
}

TEST(CustomerTest, BeforeTheFirstPolicyEverythingIsOff) {
  Scenario scenario;
  const policy::Timeline none;
  const auto state = Fold(none, BuildHistory(none, scenario.records()));
  ASSERT_TRUE(state.ok());
  scenario.Given("2026-01-05", Registered("liu"));
  const auto folded = Fold(none, BuildHistory(none, scenario.records()));
  ASSERT_TRUE(folded.ok());
  EXPECT_TRUE(folded->scopes().empty());
}

}  // namespace
}  // namespace ledger::rules::testing
