#include "services/ctl/import/event_mapper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/ctl/import/utf8.h"
#include "services/ctl/import/values.h"
#include "storage/status_macros.h"
#include "storage/vault/contact_point.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;

// The contract's limits. They are checked here too, so that one record that breaks them is a bad record and
// does not bring its whole message down.
constexpr size_t kIdBytesMax = 128;
constexpr size_t kNoteBytesMax = 4096;
constexpr size_t kEventBytesMax = 64 << 10;
constexpr size_t kTextBytesMax = 16 << 10;
constexpr int kAttributesMax = 64;
constexpr int kOffsetSecondsMax = 64800;
constexpr uint32_t kDecimalsMax = 6;

absl::Status Bad(absl::string_view message) { return absl::InvalidArgumentError(message); }

const std::string* Find(const SourceRecord& record, const std::string& name) {
  for (const SourceFields* fields : {&record.fields, &record.case_fields}) {
    for (const auto& [key, value] : *fields) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

absl::StatusOr<const std::string*> Require(const SourceRecord& record, const std::string& name) {
  const std::string* value = Find(record, name);
  if (value == nullptr || value->empty()) {
    return Bad(absl::StrCat("the field '", name, "' is ", value == nullptr ? "missing" : "empty"));
  }
  return value;
}

absl::Status CheckText(const std::string& name, absl::string_view text) {
  if (text.size() > kTextBytesMax) {
    return Bad(absl::StrCat("the field '", name, "' has ", text.size(), " bytes; at most ", kTextBytesMax,
                            " may be kept: leave it out of the mapping, or shorten it"));
  }
  if (text.find('\0') != absl::string_view::npos) {
    return Bad(absl::StrCat("the field '", name, "' holds a zero byte"));
  }
  return absl::OkStatus();
}

absl::Status CheckId(absl::string_view what, const std::string& id) {
  if (id.empty() || id.size() > kIdBytesMax || HasControlCharacter(id)) {
    return Bad(absl::StrCat(what, " must have 1 to ", kIdBytesMax,
                            " bytes and no control characters; this has ", id.size(), " bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckDeal(const DealMapping& deal) {
  if (deal.kind() == pb::DEAL_KIND_UNSPECIFIED || !pb::DealKind_IsValid(deal.kind())) {
    return Bad("deal.kind is required, e.g. DEAL_KIND_SALE");
  }
  if (deal.amount_field().empty()) return absl::OkStatus();
  const std::string& code = deal.currency_code();
  if (code.size() != 3 ||
      !std::all_of(code.begin(), code.end(), [](unsigned char c) { return absl::ascii_isupper(c); })) {
    return Bad("deal.currency_code must be three capital letters, e.g. \"CNY\"");
  }
  if (deal.decimals() > kDecimalsMax) return Bad(absl::StrCat("deal.decimals is at most ", kDecimalsMax));
  return absl::OkStatus();
}

absl::Status CheckRule(const ActivityRule& rule) {
  switch (rule.becomes_case()) {
    case ActivityRule::kDeal:
      return CheckDeal(rule.deal());
    case ActivityRule::kGrade:
      if (rule.grade().scheme().empty() || rule.grade().class_source_case() == 0) {
        return Bad("grade needs a scheme, and class_field or fixed_class");
      }
      return absl::OkStatus();
    case ActivityRule::kContact:
    case ActivityRule::kVisit:
    case ActivityRule::kRegistration:
    case ActivityRule::kAssignment:
    case ActivityRule::kFact:
    case ActivityRule::kIgnore:
      return absl::OkStatus();
    case ActivityRule::BECOMES_NOT_SET:
      break;
  }
  return Bad("it does not say what its activities become: contact, visit, grade, deal, ...");
}

absl::Status CheckMapping(const Mapping& mapping) {
  if (mapping.customer().field().empty()) return Bad("the mapping lacks customer.field");
  if (mapping.time().field().empty()) return Bad("the mapping lacks time.field");
  if (mapping.time().has_civil()) {
    const CivilTime& civil = mapping.time().civil();
    if (civil.format().empty()) return Bad("the mapping's time.civil lacks a format");
    for (const char* offset : {"%z", "%Ez", "%E*z", "%Z"}) {
      if (civil.format().find(offset) != std::string::npos) {
        return Bad("the mapping's time.civil.format may not hold an offset; leave civil out for ISO 8601");
      }
    }
    if (civil.utc_offset_seconds() < -kOffsetSecondsMax || civil.utc_offset_seconds() > kOffsetSecondsMax) {
      return Bad(absl::StrCat("the mapping's time.civil.utc_offset_seconds goes from -", kOffsetSecondsMax,
                              " to ", kOffsetSecondsMax));
    }
  }
  if (mapping.activity().fields().empty() == mapping.activity().fixed().empty()) {
    return Bad("the mapping's activity needs either fields or fixed");
  }
  if (mapping.attribute_fields_size() > kAttributesMax) {
    return Bad(absl::StrCat("the mapping may keep at most ", kAttributesMax, " attribute_fields"));
  }
  for (int i = 0; i < mapping.rules_size(); ++i) {
    const absl::Status status = CheckRule(mapping.rules(i));
    if (!status.ok()) return Bad(absl::StrCat("the mapping's rule ", i + 1, ": ", status.message()));
  }
  return absl::OkStatus();
}

absl::Status SetGrade(const GradeMapping& rule, const SourceRecord& record, pb::GradeChanged* grade) {
  grade->set_scheme(rule.scheme());
  grade->set_to_class(rule.fixed_class());
  if (rule.class_source_case() == GradeMapping::kClassField) {
    LEDGER_ASSIGN_OR_RETURN(const std::string* to_class, Require(record, rule.class_field()));
    LEDGER_RETURN_IF_ERROR(CheckText(rule.class_field(), *to_class));
    grade->set_to_class(*to_class);
  }
  return absl::OkStatus();
}

absl::Status SetDeal(const DealMapping& rule, const SourceRecord& record, pb::DealRecorded* deal) {
  deal->set_kind(rule.kind());
  if (rule.deal_id_field().empty()) {
    deal->set_deal_id(absl::StrCat(record.number));
  } else {
    LEDGER_ASSIGN_OR_RETURN(const std::string* id, Require(record, rule.deal_id_field()));
    LEDGER_RETURN_IF_ERROR(CheckId("the deal's id", *id));
    deal->set_deal_id(*id);
  }
  if (rule.amount_field().empty()) return absl::OkStatus();
  LEDGER_ASSIGN_OR_RETURN(const std::string* amount, Require(record, rule.amount_field()));
  const absl::StatusOr<int64_t> minor_units = ParseDecimal(*amount, static_cast<int>(rule.decimals()));
  if (!minor_units.ok()) {
    return Bad(absl::StrCat("the field '", rule.amount_field(), "': ", minor_units.status().message()));
  }
  deal->mutable_amount()->set_minor_units(*minor_units);
  deal->mutable_amount()->set_currency_code(rule.currency_code());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EventMapper> EventMapper::Create(Mapping mapping, absl::string_view source,
                                                absl::string_view phone_region) {
  LEDGER_RETURN_IF_ERROR(CheckMapping(mapping));
  EventMapper mapper;
  mapper.phone_region_ = std::string(phone_region);
  mapper.source_ = mapping.source().empty() ? std::string(source) : mapping.source();
  for (int i = 0; i < mapping.rules_size(); ++i) {
    if (mapping.rules(i).activities().empty() && mapper.rule_of_rest_ < 0) mapper.rule_of_rest_ = i;
    for (const std::string& activity : mapping.rules(i).activities()) {
      mapper.rule_of_activity_.emplace(activity, i);  // the first rule stays
    }
  }
  mapper.mapping_ = std::move(mapping);
  return mapper;
}

absl::StatusOr<std::optional<pb::NewEvent>> EventMapper::Map(const SourceRecord& record) const {
  const std::string activity = Activity(record);
  const ActivityRule* rule = RuleFor(activity);
  if (rule != nullptr && rule->has_ignore()) return std::nullopt;
  LEDGER_ASSIGN_OR_RETURN(const std::string customer, CustomerId(record));
  LEDGER_ASSIGN_OR_RETURN(const std::string staff, StaffId(record));

  pb::NewEvent result;
  pb::Event& event = *result.mutable_event();
  LEDGER_ASSIGN_OR_RETURN(*event.mutable_occurred_time(), OccurredTime(record));
  pb::ImportEvidence& evidence = *event.mutable_evidence();
  evidence.set_source(source_);
  evidence.set_record_number(record.number);
  const auto& ignored = mapping_.owner().ignored();
  if (!staff.empty() && std::find(ignored.begin(), ignored.end(), staff) == ignored.end()) {
    evidence.mutable_recorded_owner()->set_staff_id(staff);
  }
  LEDGER_RETURN_IF_ERROR(SetNote(record, &event));
  LEDGER_RETURN_IF_ERROR(rule == nullptr ? SetFact(record, customer, activity, staff, &event)
                                         : SetBody(*rule, record, customer, activity, staff, &event));
  if (result.ByteSizeLong() > kEventBytesMax) {
    return Bad(absl::StrCat("the event would have ", result.ByteSizeLong(), " bytes; at most ",
                            kEventBytesMax, " are allowed: keep fewer fields"));
  }
  return result;
}

const std::string& EventMapper::CustomerOf(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kContactLogged:
      return event.contact_logged().customer_id();
    case pb::Event::kVisitLogged:
      return event.visit_logged().customer_id();
    case pb::Event::kGradeChanged:
      return event.grade_changed().customer_id();
    case pb::Event::kDealRecorded:
      return event.deal_recorded().customer_id();
    case pb::Event::kCustomerRegistered:
      return event.customer_registered().customer_id();
    case pb::Event::kOwnerAssigned:
      return event.owner_assigned().customer_id();
    default:
      return event.activity_recorded().customer_id();
  }
}

const ActivityRule* EventMapper::RuleFor(const std::string& activity) const {
  const auto named = rule_of_activity_.find(activity);
  int index = rule_of_rest_;
  if (named != rule_of_activity_.end() && (index < 0 || named->second < index)) index = named->second;
  return index < 0 ? nullptr : &mapping_.rules(index);
}

absl::StatusOr<std::string> EventMapper::CustomerId(const SourceRecord& record) const {
  LEDGER_ASSIGN_OR_RETURN(const std::string* id, Require(record, mapping_.customer().field()));
  std::string customer = absl::StrCat(mapping_.customer().prefix(), *id);
  LEDGER_RETURN_IF_ERROR(CheckId("a customer's id", customer));
  // The ledger looks for the same, and would refuse the whole message for one such record.
  if (vault::LooksLikeContactPoint(customer, phone_region_)) {
    return Bad(
        "the customer's id is a phone number or an e-mail address; ids cannot be erased, so name customers "
        "by an "
        "opaque id");
  }
  return customer;
}

absl::StatusOr<pb::ZonedTime> EventMapper::OccurredTime(const SourceRecord& record) const {
  LEDGER_ASSIGN_OR_RETURN(const std::string* text, Require(record, mapping_.time().field()));
  if (!mapping_.time().has_civil()) return ParseIsoTime(*text);
  return ParseCivilTime(*text, mapping_.time().civil().format(),
                        mapping_.time().civil().utc_offset_seconds());
}

// Empty where the source does not say.
absl::StatusOr<std::string> EventMapper::StaffId(const SourceRecord& record) const {
  if (mapping_.owner().field().empty()) return std::string();
  const std::string* staff = Find(record, mapping_.owner().field());
  if (staff == nullptr || staff->empty()) return std::string();
  LEDGER_RETURN_IF_ERROR(CheckId("an owner's id", *staff));
  return *staff;
}

std::string EventMapper::Activity(const SourceRecord& record) const {
  if (!mapping_.activity().fixed().empty()) return mapping_.activity().fixed();
  std::vector<absl::string_view> parts;
  for (const std::string& field : mapping_.activity().fields()) {
    const std::string* value = Find(record, field);
    if (value != nullptr && !value->empty()) parts.emplace_back(*value);
  }
  const std::string& separator = mapping_.activity().separator();
  return absl::StrJoin(parts, separator.empty() ? "/" : separator);
}

absl::Status EventMapper::SetNote(const SourceRecord& record, pb::Event* event) const {
  std::vector<std::string> parts;
  for (const std::string& field : mapping_.note_fields()) {
    const std::string* value = Find(record, field);
    if (value == nullptr || value->empty()) continue;
    LEDGER_RETURN_IF_ERROR(CheckText(field, *value));
    parts.push_back(absl::StrCat(field, "=", *value));
  }
  event->set_note(absl::StrJoin(parts, "; "));
  if (event->note().size() > kNoteBytesMax) {
    return Bad(absl::StrCat("the note would have more than ", kNoteBytesMax, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status EventMapper::SetFact(const SourceRecord& record, const std::string& customer,
                                  const std::string& activity, const std::string& staff,
                                  pb::Event* event) const {
  if (activity.empty()) return Bad("the record does not say what happened: its activity is empty");
  LEDGER_RETURN_IF_ERROR(CheckText("activity", activity));
  pb::ActivityRecorded& fact = *event->mutable_activity_recorded();
  fact.set_customer_id(customer);
  fact.set_activity(activity);
  fact.set_staff_id(staff);
  for (const std::string& field : mapping_.attribute_fields()) {
    const std::string* value = Find(record, field);
    if (value == nullptr || value->empty()) continue;
    LEDGER_RETURN_IF_ERROR(CheckText(field, *value));
    (*fact.mutable_attributes())[field] = *value;
  }
  return absl::OkStatus();
}

absl::Status EventMapper::SetBody(const ActivityRule& rule, const SourceRecord& record,
                                  const std::string& customer, const std::string& activity,
                                  const std::string& staff, pb::Event* event) const {
  switch (rule.becomes_case()) {
    case ActivityRule::kContact: {
      pb::ContactLogged& contact = *event->mutable_contact_logged();
      contact.set_customer_id(customer);
      contact.set_staff_id(staff);
      contact.set_channel(rule.contact().channel());
      contact.set_direction(rule.contact().direction());
      return absl::OkStatus();
    }
    case ActivityRule::kVisit: {
      pb::VisitLogged& visit = *event->mutable_visit_logged();
      visit.set_customer_id(customer);
      visit.set_staff_id(staff);
      visit.set_direction(rule.visit().direction());
      visit.set_on_site(rule.visit().on_site());
      return absl::OkStatus();
    }
    case ActivityRule::kGrade:
      event->mutable_grade_changed()->set_customer_id(customer);
      return SetGrade(rule.grade(), record, event->mutable_grade_changed());
    case ActivityRule::kDeal:
      event->mutable_deal_recorded()->set_customer_id(customer);
      event->mutable_deal_recorded()->set_closed_by(staff);
      return SetDeal(rule.deal(), record, event->mutable_deal_recorded());
    case ActivityRule::kRegistration: {
      if (staff.empty()) return Bad("the record is a registration but does not say who registered");
      pb::CustomerRegistered& registered = *event->mutable_customer_registered();
      registered.set_customer_id(customer);
      registered.set_registrar_id(staff);
      const std::string* source = Find(record, rule.registration().source_field());
      if (source == nullptr) return absl::OkStatus();
      registered.set_source(*source);
      return CheckText(rule.registration().source_field(), *source);
    }
    case ActivityRule::kAssignment:
      if (staff.empty()) return Bad("the record is an assignment but names no owner");
      event->mutable_owner_assigned()->set_customer_id(customer);
      event->mutable_owner_assigned()->mutable_owner()->set_staff_id(staff);
      return absl::OkStatus();
    case ActivityRule::kFact:
    case ActivityRule::kIgnore:
    case ActivityRule::BECOMES_NOT_SET:
      break;
  }
  return SetFact(record, customer, activity, staff, event);
}

}  // namespace ledger::ctl
