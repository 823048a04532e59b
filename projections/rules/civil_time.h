#pragma once

#include <cstdint>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "customerledger/v1/policy.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "projections/policy/timeline.h"

// Period arithmetic in the fixed local time of a policy. Pure; any thread.
namespace ledger::rules {

// To the microsecond, rounded down; the rules know nothing finer.
absl::Time ToTime(const google::protobuf::Timestamp& time);
google::protobuf::Timestamp ToTimestamp(absl::Time time);
int64_t ToMicros(absl::Time time);
absl::Time FromMicros(int64_t micros);

// The local day of an instant, and the instant a local day begins at.
absl::CivilDay LocalDay(const customerledger::v1::Policy& policy, absl::Time time);
absl::Time StartOfDay(const customerledger::v1::Policy& policy, absl::CivilDay day);

// Calendar months are counted from year 0. The month of an instant, the instant it begins at, and "2026-03".
int64_t MonthNumber(const customerledger::v1::Policy& policy, absl::Time time);
absl::Time MonthStart(const customerledger::v1::Policy& policy, int64_t month);
std::string MonthText(int64_t month);

// The instant of a time of day.
absl::Time AtTimeOfDay(const customerledger::v1::Policy& policy, absl::CivilDay day,
                       const customerledger::v1::TimeOfDay& time_of_day);

// `months` after `day`: the same day number, or the month's last where that does not exist.
absl::CivilDay AddMonths(absl::CivilDay day, int64_t months);

// The first instant that is no longer in the period that starts at `anchor`. Days, months and workdays: the
// day of `anchor` is not counted, the period runs to 24:00 of its last day, and this is 00:00 of the day after
// it. Hours and minutes: an act at exactly `anchor` + N is in time and one second later is late, so this is
// one second after it. InfiniteFuture: the period has no length.
absl::Time PeriodEnd(const policy::Timeline& timeline, const customerledger::v1::Policy& policy,
                     absl::Time anchor, const customerledger::v1::Period& period);

// The last instant in time of a period that ends at `end`: the resolution is one second.
absl::Time LastInTime(absl::Time end);

// "2026-01-05 + 90 days = 2026-04-05 24:00", for people.
std::string DescribePeriod(const customerledger::v1::Policy& policy, absl::Time anchor,
                           const customerledger::v1::Period& period, absl::Time end);

// "50%", "12.5%"; for people.
std::string BasisPointsText(int64_t basis_points);

// "2026-04-05 23:59:59" in the policy's local time.
std::string LocalText(const customerledger::v1::Policy& policy, absl::Time time);

}  // namespace ledger::rules
