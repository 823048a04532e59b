#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/policy_duty.pb.h"
#include "projections/policy/timeline.h"

// Deadlines and stretches of the calendar, in a policy's local time. Pure; any thread.
namespace ledger::rules {

// One stretch of the calendar.
struct Stretch {
  absl::Time start;
  absl::Time end;  // not included
};
// The stretch that `time` lies in. A day without work lies in the workday before it.
Stretch StretchAt(const policy::Timeline& timeline, const customerledger::v1::Policy& policy,
                  customerledger::v1::CalendarUnit unit, absl::Time time);
// "2026-07-01 to 2026-12-31".
std::string DescribeStretch(const customerledger::v1::Policy& policy, const Stretch& stretch);

// The first instant that is late for what `anchor` made due. InfiniteFuture: never. `set_time`: what the event's own field
// says, for a deadline that reads one.
absl::Time DeadlineEnd(const policy::Timeline& timeline, const customerledger::v1::Policy& policy,
                       const customerledger::v1::Deadline& deadline, absl::Time anchor,
                       std::optional<absl::Time> set_time);
// "2026-04-02 + 5 workdays = 2026-04-10 24:00".
std::string DescribeDeadline(const customerledger::v1::Policy& policy,
                             const customerledger::v1::Deadline& deadline, absl::Time anchor, absl::Time end);

}  // namespace ledger::rules
