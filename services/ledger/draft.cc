#include "services/ledger/draft.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/duty/duty.h"
#include "projections/rules/reception/reception.h"
#include "services/common/status_metadata.h"
#include "services/ledger/policy_holds.h"
#include "services/ledger/validate.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::util::TimeUtil;

storage::SubjectKey Customer(const std::string& id) { return {pb::SUBJECT_KIND_CUSTOMER, id}; }
storage::SubjectKey Staff(const std::string& id) { return {pb::SUBJECT_KIND_STAFF, id}; }
storage::SubjectKey SiteOf(const std::string& id) { return {pb::SUBJECT_KIND_SITE, id}; }
storage::SubjectKey ContactPoint(const std::string& id) { return {pb::SUBJECT_KIND_CONTACT_POINT, id}; }

pb::Subject ToSubject(const storage::SubjectKey& key) {
  pb::Subject subject;
  subject.set_kind(key.kind);
  subject.set_id(key.id);
  return subject;
}

// Steps of a procedure, whose order decides.
bool IsStep(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kTransferProposed:
    case pb::Event::kTransferAudited:
    case pb::Event::kTransferAccepted:
    case pb::Event::kTransferConfirmed:
    case pb::Event::kTransferCompleted:
    case pb::Event::kDisputeStepTaken:
    case pb::Event::kDisputeResolved:
    case pb::Event::kTransferDeclined:
    case pb::Event::kTransferCancelled:
      return true;
    default:
      return false;
  }
}

// Who is who, or what was so before.
bool ChangesThePast(const pb::Event& event) {
  if (rules::ReachesBack(event)) return true;
  switch (event.body_case()) {
    case pb::Event::kClaimJoined:
    case pb::Event::kCustomersMerged:
    case pb::Event::kCustomersUnmerged:
      return true;
    default:
      return false;
  }
}

}  // namespace

Draft::Draft(storage::EventLog& log, FoldCache& folds, AppendJob& job, const policy::Timeline& timeline,
             absl::Time recorded)
    : log_(log),
      folds_(folds),
      job_(job),
      ledger_(job.ledger.number),
      timeline_(&timeline),
      recorded_(recorded),
      first_position_(log.StagedPosition(ledger_) + 1) {}

absl::StatusOr<storage::SubjectHead> Draft::Head(const storage::SubjectKey& subject) {
  const auto found = heads_.find(subject);
  if (found != heads_.end()) return found->second;
  LEDGER_ASSIGN_OR_RETURN(storage::SubjectHead head, log_.StagedHead(ledger_, subject));
  reads_.emplace(subject, head.version);
  heads_[subject] = head;
  return head;
}

absl::StatusOr<SubjectState> Draft::State(const storage::SubjectKey& subject) {
  LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head, Head(subject));
  SubjectState state;
  if (!state.ParseFromString(head.state)) {
    return absl::DataLossError(
        absl::StrCat("STATE_DAMAGED: the state of subject '", subject.id, "' does not parse"));
  }
  return state;
}

absl::Status Draft::SetState(const storage::SubjectKey& subject, const SubjectState& state) {
  LEDGER_RETURN_IF_ERROR(Head(subject).status());
  heads_[subject].state = state.SerializeAsString();
  changed_states_.insert(subject);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Draft::Canonical(const std::string& customer_id) {
  std::string id = customer_id;
  std::set<std::string> seen;
  while (seen.insert(id).second) {
    LEDGER_ASSIGN_OR_RETURN(const SubjectState state, State(Customer(id)));
    if (state.alias_of().empty()) return id;
    id = state.alias_of();
  }
  return absl::DataLossError(
      absl::StrCat("ALIAS_CIRCLE: the aliases of customer '", customer_id, "' form a circle"));
}

absl::StatusOr<std::vector<pb::Record>> Draft::Records(const storage::SubjectKey& subject, uint64_t known) {
  const auto names = [&subject](const pb::Record& record) -> const pb::SubjectVersion* {
    for (const pb::SubjectVersion& version : record.header().subjects()) {
      if (version.subject().kind() == subject.kind && version.subject().id() == subject.id) return &version;
    }
    return nullptr;
  };
  std::vector<pb::Record> found;
  // Backward along the chain that every record keeps for each of its subjects.
  LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head, log_.StagedHead(ledger_, subject));
  for (uint64_t position = head.last_position; position > 0;) {
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes, log_.StagedRead(ledger_, position));
    LEDGER_ASSIGN_OR_RETURN(pb::Record record, storage::ParseRecord(bytes));
    const pb::SubjectVersion* version = names(record);
    if (version == nullptr || version->previous_position() >= position) {
      return absl::DataLossError(absl::StrCat("CHAIN_BROKEN: position ", position,
                                              " does not lead back along subject '", subject.id, "'"));
    }
    position = version->previous_position();
    if (record.header().position() <= known) found.push_back(std::move(record));
  }
  std::reverse(found.begin(), found.end());
  for (const pb::Record& record : records_) {
    if (names(record) != nullptr && record.header().position() <= known) found.push_back(record);
  }
  return found;
}

