#include "services/ledger/validate.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "customerledger/v1/time.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "projections/policy/event_names.h"
#include "storage/status_macros.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr size_t kTextBytesMax = 16 << 10;
constexpr int kElementsMax = 10'000;
constexpr int kDepthMax = 32;
constexpr int kOffsetSecondsMax = 64'800;
constexpr int64_t kYear1900Seconds = -2'208'988'800;
constexpr int64_t kYear2200Seconds = 7'258'118'400;

absl::Status Invalid(absl::string_view reason, absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(reason, ": ", where, " ", what));
}

absl::Status ValidateTime(const pb::ZonedTime& time, const std::string& where) {
  const int64_t seconds = time.time().seconds();
  if (!time.has_time() || seconds < kYear1900Seconds || seconds >= kYear2200Seconds ||
      time.time().nanos() < 0 || time.time().nanos() > 999'999'999) {
    return Invalid("BAD_TIME", where, "must be an instant from 1900 to 2199");
  }
  if (time.utc_offset_seconds() < -kOffsetSecondsMax || time.utc_offset_seconds() > kOffsetSecondsMax) {
    return Invalid("BAD_TIME", where, "has an offset from UTC beyond 18 hours");
  }
  return absl::OkStatus();
}

// Every text, list and time of a message, however deep.
absl::Status ValidateFields(const google::protobuf::Message& message, const std::string& where, int depth) {
  if (depth > kDepthMax) return Invalid("TOO_DEEP", where, "nests more than 32 messages");
  if (message.GetDescriptor() == pb::ZonedTime::descriptor()) {
    return ValidateTime(static_cast<const pb::ZonedTime&>(message), where);
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (!reflection.GetUnknownFields(message).empty()) {
    return Invalid("UNKNOWN_FIELD", where,
                   absl::StrCat("has field number ", reflection.GetUnknownFields(message).field(0).number(),
                                ", which this release does not know; ask a newer server"));
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    const std::string path = absl::StrCat(where, ".", field->name());
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    if (count > kElementsMax)
      return Invalid("TOO_MANY", path, absl::StrCat("has more than ", kElementsMax, " entries"));
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
        std::string scratch;
        const std::string& text = field->is_repeated()
                                      ? reflection.GetRepeatedStringReference(message, field, i, &scratch)
                                      : reflection.GetStringReference(message, field, &scratch);
        if (text.size() > kTextBytesMax) {
          return Invalid("TOO_LONG", path,
                         absl::StrCat("is ", text.size(), " bytes; at most ", kTextBytesMax));
        }
        if (text.find('\0') != std::string::npos) return Invalid("BAD_TEXT", path, "holds a zero byte");
      } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
        const google::protobuf::Message& child = field->is_repeated()
                                                     ? reflection.GetRepeatedMessage(message, field, i)
                                                     : reflection.GetMessage(message, field);
        LEDGER_RETURN_IF_ERROR(ValidateFields(child, path, depth + 1));
      } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_ENUM) {
        const int number = field->is_repeated() ? reflection.GetRepeatedEnumValue(message, field, i)
                                                : reflection.GetEnumValue(message, field);
        if (field->enum_type()->FindValueByNumber(number) == nullptr) {
          return Invalid("UNKNOWN_VALUE", path, absl::StrCat("has no value ", number));
        }
      }
    }
  }
  return absl::OkStatus();
}

// Bodies that are about a customer only sometimes.
bool MayLackCustomer(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kRegistrationFiled:
    case pb::Event::kVisitPlanned:
    case pb::Event::kAuthorityDelegated:
    case pb::Event::kRewardGranted:
    case pb::Event::kAccessRequested:
    case pb::Event::kAccessDecided:
    case pb::Event::kFileCustodyChanged:
    case pb::Event::kSurveyRecorded:
    case pb::Event::kCaseOpened:
    case pb::Event::kCaseStepCompleted:
    case pb::Event::kCaseClosed:
      return true;
    default:
      return false;
  }
}

