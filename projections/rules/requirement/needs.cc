#include "projections/rules/requirement/needs.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "projections/policy/event_match.h"
#include "projections/policy/policy_index.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/customer.h"
#include "projections/rules/requirement/memory.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

std::string KeyFieldOf(const pb::Earlier& earlier) {
  if (!earlier.distinct_field().empty()) return earlier.distinct_field();
  return earlier.earlier_field().empty() ? earlier.same_field() : earlier.earlier_field();
}

// The occurrences of `match` that `earlier` means, not after `at`.
const Occurrences* Meant(const NeedContext& context, const pb::Earlier& earlier, const pb::EventMatch& match,
                         const std::string& key) {
  const RememberedState* remembered = FindRemembered(context.state, match, KeyFieldOf(earlier));
  if (remembered == nullptr) return nullptr;
  const Occurrences* found = earlier.same_field().empty() ? &remembered->all() : FindKey(*remembered, key);
  if (found == nullptr || found->first_us() > ToMicros(context.at)) return nullptr;
  return found;
}

// Of those that are not after `at` the last; what lies between the first and the last is not remembered.
absl::Time LastOf(const NeedContext& context, const Occurrences& found) {
  return FromMicros(found.last_us() <= ToMicros(context.at) ? found.last_us() : found.first_us());
}

uint64_t CountOf(const NeedContext& context, const pb::Earlier& earlier, const pb::EventMatch& match,
                 const Occurrences& found) {
  if (earlier.distinct_field().empty()) return found.count();
  const RememberedState* remembered = FindRemembered(context.state, match, KeyFieldOf(earlier));
  return static_cast<uint64_t>(remembered->keyed_size());
}

bool Found(const NeedContext& context, const pb::Earlier& earlier) {
  std::string key;
  if (!earlier.same_field().empty()) {
    if (context.event == nullptr) return false;
    const std::vector<std::string> keys = policy::FieldTexts(*context.event, earlier.same_field());
    if (keys.empty() || keys[0].empty()) return false;
    key = keys[0];
  }
  uint64_t count = 0;
  const Occurrences* last = nullptr;
  const pb::EventMatch* last_match = nullptr;
  for (const pb::EventMatch& match : earlier.events()) {
    const Occurrences* found = Meant(context, earlier, match, key);
    if (found == nullptr) continue;
    if (earlier.has_within() && PeriodEnd(context.timeline, context.policy.policy, LastOf(context, *found),
                                          earlier.within()) <= context.at) {
      continue;
    }
    count += CountOf(context, earlier, match, *found);
    if (last == nullptr || std::make_pair(last->last_us(), last->last_position()) <
                               std::make_pair(found->last_us(), found->last_position())) {
      last = found;
      last_match = &match;
    }
  }
  if (last == nullptr || count < std::max<uint64_t>(1, earlier.at_least())) return false;
  if (!earlier.has_last_where()) return true;
  const Occurrences* narrower = Meant(context, earlier, policy::With(*last_match, earlier.last_where()), key);
  return narrower != nullptr && narrower->last_position() == last->last_position();
}

bool HasPost(const NeedContext& context, const pb::ByRole& by_role) {
  if (context.event == nullptr) return false;
  std::set<std::string> posts;
  for (const std::string& id : policy::FieldTexts(*context.event, by_role.field())) {
    const auto member = context.timeline.StaffAt(id, context.at);
    if (member.has_value() && member->status != pb::STAFF_STATUS_LEFT) posts.insert(member->role);
  }
  const auto held = [&posts](const std::string& role) { return posts.count(role) > 0; };
  return std::all_of(by_role.all_of().begin(), by_role.all_of().end(), held) &&
         (by_role.any_of().empty() || std::any_of(by_role.any_of().begin(), by_role.any_of().end(), held));
}

