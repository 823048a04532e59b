#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

using ::testing::ElementsAre;

TEST(HistoryTest, TiesFollowThePosition) {
  Scenario scenario;
  scenario.Given("2026-01-05", Graded("A"));
  scenario.Given("2026-01-05", Graded("B"));
  EXPECT_EQ(scenario.TierAt("2026-01-05"), "B");
}

TEST(HistoryTest, ARightEventTakesTheWrongOnesPlaceAtItsOwnTime) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  const uint64_t wrong = scenario.Given("2026-01-10", Graded("A"));
  scenario.Given("2026-01-12", Corrected(wrong, Graded("H"), "2026-01-08"));
  EXPECT_EQ(scenario.TierAt("2026-01-08"), "H");
  EXPECT_EQ(scenario.TierAt("2026-01-20"), "H");
  const History history = BuildHistory(scenario.timeline(), scenario.records());
  EXPECT_THAT(history.corrected_positions, ElementsAre(wrong));
}

TEST(HistoryTest, AWithdrawnEventNeverHappened) {
  Scenario scenario;
  const uint64_t wrong = scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Registered("wang"));
  scenario.Given("2026-01-07", Withdrawn(wrong));
  EXPECT_EQ(scenario.OwnerAt("2026-01-08"), "wang");
  EXPECT_EQ(scenario.OwnerAt("2026-01-05"), "none");
}

TEST(HistoryTest, TheLastRecordedCorrectionCounts) {
  Scenario scenario;
  const uint64_t wrong = scenario.Given("2026-01-10", Graded("A"));
  scenario.Given("2026-01-20", Corrected(wrong, Graded("B"), "2026-01-10"));
  scenario.Given("2026-01-15", Corrected(wrong, Graded("C"), "2026-01-10"));  // occurred earlier
  EXPECT_EQ(scenario.TierAt("2026-01-30"), "C");
}

TEST(HistoryTest, ACorrectionCanItselfBeCorrected) {
  Scenario scenario;
  const uint64_t wrong = scenario.Given("2026-01-10", Graded("A"));
  const uint64_t first = scenario.Given("2026-01-11", Corrected(wrong, Graded("B"), "2026-01-10"));
  const uint64_t second = scenario.Given("2026-01-12", Withdrawn(wrong));
  EXPECT_EQ(scenario.TierAt("2026-01-30"), "none");
  scenario.Given("2026-01-13", Withdrawn(second));
  EXPECT_EQ(scenario.TierAt("2026-01-30"), "B");
  scenario.Given("2026-01-14", Corrected(first, Corrected(wrong, Graded("H"), "2026-01-10"), "2026-01-11"));
  EXPECT_EQ(scenario.TierAt("2026-01-30"), "H");
}

TEST(HistoryTest, CorrectionsThatCannotBeAreIgnored) {
  Scenario scenario;
  const uint64_t graded = scenario.Given("2026-01-10", Graded("A"));
  scenario.Given("2026-01-11", Corrected(graded, Contact("liu"), "2026-01-10"));  // another type
  scenario.Given("2026-01-12", Withdrawn(99));                                    // not there
  EXPECT_EQ(scenario.TierAt("2026-01-30"), "A");
}

TEST(HistoryTest, AnyOrderAndRepeatsOfRecordsMakeTheSameHistory) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  const uint64_t wrong = scenario.Given("2026-01-10", Graded("A"));
  scenario.Given("2026-01-12", Corrected(wrong, Graded("H"), "2026-01-08"));
  std::vector<pb::Record> shuffled(scenario.records().rbegin(), scenario.records().rend());
  shuffled.push_back(shuffled.front());
  const auto straight = Fold(scenario.timeline(), BuildHistory(scenario.timeline(), scenario.records()));
  const auto other = Fold(scenario.timeline(), BuildHistory(scenario.timeline(), shuffled));
  ASSERT_TRUE(straight.ok() && other.ok());
  EXPECT_EQ(straight->SerializeAsString(), other->SerializeAsString());
}

std::string Links(const std::string& customer, const Scenario& scenario) {
  std::string text;
  for (const IdentityLink& link : IdentityLinks(customer, scenario.records())) {
    text += (link.other_goes_on ? "<" : ">") + link.other_customer_id;
  }
  return text;
}

TEST(IdentityTest, MergesJoinAndUnmergesUndo) {
  Scenario scenario;
  scenario.Given("2026-01-05", Merged("c1", "c2"));
  pb::Event joined;
  joined.mutable_claim_joined()->set_customer_id("c1");
  joined.mutable_claim_joined()->set_claimant_customer_id("c3");
  scenario.Given("2026-01-06", joined);
  EXPECT_EQ(Links("c1", scenario), ">c2>c3");
  EXPECT_EQ(Links("c2", scenario), "<c1");
  scenario.Given("2026-01-07", Unmerged("c1", "c2"));
  EXPECT_EQ(Links("c1", scenario), ">c3");
  EXPECT_EQ(Links("c2", scenario), "");
  scenario.Given("2026-01-08", Merged("c2", "c1"));
  EXPECT_EQ(Links("c1", scenario), "<c2>c3");
}

TEST(IdentityTest, ACorrectedMergeDoesNotCountOrCountsForAnother) {
  Scenario scenario;
  const uint64_t merge = scenario.Given("2026-01-05", Merged("c1", "c2"));
  const uint64_t correction =
      scenario.Given("2026-01-06", Corrected(merge, Merged("c1", "c4"), "2026-01-05"));
  EXPECT_EQ(Links("c1", scenario), ">c4");
  EXPECT_EQ(Links("c2", scenario), "");
  scenario.Given("2026-01-07", Withdrawn(correction));
  EXPECT_EQ(Links("c1", scenario), ">c2");
  scenario.Given("2026-01-08", Withdrawn(merge));
  EXPECT_EQ(Links("c1", scenario), "");
}

TEST(IdentityTest, DecisionsAboutMerges) {
  Scenario scenario;
  const uint64_t merge = scenario.Given("2026-01-05", Merged("c1", "c2"));
  scenario.ThenRefuses("2026-01-06", Withdrawn(merge), absl::StatusCode::kFailedPrecondition,
                       "MERGE_NEEDS_UNMERGE");
  scenario.ThenRefuses("2026-01-06", Withdrawn(0), absl::StatusCode::kInvalidArgument, "TARGET_MISSING");
  scenario.ThenRefuses("2026-01-06", Unmerged("c1", "c3"), absl::StatusCode::kNotFound, "NOT_MERGED");
  scenario.ThenRefuses("2026-01-06", Merged("c1", "c1"), absl::StatusCode::kInvalidArgument, "SAME_CUSTOMER");
  scenario.ThenAccepts("2026-01-06", Unmerged("c1", "c2"));
  scenario.ThenAccepts("2026-01-06", Withdrawn(merge + 1));
}

}  // namespace
}  // namespace ledger::rules::testing