absl::StatusOr<FoldedCustomer*> Draft::Fold(const std::string& canonical) {
  const auto known = customers_.find(canonical);
  if (known != customers_.end()) return &known->second;
  const FoldedCustomer* cached = folds_.Find(ledger_, canonical);
  if (cached != nullptr && dropped_customers_.count(canonical) == 0)
    return &(customers_[canonical] = *cached);
  LEDGER_ASSIGN_OR_RETURN(const runtime::CustomerHistory history,
                          runtime::LoadHistory(*this, *timeline_, canonical, UINT64_MAX));
  FoldedCustomer folded;
  LEDGER_ASSIGN_OR_RETURN(folded.state, rules::Fold(*timeline_, history.history));
  if (!history.history.events.empty()) {
    folded.last_time = history.history.events.back().business_time;
  }
  return &(customers_[canonical] = std::move(folded));
}

absl::StatusOr<rules::SiteState> Draft::Site(const storage::SubjectKey& site) {
  LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head, Head(site));
  LEDGER_ASSIGN_OR_RETURN(const SubjectState kept, State(site));
  if (kept.site().version() == head.version) return kept.site();
  LEDGER_ASSIGN_OR_RETURN(const std::vector<pb::Record> records, Records(site, UINT64_MAX));
  rules::SiteState folded;
  for (const pb::Record& record : records) rules::ApplySite(*timeline_, record, &folded);
  return folded;
}

absl::Status Draft::KeepSites(const std::vector<storage::SubjectKey>& subjects) {
  if (timeline_->empty() || !timeline_->PolicyAt(recorded_).policy.reception().rotation()) {
    return absl::OkStatus();
  }
  for (const storage::SubjectKey& subject : subjects) {
    if (subject.kind != pb::SUBJECT_KIND_SITE) continue;
    LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(subject));
    if (state.site().version() + 1 == heads_[subject].version) {
      rules::ApplySite(*timeline_, records_.back(), state.mutable_site());
    } else {
      LEDGER_ASSIGN_OR_RETURN(*state.mutable_site(), Site(subject));
    }
    LEDGER_RETURN_IF_ERROR(SetState(subject, state));
  }
  return absl::OkStatus();
}

// What must hold before the rules are asked.
absl::Status Draft::Admit(const pb::NewEvent& added) {
  const pb::Event& event = added.event();
  if (event.has_policy_adopted()) {
    LEDGER_RETURN_IF_ERROR(CheckPolicyHolds(event.policy_adopted().policy()));
    if (!timeline_->empty() && event.policy_adopted().has_effective_time() &&
        absl::FromUnixSeconds(event.policy_adopted().effective_time().time().seconds()) < recorded_) {
      return absl::FailedPreconditionError(
          "BACK_DATED: a policy may not come into force before it is recorded; leave the time out, or name a "
          "later one");
    }
  }
  if (event.has_event_corrected()) return CheckCorrection(event.event_corrected());
  return absl::OkStatus();
}

