#include "projections/rules/duty/deadline.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// The n-th workday of a month.
absl::CivilDay NthWorkday(const policy::Timeline& timeline, const pb::Policy& policy, absl::CivilMonth month,
                          uint32_t n) {
  absl::CivilDay day(month);
  for (uint32_t counted = 0;; ++day) {
    if (timeline.IsWorkday(policy.calendar_id(), day) && ++counted == n) return day;
  }
}

absl::CivilDay DayOfMonth(absl::CivilMonth month, uint32_t day) {
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (static_cast<int>(day) - 1), last);
}

// The last day in time; nullopt: the deadline is not written in days.
std::optional<absl::CivilDay> LastDay(const policy::Timeline& timeline, const pb::Policy& policy,
                                      const pb::Deadline& deadline, absl::Time anchor) {
  const absl::CivilDay day = LocalDay(policy, anchor);
  switch (deadline.last_case()) {
    case pb::Deadline::kPeriod:
      if (deadline.period().has_hours() || deadline.period().has_minutes()) return std::nullopt;
      return LocalDay(policy, LastInTime(PeriodEnd(timeline, policy, anchor, deadline.period())));
    case pb::Deadline::kSameDay:
      return day;
    case pb::Deadline::kDayOfMonth: {
      const absl::CivilDay here = DayOfMonth(absl::CivilMonth(day), deadline.day_of_month());
      return here >= day ? here : DayOfMonth(absl::CivilMonth(day) + 1, deadline.day_of_month());
    }
    case pb::Deadline::kWorkdayOfMonth: {
      const absl::CivilDay here =
          NthWorkday(timeline, policy, absl::CivilMonth(day), deadline.workday_of_month());
      if (here >= day) return here;
      return NthWorkday(timeline, policy, absl::CivilMonth(day) + 1, deadline.workday_of_month());
    }
    case pb::Deadline::kEndOf:
      return LocalDay(policy, LastInTime(StretchAt(timeline, policy, deadline.end_of(), anchor).end));
    case pb::Deadline::kField:
    case pb::Deadline::LAST_NOT_SET:
      break;
  }
  return std::nullopt;
}

}  // namespace

Stretch StretchAt(const policy::Timeline& timeline, const pb::Policy& policy, pb::CalendarUnit unit,
                  absl::Time time) {
  const absl::CivilDay day = LocalDay(policy, time);
  const absl::CivilMonth month(day);
  absl::CivilDay first = day;
  absl::CivilDay next = day + 1;
  const auto months = [&](int length) {
    const absl::CivilMonth start = month - (month.month() - 1) % length;
    first = absl::CivilDay(start);
    next = absl::CivilDay(start + length);
  };
  switch (unit) {
    case pb::CALENDAR_UNIT_UNSPECIFIED:
    case pb::CALENDAR_UNIT_DAY:
    case pb::CalendarUnit_INT_MIN_SENTINEL_DO_NOT_USE_:
    case pb::CalendarUnit_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
    case pb::CALENDAR_UNIT_WORKDAY:
      while (!timeline.IsWorkday(policy.calendar_id(), first)) --first;
      while (!timeline.IsWorkday(policy.calendar_id(), next)) ++next;
      break;
    case pb::CALENDAR_UNIT_WEEK:
      first = absl::PrevWeekday(day + 1, absl::Weekday::monday);
      next = first + 7;
      break;
    case pb::CALENDAR_UNIT_MONTH:
      months(1);
      break;
    case pb::CALENDAR_UNIT_QUARTER:
      months(3);
      break;
    case pb::CALENDAR_UNIT_HALF_YEAR:
      months(6);
      break;
    case pb::CALENDAR_UNIT_YEAR:
      months(12);
      break;
  }
  return {StartOfDay(policy, first), StartOfDay(policy, next)};
}

std::string DescribeStretch(const pb::Policy& policy, const Stretch& stretch) {
  const absl::CivilDay first = LocalDay(policy, stretch.start);
  const absl::CivilDay last = LocalDay(policy, LastInTime(stretch.end));
  if (first == last) return absl::FormatCivilTime(first);
  return absl::StrCat(absl::FormatCivilTime(first), " to ", absl::FormatCivilTime(last));
}

absl::Time DeadlineEnd(const policy::Timeline& timeline, const pb::Policy& policy,
                       const pb::Deadline& deadline, absl::Time anchor, std::optional<absl::Time> set_time) {
  if (deadline.has_field()) {
    return set_time.has_value() ? *set_time + absl::Seconds(1) : absl::InfiniteFuture();
  }
  if (const auto last = LastDay(timeline, policy, deadline, anchor)) {
    if (!deadline.has_at()) return StartOfDay(policy, *last + 1);
    const absl::Time end = AtTimeOfDay(policy, *last, deadline.at()) + absl::Seconds(1);
    return end > anchor ? end : AtTimeOfDay(policy, *last + 1, deadline.at()) + absl::Seconds(1);
  }
  if (deadline.has_period()) return PeriodEnd(timeline, policy, anchor, deadline.period());
  return absl::InfiniteFuture();
}

std::string DescribeDeadline(const pb::Policy& policy, const pb::Deadline& deadline, absl::Time anchor,
                             absl::Time end) {
  if (end == absl::InfiniteFuture()) return "";
  if (deadline.has_field()) return absl::StrCat("the event says ", LocalText(policy, LastInTime(end)));
  if (deadline.has_period() && !deadline.has_at()) {
    return DescribePeriod(policy, anchor, deadline.period(), end);
  }
  const std::string last =
      deadline.has_at() ? LocalText(policy, LastInTime(end))
                        : absl::StrCat(absl::FormatCivilTime(LocalDay(policy, LastInTime(end))), " 24:00");
  return absl::StrCat(absl::FormatCivilTime(LocalDay(policy, anchor)), " until ", last);
}

}  // namespace ledger::rules
