#include "projections/policy/event_names.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr uint32_t kNumbers = 1000;

struct BodyFields {
  const FieldDescriptor* body = nullptr;
  const FieldDescriptor* customer_id = nullptr;
};

// The bodies by number, looked up once: appends ask for every event.
const std::vector<BodyFields>& Bodies() {
  static const auto* const bodies = [] {
    auto* fields = new std::vector<BodyFields>(kNumbers);
    const auto* oneof = pb::Event::descriptor()->FindOneofByName("body");
    for (int i = 0; i < oneof->field_count(); ++i) {
      const FieldDescriptor* body = oneof->field(i);
      (*fields)[body->number()] = {body, body->message_type()->FindFieldByName("customer_id")};
    }
    return fields;
  }();
  return *bodies;
}

const BodyFields* FieldsOf(uint32_t event_type) {
  if (event_type >= kNumbers || Bodies()[event_type].body == nullptr) return nullptr;
  return &Bodies()[event_type];
}

std::string StringField(const Message& body, absl::string_view name) {
  const FieldDescriptor* field = body.GetDescriptor()->FindFieldByName(std::string(name.data(), name.size()));
  if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return "";
  }
  return body.GetReflection()->GetString(body, field);
}

// The id of an event that names no customer.
std::string OwnId(const Message& body, absl::string_view event_name) {
  for (absl::string_view field : {"case_id", "report_id", "list_id", "request_id", "record_id", "survey_id",
                                  "visit_id", "document_number", "lead_id", "staff_id"}) {
    std::string id = StringField(body, field);
    if (!id.empty()) return id;
  }
  return std::string(event_name);
}

void Add(pb::SubjectKind kind, std::string id, std::vector<pb::Subject>* subjects) {
  for (const pb::Subject& known : *subjects) {
    if (known.kind() == kind && known.id() == id) return;
  }
  pb::Subject subject;
  subject.set_kind(kind);
  subject.set_id(std::move(id));
  subjects->push_back(std::move(subject));
}

}  // namespace

absl::string_view EventName(uint32_t event_type) {
  const BodyFields* fields = FieldsOf(event_type);
  return fields == nullptr ? absl::string_view() : absl::string_view(fields->body->name());
}

uint32_t EventTypeByName(absl::string_view name) {
  const auto* oneof = pb::Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < oneof->field_count(); ++i) {
    if (absl::string_view(oneof->field(i)->name()) == name) return oneof->field(i)->number();
  }
  return 0;
}

uint32_t EventTypeOf(const pb::Event& event) { return static_cast<uint32_t>(event.body_case()); }

std::string CustomerIdOf(const pb::Event& event) {
  const BodyFields* fields = FieldsOf(EventTypeOf(event));
  if (fields == nullptr || fields->customer_id == nullptr) return "";
  const Message& body = event.GetReflection()->GetMessage(event, fields->body);
  return body.GetReflection()->GetString(body, fields->customer_id);
}

