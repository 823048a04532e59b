#include "services/ctl/import/values.h"

#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;

absl::StatusOr<pb::ZonedTime> ToZonedTime(absl::string_view text, absl::Time time,
                                          int32_t utc_offset_seconds) {
  static const absl::Time kFirst = absl::FromCivil(absl::CivilYear(1900), absl::UTCTimeZone());
  static const absl::Time kEnd = absl::FromCivil(absl::CivilYear(2200), absl::UTCTimeZone());
  if (time < kFirst || time >= kEnd) {
    return absl::InvalidArgumentError(absl::StrCat("the time '", text, "' is not of the years 1900 to 2199"));
  }
  pb::ZonedTime zoned;
  const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down, also before 1970
  zoned.mutable_time()->set_seconds(seconds);
  zoned.mutable_time()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  zoned.set_utc_offset_seconds(utc_offset_seconds);
  return zoned;
}

// The seconds an offset such as "Z" or "+08:00" at the end of an ISO time stands for; the time's own parser
// has accepted it.
int32_t OffsetOf(absl::string_view text) {
  const size_t sign = text.find_last_of("+-");
  if (text.back() == 'Z' || text.back() == 'z' || sign == absl::string_view::npos) return 0;
  int32_t digits[4] = {0, 0, 0, 0};
  int count = 0;
  for (const char c : text.substr(sign)) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) && count < 4) digits[count++] = c - '0';
  }
  const int32_t seconds = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60;
  return text[sign] == '-' ? -seconds : seconds;
}

}  // namespace

absl::StatusOr<int64_t> ParseDecimal(absl::string_view text, int decimals) {
  const absl::string_view number = absl::StripAsciiWhitespace(text);
  const auto bad = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' ", why));
  };
  size_t i = 0;
  const bool negative = !number.empty() && number[0] == '-';
  if (negative || (!number.empty() && number[0] == '+')) ++i;
  // Counts down, because the smallest number has no positive twin.
  int64_t value = 0;
  int places = -1;  // digits after the point; -1 before it
  bool any = false;
  const auto append = [&value](int digit) {
    return !__builtin_mul_overflow(value, 10, &value) && !__builtin_sub_overflow(value, digit, &value);
  };
  for (; i < number.size(); ++i) {
    if (number[i] == '.' && places < 0) {
      places = 0;
      continue;
    }
    if (!absl::ascii_isdigit(static_cast<unsigned char>(number[i]))) {
      return bad("is not a decimal number such as 1250.00");
    }
    any = true;
    if (places == decimals) {
      if (number[i] != '0') return bad(absl::StrCat("has more than ", decimals, " decimals"));
      continue;
    }
    if (places >= 0) ++places;
    if (!append(number[i] - '0')) return absl::OutOfRangeError(absl::StrCat("'", text, "' is too large"));
  }
  if (!any) return bad("is not a decimal number such as 1250.00");
  for (int k = places < 0 ? 0 : places; k < decimals; ++k) {
    if (!append(0)) return absl::OutOfRangeError(absl::StrCat("'", text, "' is too large"));
  }
  if (negative) return value;
  if (value == std::numeric_limits<int64_t>::min()) {
    return absl::OutOfRangeError(absl::StrCat("'", text, "' is too large"));
  }
  return -value;
}

absl::StatusOr<pb::ZonedTime> ParseIsoTime(absl::string_view text) {
  absl::Time time;
  std::string error;
  const absl::string_view trimmed = absl::StripAsciiWhitespace(text);
  // The parser alone would also take "infinite-future".
  if (trimmed.size() < 11 || (trimmed[10] != 'T' && trimmed[10] != 't' && trimmed[10] != ' ') ||
      !absl::ParseTime(trimmed[10] == ' ' ? "%Y-%m-%d %H:%M:%E*S%Ez" : absl::RFC3339_full, trimmed, &time,
                       &error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the time '", text, "' is not ISO 8601 with an offset, such as 2026-03-02T09:00:00+08:00"));
  }
  return ToZonedTime(text, time, OffsetOf(trimmed));
}

absl::StatusOr<pb::ZonedTime> ParseCivilTime(absl::string_view text, absl::string_view format,
                                             int32_t utc_offset_seconds) {
  absl::Time time;
  std::string error;
  // Abseil's own %Y takes as many digits as there are, and so never reads "%Y%m%d". Years here have four.
  const std::string exact = absl::StrReplaceAll(format, {{"%%", "%%"}, {"%Y", "%E4Y"}});
  if (!absl::ParseTime(exact, text, absl::FixedTimeZone(utc_offset_seconds), &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the time '", text, "' does not read as '", format, "': ", error));
  }
  return ToZonedTime(text, time, utc_offset_seconds);
}

}  // namespace ledger::ctl
