#include "projections/rules/civil_time.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

absl::Duration Offset(const pb::Policy& policy) { return absl::Seconds(policy.utc_offset_seconds()); }

absl::CivilSecond LocalSecond(const pb::Policy& policy, absl::Time time) {
  return absl::ToCivilSecond(time + Offset(policy), absl::UTCTimeZone());
}

absl::CivilDay AddWorkdays(const policy::Timeline& timeline, const std::string& calendar_id,
                           absl::CivilDay day, uint32_t workdays) {
  while (workdays > 0) {
    ++day;
    if (timeline.IsWorkday(calendar_id, day)) --workdays;
  }
  return day;
}

std::string Counted(uint32_t count, absl::string_view unit) {
  return absl::StrCat(count, " ", unit, count == 1 ? "" : "s");
}

std::string LengthText(const pb::Period& period) {
  switch (period.length_case()) {
    case pb::Period::kDays:
      return Counted(period.days(), "day");
    case pb::Period::kMonths:
      return Counted(period.months(), "month");
    case pb::Period::kWorkdays:
      return Counted(period.workdays(), "workday");
    case pb::Period::kHours:
      return Counted(period.hours(), "hour");
    case pb::Period::kMinutes:
      return Counted(period.minutes(), "minute");
    case pb::Period::LENGTH_NOT_SET:
      break;
  }
  return "no period";
}

}  // namespace

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Microseconds(time.nanos() / 1000);
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp result;
  const int64_t seconds = absl::ToUnixSeconds(time);
  result.set_seconds(seconds);
  result.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return result;
}

int64_t ToMicros(absl::Time time) { return absl::ToUnixMicros(time); }

absl::Time FromMicros(int64_t micros) { return absl::FromUnixMicros(micros); }

absl::CivilDay LocalDay(const pb::Policy& policy, absl::Time time) {
  return absl::CivilDay(LocalSecond(policy, time));
}

absl::Time StartOfDay(const pb::Policy& policy, absl::CivilDay day) {
  return absl::FromCivil(day, absl::UTCTimeZone()) - Offset(policy);
}

absl::CivilDay AddMonths(absl::CivilDay day, int64_t months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day.day() - 1), last);
}

absl::Time PeriodEnd(const policy::Timeline& timeline, const pb::Policy& policy, absl::Time anchor,
                     const pb::Period& period) {
  const absl::CivilDay day = LocalDay(policy, anchor);
  switch (period.length_case()) {
    case pb::Period::kDays:
      return StartOfDay(policy, day + period.days() + 1);
    case pb::Period::kMonths:
      return StartOfDay(policy, AddMonths(day, period.months()) + 1);
    case pb::Period::kWorkdays:
      return StartOfDay(policy, AddWorkdays(timeline, policy.calendar_id(), day, period.workdays()) + 1);
    case pb::Period::kHours:
      return anchor + absl::Hours(period.hours()) + absl::Seconds(1);
    case pb::Period::kMinutes:
      return anchor + absl::Minutes(period.minutes()) + absl::Seconds(1);
    case pb::Period::LENGTH_NOT_SET:
      break;
  }
  return absl::InfiniteFuture();
}

absl::Time LastInTime(absl::Time end) { return end - absl::Seconds(1); }

std::string DescribePeriod(const pb::Policy& policy, absl::Time anchor, const pb::Period& period,
                           absl::Time end) {
  const bool exact = period.has_hours() || period.has_minutes();
  const absl::Time last = LastInTime(end);
  if (exact) {
    return absl::StrCat(LocalText(policy, anchor), " + ", LengthText(period), " = ", LocalText(policy, last));
  }
  return absl::StrCat(absl::FormatCivilTime(LocalDay(policy, anchor)), " + ", LengthText(period), " = ",
                      absl::FormatCivilTime(LocalDay(policy, last)), " 24:00");
}

std::string LocalText(const pb::Policy& policy, absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", time + Offset(policy), absl::UTCTimeZone());
}

absl::Time AtTimeOfDay(const pb::Policy& policy, absl::CivilDay day, const pb::TimeOfDay& time_of_day) {
  return StartOfDay(policy, day) + absl::Hours(time_of_day.hour()) + absl::Minutes(time_of_day.minute());
}

int64_t MonthNumber(const pb::Policy& policy, absl::Time time) {
  const absl::CivilDay day = LocalDay(policy, time);
  return day.year() * 12 + day.month() - 1;
}

absl::Time MonthStart(const pb::Policy& policy, int64_t month) {
  return StartOfDay(policy, absl::CivilDay(month / 12, month % 12 + 1, 1));
}

std::string MonthText(int64_t month) { return absl::StrFormat("%04d-%02d", month / 12, month % 12 + 1); }

std::string BasisPointsText(int64_t basis_points) {
  if (basis_points % 100 == 0) return absl::StrCat(basis_points / 100, "%");
  if (basis_points % 10 == 0) return absl::StrFormat("%d.%d%%", basis_points / 100, basis_points / 10 % 10);
  return absl::StrFormat("%d.%02d%%", basis_points / 100, basis_points % 100);
}

}  // namespace ledger::rules
