#include "services/ledger/recording_clock.h"

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

TEST(RecordingClockTest, RefusesAWallClockThatJumpsAgainstTheSteadyOne) {
  absl::Time wall = absl::FromUnixSeconds(1'000'000);
  absl::Duration steady = absl::Seconds(5);
  RecordingClock clock([&] { return wall; }, [&] { return steady; });
  wall += absl::Hours(5);
  steady += absl::Hours(5);
  EXPECT_EQ(*clock.Now(absl::InfinitePast()), wall);
  wall += absl::Hours(1);
  EXPECT_EQ(clock.Now(absl::InfinitePast()).status().code(), absl::StatusCode::kUnavailable);
  wall -= absl::Hours(1);
  EXPECT_TRUE(clock.Now(absl::InfinitePast()).ok());
}

TEST(RecordingClockTest, NeverDecreasesAndDoesNotFollowALogFromTheFuture) {
  const absl::Time wall = absl::FromUnixSeconds(1'000'000);
  RecordingClock clock([&] { return wall; }, [] { return absl::ZeroDuration(); });
  EXPECT_EQ(*clock.Now(wall + absl::Seconds(3)), wall + absl::Seconds(3));
  EXPECT_EQ(clock.Now(wall + absl::Hours(3)).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace ledger::services
