#include "projections/rules/call_back/contact_terms.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/fact/fact.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Duration Since0(const pb::TimeOfDay& time) {
  return absl::Hours(time.hour()) + absl::Minutes(time.minute());
}

std::string ClockText(const pb::TimeOfDay& time) {
  return absl::StrCat(time.hour() < 10 ? "0" : "", time.hour(), ":", time.minute() < 10 ? "0" : "",
                      time.minute());
}

template <typename Values, typename Value>
bool Contains(const Values& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool IsQuietFor(const pb::QuietHours& quiet, pb::ContactChannel channel) {
  if (quiet.channels().empty()) return channel == pb::CONTACT_CHANNEL_PHONE;
  return Contains(quiet.channels(), channel);
}

bool Exempt(const pb::QuietHours& quiet, const CustomerState& customer) {
  return !quiet.unless_fact().empty() && Holds(customer, quiet.unless_fact());
}

bool WithinQuiet(const pb::Policy& policy, const pb::QuietHours& quiet, absl::Time at) {
  const absl::Duration now = at - StartOfDay(policy, LocalDay(policy, at));
  const absl::Duration from = Since0(quiet.from());
  const absl::Duration until = Since0(quiet.until());
  return from < until ? now >= from && now < until : now >= from || now < until;
}

// 1 Monday to 7 Sunday.
uint32_t WeekdayNumber(absl::CivilDay day) {
  return static_cast<uint32_t>(static_cast<int>(absl::GetWeekday(day)) -
                               static_cast<int>(absl::Weekday::monday)) +
         1;
}

bool Applies(const pb::ChannelRule& rule, pb::ContactChannel channel) {
  return rule.channels().empty() || Contains(rule.channels(), channel);
}

// Why `rule` forbids; empty: it does not.
std::string Forbids(const pb::Policy& policy, const pb::ChannelRule& rule, const CustomerState& customer) {
  if (rule.forbidden()) return "is never allowed";
  if (!rule.needs_fact().empty() && !Holds(customer, rule.needs_fact())) {
    return absl::StrCat("needs something that is missing: ", FactMeaning(policy, rule.needs_fact()));
  }
  if (!rule.unless_fact().empty() && Holds(customer, rule.unless_fact())) {
    return absl::StrCat("is not allowed for this customer: ", FactMeaning(policy, rule.unless_fact()));
  }
  return "";
}

std::string ChannelText(pb::ContactChannel channel) {
  switch (channel) {
    case pb::CONTACT_CHANNEL_PHONE:
      return "a call";
    case pb::CONTACT_CHANNEL_SMS:
      return "a short message";
    case pb::CONTACT_CHANNEL_MAIL:
      return "an e-mail";
    case pb::CONTACT_CHANNEL_LETTER:
      return "a letter";
    case pb::CONTACT_CHANNEL_FAX:
      return "a fax";
    case pb::CONTACT_CHANNEL_VISIT:
      return "a visit";
    case pb::CONTACT_CHANNEL_MEETING:
      return "a meeting";
    default:
      return "a contact";
  }
}

bool ParseClock(absl::string_view text, absl::Duration* time) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  uint32_t hour = 0;
  uint32_t minute = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &hour) || !absl::SimpleAtoi(parts[1], &minute) ||
      hour > 23 || minute > 59) {
    return false;
  }
  *time = absl::Hours(hour) + absl::Minutes(minute);
  return true;
}

// The hours of one day.
struct Hours {
  absl::Duration from = absl::ZeroDuration();
  absl::Duration until = kDay;
  std::vector<std::string> rule_ids;
};

// The customer's own hours, "HH:MM-HH:MM" or "HH:MM"; false: none are known.
bool OwnHours(const pb::CallBack& rules, const CustomerState& state, Hours* hours) {
  if (rules.habit_fact().empty() || !Holds(state, rules.habit_fact())) return false;
  const std::string& value = FindFact(state, rules.habit_fact())->value();
  const std::vector<absl::string_view> parts = absl::StrSplit(value, '-');
  Hours own;
  if (parts.size() > 2 || !ParseClock(parts[0], &own.from)) return false;
  if (parts.size() == 2 && !ParseClock(parts[1], &own.until)) return false;
  own.rule_ids.push_back(rules.habit_rule_id());
  *hours = std::move(own);
  return true;
}