std::vector<pb::Subject> SubjectsOf(const pb::Event& event) {
  std::vector<pb::Subject> subjects;
  const BodyFields* fields = FieldsOf(EventTypeOf(event));
  if (fields == nullptr) return subjects;
  // Bodies that are about something else than their customer_id alone; all others follow below.
  switch (event.body_case()) {
    case pb::Event::kLedgerCreated:
    case pb::Event::kLineageStarted:
      Add(pb::SUBJECT_KIND_LEDGER, "ledger", &subjects);
      return subjects;
    case pb::Event::kPolicyAdopted:
      Add(pb::SUBJECT_KIND_POLICY, "policy", &subjects);
      return subjects;
    case pb::Event::kCalendarPublished:
      Add(pb::SUBJECT_KIND_CALENDAR, event.calendar_published().calendar_id(), &subjects);
      return subjects;
    case pb::Event::kStaffStatusChanged:
      Add(pb::SUBJECT_KIND_STAFF, event.staff_status_changed().staff_id(), &subjects);
      return subjects;
    case pb::Event::kPresenceChanged:
      Add(pb::SUBJECT_KIND_STAFF, event.presence_changed().staff_id(), &subjects);
      if (!event.presence_changed().site_id().empty()) {
        Add(pb::SUBJECT_KIND_SITE, event.presence_changed().site_id(), &subjects);
      }
      return subjects;
    case pb::Event::kReceptionAssigned:
      Add(pb::SUBJECT_KIND_CUSTOMER, event.reception_assigned().customer_id(), &subjects);
      if (!event.reception_assigned().site_id().empty()) {
        Add(pb::SUBJECT_KIND_SITE, event.reception_assigned().site_id(), &subjects);
      }
      return subjects;
    case pb::Event::kListSubmitted:
      // Whether a customer's invitation counts depends on the list.
      Add(pb::SUBJECT_KIND_RECORD, event.list_submitted().list_id(), &subjects);
      for (const std::string& customer_id : event.list_submitted().customer_ids()) {
        Add(pb::SUBJECT_KIND_CUSTOMER, customer_id, &subjects);
      }
      return subjects;
    case pb::Event::kBreachRecorded:
      Add(pb::SUBJECT_KIND_STAFF, event.breach_recorded().staff_id(), &subjects);
      return subjects;
    case pb::Event::kRotationSet:
      Add(pb::SUBJECT_KIND_SITE, event.rotation_set().site_id(), &subjects);
      return subjects;
    case pb::Event::kDeadlineLapsed:
    case pb::Event::kCommandRejected:
      Add(pb::SUBJECT_KIND_RECORD, fields->body->name(), &subjects);
      return subjects;
    case pb::Event::kRewardGranted:
      if (event.reward_granted().recipient_case() == pb::RewardGranted::kStaffId) {
        Add(pb::SUBJECT_KIND_STAFF, event.reward_granted().staff_id(), &subjects);
      } else {
        Add(pb::SUBJECT_KIND_CUSTOMER, event.reward_granted().customer_id(), &subjects);
      }
      return subjects;
    case pb::Event::kCustomersMerged:
      Add(pb::SUBJECT_KIND_CUSTOMER, event.customers_merged().customer_id(), &subjects);
      Add(pb::SUBJECT_KIND_CUSTOMER, event.customers_merged().absorbed_customer_id(), &subjects);
      return subjects;
    case pb::Event::kCustomersUnmerged:
      Add(pb::SUBJECT_KIND_CUSTOMER, event.customers_unmerged().customer_id(), &subjects);
      Add(pb::SUBJECT_KIND_CUSTOMER, event.customers_unmerged().absorbed_customer_id(), &subjects);
      return subjects;
    case pb::Event::kCustomersLinked:
      Add(pb::SUBJECT_KIND_CUSTOMER, event.customers_linked().customer_id(), &subjects);
      Add(pb::SUBJECT_KIND_CUSTOMER, event.customers_linked().other_customer_id(), &subjects);
      return subjects;
    case pb::Event::kClaimJoined:
      Add(pb::SUBJECT_KIND_CUSTOMER, event.claim_joined().customer_id(), &subjects);
      Add(pb::SUBJECT_KIND_CUSTOMER, event.claim_joined().claimant_customer_id(), &subjects);
      return subjects;
    default:
      break;
  }
  const Message& body = event.GetReflection()->GetMessage(event, fields->body);
  if (fields->customer_id != nullptr) {
    std::string customer_id = body.GetReflection()->GetString(body, fields->customer_id);
    if (!customer_id.empty()) {
      Add(pb::SUBJECT_KIND_CUSTOMER, std::move(customer_id), &subjects);
      return subjects;
    }
  }
  Add(pb::SUBJECT_KIND_RECORD, OwnId(body, fields->body->name()), &subjects);
  return subjects;
}

}  // namespace ledger::policy
