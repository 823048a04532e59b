#include "tests/projections/rules/testing.h"

#include <google/protobuf/text_format.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr absl::Duration kOffset = absl::Hours(8);

google::protobuf::Timestamp Stamp(absl::Time time) {
  google::protobuf::Timestamp stamp;
  stamp.set_seconds(absl::ToUnixSeconds(time));
  return stamp;
}

void SetTime(absl::Time time, pb::ZonedTime* zoned) {
  *zoned->mutable_time() = Stamp(time);
  zoned->set_utc_offset_seconds(28'800);
}

}  // namespace

pb::Policy ShippedPolicy(const std::string& name) {
  std::ifstream file(std::string(LEDGER_POLICIES) + "/" + name + ".textproto");
  std::stringstream text;
  text << file.rdbuf();
  return PolicyFrom(text.str());
}

pb::Policy PolicyFrom(const std::string& text) {
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &policy));
  return policy;
}

pb::Event EventFrom(const std::string& text) {
  pb::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  const auto* reflection = event.GetReflection();
  const auto* body =
      reflection->GetOneofFieldDescriptor(event, pb::Event::descriptor()->FindOneofByName("body"));
  if (body == nullptr) return event;
  google::protobuf::Message* message = reflection->MutableMessage(&event, body);
  const auto* customer_id = message->GetDescriptor()->FindFieldByName("customer_id");
  if (customer_id != nullptr && message->GetReflection()->GetString(*message, customer_id).empty()) {
    message->GetReflection()->SetString(message, customer_id, "c1");
  }
  return event;
}

absl::Time Local(absl::string_view text) {
  absl::Time time;
  std::string error;
  for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &error)) return time - kOffset;
  }
  ADD_FAILURE() << "not a time: " << text;
  return absl::UnixEpoch();
}

std::string LocalText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(time.seconds()) + kOffset,
                          absl::UTCTimeZone());
}

pb::Owner Staff(const std::string& id) {
  pb::Owner owner;
  owner.set_staff_id(id);
  return owner;
}

pb::Owner Unit(const std::string& id) {
  pb::Owner owner;
  owner.set_unit_id(id);
  return owner;
}

pb::Event Registered(const std::string& staff, const std::string& scope, const std::string& customer) {
  pb::Event event;
  event.mutable_customer_registered()->set_customer_id(customer);
  event.mutable_customer_registered()->set_registrar_id(staff);
  event.mutable_customer_registered()->set_scope(scope);
  return event;
}

pb::Event Contact(const std::string& staff, pb::ContactOutcome outcome) {
  pb::Event event;
  event.mutable_contact_logged()->set_customer_id("c1");
  event.mutable_contact_logged()->set_staff_id(staff);
  event.mutable_contact_logged()->set_outcome(outcome);
  return event;
}

pb::Event ContactAgreeing(const std::string& staff, absl::string_view next, pb::ContactOutcome outcome) {
  pb::Event event = Contact(staff, outcome);
  SetTime(Local(next), event.mutable_contact_logged()->mutable_next_contact_time());
  return event;
}

pb::Event Visit(const std::string& staff) {
  pb::Event event;
  event.mutable_visit_logged()->set_customer_id("c1");
  event.mutable_visit_logged()->set_staff_id(staff);
  return event;
}

pb::Event Deal(pb::DealKind kind, const std::string& scope) {
  pb::Event event;
  event.mutable_deal_recorded()->set_customer_id("c1");
  event.mutable_deal_recorded()->set_kind(kind);
  event.mutable_deal_recorded()->set_scope(scope);
  return event;
}

pb::Event Assigned(const std::string& staff) {
  pb::Event event;
  event.mutable_owner_assigned()->set_customer_id("c1");
  *event.mutable_owner_assigned()->mutable_owner() = Staff(staff);
  return event;
}

pb::Event Released(const std::string& staff) {
  pb::Event event;
  event.mutable_owner_released()->set_customer_id("c1");
  *event.mutable_owner_released()->mutable_owner() = Staff(staff);
  return event;
}