Hours HoursOn(const pb::CallBack& rules, const CustomerState& state, absl::CivilDay day) {
  Hours hours;
  if (OwnHours(rules, state, &hours)) return hours;
  for (const pb::CallWindow& window : rules.windows()) {
    if (!window.weekdays().empty() && !Contains(window.weekdays(), WeekdayNumber(day))) continue;
    if (!window.fact().empty() && !Holds(state, window.fact())) continue;
    if (!window.unless_fact().empty() && Holds(state, window.unless_fact())) continue;
    if (window.has_from()) hours.from = std::max(hours.from, Since0(window.from()));
    if (window.has_until()) hours.until = std::min(hours.until, Since0(window.until()));
    hours.rule_ids.push_back(window.rule_id());
  }
  return hours;
}

void SetHours(const pb::Policy& policy, const CustomerState& state, absl::CivilDay day,
              pb::Callback* callback) {
  const pb::CallBack& rules = policy.call_back();
  const absl::Time start = StartOfDay(policy, day);
  const Hours hours = HoursOn(rules, state, day);
  if (hours.from > absl::ZeroDuration()) *callback->mutable_earliest_time() = ToTimestamp(start + hours.from);
  if (hours.until < kDay) *callback->mutable_latest_time() = ToTimestamp(start + hours.until);
  for (const std::string& rule_id : hours.rule_ids) callback->add_window_rule_ids(rule_id);
  for (const pb::QuietHours& quiet : rules.quiet_hours()) {
    if (Exempt(quiet, state)) continue;
    // The hours that begin on that day; those of the night before end with the first of it.
    const absl::Duration from = Since0(quiet.from());
    const absl::Duration until = Since0(quiet.until());
    const auto add = [&](absl::Duration begin, absl::Duration end) {
      pb::ForbiddenHours* forbidden = callback->add_forbidden();
      *forbidden->mutable_from_time() = ToTimestamp(start + begin);
      *forbidden->mutable_until_time() = ToTimestamp(start + end);
      *forbidden->mutable_channels() = quiet.channels();
      if (quiet.channels().empty()) forbidden->add_channels(pb::CONTACT_CHANNEL_PHONE);
      forbidden->set_rule_id(quiet.rule_id());
    };
    if (from < until) {
      add(from, until);
    } else {
      if (until > absl::ZeroDuration()) add(absl::ZeroDuration(), until);
      add(from, kDay + until);
    }
  }
}

void SetChannels(const pb::Policy& policy, const CustomerState& state, pb::ContactChannel only,
                 pb::Callback* callback) {
  const pb::CallBack& rules = policy.call_back();
  std::vector<std::string> cited;
  if (only != pb::CONTACT_CHANNEL_UNSPECIFIED) {
    callback->add_allowed_channels(only);
    return;
  }
  bool restricted = !rules.channels().empty();
  if (restricted) cited.push_back(rules.channels_rule_id());
  std::vector<pb::ContactChannel> allowed;
  allowed.reserve(pb::ContactChannel_ARRAYSIZE);
  for (int value = pb::CONTACT_CHANNEL_PHONE; value < pb::ContactChannel_ARRAYSIZE; ++value) {
    const auto channel = static_cast<pb::ContactChannel>(value);
    if (!rules.channels().empty() && !Contains(rules.channels(), channel)) continue;
    const pb::ChannelRule* forbidding = nullptr;
    for (const pb::ChannelRule& rule : rules.channel_rules()) {
      // What depends on the purpose is asked when the purpose is known.
      if (!rule.purposes().empty() || !Applies(rule, channel) || Forbids(policy, rule, state).empty())
        continue;
      forbidding = &rule;
      break;
    }
    if (forbidding == nullptr) {
      allowed.push_back(channel);
      continue;
    }
    restricted = true;
    if (!Contains(cited, forbidding->rule_id())) cited.push_back(forbidding->rule_id());
  }
  if (!restricted) return;
  for (const pb::ContactChannel channel : allowed) callback->add_allowed_channels(channel);
  for (std::string& rule_id : cited) callback->add_channel_rule_ids(std::move(rule_id));
}

}  // namespace

