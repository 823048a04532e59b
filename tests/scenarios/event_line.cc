#include "tests/scenarios/event_line.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/personal.pb.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void Report(const Word& word, int column, const absl::Status& status, std::vector<Problem>* problems) {
  if (!status.ok()) problems->push_back({word.line, column, std::string(status.message())});
}

// The field that the subject column fills: the customer where the event has one, else its first id.
const FieldDescriptor* SubjectField(const Descriptor* body) {
  const FieldDescriptor* customer = body->FindFieldByName("customer_id");
  if (customer != nullptr) return customer;
  for (int i = 0; i < body->field_count(); ++i) {
    const FieldDescriptor* field = body->field(i);
    if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
        absl::EndsWith(field->name(), "_id")) {
      return field;
    }
  }
  return nullptr;
}

// True where `word` names something of the event besides its body.
bool SetBesides(const Reading& reading, const Descriptor* body, const Word& word, pb::NewEvent* added,
                std::vector<Problem>* problems) {
  const std::vector<std::string> path = absl::StrSplit(word.key, '.');
  if (body == pb::PolicyAdopted::descriptor() && path[0] == "set") {
    pb::Policy& policy = *added->mutable_event()->mutable_policy_adopted()->mutable_policy();
    const std::string text = word.quoted ? absl::StrCat("\"", word.value, "\"") : word.value;
    Report(word, word.column, SetFromText(absl::StripPrefix(word.key, "set."), text, &policy), problems);
    return true;
  }
  if (FindField(body, path[0]).ok()) return false;
  pb::PersonalData& personal = *added->mutable_personal();
  if (word.key == "name") {
    personal.set_name(word.value);
  } else if (word.key == "address") {
    personal.set_address(word.value);
  } else if (word.key == "personal_note") {
    personal.set_note(word.value);
  } else if (word.key == "phone" || word.key == "email") {
    pb::ContactPoint& point = *personal.add_contact_points();
    point.set_kind(word.key == "phone" ? pb::CONTACT_POINT_KIND_PHONE : pb::CONTACT_POINT_KIND_EMAIL);
    point.set_value(word.value);
  } else if (word.key == "note") {
    added->mutable_event()->set_note(word.value);
  } else if (path[0] == "evidence") {
    Report(word, word.column, SetField(reading, word.key, word.value, word.quoted, added->mutable_event()),
           problems);
  } else {
    return false;
  }
  return true;
}

}  // namespace

const FieldDescriptor* FindEventType(const Word& type, std::vector<Problem>* problems) {
  const auto* bodies = pb::Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < bodies->field_count(); ++i) {
    if (bodies->field(i)->name() == type.key && type.op.empty()) return bodies->field(i);
  }
  problems->push_back({type.line, type.column,
                       absl::StrCat("\"", type.key, type.op, type.value,
                                    "\" is no event; event.proto lists them, e.g. customer_registered")});
  return nullptr;
}

pb::NewEvent BuildEvent(const EventLine& line, Reading reading, std::vector<Problem>* problems) {
  pb::NewEvent added;
  reading.today = absl::CivilDay(line.at.time) - (line.at.end_of_day ? 1 : 0);
  const FieldDescriptor* type = FindEventType(line.type, problems);
  if (type == nullptr) return added;
  pb::Event& event = *added.mutable_event();
  *event.mutable_occurred_time()->mutable_time() = ToTimestamp(reading, line.at.time);
  event.mutable_occurred_time()->set_utc_offset_seconds(reading.utc_offset_seconds);
  Message* body = event.GetReflection()->MutableMessage(&event, type);
  if (line.subject.key != "-" || line.subject.quoted) {
    const FieldDescriptor* subject = SubjectField(type->message_type());
    if (subject == nullptr) {
      problems->push_back({line.subject.line, line.subject.column,
                           absl::StrCat("a ", type->name(), " is about nobody: write - instead")});
    } else {
      body->GetReflection()->SetString(body, subject, line.subject.key);
    }
  }
  if (event.has_policy_adopted()) *event.mutable_policy_adopted()->mutable_policy() = reading.policy;
  for (const Word& word : line.fields) {
    if (word.op != "=") {
      problems->push_back({word.line, word.column, "an event's field is set with ="});
    } else if (!SetBesides(reading, type->message_type(), word, &added, problems)) {
      const std::string name = word.key.substr(0, word.key.find('.'));
      const bool known = FindField(type->message_type(), name).ok();
      Report(word, known ? word.value_column : word.column,
             SetField(reading, word.key, word.value, word.quoted, body), problems);
    }
  }
  if (added.personal().ByteSizeLong() == 0) added.clear_personal();
  return added;
}

Lateness LatenessOf(const EventLine& line, const pb::Policy& policy) {
  // Beginnings of names: reference data, filings and signatures, the steps of hand-overs and disputes, decisions
  // about deletion and access, who is who.
  static constexpr absl::string_view kOnTime[] = {
      "ledger_",       "lineage_",          "policy_",          "calendar_",
      "staff_",        "presence_",         "rotation_",        "customer_registered",
      "registration_", "profile_submitted", "profile_reviewed", "contact_reviewed",
      "transfer_",     "dispute_",          "list_submitted",   "invitation_",
      "deletion_",     "record_destroyed",  "access_",          "authority_",
      "report_",       "grade_proposed",    "customers_merged", "customers_unmerged",
      "owner_"};
  const std::string& name = line.type.key;
  if (line.on_time) return Lateness::kOnTime;
  if (name == "event_corrected") return Lateness::kCorrection;
  if (std::any_of(std::begin(kOnTime), std::end(kOnTime),
                  [&name](absl::string_view begin) { return absl::StartsWith(name, begin); })) {
    return Lateness::kOnTime;
  }
  const auto& recorded = policy.business_time().counted_when_recorded();
  return std::find(recorded.begin(), recorded.end(), name) == recorded.end() ? Lateness::kLate
                                                                             : Lateness::kOnTime;
}

}  // namespace ledger::scenarios
