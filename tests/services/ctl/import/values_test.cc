#include "services/ctl/import/values.h"

#include <gtest/gtest.h>

#include <limits>

namespace ledger::ctl {
namespace {

TEST(ValuesTest, DecimalsAreExact) {
  EXPECT_EQ(*ParseDecimal("11.77", 2), 1177);
  EXPECT_EQ(*ParseDecimal("-0.05", 2), -5);
  EXPECT_EQ(*ParseDecimal("+12", 2), 1200);
  EXPECT_EQ(*ParseDecimal("12.5", 2), 1250);
  EXPECT_EQ(*ParseDecimal(".5", 2), 50);
  EXPECT_EQ(*ParseDecimal("5.", 2), 500);
  EXPECT_EQ(*ParseDecimal("1.2300", 2), 123);
  EXPECT_EQ(*ParseDecimal(" 0 ", 2), 0);
  EXPECT_EQ(*ParseDecimal("1000", 0), 1000);
  // No double holds these.
  EXPECT_EQ(*ParseDecimal("92233720368547758.07", 2), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(*ParseDecimal("-92233720368547758.08", 2), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(*ParseDecimal("90071992547409.93", 2), 9007199254740993);
}

TEST(ValuesTest, RefusesWhatIsNoDecimalOrWouldBeRounded) {
  for (const char* text :
       {"", "-", ".", "1,5", "1e3", "0x10", "1.2.3", "12 3", "1.234", "NaN", "--1", "１"}) {
    EXPECT_EQ(ParseDecimal(text, 2).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(ParseDecimal("92233720368547758.08", 2).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ParseDecimal("99999999999999999999", 0).status().code(), absl::StatusCode::kOutOfRange);
}

TEST(ValuesTest, IsoTimesKeepInstantAndOffset) {
  const auto time = ParseIsoTime("2010-03-31T16:59:42+02:00");
  ASSERT_TRUE(time.ok()) << time.status();
  EXPECT_EQ(time->time().seconds(), 1270047582);
  EXPECT_EQ(time->time().nanos(), 0);
  EXPECT_EQ(time->utc_offset_seconds(), 7200);
  EXPECT_EQ(ParseIsoTime("2010-03-31T14:59:42Z")->time().seconds(), 1270047582);
  EXPECT_EQ(ParseIsoTime("2010-03-31T14:59:42Z")->utc_offset_seconds(), 0);
  EXPECT_EQ(ParseIsoTime("2010-03-31 11:29:42.25-03:30")->time().seconds(), 1270047582);
  EXPECT_EQ(ParseIsoTime("2010-03-31 11:29:42.25-03:30")->time().nanos(), 250000000);
  EXPECT_EQ(ParseIsoTime("2010-03-31 11:29:42.25-03:30")->utc_offset_seconds(), -12600);
  // Nanoseconds count up from the second below, also before 1970.
  EXPECT_EQ(ParseIsoTime("1969-12-31T23:59:59.5Z")->time().seconds(), -1);
  EXPECT_EQ(ParseIsoTime("1969-12-31T23:59:59.5Z")->time().nanos(), 500000000);
}

TEST(ValuesTest, RefusesTimesThatAreNoneOrAbsurd) {
  for (const char* text :
       {"", "yesterday", "2010-03-31", "2010-03-31T16:59:42", "2010-13-01T00:00:00Z", "2010-02-30T00:00:00Z",
        "infinite-future", "1899-12-31T00:00:00Z", "2200-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseIsoTime(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ValuesTest, CivilTimesStandOnAFixedOffset) {
  const auto time = ParseCivilTime("19970101", "%Y%m%d", 28800);
  ASSERT_TRUE(time.ok()) << time.status();
  EXPECT_EQ(time->time().seconds(), 852076800 - 28800);
  EXPECT_EQ(time->utc_offset_seconds(), 28800);
  EXPECT_FALSE(ParseCivilTime("1997-01-01", "%Y%m%d", 0).ok());
  EXPECT_FALSE(ParseCivilTime("19970101x", "%Y%m%d", 0).ok());
  EXPECT_FALSE(ParseCivilTime("infinite-past", "%Y%m%d", 0).ok());
}

}  // namespace
}  // namespace ledger::ctl