absl::Status CheckContactTerms(const pb::Policy& policy, const CustomerState& customer,
                               pb::ContactChannel channel, absl::string_view purpose, absl::Time at) {
  const pb::CallBack& rules = policy.call_back();
  for (const pb::ChannelRule& rule : rules.channel_rules()) {
    if (!Applies(rule, channel)) continue;
    if (!rule.purposes().empty() && !Contains(rule.purposes(), std::string(purpose))) continue;
    const std::string why = Forbids(policy, rule, customer);
    if (why.empty()) continue;
    return Refuse(absl::StatusCode::kFailedPrecondition, "CHANNEL_NOT_ALLOWED",
                  absl::StrCat(ChannelText(channel), purpose.empty() ? "" : " for the purpose ", purpose, " ",
                               why, "; ask the customer, or choose another channel"),
                  rule.rule_id());
  }
  for (const pb::QuietHours& quiet : rules.quiet_hours()) {
    if (!IsQuietFor(quiet, channel) || Exempt(quiet, customer) || !WithinQuiet(policy, quiet, at)) continue;
    return Refuse(absl::StatusCode::kFailedPrecondition, "QUIET_HOURS",
                  absl::StrCat("nobody is contacted so from ", ClockText(quiet.from()), " until ",
                               ClockText(quiet.until()), ", and it is ", LocalText(policy, at),
                               "; wait, or choose another channel"),
                  quiet.rule_id());
  }
  if (!rules.refusal_holds()) return absl::OkStatus();
  for (const ScopeState& scope : customer.scopes()) {
    const CallBackState& call_back = scope.call_back();
    if (!call_back.has_refusal() || FromMicros(call_back.refused_until_us()) <= at) continue;
    return Refuse(
        absl::StatusCode::kFailedPrecondition, "CUSTOMER_REFUSED",
        absl::StrCat("the customer does not want to be contacted before ",
                     LocalText(policy, FromMicros(call_back.refused_until_us())), "; wait until then"),
        rules.refusal_rule_id());
  }
  return absl::OkStatus();
}

void SetContactTerms(const policy::Timeline& timeline, const CustomerState& state, const ScopeState& scope,
                     const DueCallBack& call, absl::Time at, pb::Callback* callback) {
  const pb::Policy& policy = PolicyInForce(timeline, at).policy;
  const pb::CallBack& rules = policy.call_back();
  SetChannels(policy, state, call.channel, callback);
  *callback->mutable_best_weekdays() = rules.best_weekdays();
  if (!rules.best_weekdays().empty()) callback->set_best_weekdays_rule_id(rules.best_weekdays_rule_id());
  if (rules.refusal_holds() && scope.call_back().has_refusal() &&
      FromMicros(scope.call_back().refused_until_us()) > at) {
    *callback->mutable_refused_until_time() = ToTimestamp(FromMicros(scope.call_back().refused_until_us()));
    callback->set_refusal_rule_id(rules.refusal_rule_id());
  }
  if (!call.has_date) return;
  const absl::CivilDay day = LocalDay(policy, call.due);
  callback->set_best_weekday(Contains(rules.best_weekdays(), WeekdayNumber(day)));
  SetHours(policy, state, day, callback);
}

absl::StatusOr<Decision> DecideContact(const Proposal& proposal, const pb::Event& event) {
  const pb::ContactLogged& contact = event.contact_logged();
  // Customers call when they like.
  if (contact.direction() == pb::DIRECTION_INBOUND) return Decision{};
  LEDGER_RETURN_IF_ERROR(CheckContactTerms(proposal.policy.policy, proposal.customer, contact.channel(),
                                           contact.purpose(), ToTime(event.occurred_time().time())));
  return Decision{};
}

absl::StatusOr<Decision> DecideNotified(const Proposal& proposal, const pb::Event& event) {
  const pb::CustomerNotified& notified = event.customer_notified();
  LEDGER_RETURN_IF_ERROR(CheckContactTerms(proposal.policy.policy, proposal.customer, notified.channel(),
                                           notified.cause(), ToTime(event.occurred_time().time())));
  return Decision{};
}

absl::StatusOr<Decision> DecideTrackingEnded(const Proposal& proposal, const pb::TrackingEnded& ended) {
  const pb::CallBack& rules = proposal.policy.policy.call_back();
  Decision decision;
  decision.rule_id = rules.tracking_end_rule_id();
  if (rules.tracking_end_reasons().empty() || Contains(rules.tracking_end_reasons(), ended.reason())) {
    return decision;
  }
  std::string allowed;
  for (const int reason : rules.tracking_end_reasons()) {
    absl::StrAppend(&allowed, allowed.empty() ? "" : ", ",
                    pb::TrackingEnd_Name(static_cast<pb::TrackingEnd>(reason)));
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, "TRACKING_END_REASON",
                absl::StrCat("customers are followed until one of these: ", allowed,
                             "; go on calling, or give one of them as the reason"),
                rules.tracking_end_rule_id());
}

}  // namespace ledger::rules