absl::Status Draft::CheckCorrection(const pb::EventCorrected& corrected) {
  absl::StatusOr<std::string> bytes = log_.StagedRead(ledger_, corrected.target_position());
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(
        absl::StrCat("NO_SUCH_EVENT: there is no position ", corrected.target_position(), " to correct"));
  }
  LEDGER_RETURN_IF_ERROR(bytes.status());
  LEDGER_ASSIGN_OR_RETURN(const pb::Record target, storage::ParseRecord(*bytes));
  if (target.event().has_event_corrected()) {
    return absl::FailedPreconditionError(
        "CORRECTION_OF_CORRECTION: correct the first event once more; its last correction counts");
  }
  if (policy::CustomerIdOf(target.event()).empty() ||
      policy::CustomerIdOf(target.event()) != corrected.customer_id()) {
    return absl::FailedPreconditionError(
        absl::StrCat("OTHER_CUSTOMER: position ", corrected.target_position(),
                     " is not an event of customer '", corrected.customer_id(), "'"));
  }
  switch (target.event().body_case()) {
    case pb::Event::kCustomersMerged:
    case pb::Event::kCustomersUnmerged:
    case pb::Event::kClaimJoined:
      return absl::FailedPreconditionError(
          "MERGE_NEEDS_UNMERGE: who is who is not corrected away; append a customers_unmerged instead");
    default:
      break;
  }
  if (!corrected.has_right_event()) return absl::OkStatus();
  const pb::Event& right = corrected.right_event();
  if (right.body_case() != target.event().body_case() ||
      policy::CustomerIdOf(right) != corrected.customer_id() || !right.has_occurred_time()) {
    return absl::InvalidArgumentError(
        "BAD_CORRECTION: the right event must have the wrong one's type and customer, and an occurred_time");
  }
  if (absl::FromUnixSeconds(right.occurred_time().time().seconds()) > recorded_ + kAheadMax) {
    return absl::InvalidArgumentError(
        "BAD_TIME: the right event's occurred_time is more than ten minutes ahead of the ledger's clock");
  }
  // What came from an import stays that import's, and what did not never becomes evidence.
  const pb::ImportEvidence& evidence = target.event().evidence();
  if (right.has_evidence() != target.event().has_evidence() ||
      right.evidence().source() != evidence.source() ||
      right.evidence().record_number() != evidence.record_number()) {
    return absl::InvalidArgumentError(
        "BAD_CORRECTION: the right event must carry the wrong one's evidence: none, or the same source and "
        "record");
  }
  return absl::OkStatus();
}

// The earliest contact point decides whom the registration of a new id meets.
absl::Status Draft::Meet(const std::string& customer_id, const PreparedEvent& prepared,
                         rules::DecisionContext* context) {
  uint64_t earliest = UINT64_MAX;
  for (const std::string& point : prepared.contact_points) {
    LEDGER_ASSIGN_OR_RETURN(const SubjectState state, State(ContactPoint(point)));
    if (state.first_customer_id().empty()) continue;
    LEDGER_ASSIGN_OR_RETURN(const std::string first, Canonical(state.first_customer_id()));
    if (first == customer_id || state.first_position() >= earliest) continue;
    earliest = state.first_position();
    context->joined_customer_id = first;
    context->contact_point = point;
  }
  return absl::OkStatus();
}

// What the rules look at beyond the customer. Each is a subject, whose version the commit checks.
absl::Status Draft::ReadOthers(const pb::Event& event, rules::DecisionContext* context,
                               rules::CustomerState* related) {
  if (event.has_evidence()) return absl::OkStatus();
  const std::string other = rules::RelatedCustomerId(*timeline_, recorded_, event);
  if (!other.empty()) {
    LEDGER_ASSIGN_OR_RETURN(const std::string canonical, Canonical(other));
    LEDGER_ASSIGN_OR_RETURN(const FoldedCustomer* folded, Fold(canonical));
    *related = folded->state;
    if (related->events() > 0) context->related = related;
  }
  const std::string capped = rules::CappedStaffId(*timeline_, recorded_, event);
  if (!capped.empty()) {
    LEDGER_ASSIGN_OR_RETURN(const SubjectState state, State(Staff(capped)));
    if (state.pool_claims_day() == RecordedDay()) context->pool_claims_today = state.pool_claims();
  }
  return absl::OkStatus();
}

// Counted when recorded, so that neither giving up and taking again nor an earlier date makes room.
absl::Status Draft::KeepPoolClaim(const storage::SubjectKey& staff) {
  LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(staff));
  if (state.pool_claims_day() != RecordedDay()) state.set_pool_claims(0);
  state.set_pool_claims_day(RecordedDay());
  state.set_pool_claims(state.pool_claims() + 1);
  return SetState(staff, state);
}

int64_t Draft::RecordedDay() const {
  return rules::LocalDay(timeline_->PolicyAt(recorded_).policy, recorded_) - absl::CivilDay(1970, 1, 1);
}