// When the waiting time is over; nullopt: nothing happened that it could be counted from.
struct Wait {
  absl::Time anchor;
  absl::Time end;
};
std::optional<Wait> WaitOf(const NeedContext& context, const pb::NotBefore& not_before) {
  std::optional<Wait> wait;
  for (const pb::EventMatch& match : not_before.events()) {
    const RememberedState* remembered = FindRemembered(context.state, match, "");
    if (remembered == nullptr || remembered->all().first_us() > ToMicros(context.at)) continue;
    const absl::Time anchor = LastOf(context, remembered->all());
    if (wait.has_value() && wait->anchor >= anchor) continue;
    // The period runs under the version in force when it began.
    const policy::PolicyVersion& version = PolicyInForce(context.timeline, anchor);
    wait = Wait{anchor, PeriodEnd(context.timeline, version.policy, anchor, not_before.period())};
  }
  return wait;
}

bool IsTime(const NeedContext& context, const pb::TimeWindow& window) {
  const pb::Policy& policy = context.policy.policy;
  const absl::Time midnight = StartOfDay(policy, LocalDay(policy, context.at));
  const auto instant = [midnight](const pb::TimeOfDay& time) {
    return midnight + absl::Hours(time.hour()) + absl::Minutes(time.minute());
  };
  return (!window.has_from() || context.at >= instant(window.from())) &&
         (!window.has_until() || context.at < instant(window.until()) + absl::Seconds(1));
}

bool HasGrade(const NeedContext& context, const pb::GradeMatch& match) {
  for (const pb::Tier& tier : ReadTiers(context.timeline, context.state, context.at)) {
    if (tier.scheme() != match.scheme()) continue;
    return std::find(match.classes().begin(), match.classes().end(), tier.class_name()) !=
           match.classes().end();
  }
  return false;
}

bool IsSettled(const NeedContext& context, const pb::Settled& settled) {
  const RememberedState* opened = FindRemembered(context.state, settled.opened(), settled.same_field());
  if (opened == nullptr) return true;
  for (const Occurrences& open : opened->keyed()) {
    if (open.first_us() > ToMicros(context.at)) continue;
    const bool closed =
        std::any_of(settled.closed().begin(), settled.closed().end(), [&](const pb::EventMatch& match) {
          const RememberedState* ends = FindRemembered(context.state, match, settled.same_field());
          const Occurrences* end = ends == nullptr ? nullptr : FindKey(*ends, open.key());
          return end != nullptr && std::make_pair(end->last_us(), end->last_position()) >
                                       std::make_pair(open.last_us(), open.last_position());
        });
    if (!closed) return false;
  }
  return true;
}

std::string TimeText(const pb::TimeOfDay& time) {
  return absl::StrCat(time.hour() < 10 ? "0" : "", time.hour(), time.minute() < 10 ? ":0" : ":",
                      time.minute());
}

template <typename Matches>
std::string Names(const Matches& matches) {
  return absl::StrJoin(matches, " or ", [](std::string* out, const pb::EventMatch& match) {
    absl::StrAppend(out, match.event());
  });
}

}  // namespace

bool Holds(const NeedContext& context, const pb::Need& need) {
  switch (need.need_case()) {
    case pb::Need::kField:
      return context.event != nullptr && policy::Matches(need.field(), *context.event);
    case pb::Need::kEarlier:
      return Found(context, need.earlier()) != need.earlier().none();
    case pb::Need::kByRole:
      return HasPost(context, need.by_role());
    case pb::Need::kNotBefore: {
      const std::optional<Wait> wait = WaitOf(context, need.not_before());
      return wait.has_value() && wait->end <= context.at;
    }
    case pb::Need::kTimeOfDay:
      return IsTime(context, need.time_of_day());
    case pb::Need::kProfile: {
      const absl::string_view value = ProfileValue(context.state, need.profile().field());
      const auto& wanted = need.profile().any_of();
      if (wanted.empty()) return !value.empty();
      return std::find(wanted.begin(), wanted.end(), std::string(value)) != wanted.end();
    }
    case pb::Need::kGrade:
      return HasGrade(context, need.grade());
    case pb::Need::kSettled:
      return IsSettled(context, need.settled());
    case pb::Need::kAny:
      return std::any_of(need.any().needs().begin(), need.any().needs().end(),
                         [&context](const pb::Need& one) { return Holds(context, one); });
    case pb::Need::NEED_NOT_SET:
      break;
  }
  return true;
}