pb::Event Proposed(const std::string& id, const std::string& from, const std::string& to,
                   const std::string& by) {
  pb::Event event;
  pb::TransferProposed* proposed = event.mutable_transfer_proposed();
  proposed->set_customer_id("c1");
  proposed->set_transfer_id(id);
  *proposed->mutable_from() = Staff(from);
  *proposed->mutable_to() = Staff(to);
  proposed->set_proposed_by(by);
  return event;
}

pb::Event Accepted(const std::string& id, const std::string& by) {
  pb::Event event;
  event.mutable_transfer_accepted()->set_customer_id("c1");
  event.mutable_transfer_accepted()->set_transfer_id(id);
  event.mutable_transfer_accepted()->set_receiver_id(by);
  return event;
}

pb::Event Declined(const std::string& id, const std::string& by) {
  pb::Event event;
  event.mutable_transfer_declined()->set_customer_id("c1");
  event.mutable_transfer_declined()->set_transfer_id(id);
  event.mutable_transfer_declined()->set_receiver_id(by);
  return event;
}

pb::Event Cancelled(const std::string& id) {
  pb::Event event;
  event.mutable_transfer_cancelled()->set_customer_id("c1");
  event.mutable_transfer_cancelled()->set_transfer_id(id);
  return event;
}

pb::Event Graded(const std::string& class_name, const std::string& scheme) {
  pb::Event event;
  event.mutable_grade_changed()->set_customer_id("c1");
  event.mutable_grade_changed()->set_scheme(scheme);
  event.mutable_grade_changed()->set_to_class(class_name);
  event.mutable_grade_changed()->add_decided_by("boss");
  return event;
}

pb::Event Opened(const std::string& dispute) {
  pb::Event event;
  event.mutable_dispute_opened()->set_customer_id("c1");
  event.mutable_dispute_opened()->set_dispute_id(dispute);
  return event;
}

pb::Event Resolved(const std::string& dispute, const std::string& owner) {
  pb::Event event;
  event.mutable_dispute_resolved()->set_customer_id("c1");
  event.mutable_dispute_resolved()->set_dispute_id(dispute);
  if (!owner.empty()) *event.mutable_dispute_resolved()->mutable_owner() = Staff(owner);
  return event;
}

pb::Event TrackingEnded() {
  pb::Event event;
  event.mutable_tracking_ended()->set_customer_id("c1");
  return event;
}

pb::Event Withdrawn(uint64_t position) {
  pb::Event event;
  event.mutable_event_corrected()->set_customer_id("c1");
  event.mutable_event_corrected()->set_target_position(position);
  return event;
}

pb::Event Corrected(uint64_t position, pb::Event right, absl::string_view occurred) {
  SetTime(Local(occurred), right.mutable_occurred_time());
  pb::Event event = Withdrawn(position);
  *event.mutable_event_corrected()->mutable_right_event() = std::move(right);
  return event;
}

pb::Event Merged(const std::string& goes_on, const std::string& alias) {
  pb::Event event;
  event.mutable_customers_merged()->set_customer_id(goes_on);
  event.mutable_customers_merged()->set_absorbed_customer_id(alias);
  return event;
}

pb::Event Unmerged(const std::string& goes_on, const std::string& alias) {
  pb::Event event;
  event.mutable_customers_unmerged()->set_customer_id(goes_on);
  event.mutable_customers_unmerged()->set_absorbed_customer_id(alias);
  return event;
}

pb::Event RecordedOwner(const std::string& staff) {
  pb::Event event;
  event.mutable_activity_recorded()->set_customer_id("c1");
  event.mutable_evidence()->set_source("file");
  if (!staff.empty()) *event.mutable_evidence()->mutable_recorded_owner() = Staff(staff);
  return event;
}

Scenario::Scenario() : Scenario(ShippedPolicy("default")) {}

Scenario::Scenario(const pb::Policy& policy) { Adopt("2020-01-01", policy); }