// Where staff members owe duties of their own, the events that count for them are found under their names too.
absl::Status Draft::AddStaffConcerned(const pb::Event& event, std::vector<storage::SubjectKey>* subjects) {
  if (timeline_->empty()) return absl::OkStatus();
  const policy::PolicyVersion& policy = timeline_->PolicyAt(recorded_);
  if (policy.index == nullptr || !policy.index->has_staff_duty) return absl::OkStatus();
  std::vector<storage::SubjectKey> staff;
  for (const std::string& id : rules::StaffConcerned(policy, event)) staff.push_back(Staff(id));
  if (event.has_event_corrected()) {
    // Whoever the wrong event counted for must learn of it, and whoever the right one does.
    for (const std::string& id : rules::StaffConcerned(policy, event.event_corrected().right_event())) {
      staff.push_back(Staff(id));
    }
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes,
                            log_.StagedRead(ledger_, event.event_corrected().target_position()));
    LEDGER_ASSIGN_OR_RETURN(const pb::Record wrong, storage::ParseRecord(bytes));
    for (const pb::SubjectVersion& version : wrong.header().subjects()) {
      if (version.subject().kind() == pb::SUBJECT_KIND_STAFF) staff.push_back(Staff(version.subject().id()));
    }
  }
  for (storage::SubjectKey& key : staff) {
    const bool known = std::any_of(subjects->begin(), subjects->end(), [&key](const auto& subject) {
      return subject.kind == key.kind && subject.id == key.id;
    });
    if (!known) subjects->push_back(std::move(key));
  }
  return absl::OkStatus();
}

absl::Status Draft::Add(int index) {
  const pb::NewEvent& added = job_.request.events(index);
  const pb::Event& event = added.event();
  const PreparedEvent& prepared = job_.prepared[static_cast<size_t>(index)];
  LEDGER_RETURN_IF_ERROR(Admit(added));

  std::vector<storage::SubjectKey> subjects;
  for (const pb::Subject& subject : policy::SubjectsOf(event))
    subjects.push_back({subject.kind(), subject.id()});
  for (const std::string& point : prepared.contact_points) subjects.push_back(ContactPoint(point));
  LEDGER_RETURN_IF_ERROR(AddStaffConcerned(event, &subjects));

  const std::string customer_id = policy::CustomerIdOf(event);
  rules::DecisionContext context;
  context.timeline = timeline_;
  context.recorded_time = recorded_;
  rules::CustomerState nobody;
  rules::CustomerState earlier;
  context.customer = &nobody;
  std::string canonical;
  bool known_before = false;
  if (!customer_id.empty()) {
    LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head, Head(Customer(customer_id)));
    LEDGER_ASSIGN_OR_RETURN(canonical, Canonical(customer_id));
    known_before = head.version > 0;
    if (event.has_customer_registered() && !known_before) {
      LEDGER_RETURN_IF_ERROR(Meet(customer_id, prepared, &context));
      if (!context.joined_customer_id.empty()) {
        canonical = context.joined_customer_id;
        known_before = true;
      }
    }
    // Evidence is accepted whatever the customer's state, so that imports need not fold anybody.
    if (!event.has_evidence()) {
      LEDGER_ASSIGN_OR_RETURN(FoldedCustomer * folded, Fold(canonical));
      context.customer = &folded->state;
      // A step is judged when and where it will stand: accepted on what came later, it would do nothing.
      const absl::Time counts = IsStep(event) ? CountsAt(event) : absl::InfiniteFuture();
      context.recorded_time = std::min(recorded_, counts);
      if (counts < folded->last_time) {
        LEDGER_ASSIGN_OR_RETURN(const runtime::CustomerHistory history,
                                runtime::LoadHistory(*this, *timeline_, canonical, UINT64_MAX));
        LEDGER_ASSIGN_OR_RETURN(earlier, rules::Fold(*timeline_, history.history, counts));
        context.customer = &earlier;
      }
    }
  }
  context.personal = added.has_personal() ? &added.personal() : nullptr;
  rules::CustomerState related;
  LEDGER_RETURN_IF_ERROR(ReadOthers(event, &context, &related));
  rules::SiteState site;
  if (event.has_visit_logged() && !event.visit_logged().site_id().empty() && !event.has_evidence() &&
      !timeline_->empty() && timeline_->PolicyAt(recorded_).policy.reception().rotation()) {
    LEDGER_ASSIGN_OR_RETURN(site, Site(SiteOf(event.visit_logged().site_id())));
    context.site = &site;
  }
  LEDGER_ASSIGN_OR_RETURN(rules::Decision decision, rules::Decide(context, event));
  if (decision.from_pool) {
    const std::string capped = rules::CappedStaffId(*timeline_, recorded_, event);
    if (!capped.empty()) {
      LEDGER_RETURN_IF_ERROR(KeepPoolClaim(Staff(capped)));
      const bool named = std::any_of(subjects.begin(), subjects.end(), [&capped](const auto& subject) {
        return subject.kind == pb::SUBJECT_KIND_STAFF && subject.id == capped;
      });
      if (!named)
        subjects.push_back(
            Staff(capped));  // the count moves the staff member's version, as whoever reads it must see
    }
  }

  const uint64_t position = first_position_ + records_.size();
  LEDGER_RETURN_IF_ERROR(KeepStates(event, prepared));
  LEDGER_RETURN_IF_ERROR(AddRecord(event, std::move(subjects), &prepared, decision.rule_id, 0));
  const size_t place = places_.size() - 1;
  LEDGER_RETURN_IF_ERROR(AddDerived(std::move(decision.derived), decision.rule_id, event, position));
  if (event.has_customer_registered() && known_before) {
    return DescribeJoin(event.customer_registered(), canonical, decision.claim_owns, &places_[place].answer);
  }
  return absl::OkStatus();
}

