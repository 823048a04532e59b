#include "services/ctl/output/time_format.h"

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace ledger::ctl {
namespace {

absl::Status NotATime(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", text,
                   "' is not a time. Allowed: 2026-03-01, 2026-03-01 09:30, 2026-03-01 09:30:00 (in the "
                   "ledger's zone), or RFC 3339 with an offset: 2026-03-01T09:30:00+08:00, "
                   "2026-03-01T01:30:00Z; years 1900 to 2200"));
}

// Takes exactly `digits` digits off the front of `text`.
bool TakeNumber(absl::string_view* text, size_t digits, int* value) {
  if (text->size() < digits) return false;
  *value = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!absl::ascii_isdigit((*text)[i])) return false;
    *value = *value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool Take(absl::string_view* text, char wanted) {
  if (text->empty() || text->front() != wanted) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeFraction(absl::string_view* text, absl::Duration* fraction) {
  if (!Take(text, '.')) return true;
  int64_t unit = 100'000'000;
  int64_t nanos = 0;
  size_t digits = 0;
  while (!text->empty() && absl::ascii_isdigit(text->front())) {
    if (++digits > 9) return false;
    nanos += unit * (text->front() - '0');
    unit /= 10;
    text->remove_prefix(1);
  }
  *fraction = absl::Nanoseconds(nanos);
  return digits > 0;
}

bool TakeOffset(absl::string_view* text, std::optional<int32_t>* offset) {
  if (Take(text, 'Z') || Take(text, 'z')) {
    *offset = 0;
    return true;
  }
  const bool west = Take(text, '-');
  if (!west && !Take(text, '+')) return false;
  int hours = 0;
  int minutes = 0;
  if (!TakeNumber(text, 2, &hours) || !Take(text, ':') || !TakeNumber(text, 2, &minutes)) return false;
  const int seconds = hours * 3600 + minutes * 60;
  if (minutes > 59 || seconds > 64'800) return false;
  *offset = west ? -seconds : seconds;
  return true;
}

}  // namespace

absl::StatusOr<WrittenTime> ParseTime(absl::string_view text, int32_t utc_offset_seconds) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  absl::Duration fraction;
  WrittenTime written;
  if (!TakeNumber(&rest, 4, &year) || !Take(&rest, '-') || !TakeNumber(&rest, 2, &month) ||
      !Take(&rest, '-') || !TakeNumber(&rest, 2, &day)) {
    return NotATime(text);
  }
  if (!rest.empty()) {
    const bool rfc3339 = rest.front() == 'T' || rest.front() == 't';
    if (!rfc3339 && rest.front() != ' ') return NotATime(text);
    rest.remove_prefix(1);
    if (!TakeNumber(&rest, 2, &hour) || !Take(&rest, ':') || !TakeNumber(&rest, 2, &minute)) {
      return NotATime(text);
    }
    if (Take(&rest, ':')) {
      if (!TakeNumber(&rest, 2, &second) || !TakeFraction(&rest, &fraction)) return NotATime(text);
    } else if (rfc3339) {
      return NotATime(text);
    }
    if (!rfc3339) Take(&rest, ' ');  // what FormatTime prints can be pasted back
    if ((!rest.empty() || rfc3339) && !TakeOffset(&rest, &written.utc_offset_seconds)) return NotATime(text);
  }
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  // CivilSecond normalises 31 February into March: a date that changed was not a date.
  const bool exists = civil.year() == year && civil.month() == month && civil.day() == day &&
                      civil.hour() == hour && civil.minute() == minute && civil.second() == second;
  if (!rest.empty() || !exists || year < 1900 || year > 2200) return NotATime(text);
  const int32_t offset = written.utc_offset_seconds.value_or(utc_offset_seconds);
  written.time = absl::FromCivil(civil, absl::FixedTimeZone(offset)) + fraction;
  return written;
}

bool HasOffset(absl::string_view text) {
  const absl::StatusOr<WrittenTime> written = ParseTime(text, 0);
  return written.ok() && written->utc_offset_seconds.has_value();
}

std::string FormatTime(absl::Time time, int32_t utc_offset_seconds) {
  std::string text = absl::FormatTime("%Y-%m-%d %H:%M:%E*S", time, absl::FixedTimeZone(utc_offset_seconds));
  const int offset = std::abs(utc_offset_seconds);
  absl::StrAppendFormat(&text, " %c%02d:%02d", utc_offset_seconds < 0 ? '-' : '+', offset / 3600,
                        offset / 60 % 60);
  return text;
}

std::string FormatTime(const google::protobuf::Timestamp& time, int32_t utc_offset_seconds) {
  return FormatTime(FromProto(time), utc_offset_seconds);
}

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>((time - absl::FromUnixSeconds(seconds)) / absl::Nanoseconds(1)));
  return proto;
}

customerledger::v1::ZonedTime ToZoned(absl::Time time, int32_t utc_offset_seconds) {
  customerledger::v1::ZonedTime zoned;
  *zoned.mutable_time() = ToProto(time);
  zoned.set_utc_offset_seconds(utc_offset_seconds);
  return zoned;
}

}  // namespace ledger::ctl