bool AllHold(const NeedContext& context, const google::protobuf::RepeatedPtrField<pb::Need>& needs) {
  return std::all_of(needs.begin(), needs.end(),
                     [&context](const pb::Need& need) { return Holds(context, need); });
}

std::string DescribeNeed(const NeedContext& context, const pb::Need& need) {
  switch (need.need_case()) {
    case pb::Need::kField: {
      const pb::FieldMatch& field = need.field();
      if (field.any_of().empty() && !field.has_at_least() && !field.has_at_most()) {
        return absl::StrCat(field.field(), field.unless() ? " must be empty" : " must be given");
      }
      std::string text = absl::StrCat(field.field(), field.unless() ? " must not be" : " must be");
      if (!field.any_of().empty()) absl::StrAppend(&text, " ", absl::StrJoin(field.any_of(), " or "));
      if (field.has_at_least()) absl::StrAppend(&text, " at least ", field.at_least());
      if (field.has_at_most()) absl::StrAppend(&text, " at most ", field.at_most());
      return text;
    }
    case pb::Need::kEarlier: {
      const pb::Earlier& earlier = need.earlier();
      std::string text =
          absl::StrCat(earlier.none() ? "there must be no earlier " : "there must be an earlier ",
                       Names(earlier.events()));
      if (!earlier.same_field().empty()) absl::StrAppend(&text, " with the same ", earlier.same_field());
      return text;
    }
    case pb::Need::kByRole: {
      const pb::ByRole& by_role = need.by_role();
      return absl::StrCat(by_role.field(), " must name ", absl::StrJoin(by_role.all_of(), " and "),
                          by_role.all_of().empty() || by_role.any_of().empty() ? "" : ", and ",
                          absl::StrJoin(by_role.any_of(), " or "));
    }
    case pb::Need::kNotBefore: {
      const std::optional<Wait> wait = WaitOf(context, need.not_before());
      if (!wait.has_value()) {
        return absl::StrCat("nothing is recorded that the period counts from: ",
                            Names(need.not_before().events()));
      }
      const policy::PolicyVersion& version = PolicyInForce(context.timeline, wait->anchor);
      return absl::StrCat("not before ", LocalText(version.policy, wait->end), " (",
                          DescribePeriod(version.policy, wait->anchor, need.not_before().period(), wait->end),
                          ")");
    }
    case pb::Need::kTimeOfDay: {
      std::string text = "only";
      if (need.time_of_day().has_from())
        absl::StrAppend(&text, " from ", TimeText(need.time_of_day().from()));
      if (need.time_of_day().has_until()) {
        absl::StrAppend(&text, " until ", TimeText(need.time_of_day().until()));
      }
      return text;
    }
    case pb::Need::kProfile:
      return absl::StrCat(
          "the profile's ", need.profile().field(), " must be ",
          need.profile().any_of().empty() ? "given" : absl::StrJoin(need.profile().any_of(), " or "));
    case pb::Need::kGrade:
      return absl::StrCat("the customer must be ", need.grade().scheme(), " ",
                          absl::StrJoin(need.grade().classes(), " or "));
    case pb::Need::kSettled:
      return absl::StrCat("every ", need.settled().opened().event(), " must have come to its ",
                          Names(need.settled().closed()));
    case pb::Need::kAny:
      return absl::StrJoin(need.any().needs(), ", or ", [&context](std::string* out, const pb::Need& one) {
        absl::StrAppend(out, DescribeNeed(context, one));
      });
    case pb::Need::NEED_NOT_SET:
      break;
  }
  return "";
}

}  // namespace ledger::rules