absl::Status Draft::AddDerived(std::vector<pb::Event> events, const std::string& rule_id,
                               const pb::Event& cause, uint64_t caused_by) {
  for (pb::Event& derived : events) {
    if (derived.has_claim_joined()) {
      derived.mutable_claim_joined()->set_registration_position(caused_by);
      const std::string& alias = derived.claim_joined().claimant_customer_id();
      LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(Customer(alias)));
      state.set_alias_of(derived.claim_joined().customer_id());
      LEDGER_RETURN_IF_ERROR(SetState(Customer(alias), state));
    }
    std::vector<storage::SubjectKey> derived_subjects;
    for (const pb::Subject& s : policy::SubjectsOf(derived)) derived_subjects.push_back({s.kind(), s.id()});
    // The server says it, when it says it; but a visitor is received when they come.
    if (!derived.has_reception_assigned()) {
      *derived.mutable_occurred_time()->mutable_time() =
          TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(recorded_));
    }
    derived.mutable_occurred_time()->set_utc_offset_seconds(cause.occurred_time().utc_offset_seconds());
    LEDGER_RETURN_IF_ERROR(
        AddRecord(std::move(derived), std::move(derived_subjects), nullptr, rule_id, caused_by));
  }
  return absl::OkStatus();
}

// What the writer keeps beside the subjects' versions.
absl::Status Draft::KeepStates(const pb::Event& event, const PreparedEvent& prepared) {
  const std::string customer_id = policy::CustomerIdOf(event);
  for (const std::string& point : prepared.contact_points) {
    LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(ContactPoint(point)));
    if (!state.first_customer_id().empty()) continue;
    state.set_first_customer_id(customer_id);
    state.set_first_position(first_position_ + records_.size());
    LEDGER_RETURN_IF_ERROR(SetState(ContactPoint(point), state));
  }
  if (prepared.has_personal) {
    LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(Customer(customer_id)));
    if (state.vault_slot() == 0) {
      state.set_vault_slot(prepared.vault_slot);
      vault_slots_end_ = std::max(vault_slots_end_, prepared.vault_slot + 1);
      LEDGER_RETURN_IF_ERROR(SetState(Customer(customer_id), state));
    }
  }
  if (event.has_customers_merged()) return KeepMerge(event.customers_merged());
  if (event.has_customers_unmerged()) return KeepUnmerge(event.customers_unmerged());
  return absl::OkStatus();
}

absl::Status Draft::KeepMerge(const pb::CustomersMerged& merged) {
  const std::string& absorbed = merged.absorbed_customer_id();
  for (const std::string& id : {merged.customer_id(), absorbed}) {
    LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head, Head(Customer(id)));
    if (head.version == 0) {
      return absl::NotFoundError(absl::StrCat("CUSTOMER_NOT_FOUND: no event about customer '", id,
                                              "' is known; nothing can be merged with it"));
    }
  }
  LEDGER_ASSIGN_OR_RETURN(const std::string survivor, Canonical(merged.customer_id()));
  LEDGER_ASSIGN_OR_RETURN(const std::string former, Canonical(absorbed));
  if (survivor == former) {
    return absl::FailedPreconditionError(
        absl::StrCat("ALREADY_ONE: customers '", survivor, "' and '", absorbed, "' are one already"));
  }
  if (former != absorbed) {
    return absl::FailedPreconditionError(absl::StrCat("IS_ALIAS: customer '", absorbed, "' is an alias of '",
                                                      former, "'; merge '", former, "' instead"));
  }
  LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(Customer(absorbed)));
  state.set_alias_of(merged.customer_id());
  LEDGER_RETURN_IF_ERROR(SetState(Customer(absorbed), state));
  return absl::OkStatus();
}

