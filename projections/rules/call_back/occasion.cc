#include "projections/rules/call_back/occasion.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/fact/fact.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr size_t kMostOccasions = 12;
// How far ahead days that come every year are looked for.
constexpr int kYearsAhead = 5;

bool Exists(int64_t year, int month, int day) {
  return month >= 1 && month <= 12 && day >= 1 && absl::CivilDay(year, month, day).day() == day;
}

// The days of `date` from the year of `from` on.
void AddDays(const pb::OccasionDate& date, absl::CivilDay from, std::set<absl::CivilDay>* days) {
  const auto add = [&](int64_t year) {
    if (!Exists(year, date.month(), date.day())) return;
    const absl::CivilDay day(year, date.month(), date.day());
    if (day >= from) days->insert(day);
  };
  if (date.year() != 0) return add(date.year());
  for (int i = 0; i <= kYearsAhead; ++i) add(from.year() + i);
}

// The customer's own day, "MM-DD"; false: the value is none.
bool OwnDay(const CustomerState& state, const std::string& fact_name, pb::OccasionDate* date) {
  const FactState* fact = FindFact(state, fact_name);
  if (fact == nullptr || !fact->holds()) return false;
  const std::string& value = fact->value();
  int month = 0;
  int day = 0;
  if (value.size() != 5 || value[2] != '-' || !absl::SimpleAtoi(value.substr(0, 2), &month) ||
      !absl::SimpleAtoi(value.substr(3), &day)) {
    return false;
  }
  date->set_month(month);
  date->set_day(day);
  return true;
}

DueCallBack OnDay(const policy::PolicyVersion& policy, const pb::Occasion& occasion, absl::CivilDay day) {
  DueCallBack call;
  call.stands_from = StartOfDay(policy.policy, day);
  call.stands_until = StartOfDay(policy.policy, day + 1);
  call.due = LastInTime(call.stands_until);
  call.occasion = occasion.name();
  call.channel = occasion.channel();
  call.basis = MakeBasis(occasion.rule_id(), policy, StartOfDay(policy.policy, day));
  call.basis.set_arithmetic(absl::StrCat(occasion.name(), " on ", absl::FormatCivilTime(day)));
  return call;
}

bool Concerns(const pb::Occasion& occasion, const CustomerState& state, const ScopeState& scope) {
  if (scope.call_back().ended() && !occasion.after_tracking_ended()) return false;
  return occasion.fact().empty() || Holds(state, occasion.fact());
}

void AddDated(const policy::Timeline& timeline, const policy::PolicyVersion& policy,
              const pb::Occasion& occasion, const CustomerState& state, const ScopeState& scope,
              absl::Time at, std::vector<DueCallBack>* calls) {
  std::set<absl::CivilDay> days;
  const absl::CivilDay today = LocalDay(policy.policy, at);
  for (const pb::OccasionDate& date : occasion.dates()) AddDays(date, today, &days);
  if (pb::OccasionDate own; !occasion.date_fact().empty() && OwnDay(state, occasion.date_fact(), &own)) {
    AddDays(own, today, &days);
  }
  const CallBackState& call_back = scope.call_back();
  for (const absl::CivilDay day : days) {
    if (PolicyInForce(timeline, StartOfDay(policy.policy, day)).number != policy.number) continue;
    // Who was in touch that day has used the occasion.
    if (call_back.has_contact() && LocalDay(policy.policy, FromMicros(call_back.contact_us())) == day)
      continue;
    calls->push_back(OnDay(policy, occasion, day));
  }
}

void AddAnnounced(const policy::Timeline& timeline, const CustomerState& state, const ScopeState& scope,
                  absl::Time at, std::vector<DueCallBack>* calls) {
  for (const FollowUpState& open : state.follow_ups()) {
    const absl::Time from = FromMicros(open.from_us());
    const policy::PolicyVersion& policy = PolicyInForce(timeline, from);
    for (const pb::Occasion& occasion : policy.policy.call_back().occasions()) {
      if (occasion.name() != open.name() || occasion.on().empty()) continue;
      if (!Concerns(occasion, state, scope)) continue;
      const CallBackState& call_back = scope.call_back();
      if (call_back.has_contact() && std::make_pair(call_back.contact_us(), call_back.contact_position()) >
                                         std::make_pair(open.from_us(), open.position())) {
        continue;
      }
      const absl::Time end = PeriodEnd(timeline, policy.policy, from, occasion.within());
      if (end == absl::InfiniteFuture() || end <= at) continue;
      DueCallBack call;
      call.stands_from = from;
      call.stands_until = end;
      call.due = LastInTime(end);
      call.occasion = occasion.name();
      call.channel = occasion.channel();
      call.basis = MakeBasis(occasion.rule_id(), policy, from);
      call.basis.add_positions(open.position());
      call.basis.set_arithmetic(
          absl::StrCat(occasion.name(), " ", DescribePeriod(policy.policy, from, occasion.within(), end)));
      calls->push_back(std::move(call));
    }
  }
}

}  // namespace

std::vector<DueCallBack> Occasions(const policy::Timeline& timeline, const CustomerState& state,
                                   const ScopeState& scope, absl::Time at) {
  std::vector<DueCallBack> calls;
  if (timeline.empty() || scope.custody() != CUSTODY_OWNED || InLimbo(timeline, scope)) return calls;
  for (uint32_t number = 1; number <= timeline.Latest().number; ++number) {
    const policy::PolicyVersion* policy = timeline.Version(number);
    if (policy == nullptr) continue;
    for (const pb::Occasion& occasion : policy->policy.call_back().occasions()) {
      if (Concerns(occasion, state, scope)) AddDated(timeline, *policy, occasion, state, scope, at, &calls);
    }
  }
  AddAnnounced(timeline, state, scope, at, &calls);
  std::stable_sort(calls.begin(), calls.end(),
                   [](const DueCallBack& a, const DueCallBack& b) { return a.due < b.due; });
  if (calls.size() > kMostOccasions) calls.erase(calls.begin() + kMostOccasions, calls.end());
  return calls;
}

}  // namespace ledger::rules
