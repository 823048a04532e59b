#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "projections/policy/checks.h"
#include "projections/policy/event_match.h"
#include "projections/policy/event_names.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::Message;

void CheckLength(const std::string& path, absl::string_view unit, uint32_t value, uint32_t most,
                 Findings* findings) {
  if (value >= 1 && value <= most) return;
  findings->Error(JoinPath(path, unit), absl::StrCat("is ", value, "; 1 to ", most, " are allowed"));
}

void CheckPeriod(const std::string& path, const pb::Period& period, Findings* findings) {
  switch (period.length_case()) {
    case pb::Period::kDays:
      return CheckLength(path, "days", period.days(), 36'500, findings);
    case pb::Period::kMonths:
      return CheckLength(path, "months", period.months(), 1'200, findings);
    case pb::Period::kWorkdays:
      return CheckLength(path, "workdays", period.workdays(), 10'000, findings);
    case pb::Period::kHours:
      return CheckLength(path, "hours", period.hours(), 876'000, findings);
    case pb::Period::kMinutes:
      return CheckLength(path, "minutes", period.minutes(), 1'000'000, findings);
    case pb::Period::LENGTH_NOT_SET:
      return findings->Error(
          path, "has no length, so it would never end; set days, months, workdays, hours or minutes");
  }
}

void CheckTimeOfDay(const std::string& path, const pb::TimeOfDay& time, Findings* findings) {
  if (time.hour() > 23) {
    findings->Error(JoinPath(path, "hour"),
                    absl::StrCat("is ", time.hour(), ", which no clock shows; 0 to 23 are allowed"));
  }
  if (time.minute() > 59) {
    findings->Error(JoinPath(path, "minute"),
                    absl::StrCat("is ", time.minute(), ", which no clock shows; 0 to 59 are allowed"));
  }
}

// An event or a field that does not exist would match nothing, and nobody would notice.
void CheckEventMatch(const std::string& path, const pb::EventMatch& match, Findings* findings) {
  if (EventTypeByName(match.event()) == 0) {
    findings->Error(JoinPath(path, "event"),
                    absl::StrCat("there is no event \"", match.event(),
                                 "\", so nothing would be meant; name a body of Event such as "
                                 "\"contact_logged\""));
    return;
  }
  for (int i = 0; i < match.where_size(); ++i) {
    const pb::FieldMatch& where = match.where(i);
    const std::string error = FieldPathError(match.event(), where.field());
    if (!error.empty()) {
      findings->Error(JoinPath(JoinPath(path, "where", i), "field"),
                      absl::StrCat(error, ", so nothing would be meant; name one of its fields"));
    }
    if (where.has_at_least() && where.has_at_most() && where.at_least() > where.at_most()) {
      findings->Error(JoinPath(JoinPath(path, "where", i), "at_least"),
                      absl::StrCat("is ", where.at_least(), " and more than at_most, ", where.at_most(),
                                   ": no number lies between; exchange them"));
    }
  }
}

}  // namespace

void CheckTerms(const pb::Policy& policy, Findings* findings) {
  VisitMessages(policy, "", [findings](const std::string& path, const Message& message) {
    const auto* type = message.GetDescriptor();
    if (type == pb::Period::descriptor()) {
      CheckPeriod(path, static_cast<const pb::Period&>(message), findings);
    } else if (type == pb::TimeOfDay::descriptor()) {
      CheckTimeOfDay(path, static_cast<const pb::TimeOfDay&>(message), findings);
    } else if (type == pb::EventMatch::descriptor()) {
      CheckEventMatch(path, static_cast<const pb::EventMatch&>(message), findings);
    }
  });
}

}  // namespace ledger::policy
