#include "projections/policy/checks.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

void CheckCadenceClass(const pb::Policy& policy, const std::string& path, const pb::Cadence& cadence,
                       Findings* findings) {
  if (cadence.scheme().empty()) {
    if (cadence.class_name().empty()) return;
    findings->Error(
        absl::StrCat(path, ".scheme"),
        "is missing although a class is named; name the scheme, or leave both empty for every customer");
    return;
  }
  const auto& schemes = policy.grade_schemes();
  const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](const pb::GradeScheme& known) {
    return known.name() == cadence.scheme();
  });
  if (scheme == schemes.end()) {
    findings->Error(absl::StrCat(path, ".scheme"),
                    absl::StrCat("there is no grade scheme \"", cadence.scheme(),
                                 "\", so nobody would be called; name one of "
                                 "grade_schemes"));
    return;
  }
  const auto& classes = scheme->classes();
  const bool known = std::any_of(classes.begin(), classes.end(), [&](const pb::GradeClass& grade) {
    return grade.name() == cadence.class_name();
  });
  if (!known) {
    findings->Error(
        absl::StrCat(path, ".class_name"),
        absl::StrCat("the scheme \"", cadence.scheme(), "\" has no class \"", cadence.class_name(),
                     "\", so nobody would be called; name one of its classes"));
  }
}

void CheckFollowUps(const pb::CallBack& rules, Findings* findings) {
  std::set<std::string> names;
  for (int i = 0; i < rules.follow_ups_size(); ++i) {
    const pb::FollowUp& follow_up = rules.follow_ups(i);
    const std::string path = absl::StrCat("call_back.follow_ups[", i, "]");
    findings->CheckName(absl::StrCat(path, ".name"), follow_up.name());
    if (!follow_up.name().empty() && !names.insert(follow_up.name()).second) {
      findings->Error(absl::StrCat(path, ".name"),
                      "names two follow-ups, and one would end the other; rename one");
    }
    if (follow_up.from().empty()) {
      findings->Error(absl::StrCat(path, ".from"), "is empty, so it would never begin; name an event");
    }
    if (follow_up.until().empty() && !follow_up.once()) {
      findings->Error(absl::StrCat(path, ".until"),
                      "is empty, so it would never end; name an event, or set once");
    }
    if (follow_up.once() && follow_up.has_every()) {
      findings->Error(absl::StrCat(path, ".every"),
                      "would do nothing: the first contact settles it; remove once or every");
    }
  }
  for (int i = 0; i < rules.occasions_size(); ++i) {
    const pb::Occasion& occasion = rules.occasions(i);
    const std::string path = absl::StrCat("call_back.occasions[", i, "]");
    findings->CheckName(absl::StrCat(path, ".name"), occasion.name());
    if (!occasion.name().empty() && !names.insert(occasion.name()).second) {
      findings->Error(absl::StrCat(path, ".name"),
                      "names something else too, and answers could not tell which; rename one");
    }
    if (occasion.dates().empty() && occasion.date_fact().empty() && occasion.on().empty()) {
      findings->Error(path, "never comes: it has no dates, no date_fact and no event; set one");
    }
    if (!occasion.on().empty()) findings->CheckPeriod(absl::StrCat(path, ".within"), occasion.has_within());
    for (int j = 0; j < occasion.dates_size(); ++j) {
      const pb::OccasionDate& date = occasion.dates(j);
      const int year = date.year() == 0 ? 2000 : date.year();  // a leap year
      const bool exists = (date.year() == 0 || (year >= 1900 && year <= 2200)) && date.month() >= 1 &&
                          date.month() <= 12 && date.day() >= 1 &&
                          absl::CivilDay(year, date.month(), date.day()).month() == date.month();
      if (!exists) findings->Error(absl::StrCat(path, ".dates[", j, "]"), "is no day of the calendar");
    }
  }
}

