#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/reference_events.pb.h"
#include "projections/policy/checks.h"
#include "projections/policy/event_match.h"
#include "projections/policy/event_names.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using Matches = google::protobuf::RepeatedPtrField<pb::EventMatch>;

// A field by which events belong together must be one of each of them.
void CheckFieldOf(const Matches& events, const std::string& field, const std::string& path,
                  Findings* findings) {
  if (field.empty()) return;
  for (const pb::EventMatch& match : events) {
    if (EventTypeByName(match.event()) == 0) continue;  // said elsewhere
    const std::string error = FieldPathError(match.event(), field);
    if (!error.empty()) {
      findings->Error(path, absl::StrCat(error,
                                         ", so nothing would ever belong together; name a field that all "
                                         "these events have"));
      return;
    }
  }
}

class Checker {
 public:
  Checker(const pb::Policy& policy, Findings* findings) : policy_(policy), findings_(findings) {}

  void CheckRequirement(int index) {
    const std::string path = JoinPath("", "requirements", index);
    const pb::Requirement& requirement = policy_.requirements(index);
    if (requirement.on().empty()) {
      findings_->Error(JoinPath(path, "on"), "is empty: nothing is asked of any event; name at least one");
    }
    if (requirement.effect() == pb::REQUIREMENT_EFFECT_UNSPECIFIED) {
      findings_->Error(JoinPath(path, "effect"),
                       "is missing: nothing would come of it; REQUIREMENT_EFFECT_REFUSE and "
                       "REQUIREMENT_EFFECT_FLAG are allowed");
    }
    if (requirement.rule_id().empty()) {
      findings_->Warning(JoinPath(path, "rule_id"),
                         "is missing; a refusal could not say which rule it follows");
    }
    if (requirement.effect() == pb::REQUIREMENT_EFFECT_REFUSE && requirement.has_consequence()) {
      findings_->Error(JoinPath(path, "consequence"),
                       "follows from a flag alone; what is refused did not happen. Leave it out, or set "
                       "REQUIREMENT_EFFECT_FLAG");
    }
    CheckNeeds(requirement.on(), requirement.when(), path, "when");
    CheckNeeds(requirement.on(), requirement.needs(), path, "needs");
    CheckConsequence(JoinPath(path, "consequence"), requirement.consequence());
  }

  void CheckDuty(int index) {
    const std::string path = JoinPath("", "duties", index);
    const pb::Duty& duty = policy_.duties(index);
    CheckName(path, duty.name(), index);
    const int ways = (duty.on().empty() ? 0 : 1) + (duty.after_overdue().empty() ? 0 : 1) +
                     (duty.has_on_staff_status() ? 1 : 0) + (duty.has_quota() ? 1 : 0);
    if (ways != 1) {
      findings_->Error(path, absl::StrCat(ways == 0 ? "nothing makes it due" : "several things make it due",
                                          "; set one of on, after_overdue, on_staff_status and quota"));
    }
    if (duty.done_by().empty()) {
      findings_->Error(JoinPath(path, "done_by"),
                       "is empty: nothing could fulfil it; name at least one event");
    }
    CheckFollows(path, duty);
    if (duty.has_quota()) CheckQuota(path, duty);
    if (duty.has_by()) CheckDeadline(path, duty);
    if (duty.has_on_staff_status()) CheckTrigger(JoinPath(path, "on_staff_status"), duty.on_staff_status());
    CheckNeeds(duty.on(), duty.when(), path, "when");
    const std::string same = JoinPath(path, "same_field");
    CheckFieldOf(duty.on(), duty.same_field(), same, findings_);
    CheckFieldOf(duty.done_by(), duty.same_field(), same, findings_);
    CheckFieldOf(duty.ended_by(), duty.same_field(), same, findings_);
    CheckConsequence(JoinPath(path, "consequence"), duty.consequence());
    if (duty.subject() == pb::DUTY_SUBJECT_STAFF) {
      CheckFieldOf(duty.done_by(), duty.staff_field().empty() ? "staff_id" : duty.staff_field(),
                   JoinPath(path, "staff_field"), findings_);
    } else if (!duty.staff_roles().empty() || !duty.staff_field().empty()) {
      findings_->Error(
          JoinPath(path, duty.staff_roles().empty() ? "staff_field" : "staff_roles"),
          "counts for DUTY_SUBJECT_STAFF alone and would do nothing; set the subject, or leave it out");
    }
  }

 private:
  void CheckName(const std::string& path, const std::string& name, int index) {
    findings_->CheckName(JoinPath(path, "name"), name);
    if (!name.empty() && !names_.insert(name).second) {
      findings_->Error(
          JoinPath(path, "name"),
          absl::StrCat("\"", name,
                       "\" names two duties, and what is done could not be told apart; rename one"));
    }
    if (policy_.duties(index).rule_id().empty()) {
      findings_->Warning(JoinPath(path, "rule_id"),
                         "is missing; an answer could not say which rule it follows");
    }
  }

