#include "services/ledger/recording_clock.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace ledger::services {

RecordingClock::RecordingClock(std::function<absl::Time()> wall, std::function<absl::Duration()> steady)
    : wall_(std::move(wall)), steady_(std::move(steady)), wall_start_(wall_()), steady_start_(steady_()) {}

absl::StatusOr<absl::Time> RecordingClock::Now(absl::Time last_recorded) {
  const absl::Time now = wall_();
  const absl::Duration drift = (now - wall_start_) - (steady_() - steady_start_);
  if (absl::AbsDuration(drift) > kJumpMax) {
    return absl::UnavailableError(
        absl::StrCat("CLOCK_JUMPED: the server's clock moved by ", absl::FormatDuration(drift),
                     " against its steady clock; set it right, or restart the server"));
  }
  if (now + kJumpMax < last_recorded) {
    return absl::UnavailableError(absl::StrCat("CLOCK_JUMPED: the server's clock says ",
                                               absl::FormatTime(now),
                                               " and the ledger's last event was recorded at ",
                                               absl::FormatTime(last_recorded), "; set the clock right"));
  }
  // Small steps back stand still.
  return std::max(now, last_recorded);
}

RecordingClock SystemRecordingClock() {
  return RecordingClock([] { return absl::Now(); },
                        [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); });
}

}  // namespace ledger::services