void CheckWeekdays(const std::string& path, const google::protobuf::RepeatedField<uint32_t>& days,
                   Findings* findings) {
  for (int i = 0; i < days.size(); ++i) {
    if (days[i] >= 1 && days[i] <= 7) continue;
    findings->Error(absl::StrCat(path, "[", i, "]"),
                    absl::StrCat("is ", days[i], ", which is no day; 1 Monday to 7 Sunday are allowed"));
  }
}

bool NotBefore(const pb::TimeOfDay& a, const pb::TimeOfDay& b) {
  return std::make_pair(a.hour(), a.minute()) >= std::make_pair(b.hour(), b.minute());
}

void CheckContactTerms(const pb::CallBack& rules, Findings* findings) {
  for (int i = 0; i < rules.quiet_hours_size(); ++i) {
    const pb::QuietHours& quiet = rules.quiet_hours(i);
    const std::string path = absl::StrCat("call_back.quiet_hours[", i, "]");
    if (!quiet.has_from() || !quiet.has_until()) {
      findings->Error(path, "needs both from and until; without them nobody could tell when it is quiet");
    } else if (NotBefore(quiet.from(), quiet.until()) && NotBefore(quiet.until(), quiet.from())) {
      findings->Error(path,
                      "begins and ends at the same time, so that nobody could ever call; set two times");
    }
  }
  for (int i = 0; i < rules.windows_size(); ++i) {
    const pb::CallWindow& window = rules.windows(i);
    const std::string path = absl::StrCat("call_back.windows[", i, "]");
    CheckWeekdays(absl::StrCat(path, ".weekdays"), window.weekdays(), findings);
    if (!window.has_from() && !window.has_until()) {
      findings->Error(path, "changes nothing; set from or until, or remove it");
    } else if (window.has_from() && window.has_until() && NotBefore(window.from(), window.until())) {
      findings->Error(path, "ends before it begins, so that no hour would suit; set until after from");
    }
  }
  CheckWeekdays("call_back.best_weekdays", rules.best_weekdays(), findings);
  for (int i = 0; i < rules.channel_rules_size(); ++i) {
    const pb::ChannelRule& rule = rules.channel_rules(i);
    const std::string path = absl::StrCat("call_back.channel_rules[", i, "]");
    const bool asks = !rule.needs_fact().empty() || !rule.unless_fact().empty();
    if (!rule.forbidden() && !asks) {
      findings->Error(path, "forbids nothing; set forbidden, needs_fact or unless_fact");
    } else if (rule.forbidden() && asks) {
      findings->Error(path, "forbids always, so its facts would do nothing; remove one of the two");
    }
  }
  for (int i = 0; i < rules.tracking_end_reasons_size(); ++i) {
    if (rules.tracking_end_reasons(i) != pb::TRACKING_END_UNSPECIFIED) continue;
    findings->Error(absl::StrCat("call_back.tracking_end_reasons[", i, "]"), "names no reason; give one");
  }
}

}  // namespace

void CheckCallBack(const pb::Policy& policy, Findings* findings) {
  const pb::CallBack& rules = policy.call_back();
  std::set<std::tuple<std::string, std::string, std::string, std::string>> seen;
  for (int i = 0; i < rules.cadences_size(); ++i) {
    const pb::Cadence& cadence = rules.cadences(i);
    const std::string path = absl::StrCat("call_back.cadences[", i, "]");
    CheckCadenceClass(policy, path, cadence, findings);
    if (!seen.insert({cadence.scheme(), cadence.class_name(), cadence.fact(), cadence.unless_fact()})
             .second) {
      findings->Error(absl::StrCat(path, ".class_name"), "a second cadence for the same class; remove one");
    }
    if (cadence.once() && !cadence.first_same_day()) {
      findings->Error(absl::StrCat(path, ".once"),
                      "lets nothing ever be due without first_same_day; set that, or remove once");
    }
    if (cadence.once() && cadence.first_same_day()) continue;
    findings->CheckPeriod(absl::StrCat(path, ".every"), cadence.has_every());
  }
  CheckFollowUps(rules, findings);
  CheckContactTerms(rules, findings);
}

}  // namespace ledger::policy
