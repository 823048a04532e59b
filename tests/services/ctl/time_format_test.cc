#include "services/ctl/output/time_format.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace ledger::ctl {
namespace {

constexpr int32_t kBeijing = 8 * 3600;

std::string RoundTrip(absl::string_view text) {
  const auto written = ParseTime(text, kBeijing);
  if (!written.ok()) return "refused";
  return FormatTime(written->time, kBeijing);
}

TEST(TimeFormatTest, CivilTimesAreReadInTheLedgersZone) {
  EXPECT_EQ(RoundTrip("2026-03-01"), "2026-03-01 00:00:00 +08:00");
  EXPECT_EQ(RoundTrip("2026-03-01 09:30"), "2026-03-01 09:30:00 +08:00");
  EXPECT_EQ(RoundTrip("2026-03-01 09:30:15"), "2026-03-01 09:30:15 +08:00");
  EXPECT_FALSE(ParseTime("2026-03-01", kBeijing)->utc_offset_seconds.has_value());
}

TEST(TimeFormatTest, Rfc3339KeepsItsOwnOffset) {
  EXPECT_EQ(RoundTrip("2026-03-01T01:30:00Z"), "2026-03-01 09:30:00 +08:00");
  EXPECT_EQ(RoundTrip("2026-03-01T09:30:00.25+08:00"), "2026-03-01 09:30:00.25 +08:00");
  EXPECT_EQ(ParseTime("2026-02-28T20:00:00-05:30", kBeijing)->utc_offset_seconds, -(5 * 3600 + 1800));
  EXPECT_TRUE(HasOffset("2026-03-01T01:30:00Z"));
  EXPECT_FALSE(HasOffset("2026-03-01 01:30"));
}

TEST(TimeFormatTest, WhatIsPrintedCanBeReadAgain) {
  EXPECT_EQ(RoundTrip("2026-03-01 09:30:00.123456789 +08:00"), "2026-03-01 09:30:00.123456789 +08:00");
  EXPECT_EQ(RoundTrip("1899-12-31 23:59:59 +08:00"), "refused");
  EXPECT_EQ(FormatTime(absl::FromUnixSeconds(0), -(3 * 3600 + 1800)), "1969-12-31 20:30:00 -03:30");
}

TEST(TimeFormatTest, RefusesWhatIsNoTimeAndSaysWhatIsAllowed) {
  for (const char* text :
       {"", "now", "2026", "2026-3-1", "2026-02-30", "2026-13-01", "2026-03-01 24:00", "2026-03-01 9:30",
        "2026-03-01T09:30:00", "2026-03-01T09:30Z", "2026-03-01 09:30x", "2026-03-01T09:30:00+19:00",
        "2026-03-01T09:30:00.1234567890Z", "20260301", "2201-01-01", "-026-03-01", "2026-03-01 09:30:60"}) {
    const auto written = ParseTime(text, 0);
    ASSERT_FALSE(written.ok()) << text;
    EXPECT_EQ(written.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_TRUE(absl::StrContains(written.status().message(), "2026-03-01T09:30:00+08:00")) << text;
  }
}

TEST(TimeFormatTest, TimesBefore1970HavePositiveNanos) {
  const auto proto = ToProto(absl::FromUnixSeconds(0) - absl::Nanoseconds(1));
  EXPECT_EQ(proto.seconds(), -1);
  EXPECT_EQ(proto.nanos(), 999'999'999);
  EXPECT_EQ(FromProto(proto), absl::FromUnixSeconds(0) - absl::Nanoseconds(1));
}

}  // namespace
}  // namespace ledger::ctl
