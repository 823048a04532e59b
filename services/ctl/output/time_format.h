#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/time.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace ledger::ctl {

// A time as a person wrote it.
struct WrittenTime {
  absl::Time time;
  // The offset that was written, in seconds east of UTC; not set: the text is a civil time and `time` was
  // read in the ledger's zone.
  std::optional<int32_t> utc_offset_seconds;
};

// Reads "2026-03-01", "2026-03-01 09:30", "2026-03-01 09:30:00" in the zone `utc_offset_seconds` east of UTC,
// or RFC 3339 ("2026-03-01T09:30:00+08:00", "2026-03-01T01:30:00Z", a fraction of up to nine digits allowed).
// kInvalidArgument says what is allowed.
absl::StatusOr<WrittenTime> ParseTime(absl::string_view text, int32_t utc_offset_seconds);

// True if `text` is a time with its own offset, so that no ledger has to be asked for its zone.
bool HasOffset(absl::string_view text);

// "2026-03-01 09:30:00 +08:00"; a fraction of a second only where there is one.
std::string FormatTime(absl::Time time, int32_t utc_offset_seconds);
std::string FormatTime(const google::protobuf::Timestamp& time, int32_t utc_offset_seconds);

absl::Time FromProto(const google::protobuf::Timestamp& time);
// Requires: `time` is between the years 1 and 9999.
google::protobuf::Timestamp ToProto(absl::Time time);
customerledger::v1::ZonedTime ToZoned(absl::Time time, int32_t utc_offset_seconds);

}  // namespace ledger::ctl
