#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ledger::services {

// The server's clock for recorded times: believed as long as it moves with the machine's steady clock. Not thread-safe.
class RecordingClock {
 public:
  // More than this between wall clock and steady clock is a jump.
  static constexpr absl::Duration kJumpMax = absl::Minutes(10);

  // `wall` and `steady` are asked for each reading; `steady` counts from anywhere.
  RecordingClock(std::function<absl::Time()> wall, std::function<absl::Duration()> steady);

  // The wall clock's time, which was not before `last_recorded` by more than a jump.
  // kUnavailable "CLOCK_JUMPED": it jumped since the first reading; set the clock right, or restart the server to
  // believe it.
  absl::StatusOr<absl::Time> Now(absl::Time last_recorded);

 private:
  const std::function<absl::Time()> wall_;
  const std::function<absl::Duration()> steady_;
  const absl::Time wall_start_;
  const absl::Duration steady_start_;
};

// The machine's clocks.
RecordingClock SystemRecordingClock();

}  // namespace ledger::services
