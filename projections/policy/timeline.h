#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/policy_index.h"

namespace ledger::policy {

// One adopted policy.
struct PolicyVersion {
  uint32_t number = 0;        // counts adoptions of the ledger from 1
  uint64_t position = 0;      // the event that adopted it
  absl::Time effective_from;  // periods that start at or after this run under it; InfinitePast for the first
  customerledger::v1::Policy policy;
  std::shared_ptr<const PolicyIndex> index;  // nullptr: the policy has neither requirements nor duties
  // True if folds remember more from this version on, also of what happened before it.
  bool looks_back = false;
};

// A staff member at one moment. Empty texts: not known, or nobody.
struct StaffMember {
  customerledger::v1::StaffStatus status = customerledger::v1::STAFF_STATUS_UNSPECIFIED;
  std::string role;
  std::string unit_id;
  std::string mentor_id;
  std::string delegate_id;
};

// What rules refer to apart from the customer: all policy versions, calendars and staff changes of one
// ledger, folded from its reference events in order of position. A value: copy it to keep a moment. Not
// thread-safe for writing.
class Timeline {
 public:
  // Takes in one record; records of other kinds are ignored. Requires: positions ascend.
  void Apply(const customerledger::v1::Record& record);

  // True if Apply would take `event_type` (the field number of an event's body) in.
  static bool IsReference(uint32_t event_type);

  // True before the first policy.
  bool empty() const { return policies_.empty(); }
  // The version in force for periods that start at `time`; of several, the one adopted last. Requires:
  // !empty().
  const PolicyVersion& PolicyAt(absl::Time time) const;
  // The version adopted last. Requires: !empty().
  const PolicyVersion& Latest() const { return policies_.back(); }
  // The version `number`; nullptr if there is none.
  const PolicyVersion* Version(uint32_t number) const;

  // What requirements and duties of all versions remember of a customer; nullptr: nothing.
  const MemoryIndex* memory() const { return memory_.get(); }

  // The last known status of a staff member at `time`; STAFF_STATUS_UNSPECIFIED if nobody ever said.
  customerledger::v1::StaffStatus StaffStatusAt(absl::string_view staff_id, absl::Time time) const;
  // A staff member as known at `time`: what was said last; a change that does not name the role or the unit leaves it as
  // it was. nullopt if nobody ever said anything.
  std::optional<StaffMember> StaffAt(absl::string_view staff_id, absl::Time time) const;
  // When a staff member leaves the company, at `from` or later; InfiniteFuture: as far as is known, never.
  absl::Time LeavesAfter(absl::string_view staff_id, absl::Time from) const;
  // What was said of a staff member's standing, in the order of its times.
  struct StaffStanding {
    absl::Time time;
    uint64_t position = 0;
    customerledger::v1::StaffStatus status = customerledger::v1::STAFF_STATUS_UNSPECIFIED;
  };
  std::vector<StaffStanding> StaffStandings(absl::string_view staff_id) const;
  // Everybody ever named by a StaffStatusChanged, by id, with what was said last.
  const std::map<std::string, customerledger::v1::StaffStatusChanged>& staff() const { return staff_; }

  // True if people work on `day` by `calendar_id`; without a publication for that year, Monday to Friday.
  bool IsWorkday(absl::string_view calendar_id, absl::CivilDay day) const;

  // The position of the last record taken in.
  uint64_t position() const { return position_; }
  bool simulated() const { return simulated_; }
  const std::string& ledger_name() const { return ledger_name_; }

 private:
  struct CalendarYear {
    std::set<absl::CivilDay> holidays;
    std::set<absl::CivilDay> makeup_workdays;
  };
  struct StaffChange {
    absl::Time time;
    uint64_t position = 0;
    customerledger::v1::StaffStatusChanged said;
  };

  std::vector<PolicyVersion> policies_;
  std::shared_ptr<const MemoryIndex> memory_;
  std::map<std::string, std::vector<StaffChange>> staff_changes_;
  std::map<std::string, customerledger::v1::StaffStatusChanged> staff_;
  std::map<std::pair<std::string, int64_t>, CalendarYear> calendars_;
  uint64_t position_ = 0;
  bool simulated_ = false;
  std::string ledger_name_;
};

}  // namespace ledger::policy
