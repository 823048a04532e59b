#include "projections/rules/duty/duty.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_match.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/duty/deadline.h"
#include "projections/rules/requirement/consequence.h"
#include "projections/rules/requirement/memory.h"
#include "projections/rules/requirement/needs.h"
#include "projections/rules/requirement/requirement.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kOpenMax = 200;
constexpr int kPastMax = 50;
constexpr int kActsMax = 10;

const pb::Duty* FindDuty(const policy::PolicyVersion& version, absl::string_view name) {
  for (const pb::Duty& duty : version.policy.duties()) {
    if (absl::string_view(duty.name()) == name) return &duty;
  }
  return nullptr;
}

bool IsMine(const pb::Duty& duty, const DutyHolder& holder) {
  return (duty.subject() == pb::DUTY_SUBJECT_STAFF) == holder.is_staff();
}

DutyNameState* FindOrAddName(const std::string& name, CustomerState* state) {
  auto* all = state->mutable_duties();
  int place = 0;
  while (place < all->size() && all->Get(place).name() < name) ++place;
  if (place < all->size() && all->Get(place).name() == name) return all->Mutable(place);
  all->Add()->set_name(name);
  for (int i = all->size() - 1; i > place; --i) all->SwapElements(i, i - 1);
  return all->Mutable(place);
}

// The version that governs an item, and its duty there; nullptr: none, which no item outlives.
struct Governing {
  const policy::PolicyVersion* version = nullptr;
  const pb::Duty* duty = nullptr;
};
Governing GoverningOf(const policy::Timeline& timeline, const std::string& name, const DutyItemState& item) {
  const int64_t since = item.governed_us() != 0 ? item.governed_us() : item.since_us();
  const policy::PolicyVersion& version = PolicyInForce(timeline, FromMicros(since));
  return {&version, FindDuty(version, name)};
}

void Close(DutyItemState item, DutyNameState* name) {
  *name->add_past() = std::move(item);
  if (name->past_size() > kPastMax) name->mutable_past()->DeleteSubrange(0, 1);
}

std::string KeyOf(const pb::Duty& duty, const pb::Event& event) {
  if (duty.same_field().empty()) return "";
  const std::vector<std::string> keys = policy::FieldTexts(event, duty.same_field());
  return keys.empty() ? "" : keys[0];
}