absl::Status Draft::KeepUnmerge(const pb::CustomersUnmerged& unmerged) {
  const std::string& absorbed = unmerged.absorbed_customer_id();
  LEDGER_ASSIGN_OR_RETURN(SubjectState state, State(Customer(absorbed)));
  if (state.alias_of() != unmerged.customer_id()) {
    return absl::FailedPreconditionError(
        absl::StrCat("NOT_ONE: customer '", absorbed, "' is no alias of '", unmerged.customer_id(), "'"));
  }
  state.clear_alias_of();
  LEDGER_RETURN_IF_ERROR(SetState(Customer(absorbed), state));
  return absl::OkStatus();
}

absl::Status Draft::AddRecord(pb::Event event, std::vector<storage::SubjectKey> subjects,
                              const PreparedEvent* prepared, const std::string& rule_id, uint64_t caused_by) {
  const uint64_t position = first_position_ + records_.size();
  pb::Record& record = records_.emplace_back();
  *record.mutable_event() = std::move(event);
  pb::RecordHeader& header = *record.mutable_header();
  header.set_position(position);
  header.set_event_type(policy::EventTypeOf(record.event()));
  *header.mutable_recorded_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(recorded_));
  *header.mutable_who() = job_.who;
  header.set_request_id(job_.request.request_id());
  header.set_producer(job_.producer);
  header.set_producer_sequence(job_.producer_sequence);
  header.set_policy_version(timeline_->empty() ? 0 : timeline_->PolicyAt(recorded_).number);
  header.set_rule_id(rule_id);
  header.set_caused_by(caused_by);
  header.set_derived(caused_by > 0);
  if (prepared != nullptr && prepared->has_personal) *header.mutable_personal() = prepared->sealed.header;

  Place& place = places_.emplace_back();
  place.answer.set_position(position);
  place.answer.set_event_type(header.event_type());
  place.answer.set_derived(header.derived());
  place.answer.set_rule_id(rule_id);
  if (prepared != nullptr) place.ciphertext = prepared->sealed.ciphertext;
  for (const storage::SubjectKey& subject : subjects) {
    LEDGER_ASSIGN_OR_RETURN(storage::SubjectHead head, Head(subject));
    pb::SubjectVersion& version = *header.add_subjects();
    *version.mutable_subject() = ToSubject(subject);
    version.set_version(head.version + 1);
    version.set_previous_position(head.last_position);
    heads_[subject].version = head.version + 1;
    heads_[subject].last_position = position;
    if (subject.kind == pb::SUBJECT_KIND_CONTACT_POINT) continue;
    pb::AppendedSubject& appended = *place.answer.add_subjects();
    *appended.mutable_subject() = ToSubject(subject);
    appended.set_version(head.version + 1);
  }
  LEDGER_RETURN_IF_ERROR(KeepSites(subjects));
  place.subjects = std::move(subjects);
  return Absorb(record);
}

// The business time that `event` will have.
absl::Time Draft::CountsAt(const pb::Event& event) const {
  pb::Record record;
  *record.mutable_event() = event;
  record.mutable_header()->set_event_type(policy::EventTypeOf(event));
  *record.mutable_header()->mutable_recorded_time() =
      TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(recorded_));
  return rules::BusinessTimeOf(*timeline_, record);
}

