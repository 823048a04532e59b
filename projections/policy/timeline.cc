#include "projections/policy/timeline.h"

#include <algorithm>

#include "customerledger/v1/event.pb.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::CivilDay ToDay(const pb::CivilDate& date) {
  return absl::CivilDay(date.year(), date.month(), date.day());
}

}  // namespace

bool Timeline::IsReference(uint32_t event_type) {
  switch (event_type) {
    case pb::Event::kLedgerCreated:
    case pb::Event::kPolicyAdopted:
    case pb::Event::kCalendarPublished:
    case pb::Event::kStaffStatusChanged:
      return true;
    default:
      return false;
  }
}

void Timeline::Apply(const pb::Record& record) {
  const pb::RecordHeader& header = record.header();
  const pb::Event& event = record.event();
  if (!IsReference(event.body_case())) return;
  position_ = header.position();
  if (event.has_ledger_created()) {
    simulated_ = event.ledger_created().simulated();
    ledger_name_ = event.ledger_created().name();
  } else if (event.has_policy_adopted()) {
    const pb::PolicyAdopted& adopted = event.policy_adopted();
    PolicyVersion version;
    version.number = static_cast<uint32_t>(policies_.size()) + 1;
    version.position = header.position();
    const absl::Time recorded = ToTime(header.recorded_time());
    if (policies_.empty()) {
      version.effective_from = absl::InfinitePast();
    } else if (adopted.has_effective_time()) {
      // An adoption is never back-dated, whatever it says: answers already given would change.
      version.effective_from = std::max(recorded, ToTime(adopted.effective_time().time()));
    } else {
      version.effective_from = recorded;
    }
    version.policy = adopted.policy();
    version.index = IndexPolicy(version.policy);
    const std::shared_ptr<const MemoryIndex> known = memory_;
    memory_ = Remember(known, version.policy);
    version.looks_back = memory_ != known;
    policies_.push_back(std::move(version));
  } else if (event.has_calendar_published()) {
    const pb::CalendarPublished& published = event.calendar_published();
    CalendarYear year;
    for (const pb::CivilDate& day : published.holidays()) year.holidays.insert(ToDay(day));
    for (const pb::CivilDate& day : published.makeup_workdays()) year.makeup_workdays.insert(ToDay(day));
    calendars_[{published.calendar_id(), published.year()}] = std::move(year);
  } else if (event.has_staff_status_changed()) {
    const pb::StaffStatusChanged& changed = event.staff_status_changed();
    StaffChange change{ToTime(event.occurred_time().time()), header.position(), changed};
    std::vector<StaffChange>& changes = staff_changes_[changed.staff_id()];
    const auto after = std::upper_bound(
        changes.begin(), changes.end(), change, [](const StaffChange& a, const StaffChange& b) {
          return std::make_pair(a.time, a.position) < std::make_pair(b.time, b.position);
        });
    changes.insert(after, change);
    staff_[changed.staff_id()] = changed;
  }
}

const PolicyVersion& Timeline::PolicyAt(absl::Time time) const {
  for (auto version = policies_.rbegin(); version != policies_.rend(); ++version) {
    if (version->effective_from <= time) return *version;
  }
  return policies_.front();
}

const PolicyVersion* Timeline::Version(uint32_t number) const {
  if (number == 0 || number > policies_.size()) return nullptr;
  return &policies_[number - 1];
}

pb::StaffStatus Timeline::StaffStatusAt(absl::string_view staff_id, absl::Time time) const {
  const auto changes = staff_changes_.find(std::string(staff_id));
  if (changes == staff_changes_.end()) return pb::STAFF_STATUS_UNSPECIFIED;
  pb::StaffStatus status = pb::STAFF_STATUS_UNSPECIFIED;
  for (const StaffChange& change : changes->second) {
    if (change.time > time) break;
    status = change.said.status();
  }
  return status;
}

std::optional<StaffMember> Timeline::StaffAt(absl::string_view staff_id, absl::Time time) const {
  const auto changes = staff_changes_.find(std::string(staff_id));
  if (changes == staff_changes_.end() || changes->second.front().time > time) return std::nullopt;
  StaffMember member;
  for (const StaffChange& change : changes->second) {
    if (change.time > time) break;
    member.status = change.said.status();
    if (!change.said.role().empty()) member.role = change.said.role();
    if (!change.said.unit_id().empty()) member.unit_id = change.said.unit_id();
    member.mentor_id = change.said.mentor_id();
    member.delegate_id = change.said.delegate_id();
  }
  return member;
}

absl::Time Timeline::LeavesAfter(absl::string_view staff_id, absl::Time from) const {
  const auto changes = staff_changes_.find(std::string(staff_id));
  if (changes == staff_changes_.end()) return absl::InfiniteFuture();
  for (const StaffChange& change : changes->second) {
    if (change.time >= from && change.said.status() == pb::STAFF_STATUS_LEFT) return change.time;
  }
  return absl::InfiniteFuture();
}

std::vector<Timeline::StaffStanding> Timeline::StaffStandings(absl::string_view staff_id) const {
  std::vector<StaffStanding> standings;
  const auto changes = staff_changes_.find(std::string(staff_id));
  if (changes == staff_changes_.end()) return standings;
  standings.reserve(changes->second.size());
  for (const StaffChange& change : changes->second) {
    standings.push_back({change.time, change.position, change.said.status()});
  }
  return standings;
}

bool Timeline::IsWorkday(absl::string_view calendar_id, absl::CivilDay day) const {
  const absl::Weekday weekday = absl::GetWeekday(day);
  const bool weekend = weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
  const auto year = calendars_.find({std::string(calendar_id), day.year()});
  if (year == calendars_.end()) return !weekend;
  if (weekend) return year->second.makeup_workdays.contains(day);
  return !year->second.holidays.contains(day);
}

}  // namespace ledger::policy