bool AnyMatches(const google::protobuf::RepeatedPtrField<pb::EventMatch>& matches, const pb::Event& event) {
  return std::any_of(matches.begin(), matches.end(),
                     [&event](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

// True if the event is about the holder: always for a customer's duty, for a staff duty if it names them.
bool Concerns(const pb::Duty& duty, const DutyHolder& holder, const pb::Event& event) {
  if (!holder.is_staff()) return true;
  const std::string field = duty.staff_field().empty() ? "staff_id" : duty.staff_field();
  const std::vector<std::string> named = policy::FieldTexts(event, field);
  return std::find(named.begin(), named.end(), holder.staff_id) != named.end();
}

bool OwesAt(const policy::Timeline& timeline, const pb::Duty& duty, const DutyHolder& holder, absl::Time at) {
  if (!holder.is_staff()) return true;
  const auto member = timeline.StaffAt(holder.staff_id, at);
  if (!member.has_value()) return duty.staff_roles().empty();
  if (member->status != pb::STAFF_STATUS_ACTIVE && member->status != pb::STAFF_STATUS_TRIAL) return false;
  const auto& roles = duty.staff_roles();
  return roles.empty() || std::find(roles.begin(), roles.end(), member->role) != roles.end();
}

int64_t EndMicros(absl::Time end) { return end == absl::InfiniteFuture() ? 0 : ToMicros(end); }

void Open(const policy::Timeline& timeline, const policy::PolicyVersion& version, const pb::Duty& duty,
          DutyItemState item, DutyNameState* name) {
  std::optional<absl::Time> set_time;
  if (item.set_us() != 0) set_time = FromMicros(item.set_us());
  item.set_end_us(
      EndMicros(DeadlineEnd(timeline, version.policy, duty.by(), FromMicros(item.since_us()), set_time)));
  *name->add_open() = std::move(item);
  name->set_opened_once(true);
  if (name->open_size() > kOpenMax) name->mutable_open()->DeleteSubrange(0, 1);
}

// --- Quotas.

// The first stretch of `name` that begins at or after `from`, or at the holder's first moment the one it lies in.
void StartStretch(const policy::Timeline& timeline, const DutyHolder& holder, absl::Time from, bool first,
                  DutyNameState* name) {
  DutyItemState* stretch = name->mutable_stretch();
  stretch->Clear();
  const policy::PolicyVersion& present = PolicyInForce(timeline, from);
  const pb::Duty* duty = FindDuty(present, name->name());
  if (duty != nullptr && IsMine(*duty, holder) && duty->has_quota()) {
    const Stretch here = StretchAt(timeline, present.policy, duty->quota().each(), from);
    stretch->set_since_us(ToMicros(here.start));
    stretch->set_end_us(ToMicros(here.end));
    if (first && from > here.start) stretch->set_governed_us(ToMicros(from));
    return;
  }
  // A later version may bring it.
  const policy::PolicyVersion* next = nullptr;
  for (uint32_t number = 1; timeline.Version(number) != nullptr; ++number) {
    const policy::PolicyVersion* version = timeline.Version(number);
    if (version->effective_from <= from) continue;
    const pb::Duty* brought = FindDuty(*version, name->name());
    if (brought == nullptr || !IsMine(*brought, holder) || !brought->has_quota()) continue;
    if (next == nullptr || version->effective_from < next->effective_from) next = version;
  }
  if (next == nullptr) {
    name->set_is_over(true);
    return;
  }
  const pb::CalendarUnit unit = FindDuty(*next, name->name())->quota().each();
  Stretch here = StretchAt(timeline, next->policy, unit, next->effective_from);
  if (here.start < next->effective_from) here = StretchAt(timeline, next->policy, unit, here.end);
  stretch->set_since_us(ToMicros(here.start));
  stretch->set_end_us(ToMicros(here.end));
}

bool KeepsShare(const pb::Quota& quota, const DutyItemState& stretch) {
  if (quota.share_where().empty() || stretch.done() == 0) return true;
  return uint64_t{stretch.share_done()} * 10'000 >= uint64_t{stretch.done()} * quota.share_basis_points();
}

// How many items of a stretch are missing; a share that is not kept counts as one.
uint64_t MissingOf(const pb::Quota& quota, const DutyItemState& stretch) {
  if (stretch.done() < quota.at_least()) return quota.at_least() - stretch.done();
  return KeepsShare(quota, stretch) ? 0 : 1;
}

std::string OwnGroup(const std::string& name) { return absl::StrCat("duty/", name); }

void EndStretch(const policy::Timeline& timeline, const DutyHolder& holder, DutyNameState* name,
                CustomerState* state) {
  DutyItemState stretch = name->stretch();
  const absl::Time end = FromMicros(stretch.end_us());
  const Governing governing = GoverningOf(timeline, name->name(), stretch);
  if (governing.duty != nullptr && governing.duty->has_quota()) {
    const pb::Duty& duty = *governing.duty;
    const NeedContext context{timeline, *governing.version, *state, nullptr, LastInTime(end)};
    const bool free = duty.quota().first_stretch_free() && stretch.governed_us() != 0;
    const bool owed =
        !free && OwesAt(timeline, duty, holder, LastInTime(end)) && AllHold(context, duty.when());
    const uint64_t missing = MissingOf(duty.quota(), stretch);
    if (owed) {
      stretch.set_outcome(missing == 0 ? DUTY_OUTCOME_KEPT : DUTY_OUTCOME_MISSED);
      stretch.set_overdue(missing > 0);
      if (missing > 0 && duty.has_consequence()) {
        stretch.set_time_number(CountTimes(timeline, governing.version->policy, duty.consequence(),
                                           OwnGroup(name->name()), missing, LastInTime(end), state));
      }
      Close(std::move(stretch), name);
    }
  }
  StartStretch(timeline, holder, end, /*first=*/false, name);
}

// Quotas that nobody began to count yet.
void StartQuotas(const policy::Timeline& timeline, const DutyHolder& holder, absl::Time from,
                 CustomerState* state) {
  for (uint32_t number = 1; timeline.Version(number) != nullptr; ++number) {
    for (const pb::Duty& duty : timeline.Version(number)->policy.duties()) {
      if (!duty.has_quota() || !IsMine(duty, holder)) continue;
      DutyNameState* name = FindOrAddName(duty.name(), state);
      if (!name->has_stretch() && !name->is_over()) {
        StartStretch(timeline, holder, from, /*first=*/true, name);
      }
    }
  }
}

void CountAct(const Step& step, const DutyHolder& holder, DutyNameState* name) {
  const DutyItemState& running = name->stretch();
  const int64_t now = ToMicros(step.at());
  if (now < running.since_us() || now >= running.end_us()) return;
  const Governing governing = GoverningOf(step.timeline, name->name(), running);
  const pb::Event& event = *step.event.event;
  if (governing.duty == nullptr || !AnyMatches(governing.duty->done_by(), event) ||
      !Concerns(*governing.duty, holder, event)) {
    return;
  }
  DutyItemState* stretch = name->mutable_stretch();
  stretch->set_done(stretch->done() + 1);
  const auto& share = governing.duty->quota().share_where();
  if (!share.empty() && std::all_of(share.begin(), share.end(), [&event](const pb::FieldMatch& match) {
        return policy::Matches(match, event);
      })) {
    stretch->set_share_done(stretch->share_done() + 1);
  }
  stretch->add_done_positions(step.event.position);
  if (stretch->done_positions_size() > kActsMax) {
    stretch->mutable_done_positions()->erase(stretch->done_positions().begin());
  }
}

// --- What time brings about.

// The next thing that time brings about.
struct Due {
  absl::Time at = absl::InfiniteFuture();
  DutyNameState* name = nullptr;
  int open = -1;  // which open item is overdue then; -1: the stretch is over
};

Due NextDue(CustomerState* state) {
  Due next;
  const auto consider = [&next](int64_t end_us, DutyNameState* name, int open) {
    if (end_us == 0 || FromMicros(end_us) >= next.at) return;
    next = {FromMicros(end_us), name, open};
  };
  for (DutyNameState& name : *state->mutable_duties()) {
    for (int i = 0; i < name.open_size(); ++i) {
      if (!name.open(i).overdue()) consider(name.open(i).end_us(), &name, i);
    }
    if (name.has_stretch() && !name.is_over()) consider(name.stretch().end_us(), &name, -1);
  }
  return next;
}

// Everything that happened before it was owed, where that counts.
std::optional<uint64_t> DoneBefore(const policy::PolicyVersion& version, const pb::Duty& duty,
                                   const std::string& key, absl::Time at, const CustomerState& state) {
  if (duty.earlier_acts() == pb::EARLIER_ACTS_UNSPECIFIED) return std::nullopt;
  for (const pb::EventMatch& match : duty.done_by()) {
    const RememberedState* remembered = FindRemembered(state, match, duty.same_field());
    if (remembered == nullptr) continue;
    const Occurrences* found = key.empty() ? &remembered->all() : FindKey(*remembered, key);
    if (found == nullptr) continue;
    if (duty.earlier_acts() == pb::EARLIER_ACTS_EVER ||
        FromMicros(found->last_us()) >= StartOfDay(version.policy, LocalDay(version.policy, at))) {
      return found->last_position();
    }
  }
  return std::nullopt;
}

// What becomes due because something else is overdue.
void OpenFollowers(const policy::Timeline& timeline, const DutyHolder& holder, const std::string& name,
                   const DutyItemState& overdue, CustomerState* state) {
  const absl::Time at = FromMicros(overdue.end_us());
  const policy::PolicyVersion& version = PolicyInForce(timeline, at);
  for (const pb::Duty& duty : version.policy.duties()) {
    if (duty.after_overdue() != name || !IsMine(duty, holder)) continue;
    const NeedContext context{timeline, version, *state, nullptr, at};
    if (!AllHold(context, duty.when())) continue;
    if (DoneBefore(version, duty, overdue.key(), at, *state).has_value()) continue;
    DutyItemState item;
    item.set_position(overdue.position());
    item.set_since_us(overdue.end_us());
    item.set_key(overdue.key());
    Open(timeline, version, duty, std::move(item), FindOrAddName(duty.name(), state));
  }
}

void MarkOverdue(const policy::Timeline& timeline, const DutyHolder& holder, DutyNameState* name, int index,
                 CustomerState* state) {
  DutyItemState* item = name->mutable_open(index);
  item->set_overdue(true);
  const Governing governing = GoverningOf(timeline, name->name(), *item);
  if (governing.duty != nullptr && governing.duty->has_consequence()) {
    item->set_time_number(CountTimes(timeline, governing.version->policy, governing.duty->consequence(),
                                     OwnGroup(name->name()), 1, FromMicros(item->end_us()), state));
  }
  const DutyItemState overdue = *item;  // what follows may move it
  const std::string own_name = name->name();
  OpenFollowers(timeline, holder, own_name, overdue, state);
}

bool HasDuties(const policy::Timeline& timeline, const DutyHolder& holder, const CustomerState& state) {
  if (timeline.memory() == nullptr) return false;
  if (!state.duties().empty()) return true;
  for (uint32_t number = 1; timeline.Version(number) != nullptr; ++number) {
    const policy::PolicyIndex* index = timeline.Version(number)->index.get();
    if (index == nullptr) continue;
    if (holder.is_staff() ? index->has_staff_duty : index->has_customer_quota) return true;
  }
  return false;
}

// --- Events.

// Closes the open items that the event fulfils or ends.
void CloseOpen(const Step& step, const DutyHolder& holder, DutyNameState* name) {
  const pb::Event& event = *step.event.event;
  for (int i = 0; i < name->open_size();) {
    const Governing governing = GoverningOf(step.timeline, name->name(), name->open(i));
    const bool mine =
        governing.duty != nullptr && Concerns(*governing.duty, holder, event) &&
        (governing.duty->same_field().empty() || KeyOf(*governing.duty, event) == name->open(i).key());
    const bool done = mine && AnyMatches(governing.duty->done_by(), event);
    if (!done && !(mine && AnyMatches(governing.duty->ended_by(), event))) {
      ++i;
      continue;
    }
    DutyItemState item = name->open(i);
    name->mutable_open()->DeleteSubrange(i, 1);
    item.set_outcome(done ? DUTY_OUTCOME_DONE : DUTY_OUTCOME_ENDED);
    item.add_done_positions(step.event.position);
    item.set_done_us(ToMicros(step.at()));
    Close(std::move(item), name);
  }
}

void OpenBy(const Step& step, const DutyHolder& holder, const pb::Duty& duty, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  if (!AnyMatches(duty.on(), event) || !Concerns(duty, holder, event)) return;
  if (holder.is_staff() && !OwesAt(step.timeline, duty, holder, step.at())) return;
  const NeedContext context{step.timeline, step.policy, *state, &event, step.at()};
  if (!AllHold(context, duty.when())) return;
  DutyItemState item;
  if (duty.by().has_field()) {
    const std::optional<pb::ZonedTime> set = policy::FieldTime(event, duty.by().field());
    if (!set.has_value()) return;
    item.set_set_us(ToMicros(ToTime(set->time())));
  }
  DutyNameState* name = FindOrAddName(duty.name(), state);
  if (duty.first_only() && name->opened_once()) return;
  item.set_position(step.event.position);
  item.set_since_us(ToMicros(step.at()));
  item.set_key(KeyOf(duty, event));
  if (const auto before = DoneBefore(step.policy, duty, item.key(), step.at(), *state)) {
    item.set_outcome(DUTY_OUTCOME_DONE);
    item.add_done_positions(*before);
    item.set_done_us(item.since_us());
    name->set_opened_once(true);
    Close(std::move(item), name);
    return;
  }
  Open(step.timeline, step.policy, duty, std::move(item), name);
}

// --- Answers.

pb::DutyEntry EntryOf(const policy::Timeline& timeline, const std::string& name, const DutyItemState& item) {
  const Governing governing = GoverningOf(timeline, name, item);
  pb::DutyEntry entry;
  entry.set_name(name);
  entry.set_key(item.key());
  if (governing.duty == nullptr) return entry;
  const pb::Duty& duty = *governing.duty;
  const pb::Policy& policy = governing.version->policy;
  const absl::Time since = FromMicros(item.since_us());
  entry.set_says(duty.says());
  *entry.mutable_basis() = MakeBasis(duty.rule_id(), *governing.version, since);
  if (item.position() != 0) entry.mutable_basis()->add_positions(item.position());
  for (const uint64_t position : item.done_positions()) entry.mutable_basis()->add_positions(position);
  if (item.end_us() != 0) {
    const absl::Time end = FromMicros(item.end_us());
    *entry.mutable_due_time() = ToTimestamp(LastInTime(end));
    if (item.overdue()) *entry.mutable_overdue_since_time() = ToTimestamp(end);
    if (!duty.has_quota()) {
      entry.mutable_basis()->set_arithmetic(DescribeDeadline(policy, duty.by(), since, end));
    }
  }
  return entry;
}

pb::DutyEntry StretchEntry(const policy::Timeline& timeline, const std::string& name,
                           const DutyItemState& item) {
  pb::DutyEntry entry = EntryOf(timeline, name, item);
  const Governing governing = GoverningOf(timeline, name, item);
  if (governing.duty == nullptr) return entry;
  const pb::Duty& duty = *governing.duty;
  const Stretch stretch{FromMicros(item.since_us()), FromMicros(item.end_us())};
  *entry.mutable_stretch_start_time() = ToTimestamp(stretch.start);
  *entry.mutable_stretch_end_time() = ToTimestamp(stretch.end);
  entry.set_done(item.done());
  entry.set_needed(duty.quota().at_least());
  entry.set_share_done(item.share_done());
  switch (item.outcome()) {
    case DUTY_OUTCOME_KEPT:
      entry.set_state(pb::DUTY_STATE_FULFILLED);
      break;
    case DUTY_OUTCOME_MISSED:
      entry.set_state(pb::DUTY_STATE_MISSED);
      break;
    default:
      entry.set_state(duty.quota().at_least() > 0 && MissingOf(duty.quota(), item) == 0
                          ? pb::DUTY_STATE_FULFILLED
                          : pb::DUTY_STATE_OPEN);
      break;
  }
  std::string arithmetic =
      absl::StrCat(DescribeStretch(governing.version->policy, stretch), ": ", item.done());
  if (duty.quota().at_least() > 0) absl::StrAppend(&arithmetic, " of ", duty.quota().at_least());
  if (!duty.quota().share_where().empty()) {
    absl::StrAppend(&arithmetic, ", ", item.share_done(), " of ", item.done(), " with the share's property, ",
                    duty.quota().share_basis_points(), " basis points asked");
  }
  entry.mutable_basis()->set_arithmetic(arithmetic);
  if (item.overdue() && duty.has_consequence()) {
    *entry.mutable_consequence() =
        ConsequenceOf(duty.consequence(), MissingOf(duty.quota(), item), item.time_number());
  }
  return entry;
}

pb::DutyEntry ItemEntry(const policy::Timeline& timeline, const std::string& name,
                        const DutyItemState& item) {
  pb::DutyEntry entry = EntryOf(timeline, name, item);
  switch (item.outcome()) {
    case DUTY_OUTCOME_DONE:
      entry.set_state(item.overdue() ? pb::DUTY_STATE_LATE : pb::DUTY_STATE_FULFILLED);
      break;
    case DUTY_OUTCOME_ENDED:
      entry.set_state(pb::DUTY_STATE_ENDED);
      break;
    default:
      entry.set_state(item.overdue() ? pb::DUTY_STATE_OVERDUE : pb::DUTY_STATE_OPEN);
      break;
  }
  const Governing governing = GoverningOf(timeline, name, item);
  if (item.overdue() && governing.duty != nullptr && governing.duty->has_consequence()) {
    *entry.mutable_consequence() = ConsequenceOf(governing.duty->consequence(), 1, item.time_number());
  }
  return entry;
}

// Who was in charge when: from the first event that named them until one named somebody else.
struct Charge {
  std::string staff_id;
  absl::Time from;
  absl::Time last_named;
  absl::Time until = absl::InfiniteFuture();
};
std::vector<Charge> ChargesOf(const pb::StaffTrigger& trigger, const CustomerState& state) {
  std::vector<Charge> charges;
  for (const pb::NamedStaff& named : trigger.in_charge()) {
    const RememberedState* remembered = FindRemembered(state, named.event(), named.field());
    if (remembered == nullptr) continue;
    for (const Occurrences& each : remembered->keyed()) {
      const auto known = std::find_if(charges.begin(), charges.end(), [&each](const Charge& charge) {
        return charge.staff_id == each.key();
      });
      const absl::Time first = FromMicros(each.first_us());
      const absl::Time last = FromMicros(each.last_us());
      if (known == charges.end()) {
        charges.push_back({each.key(), first, last});
      } else {
        known->from = std::min(known->from, first);
        known->last_named = std::max(known->last_named, last);
      }
    }
  }
  for (Charge& charge : charges) {
    for (const Charge& other : charges) {
      if (other.from > charge.last_named) charge.until = std::min(charge.until, other.from);
    }
  }
  std::sort(charges.begin(), charges.end(), [](const Charge& a, const Charge& b) {
    return std::make_pair(a.from, a.staff_id) < std::make_pair(b.from, b.staff_id);
  });
  return charges;
}

// The first act after `since` that fulfils the duty; what lies between the first and the last is not remembered.
std::optional<std::pair<absl::Time, uint64_t>> DoneSince(const pb::Duty& duty, absl::Time since,
                                                         const CustomerState& state) {
  std::optional<std::pair<absl::Time, uint64_t>> done;
  for (const pb::EventMatch& match : duty.done_by()) {
    const RememberedState* remembered = FindRemembered(state, match, duty.same_field());
    if (remembered == nullptr || FromMicros(remembered->all().last_us()) < since) continue;
    const absl::Time first = FromMicros(remembered->all().first_us());
    const absl::Time at = first >= since ? first : FromMicros(remembered->all().last_us());
    if (!done.has_value() || at < done->first) done = {at, remembered->all().last_position()};
  }
  return done;
}

void ReadStaffTriggered(const policy::Timeline& timeline, const CustomerState& state, const pb::Duty& duty,
                        absl::Time at, std::vector<pb::DutyEntry>* entries) {
  const auto& wanted = duty.on_staff_status().statuses();
  for (const Charge& charge : ChargesOf(duty.on_staff_status(), state)) {
    for (const auto& standing : timeline.StaffStandings(charge.staff_id)) {
      if (standing.time > at || standing.time < charge.from || standing.time >= charge.until) continue;
      std::string status = pb::StaffStatus_Name(standing.status);
      status = status.substr(std::string("STAFF_STATUS_").size());
      std::transform(status.begin(), status.end(), status.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      if (std::find(wanted.begin(), wanted.end(), status) == wanted.end()) continue;
      const policy::PolicyVersion& version = PolicyInForce(timeline, standing.time);
      const pb::Duty* governing = FindDuty(version, duty.name());
      if (governing == nullptr) continue;
      const NeedContext context{timeline, version, state, nullptr, at};
      if (!AllHold(context, governing->when())) continue;
      DutyItemState item;
      item.set_position(standing.position);
      item.set_since_us(ToMicros(standing.time));
      item.set_key(charge.staff_id);
      const absl::Time end =
          DeadlineEnd(timeline, version.policy, governing->by(), standing.time, std::nullopt);
      item.set_end_us(EndMicros(end));
      const auto done = DoneSince(*governing, standing.time, state);
      item.set_overdue(end <= (done.has_value() ? done->first : at));
      if (item.overdue()) item.set_time_number(1);
      if (done.has_value()) {
        item.set_outcome(DUTY_OUTCOME_DONE);
        item.add_done_positions(done->second);
      }
      entries->push_back(ItemEntry(timeline, duty.name(), item));
      break;  // later changes of the same person ask for nothing more
    }
  }
}

void ReadName(const policy::Timeline& timeline, const DutyHolder& holder, const CustomerState& state,
              const DutyNameState& name, absl::Time at, std::vector<pb::DutyEntry>* entries) {
  for (const DutyItemState& item : name.past()) {
    const bool stretch = item.outcome() == DUTY_OUTCOME_KEPT || item.outcome() == DUTY_OUTCOME_MISSED;
    entries->push_back(stretch ? StretchEntry(timeline, name.name(), item)
                               : ItemEntry(timeline, name.name(), item));
  }
  for (const DutyItemState& item : name.open()) entries->push_back(ItemEntry(timeline, name.name(), item));
  if (!name.has_stretch() || name.is_over() || FromMicros(name.stretch().since_us()) > at) return;
  const Governing governing = GoverningOf(timeline, name.name(), name.stretch());
  if (governing.duty == nullptr) return;
  const NeedContext context{timeline, *governing.version, state, nullptr, at};
  const bool free = governing.duty->quota().first_stretch_free() && name.stretch().governed_us() != 0;
  if (free || !OwesAt(timeline, *governing.duty, holder, at)) return;
  if (AllHold(context, governing.duty->when())) {
    entries->push_back(StretchEntry(timeline, name.name(), name.stretch()));
  }
}

}  // namespace

void AdvanceDuties(const policy::Timeline& timeline, const DutyHolder& holder, absl::Time at,
                   CustomerState* state) {
  if (!HasDuties(timeline, holder, *state)) return;
  if (state->events() > 0) StartQuotas(timeline, holder, FromMicros(state->first_us()), state);
  for (Due due = NextDue(state); due.name != nullptr && due.at <= at; due = NextDue(state)) {
    if (due.open >= 0) {
      MarkOverdue(timeline, holder, due.name, due.open, state);
    } else {
      EndStretch(timeline, holder, due.name, state);
    }
  }
}

void ApplyDuties(const Step& step, const DutyHolder& holder, CustomerState* state) {
  if (step.timeline.memory() == nullptr) return;
  if (state->events() == 0 && HasDuties(step.timeline, holder, *state)) {
    StartQuotas(step.timeline, holder, step.at(), state);
  }
  for (DutyNameState& name : *state->mutable_duties()) {
    CloseOpen(step, holder, &name);
    if (name.has_stretch() && !name.is_over()) CountAct(step, holder, &name);
  }
  const policy::PolicyIndex* index = step.policy.index.get();
  if (index == nullptr) return;
  const uint32_t type = policy::EventTypeOf(*step.event.event);
  const auto& table = holder.is_staff() ? index->staff_duties : index->customer_duties;
  if (type >= table.size()) return;
  for (const int duty : table[type]) OpenBy(step, holder, step.policy.policy.duties(duty), state);
}

std::vector<pb::DutyEntry> ReadDuties(const policy::Timeline& timeline, const DutyHolder& holder,
                                      const CustomerState& state, absl::Time at) {
  std::vector<pb::DutyEntry> entries;
  if (timeline.memory() == nullptr) return entries;
  CustomerState advanced = state;
  AdvanceDuties(timeline, holder, at, &advanced);
  std::set<std::string> read;
  for (const pb::Duty& duty : PolicyInForce(timeline, at).policy.duties()) {
    if (!IsMine(duty, holder)) continue;
    if (duty.has_on_staff_status()) ReadStaffTriggered(timeline, advanced, duty, at, &entries);
    for (const DutyNameState& name : advanced.duties()) {
      if (name.name() != duty.name()) continue;
      read.insert(name.name());
      ReadName(timeline, holder, advanced, name, at, &entries);
    }
  }
  // What an earlier version began.
  for (const DutyNameState& name : advanced.duties()) {
    if (read.count(name.name()) == 0) ReadName(timeline, holder, advanced, name, at, &entries);
  }
  return entries;
}

std::vector<std::string> StaffConcerned(const policy::PolicyVersion& version, const pb::Event& event) {
  std::vector<std::string> staff;
  if (version.index == nullptr || !version.index->has_staff_duty) return staff;
  const uint32_t type = policy::EventTypeOf(event);
  if (type >= version.index->staff_duties.size()) return staff;
  for (const int index : version.index->staff_duties[type]) {
    const pb::Duty& duty = version.policy.duties(index);
    for (std::string& id :
         policy::FieldTexts(event, duty.staff_field().empty() ? "staff_id" : duty.staff_field())) {
      if (!id.empty()) staff.push_back(std::move(id));
    }
  }
  std::sort(staff.begin(), staff.end());
  staff.erase(std::unique(staff.begin(), staff.end()), staff.end());
  return staff;
}

CustomerState FoldStaff(const policy::Timeline& timeline, const std::string& staff_id, const History& history,
                        absl::Time true_at) {
  CustomerState state;
  const DutyHolder holder{staff_id};
  for (const HistoryEvent& event : history.events) {
    if (event.business_time > true_at) break;
    if (event.event == nullptr) continue;
    const Step step{timeline, PolicyInForce(timeline, event.business_time), event};
    AdvanceDuties(timeline, holder, step.at(), &state);
    ApplyDuties(step, holder, &state);
    RememberEvent(step, &state);
    if (state.events() == 0) state.set_first_us(ToMicros(step.at()));
    state.set_events(state.events() + 1);
    state.set_last_us(ToMicros(step.at()));
    state.set_last_position(event.position);
  }
  return state;
}

}  // namespace ledger::rules