// Lets the events that follow in the request see this one.
absl::Status Draft::Absorb(const pb::Record& record) {
  if (policy::Timeline::IsReference(record.header().event_type())) {
    if (!changed_timeline_) changed_timeline_ = *timeline_;
    changed_timeline_->Apply(record);
    timeline_ = &*changed_timeline_;
    return absl::OkStatus();
  }
  std::set<std::string> ids;
  for (const pb::SubjectVersion& subject : record.header().subjects()) {
    if (subject.subject().kind() == pb::SUBJECT_KIND_CUSTOMER) ids.insert(subject.subject().id());
  }
  for (const std::string& id : ids) {
    LEDGER_ASSIGN_OR_RETURN(const std::string canonical, Canonical(id));
    const auto folded = customers_.find(canonical);
    rules::HistoryEvent event;
    event.position = record.header().position();
    event.business_time = rules::BusinessTimeOf(*timeline_, record);
    event.recorded_time = recorded_;
    event.event_type = record.header().event_type();
    event.event = &record.event();
    event.header = &record.header();
    // An event in its turn is applied; what sorts earlier, or changes who is who, folds the customer anew when it is
    // next asked for.
    if (folded != customers_.end() && !ChangesThePast(record.event()) &&
        event.business_time >= folded->second.last_time) {
      LEDGER_RETURN_IF_ERROR(rules::Apply(*timeline_, event, &folded->second.state));
      folded->second.last_time = event.business_time;
    } else {
      customers_.erase(canonical);
      dropped_customers_.insert(canonical);
      customers_.erase(id);
      dropped_customers_.insert(id);
    }
  }
  return absl::OkStatus();
}

// Tells a later claimant what the policy lets it know.
absl::Status Draft::DescribeJoin(const pb::CustomerRegistered& registered, const std::string& canonical,
                                 bool claim_owns, pb::AppendedEvent* answer) {
  pb::JoinedClaim& joined = *answer->mutable_joined();
  joined.set_claim_owns(claim_owns);
  const pb::Disclosure learns = timeline_->empty()
                                    ? pb::DISCLOSURE_UNSPECIFIED
                                    : timeline_->PolicyAt(recorded_).policy.ownership().second_claim_learns();
  if (learns == pb::DISCLOSURE_UNSPECIFIED) return absl::OkStatus();
  joined.set_customer_id(canonical);
  if (learns != pb::DISCLOSURE_OWNER) return absl::OkStatus();
  LEDGER_ASSIGN_OR_RETURN(const FoldedCustomer* folded, Fold(canonical));
  const absl::Time present = std::max(recorded_, folded->last_time);
  for (const pb::Ownership& ownership : rules::ReadOwnerships(*timeline_, folded->state, present)) {
    if (ownership.scope() != registered.scope() || !ownership.has_owner()) continue;
    *joined.mutable_owner() = ownership.owner();
    *joined.mutable_owner_since_time() = ownership.basis().since_time();
  }
  return absl::OkStatus();
}

absl::StatusOr<pb::AppendResponse> Draft::Stage() {
  storage::Transaction transaction;
  transaction.ledger = ledger_;
  transaction.recorded_time = recorded_;
  for (const auto& [subject, version] : reads_) transaction.reads.emplace_back(subject, version);
  for (size_t i = 0; i < records_.size(); ++i) {
    storage::PendingEvent event;
    event.header.Swap(records_[i].mutable_header());
    event.event.Swap(records_[i].mutable_event());
    event.subjects = std::move(places_[i].subjects);
    event.ciphertext = std::move(places_[i].ciphertext);
    transaction.events.push_back(std::move(event));
  }
  for (const storage::SubjectKey& subject : changed_states_) {
    transaction.states.emplace_back(subject, heads_[subject].state);
  }
  LEDGER_ASSIGN_OR_RETURN(const std::vector<storage::StagedEvent> staged, log_.Stage(std::move(transaction)));
  if (staged.empty() || staged.front().position != first_position_) {
    return absl::InternalError("the log gave other positions than were decided on");
  }
  if (vault_slots_end_ > 0) log_.StageVaultSlot(vault_slots_end_);

  // A calendar or a policy may change what earlier folds would say next, those of this draft included.
  if (changed_timeline_) folds_.DropLedger(ledger_);
  for (const std::string& id : dropped_customers_) folds_.Drop(ledger_, id);
  if (!changed_timeline_) {
    for (auto& [id, folded] : customers_) folds_.Put(ledger_, id, std::move(folded));
  }

  pb::AppendResponse response;
  response.mutable_position()->set_lineage(log_.lineage());
  response.mutable_position()->set_position(staged.back().position);
  for (Place& place : places_) *response.add_events() = std::move(place.answer);
  *response.mutable_recorded_time() = TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(recorded_));
  response.set_simulated(job_.ledger.simulated);
  return response;
}

}  // namespace ledger::services