uint64_t Scenario::Given(absl::string_view occurred, pb::Event event, absl::string_view recorded) {
  pb::Record record;
  SetTime(Local(occurred), event.mutable_occurred_time());
  record.mutable_header()->set_position(++position_);
  *record.mutable_header()->mutable_recorded_time() = Stamp(Local(recorded.empty() ? occurred : recorded));
  record.mutable_header()->set_event_type(policy::EventTypeOf(event));
  record.mutable_header()->set_policy_version(timeline_.empty() ? 0 : timeline_.Latest().number);
  *record.mutable_event() = std::move(event);
  timeline_.Apply(record);
  if (!policy::Timeline::IsReference(record.header().event_type())) records_.push_back(std::move(record));
  return position_;
}

void Scenario::Adopt(absl::string_view recorded, const pb::Policy& policy) {
  pb::Event event;
  *event.mutable_policy_adopted()->mutable_policy() = policy;
  Given(recorded, event);
}

void Scenario::SetStaff(absl::string_view occurred, const std::string& staff, pb::StaffStatus status) {
  pb::Event event;
  event.mutable_staff_status_changed()->set_staff_id(staff);
  event.mutable_staff_status_changed()->set_status(status);
  Given(occurred, event);
}

CustomerState Scenario::StateAt(absl::string_view true_at) const {
  const auto state = Fold(timeline_, BuildHistory(timeline_, records_), Local(true_at));
  EXPECT_TRUE(state.ok()) << state.status();
  return state.ok() ? *state : CustomerState();
}

pb::Ownership Scenario::OwnershipAt(absl::string_view true_at, const std::string& scope) const {
  for (const pb::Ownership& ownership : ReadOwnerships(timeline_, StateAt(true_at), Local(true_at))) {
    if (ownership.scope() == scope) return ownership;
  }
  return pb::Ownership();
}

std::string Scenario::OwnerAt(absl::string_view true_at, const std::string& scope) const {
  const pb::Ownership ownership = OwnershipAt(true_at, scope);
  switch (ownership.state()) {
    case pb::CUSTODY_STATE_OWNED:
      return ownership.owner().has_staff_id() ? ownership.owner().staff_id()
                                              : "unit " + ownership.owner().unit_id();
    case pb::CUSTODY_STATE_POOLED:
      return "public pool";
    case pb::CUSTODY_STATE_IN_TRANSFER:
      return "in transfer";
    case pb::CUSTODY_STATE_VOID:
      return "void";
    default:
      return "none";
  }
}

std::string Scenario::CallbackAt(absl::string_view true_at) const {
  const auto callbacks = ReadCallbacks(timeline_, StateAt(true_at), Local(true_at));
  if (callbacks.empty()) return "none";
  EXPECT_EQ(callbacks.size(), 1u);
  return absl::StrCat(LocalText(callbacks[0].due_time()), callbacks[0].overdue() ? " overdue" : "");
}

std::string Scenario::TierAt(absl::string_view true_at, const std::string& scheme) const {
  for (const pb::Tier& tier : ReadTiers(timeline_, StateAt(true_at), Local(true_at))) {
    if (tier.scheme() == scheme) return tier.class_name().empty() ? "none" : tier.class_name();
  }
  return "no such scheme";
}

absl::StatusOr<Decision> Scenario::WhenProposed(absl::string_view at, pb::Event event) const {
  const CustomerState state = StateAt(at);
  SetTime(Local(at), event.mutable_occurred_time());
  DecisionContext context;
  context.timeline = &timeline_;
  context.customer = &state;
  context.recorded_time = Local(at);
  return Decide(context, event);
}

void Scenario::ThenRefuses(absl::string_view at, pb::Event event, absl::StatusCode code,
                           absl::string_view reason) const {
  const auto decision = WhenProposed(at, std::move(event));
  EXPECT_EQ(decision.status().code(), code) << decision.status();
  EXPECT_TRUE(absl::StartsWith(decision.status().message(), absl::StrCat(reason, ": ")))
      << decision.status() << " instead of " << reason;
}

void Scenario::ThenAccepts(absl::string_view at, pb::Event event) const {
  const auto decision = WhenProposed(at, std::move(event));
  EXPECT_TRUE(decision.ok()) << decision.status();
}

}  // namespace ledger::rules::testing
