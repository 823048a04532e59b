#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/time.pb.h"

namespace ledger::ctl {

// Reads a decimal number ("-12", "12.5", "+0.05") as units of 10^-decimals, exactly: no floating point.
// Trailing zeros beyond `decimals` are allowed, other digits there are not. Requires: 0 <= decimals <= 18.
// kInvalidArgument: not such a number, or more digits after the point than the unit has.
// kOutOfRange: does not fit.
absl::StatusOr<int64_t> ParseDecimal(absl::string_view text, int decimals);

// Reads ISO 8601 with an offset: "2026-03-02T09:00:00.5+08:00", "2026-03-02T01:00:00Z".
// kInvalidArgument: not such a time, or not of the years 1900 to 2199.
absl::StatusOr<customerledger::v1::ZonedTime> ParseIsoTime(absl::string_view text);

// Reads a civil time by an absl::ParseTime format, in which %Y is a year of four digits, on a clock at a fixed
// offset from UTC.
// kInvalidArgument: as above.
absl::StatusOr<customerledger::v1::ZonedTime> ParseCivilTime(absl::string_view text, absl::string_view format,
                                                             int32_t utc_offset_seconds);

}  // namespace ledger::ctl