// The message in the event's body. Requires: there is one.
const google::protobuf::Message& BodyOf(const pb::Event& event) {
  const auto* body = event.GetDescriptor()->FindOneofByName("body");
  const google::protobuf::Reflection& reflection = *event.GetReflection();
  return reflection.GetMessage(event, reflection.GetOneofFieldDescriptor(event, body));
}

absl::Status ValidateEvent(const pb::NewEvent& added, const std::string& where, bool from_import,
                           absl::Time now) {
  const pb::Event& event = added.event();
  if (policy::EventTypeOf(event) == 0) {
    return Invalid("UNKNOWN_EVENT_TYPE", where,
                   "has no body that this release knows; set one of the Event's bodies");
  }
  switch (event.body_case()) {
    case pb::Event::kLedgerCreated:
    case pb::Event::kLineageStarted:
    case pb::Event::kDeadlineLapsed:
    case pb::Event::kCommandRejected:
    case pb::Event::kClaimJoined:
      return Invalid("SET_BY_SERVER", where,
                     absl::StrCat("is a ", policy::EventName(policy::EventTypeOf(event)),
                                  ", which only the server appends"));
    default:
      break;
  }
  if (added.ByteSizeLong() > kEventBytesMax) {
    return Invalid("TOO_LARGE", where,
                   absl::StrCat("is ", added.ByteSizeLong(), " bytes; at most ", kEventBytesMax));
  }
  if (!event.has_occurred_time()) return Invalid("BAD_TIME", where, "has no occurred_time");
  if (event.note().size() > 4096) return Invalid("TOO_LONG", where + ".note", "is longer than 4,096 bytes");
  LEDGER_RETURN_IF_ERROR(ValidateFields(added, where, 0));
  if (absl::FromUnixSeconds(event.occurred_time().time().seconds()) > now + kAheadMax) {
    return Invalid("BAD_TIME", where + ".occurred_time",
                   "is more than ten minutes ahead of the ledger's clock");
  }
  if (from_import != event.has_evidence()) {
    return from_import
               ? Invalid("EVIDENCE_MISSING", where, "comes from an import and must say from where (evidence)")
               : Invalid("PRODUCER_MISSING", where,
                         "carries evidence, which only an import with a producer may");
  }
  if (BodyOf(event).GetDescriptor()->FindFieldByName("customer_id") != nullptr &&
      policy::CustomerIdOf(event).empty() && !MayLackCustomer(event)) {
    return Invalid("BAD_ID", where, "names no customer_id");
  }
  for (const pb::Subject& subject : policy::SubjectsOf(event)) {
    LEDGER_RETURN_IF_ERROR(ValidateId(subject.id(), absl::StrCat(where, ": the id of its subject")));
  }
  if (added.has_personal()) {
    if (policy::CustomerIdOf(event).empty()) {
      return Invalid("NO_CUSTOMER", where, "brings personal data and is about no customer");
    }
    const pb::PersonalData& personal = added.personal();
    if (personal.name().size() > 1024)
      return Invalid("TOO_LONG", where + ".personal.name", "is longer than 1,024 bytes");
    if (personal.address().size() > 4096) {
      return Invalid("TOO_LONG", where + ".personal.address", "is longer than 4,096 bytes");
    }
    if (personal.contact_points_size() > 16) {
      return Invalid("TOO_MANY", where + ".personal.contact_points", "has more than 16 entries");
    }
    for (const pb::ContactPoint& point : personal.contact_points()) {
      if (point.kind() == pb::CONTACT_POINT_KIND_UNSPECIFIED || point.value().empty() ||
          point.value().size() > 320) {
        return Invalid("BAD_CONTACT_POINT", where + ".personal.contact_points",
                       "needs a kind and a value of 1 to 320 bytes");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateChecks(const pb::AppendRequest& request) {
  std::set<std::pair<int, std::string>> checked;
  for (int i = 0; i < request.checks_size(); ++i) {
    const pb::SubjectCheck& check = request.checks(i);
    const std::string where = absl::StrCat("checks[", i, "]");
    if (check.subject().kind() == pb::SUBJECT_KIND_UNSPECIFIED ||
        check.subject().kind() == pb::SUBJECT_KIND_CONTACT_POINT) {
      return Invalid("BAD_CHECK", where, "must name a subject of a kind that callers name");
    }
    LEDGER_RETURN_IF_ERROR(ValidateId(check.subject().id(), where + ": the subject's id"));
    if (check.condition_case() == pb::SubjectCheck::CONDITION_NOT_SET) {
      return Invalid("BAD_CHECK", where, "has no condition: say version, no_subject, exists or any");
    }
    if (check.condition_case() == pb::SubjectCheck::kVersion && check.version() == 0) {
      return Invalid("BAD_CHECK", where, "requires version 0; say no_subject instead");
    }
    if (!checked.emplace(check.subject().kind(), check.subject().id()).second) {
      return Invalid("BAD_CHECK", where, "checks a subject for the second time");
    }
  }
  std::string missing;
  for (const pb::NewEvent& added : request.events()) {
    for (const pb::Subject& subject : policy::SubjectsOf(added.event())) {
      if (checked.emplace(subject.kind(), subject.id()).second) {
        absl::StrAppend(&missing, missing.empty() ? "" : ", ", pb::SubjectKind_Name(subject.kind()), " '",
                        subject.id(), "'");
      }
    }
  }
  if (!missing.empty()) {
    return Invalid("CHECK_MISSING", "checks",
                   absl::StrCat("must say what is required of ", missing, "; say any where nothing is"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateId(absl::string_view id, absl::string_view what) {
  if (id.empty() || id.size() > kIdBytesMax) {
    return Invalid("BAD_ID", what, absl::StrCat("must have 1 to ", kIdBytesMax, " bytes"));
  }
  for (char c : id) {
    if (absl::ascii_iscntrl(c)) return Invalid("BAD_ID", what, "must hold no control characters");
  }
  return absl::OkStatus();
}

absl::Status ValidateLedgerName(absl::string_view name) {
  const char kAllowed[] = "must be 1 to 64 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit";
  if (name.empty() || name.size() > 64 || !(absl::ascii_islower(name[0]) || absl::ascii_isdigit(name[0]))) {
    return Invalid("BAD_LEDGER_NAME", absl::StrCat("ledger name '", name.substr(0, 64), "'"), kAllowed);
  }
  for (char c : name) {
    if (!absl::ascii_islower(c) && !absl::ascii_isdigit(c) && c != '.' && c != '_' && c != '-') {
      return Invalid("BAD_LEDGER_NAME", absl::StrCat("ledger name '", name, "'"), kAllowed);
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateAppend(const pb::AppendRequest& request, bool from_import, absl::Time now) {
  if (from_import) {
    if (!request.request_id().empty()) {
      return Invalid("BAD_REQUEST", "request_id", "must be empty where a producer counts");
    }
  } else {
    LEDGER_RETURN_IF_ERROR(ValidateId(request.request_id(), "request_id"));
  }
  if (request.on_behalf_of().size() > kIdBytesMax) {
    return Invalid("TOO_LONG", "on_behalf_of", absl::StrCat("is longer than ", kIdBytesMax, " bytes"));
  }
  if (request.events().empty() || request.events_size() > kEventsMax) {
    return Invalid("BAD_REQUEST", "events", absl::StrCat("must be 1 to ", kEventsMax));
  }
  if (request.ByteSizeLong() > kRequestBytesMax) {
    return Invalid("TOO_LARGE", "the request",
                   absl::StrCat("is ", request.ByteSizeLong(), " bytes; at most ", kRequestBytesMax));
  }
  for (int i = 0; i < request.events_size(); ++i) {
    LEDGER_RETURN_IF_ERROR(
        ValidateEvent(request.events(i), absl::StrCat("events[", i, "]"), from_import, now));
  }
  return ValidateChecks(request);
}

}  // namespace ledger::services