  void CheckFollows(const std::string& path, const pb::Duty& duty) {
    if (duty.after_overdue().empty()) return;
    const auto first =
        std::find_if(policy_.duties().begin(), policy_.duties().end(),
                     [&duty](const pb::Duty& other) { return other.name() == duty.after_overdue(); });
    if (first == policy_.duties().end()) {
      findings_->Error(JoinPath(path, "after_overdue"),
                       absl::StrCat("there is no duty \"", duty.after_overdue(),
                                    "\", so this one would never be due; name one of duties"));
    } else if (!first->has_by() || first->has_quota()) {
      findings_->Error(
          JoinPath(path, "after_overdue"),
          absl::StrCat("\"", duty.after_overdue(),
                       "\" is never overdue, so this one would never be due; give it a deadline (by)"));
    }
  }

  void CheckQuota(const std::string& path, const pb::Duty& duty) {
    const pb::Quota& quota = duty.quota();
    const std::string here = JoinPath(path, "quota");
    if (quota.each() == pb::CALENDAR_UNIT_UNSPECIFIED) {
      findings_->Error(JoinPath(here, "each"), "is missing; say in which stretch of the calendar is counted");
    }
    if (quota.at_least() == 0 && quota.share_where().empty()) {
      findings_->Error(JoinPath(here, "at_least"), "asks for nothing; set a number, or a share");
    }
    const bool asks_share = !quota.share_where().empty();
    if (asks_share && (quota.share_basis_points() < 1 || quota.share_basis_points() > 10'000)) {
      findings_->Error(JoinPath(here, "share_basis_points"),
                       absl::StrCat("is ", quota.share_basis_points(), "; 1 to 10000 are allowed"));
    }
    if (duty.has_by()) {
      findings_->Error(JoinPath(path, "by"),
                       "does nothing in a quota, which is due when its stretch is over; leave it out");
    }
  }

  void CheckDeadline(const std::string& path, const pb::Duty& duty) {
    const std::string here = JoinPath(path, "by");
    const pb::Deadline& by = duty.by();
    if (by.last_case() == pb::Deadline::LAST_NOT_SET) {
      findings_->Error(
          here, "has no last day; set period, same_day, day_of_month, workday_of_month, end_of or field");
    }
    if (by.has_day_of_month() && (by.day_of_month() < 1 || by.day_of_month() > 31)) {
      findings_->Error(JoinPath(here, "day_of_month"),
                       absl::StrCat("is ", by.day_of_month(), "; 1 to 31 are allowed"));
    }
    if (by.has_workday_of_month() && (by.workday_of_month() < 1 || by.workday_of_month() > 20)) {
      findings_->Error(JoinPath(here, "workday_of_month"),
                       absl::StrCat("is ", by.workday_of_month(), "; 1 to 20 are allowed"));
    }
    if (by.has_field()) CheckFieldOf(duty.on(), by.field(), JoinPath(here, "field"), findings_);
    const bool exact = by.has_field() || by.period().has_hours() || by.period().has_minutes();
    if (by.has_at() && exact) {
      findings_->Error(JoinPath(here, "at"), "means nothing beside an exact time; leave one of them out");
    }
  }

  void CheckTrigger(const std::string& path, const pb::StaffTrigger& trigger) {
    for (int i = 0; i < trigger.statuses_size(); ++i) {
      std::string name = absl::StrCat("STAFF_STATUS_", trigger.statuses(i));
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
      if (pb::StaffStatus_descriptor()->FindValueByName(name) == nullptr) {
        findings_->Error(JoinPath(path, "statuses", i),
                         absl::StrCat("\"", trigger.statuses(i),
                                      "\" is no standing of staff, so it would never come; \"left\" is one"));
      }
    }
    if (trigger.statuses().empty()) {
      findings_->Error(JoinPath(path, "statuses"), "is empty: no change of standing makes it due; name one");
    }
    if (trigger.in_charge().empty()) {
      findings_->Error(
          JoinPath(path, "in_charge"),
          "is empty: nobody is in charge, so it would never be due; name the events that say who is");
    }
    for (int i = 0; i < trigger.in_charge_size(); ++i) {
      Matches one;
      *one.Add() = trigger.in_charge(i).event();
      CheckFieldOf(one, trigger.in_charge(i).field(), JoinPath(JoinPath(path, "in_charge", i), "field"),
                   findings_);
    }
  }

  void CheckNeeds(const Matches& on, const google::protobuf::RepeatedPtrField<pb::Need>& needs,
                  const std::string& path, absl::string_view name) {
    for (int i = 0; i < needs.size(); ++i) CheckNeed(on, needs[i], JoinPath(path, name, i));
  }

  void CheckNeed(const Matches& on, const pb::Need& need, const std::string& path) {
    switch (need.need_case()) {
      case pb::Need::kField:
        return CheckFieldOf(on, need.field().field(), JoinPath(path, "field.field"), findings_);
      case pb::Need::kEarlier:
        return CheckEarlier(on, need.earlier(), JoinPath(path, "earlier"));
      case pb::Need::kByRole:
        CheckFieldOf(on, need.by_role().field(), JoinPath(path, "by_role.field"), findings_);
        if (need.by_role().all_of().empty() && need.by_role().any_of().empty()) {
          findings_->Error(JoinPath(path, "by_role"),
                           "names no role, so anybody would do; set all_of or any_of");
        }
        return;
      case pb::Need::kNotBefore:
        return findings_->CheckPeriod(JoinPath(path, "not_before.period"), need.not_before().has_period());
      case pb::Need::kGrade:
        return CheckGrade(need.grade(), JoinPath(path, "grade"));
      case pb::Need::kSettled: {
        Matches both = need.settled().closed();
        *both.Add() = need.settled().opened();
        return CheckFieldOf(both, need.settled().same_field(), JoinPath(path, "settled.same_field"),
                            findings_);
      }
      case pb::Need::kAny:
        if (need.any().needs_size() < 2) {
          findings_->Error(
              JoinPath(path, "any.needs"),
              "has fewer than two entries, so there is nothing to choose; write the need itself");
        }
        return CheckNeeds(on, need.any().needs(), JoinPath(path, "any"), "needs");
      case pb::Need::kTimeOfDay:
      case pb::Need::kProfile:
        return;
      case pb::Need::NEED_NOT_SET:
        return findings_->Error(path, "asks for nothing; set what must hold, or leave it out");
    }
  }

  void CheckEarlier(const Matches& on, const pb::Earlier& earlier, const std::string& path) {
    if (earlier.events().empty()) {
      findings_->Error(JoinPath(path, "events"), "is empty: no earlier event is meant; name at least one");
    }
    CheckFieldOf(on, earlier.same_field(), JoinPath(path, "same_field"), findings_);
    CheckFieldOf(earlier.events(),
                 earlier.earlier_field().empty() ? earlier.same_field() : earlier.earlier_field(),
                 JoinPath(path, earlier.earlier_field().empty() ? "same_field" : "earlier_field"), findings_);
    CheckFieldOf(earlier.events(), earlier.distinct_field(), JoinPath(path, "distinct_field"), findings_);
    CheckFieldOf(earlier.events(), earlier.last_where().field(), JoinPath(path, "last_where.field"),
                 findings_);
    if (!earlier.distinct_field().empty() && !earlier.same_field().empty()) {
      findings_->Error(JoinPath(path, "distinct_field"),
                       "does not go with same_field: events are told apart by one field; leave one out");
    }
    if (earlier.has_within() && earlier.at_least() > 1) {
      findings_->Error(JoinPath(path, "at_least"),
                       "does not go with within: only the last event's time is remembered; leave one out");
    }
  }

  void CheckGrade(const pb::GradeMatch& match, const std::string& path) {
    const auto scheme =
        std::find_if(policy_.grade_schemes().begin(), policy_.grade_schemes().end(),
                     [&match](const pb::GradeScheme& known) { return known.name() == match.scheme(); });
    if (scheme == policy_.grade_schemes().end()) {
      findings_->Error(JoinPath(path, "scheme"),
                       absl::StrCat("there is no grade scheme \"", match.scheme(),
                                    "\", so no customer is meant; name one of grade_schemes"));
      return;
    }
    for (int i = 0; i < match.classes_size(); ++i) {
      const bool known =
          std::any_of(scheme->classes().begin(), scheme->classes().end(),
                      [&](const pb::GradeClass& grade) { return grade.name() == match.classes(i); });
      if (!known) {
        findings_->Error(JoinPath(path, "classes", i),
                         absl::StrCat("the scheme \"", match.scheme(), "\" has no class \"", match.classes(i),
                                      "\"; name one of its classes"));
      }
    }
  }

  void CheckConsequence(const std::string& path, const pb::Consequence& consequence) {
    uint32_t before = 1;
    for (int i = 0; i < consequence.escalations_size(); ++i) {
      const uint32_t from = consequence.escalations(i).from_time();
      if (from <= before) {
        findings_->Error(
            JoinPath(JoinPath(path, "escalations", i), "from_time"),
            absl::StrCat("is ", from, ", not more than what comes before it; begin at 2 and ascend"));
      }
      before = from;
    }
    if (consequence.has_amount() && consequence.amount().minor_units() < 0) {
      findings_->Error(JoinPath(path, "amount.minor_units"), "is negative; nobody is paid for a breach");
    }
  }

  const pb::Policy& policy_;
  Findings* findings_;
  std::set<std::string> names_;
};

}  // namespace

void CheckDuty(const pb::Policy& policy, Findings* findings) {
  Checker checker(policy, findings);
  for (int i = 0; i < policy.duties_size(); ++i) checker.CheckDuty(i);
  for (int i = 0; i < policy.requirements_size(); ++i) checker.CheckRequirement(i);
}

}  // namespace ledger::policy
