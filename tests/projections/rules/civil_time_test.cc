#include "projections/rules/civil_time.h"

#include <gtest/gtest.h>

#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

struct Case {
  const char* anchor;
  const char* period;
  const char* end;  // the first instant not in it
};

class PeriodEndTest : public ::testing::TestWithParam<Case> {};

TEST_P(PeriodEndTest, EndsWhereTheConventionsSay) {
  const pb::Policy policy = ShippedPolicy("default");
  const pb::Policy holder = PolicyFrom(std::string("call_back { first { ") + GetParam().period + " } }");
  const absl::Time end =
      PeriodEnd(policy::Timeline(), policy, Local(GetParam().anchor), holder.call_back().first());
  EXPECT_EQ(LocalText(ToTimestamp(end)), GetParam().end);
}

INSTANTIATE_TEST_SUITE_P(Conventions, PeriodEndTest,
                         ::testing::Values(
                             // The day it starts from is not counted, whatever the hour.
                             Case{"2026-01-05", "days: 1", "2026-01-07 00:00:00"},
                             Case{"2026-01-05 23:59:59", "days: 1", "2026-01-07 00:00:00"},
                             Case{"2026-12-31 12:00", "days: 90", "2027-04-01 00:00:00"},
                             // Month ends.
                             Case{"2025-11-30 20:00", "months: 3", "2026-03-01 00:00:00"},
                             Case{"2023-11-30 20:00", "months: 3", "2024-03-01 00:00:00"},
                             Case{"2026-03-31 15:00", "months: 2", "2026-06-01 00:00:00"},
                             Case{"2026-02-10", "months: 2", "2026-04-11 00:00:00"},
                             Case{"2026-01-31", "months: 1", "2026-03-01 00:00:00"},
                             Case{"2026-01-31", "months: 2",
                                  "2026-04-01 00:00:00"},  // from the anchor, not from 28 February
                             Case{"2024-02-29", "months: 12", "2025-03-01 00:00:00"},
                             Case{"2026-10-15", "months: 3", "2027-01-16 00:00:00"},
                             // Saturday 3 January: the first workday after it is Monday.
                             Case{"2026-01-02 18:00", "workdays: 1", "2026-01-06 00:00:00"},
                             Case{"2026-01-03", "workdays: 5", "2026-01-10 00:00:00"},
                             // Hours to the second: exactly t+N is in time.
                             Case{"2026-02-01 21:00", "hours: 12", "2026-02-02 09:00:01"},
                             Case{"2026-02-01 21:00:30", "minutes: 20", "2026-02-01 21:20:31"},
                             // Before 1970 too.
                             Case{"1969-12-31 10:00", "days: 1", "1970-01-02 00:00:00"}));

TEST(CivilTimeTest, SubSecondsRoundDownAlsoBefore1970) {
  google::protobuf::Timestamp stamp;
  stamp.set_seconds(-1);
  stamp.set_nanos(999'999'999);
  EXPECT_EQ(ToMicros(ToTime(stamp)), -1);
  EXPECT_EQ(ToTimestamp(FromMicros(-1)).seconds(), -1);
  EXPECT_EQ(ToTimestamp(FromMicros(-1)).nanos(), 999'999'000);
}

TEST(CivilTimeTest, DescribesTheArithmetic) {
  const pb::Policy policy = ShippedPolicy("default");
  pb::Period period;
  period.set_days(90);
  const absl::Time anchor = Local("2026-01-05 10:00");
  EXPECT_EQ(DescribePeriod(policy, anchor, period, PeriodEnd(policy::Timeline(), policy, anchor, period)),
            "2026-01-05 + 90 days = 2026-04-05 24:00");
  period.set_hours(1);
  EXPECT_EQ(DescribePeriod(policy, anchor, period, PeriodEnd(policy::Timeline(), policy, anchor, period)),
            "2026-01-05 10:00:00 + 1 hour = 2026-01-05 11:00:00");
}

}  // namespace
}  // namespace ledger::rules::testing
