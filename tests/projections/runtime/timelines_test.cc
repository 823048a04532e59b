#include "projections/runtime/timelines.h"

#include "tests/projections/runtime/runtime_fixture.h"

namespace ledger::runtime::testing {
namespace {

namespace pb = ::customerledger::v1;

class TimelinesTest : public RuntimeFixture {};

TEST_F(TimelinesTest, KnowsEachMoment) {
  TimelineStore timelines(log_);
  EXPECT_TRUE((*timelines.TimelineAt(ledger_, 1))->empty());
  std::vector<uint64_t> adoptions = {2};
  for (int i = 1; i < 20; ++i) {
    Append(Registered("c1", "liu", Hour(i)), Hour(i));
    adoptions.push_back(Append(Adopted(DefaultPolicy(), Hour(i)), Hour(i)));
    if (i % 3 == 0) {
      EXPECT_EQ((*timelines.Latest(ledger_))->Latest().number, adoptions.size());
    }
  }
  for (size_t i = 0; i < adoptions.size(); ++i) {
    EXPECT_EQ((*timelines.TimelineAt(ledger_, adoptions[i]))->Latest().number, i + 1);
    EXPECT_EQ((*timelines.TimelineAt(ledger_, adoptions[i] + 1))->Latest().number, i + 1);
  }
  EXPECT_TRUE((*timelines.TimelineAt(ledger_, 0))->empty());
}

TEST_F(TimelinesTest, ASnapshotNeverChanges) {
  TimelineStore timelines(log_);
  const auto before = *timelines.Latest(ledger_);
  Append(Adopted(DefaultPolicy(), Hour(1)), Hour(1));
  EXPECT_EQ((*timelines.Latest(ledger_))->Latest().number, 2u);
  EXPECT_EQ(before->Latest().number, 1u);
}

TEST_F(TimelinesTest, BeingToldEqualsLooking) {
  TimelineStore told(log_);
  pb::Record record;
  std::vector<pb::Record> records(2);
  for (uint64_t position = 1; position <= 2; ++position) {
    ASSERT_TRUE(records[position - 1].ParseFromString(*log_.Read(ledger_, position)));
  }
  told.Advance(ledger_, 1, 2, {&records[0], &records[1]});
  EXPECT_EQ((*told.Latest(ledger_))->Latest().number, 1u);
  // What was left out between is looked for.
  Append(Adopted(DefaultPolicy(), Hour(1)), Hour(1));
  Append(Registered("c1", "liu", Hour(2)), Hour(2));
  told.Advance(ledger_, 4, 4, {});
  EXPECT_EQ((*told.Latest(ledger_))->Latest().number, 2u);
}

}  // namespace
}  // namespace ledger::runtime::testing
