#include "projections/runtime/history_loader.h"

#include <gmock/gmock.h>

#include "tests/projections/runtime/runtime_fixture.h"

namespace ledger::runtime::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class HistoryLoaderTest : public RuntimeFixture {
 protected:
  CustomerIdentity IdentityOf(const std::string& id, uint64_t known = UINT64_MAX) {
    LogSubjectSource source(log_, ledger_);
    return *LoadIdentity(source, id, known);
  }
};

TEST_F(HistoryLoaderTest, FollowsMergesToTheEnd) {
  Append(Registered("a", "liu", Hour(1)), Hour(1));
  Append(Merged("b", "a", Hour(2)), Hour(2));
  const uint64_t before = log_.CommittedPosition(ledger_);
  Append(Merged("c", "b", Hour(3)), Hour(3));
  for (const char* id : {"a", "b", "c"}) {
    EXPECT_EQ(IdentityOf(id).customer_id, "c") << id;
    EXPECT_THAT(IdentityOf(id).aliases, ElementsAre("a", "b"));
  }
  EXPECT_EQ(IdentityOf("a", before).customer_id, "b");
  TimelineStore timelines(log_);
  const auto history = LoadHistory(log_, ledger_, **timelines.Latest(ledger_), "a", UINT64_MAX);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_EQ(history->history.records.size(), 3u);  // a merge names two of the ids and comes once
}

TEST_F(HistoryLoaderTest, EverybodyInACircleAnswersTheSame) {
  Append(Merged("b", "a", Hour(1)), Hour(1));
  Append(Merged("c", "b", Hour(2)), Hour(2));
  Append(Merged("a", "c", Hour(3)), Hour(3));
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(IdentityOf(id).customer_id, "a") << id;
}

TEST_F(HistoryLoaderTest, AMergeIntoTwoAnswersTheSameFromEverywhere) {
  Append(Merged("b", "a", Hour(1)), Hour(1));
  Append(Merged("c", "a", Hour(2)), Hour(2));
  for (const char* id : {"a", "b", "c"}) EXPECT_EQ(IdentityOf(id).customer_id, "b") << id;
}

TEST_F(HistoryLoaderTest, AWithdrawnMergeLinksNeitherSide) {
  const uint64_t merge = Append(Merged("a", "b", Hour(1)), Hour(1));
  Append(Withdrawn("a", merge, Hour(2)), Hour(2));
  EXPECT_EQ(IdentityOf("b").customer_id, "b");
  EXPECT_THAT(IdentityOf("a").aliases, IsEmpty());
}

TEST_F(HistoryLoaderTest, AnUnknownIdHasNoHistory) {
  TimelineStore timelines(log_);
  const auto history = LoadHistory(log_, ledger_, **timelines.Latest(ledger_), "nobody", UINT64_MAX);
  ASSERT_TRUE(history.ok()) << history.status();
  EXPECT_TRUE(history->empty());
  EXPECT_EQ(history->identity.customer_id, "nobody");
}

}  // namespace
}  // namespace ledger::runtime::testing
