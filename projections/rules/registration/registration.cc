#include "projections/rules/registration/registration.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/registration/filing.h"
#include "projections/rules/registration/validators.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kChange[] = "change";
constexpr char kWake[] = "wake";
constexpr char kTransfer[] = "transfer";

bool HasLifeCycle(const pb::Registration& rules) {
  return !rules.stages().empty() || rules.has_review() || rules.has_incomplete_deletion();
}

const RegistrationScopeState* Find(const CustomerState& state, absl::string_view scope) {
  for (const RegistrationScopeState& registration : state.registrations()) {
    if (absl::string_view(registration.scope()) == scope) return &registration;
  }
  return nullptr;
}

RegistrationScopeState* FindOrAdd(const Step& step, absl::string_view scope, CustomerState* state) {
  auto* all = state->mutable_registrations();
  int place = 0;
  while (place < all->size() && absl::string_view(all->Get(place).scope()) < scope) ++place;
  if (place < all->size() && absl::string_view(all->Get(place).scope()) == scope) return all->Mutable(place);
  RegistrationScopeState* added = all->Add();
  added->set_scope(std::string(scope));
  added->set_created_us(ToMicros(step.at()));
  added->set_created_position(step.event.position);
  for (int i = all->size() - 1; i > place; --i) all->SwapElements(i, i - 1);
  return all->Mutable(place);
}

// An event that names no scope means the only registration there is.
RegistrationScopeState* FindMeant(const Step& step, absl::string_view scope, CustomerState* state) {
  if (scope.empty() && state->registrations_size() == 1) return state->mutable_registrations(0);
  return FindOrAdd(step, scope, state);
}

void SetPhase(const Step& step, RegistrationPhase phase, RegistrationScopeState* registration) {
  registration->set_phase(phase);
  registration->set_phase_us(ToMicros(step.at()));
  registration->set_phase_position(step.event.position);
}

void Know(const std::string& field, RegistrationScopeState* registration) {
  auto* known = registration->mutable_known_fields();
  const auto place = std::lower_bound(known->begin(), known->end(), field);
  if (place != known->end() && *place == field) return;
  const auto index = place - known->begin();
  known->Add(std::string(field));
  std::rotate(known->begin() + index, known->end() - 1, known->end());
}

// Which kinds of personal data the record carries, by the fields of SealedField. Whether a contact point is a phone number
// or an e-mail address is not seen from outside.
bool CarriesPersonal(const HistoryEvent& event, absl::string_view field) {
  uint32_t number = 0;
  if (field == "name") number = 1;
  if (field == "phone" || field == "email") number = 2;
  if (field == "address") number = 3;
  if (number == 0 || event.header == nullptr) return false;
  const auto& commitments = event.header->personal().commitments();
  return std::any_of(commitments.begin(), commitments.end(), [number](const pb::FieldCommitment& commitment) {
    return commitment.number() == number;
  });
}

void KnowFields(const Step& step, const google::protobuf::Map<std::string, std::string>& given,
                RegistrationScopeState* registration) {
  for (const pb::RegistrationStage& stage : step.policy.policy.registration().stages()) {
    for (const std::string& field : stage.required_fields()) {
      const auto value = given.find(field);
      const bool has = value != given.end() && !value->second.empty();
      if (has || CarriesPersonal(step.event, field)) Know(field, registration);
    }
  }
}

bool IsComplete(const pb::Registration& rules, const RegistrationScopeState& registration) {
  return std::all_of(rules.stages().begin(), rules.stages().end(), [&](const pb::RegistrationStage& stage) {
    return std::any_of(registration.stages().begin(), registration.stages().end(),
                       [&stage](const StageState& done) { return done.name() == stage.name(); });
  });
}

const pb::ReReview* AgainFor(const pb::Registration& rules, pb::ReReviewCause cause) {
  for (const pb::ReReview& again : rules.review().again()) {
    if (again.cause() == cause) return &again;
  }
  return nullptr;
}

std::optional<pb::ReReviewCause> CauseOf(absl::string_view stage) {
  if (stage == kChange) return pb::RE_REVIEW_CAUSE_CHANGE;
  if (stage == kWake) return pb::RE_REVIEW_CAUSE_WAKE;
  if (stage == kTransfer) return pb::RE_REVIEW_CAUSE_TRANSFER;
  return std::nullopt;
}

// A draft whose time ran out is gone before anything else happens to it.
void DeleteIfDue(const Step& step, CustomerState* state) {
  for (RegistrationScopeState& registration : *state->mutable_registrations()) {
    const auto due = NextDeletion(step.timeline, *state, registration.scope());
    if (!due.has_value() || due->at > step.at()) continue;
    registration.set_phase(REGISTRATION_PHASE_DELETED);
    registration.set_phase_us(ToMicros(due->at));
    registration.set_phase_position(registration.created_position());
  }
}

void ApplyCreated(const Step& step, const pb::CustomerRegistered& registered, CustomerState* state) {
  const pb::Registration& rules = step.policy.policy.registration();
  RegistrationScopeState* registration = FindOrAdd(step, registered.scope(), state);
  const bool anew = registration->created_position() == step.event.position ||
                    registration->phase() == REGISTRATION_PHASE_DELETED;
  if (registration->phase() == REGISTRATION_PHASE_DELETED) {
    const std::string scope = registration->scope();
    registration->Clear();
    registration->set_scope(scope);
    registration->set_created_us(ToMicros(step.at()));
    registration->set_created_position(step.event.position);
  }
  KnowFields(step, registered.fields(), registration);
  if (!anew) return;
  const bool complete = rules.stages().empty() && !rules.has_review();
  SetPhase(step, complete ? REGISTRATION_PHASE_APPROVED : REGISTRATION_PHASE_DRAFT, registration);
}

void ApplySubmitted(const Step& step, const pb::ProfileSubmitted& submitted, CustomerState* state) {
  const pb::Registration& rules = step.policy.policy.registration();
  RegistrationScopeState* registration = FindMeant(step, submitted.scope(), state);
  if (registration->phase() == REGISTRATION_PHASE_DELETED) return;
  const std::optional<pb::ReReviewCause> cause = CauseOf(submitted.stage());
  if (cause.has_value() && registration->phase() == REGISTRATION_PHASE_APPROVED &&
      AgainFor(rules, *cause) == nullptr) {
    return;
  }
  if (!cause.has_value()) {
    StageState* stage = nullptr;
    for (StageState& known : *registration->mutable_stages()) {
      if (known.name() == submitted.stage()) stage = &known;
    }
    if (stage == nullptr) stage = registration->add_stages();
    stage->set_name(submitted.stage());
    stage->set_time_us(ToMicros(step.at()));
    stage->set_position(step.event.position);
  }
  if (!IsComplete(rules, *registration)) return;
  // What waits for a review counts for nothing until it is approved again.
  ScopeState* scope = rules.has_review() ? FindScope(state, submitted.scope()) : nullptr;
  if (scope != nullptr) scope->set_approved(false);
  SetPhase(step, rules.has_review() ? REGISTRATION_PHASE_PENDING : REGISTRATION_PHASE_APPROVED, registration);
}

void ApplyReviewed(const Step& step, const pb::ProfileReviewed& reviewed, CustomerState* state) {
  RegistrationScopeState* registration = FindMeant(step, reviewed.scope(), state);
  if (registration->phase() == REGISTRATION_PHASE_DELETED) return;
  switch (reviewed.result()) {
    case pb::REVIEW_RESULT_APPROVED:
      return SetPhase(step, REGISTRATION_PHASE_APPROVED, registration);
    case pb::REVIEW_RESULT_REJECTED:
      return SetPhase(step, REGISTRATION_PHASE_REJECTED, registration);
    case pb::REVIEW_RESULT_REOPENED:
      return SetPhase(step, REGISTRATION_PHASE_REOPENED, registration);
    case pb::REVIEW_RESULT_UNSPECIFIED:
    case pb::ReviewResult_INT_MIN_SENTINEL_DO_NOT_USE_:
    case pb::ReviewResult_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
}

// An approved registration whose owner has changed since waits for the new owner's submission, where the policy says so.
const pb::ReReview* WaitsForNewOwner(const policy::Timeline& timeline, const CustomerState& state,
                                     const RegistrationScopeState& registration) {
  if (registration.phase() != REGISTRATION_PHASE_APPROVED) return nullptr;
  const ScopeState* scope = FindScope(state, registration.scope());
  if (scope == nullptr || scope->custody() != CUSTODY_OWNED) return nullptr;
  const pb::Policy& policy = PolicyInForce(timeline, FromMicros(scope->since_us())).policy;
  const pb::Registration& rules = policy.registration();
  if (policy.ownership().claim_by() == pb::CLAIM_ACT_APPROVAL) {
    if (scope->approved()) return nullptr;
    return AgainFor(rules, scope->provisional() ? pb::RE_REVIEW_CAUSE_WAKE : pb::RE_REVIEW_CAUSE_TRANSFER);
  }
  if (scope->since_us() <= registration.phase_us()) return nullptr;
  const pb::ReReview* transfer = AgainFor(rules, pb::RE_REVIEW_CAUSE_TRANSFER);
  return transfer != nullptr ? transfer : AgainFor(rules, pb::RE_REVIEW_CAUSE_WAKE);
}

pb::RegistrationState StateOf(RegistrationPhase phase) {
  switch (phase) {
    case REGISTRATION_PHASE_DRAFT:
      return pb::REGISTRATION_STATE_DRAFT;
    case REGISTRATION_PHASE_PENDING:
      return pb::REGISTRATION_STATE_PENDING;
    case REGISTRATION_PHASE_APPROVED:
      return pb::REGISTRATION_STATE_APPROVED;
    case REGISTRATION_PHASE_REJECTED:
      return pb::REGISTRATION_STATE_REJECTED;
    case REGISTRATION_PHASE_REOPENED:
      return pb::REGISTRATION_STATE_REOPENED;
    case REGISTRATION_PHASE_DELETED:
      return pb::REGISTRATION_STATE_DELETED;
    case RegistrationPhase_INT_MIN_SENTINEL_DO_NOT_USE_:
    case RegistrationPhase_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return pb::REGISTRATION_STATE_UNSPECIFIED;
}

void ReadStages(const policy::PolicyVersion& version, const RegistrationScopeState& registration,
                pb::RegistrationEntry* entry) {
  for (const pb::RegistrationStage& stage : version.policy.registration().stages()) {
    pb::StageEntry* answer = entry->add_stages();
    answer->set_name(stage.name());
    answer->mutable_basis()->set_rule_id(stage.rule_id());
    for (const StageState& done : registration.stages()) {
      if (done.name() != stage.name()) continue;
      answer->set_done(true);
      *answer->mutable_basis() = MakeBasis(stage.rule_id(), version, FromMicros(done.time_us()));
      answer->mutable_basis()->add_positions(done.position());
    }
  }
}

void ReadReview(const policy::Timeline& timeline, const RegistrationScopeState& registration, absl::Time at,
                pb::RegistrationEntry* entry) {
  if (registration.phase() != REGISTRATION_PHASE_PENDING) return;
  const absl::Time submitted = FromMicros(registration.phase_us());
  const policy::PolicyVersion& version = PolicyInForce(timeline, submitted);
  const pb::Review& review = version.policy.registration().review();
  if (!review.has_within()) return;
  const absl::Time end = PeriodEnd(timeline, version.policy, submitted, review.within());
  *entry->mutable_review_due_time() = ToTimestamp(LastInTime(end));
  entry->set_review_overdue(at >= end);
  *entry->mutable_review_basis() = MakeBasis(review.rule_id(), version, submitted);
  entry->mutable_review_basis()->add_positions(registration.phase_position());
  entry->mutable_review_basis()->set_arithmetic(
      absl::StrCat("submitted ", DescribePeriod(version.policy, submitted, review.within(), end)));
}

pb::RegistrationEntry ReadOne(const policy::Timeline& timeline, const CustomerState& state,
                              const RegistrationScopeState& registration, absl::Time at) {
  pb::RegistrationEntry entry;
  entry.set_scope(registration.scope());
  const policy::PolicyVersion& version = PolicyInForce(timeline, FromMicros(registration.created_us()));
  const pb::Registration& rules = version.policy.registration();
  entry.set_state(StateOf(registration.phase()));
  std::string rule_id = rules.review().rule_id();
  if (registration.phase() == REGISTRATION_PHASE_DRAFT && !rules.stages().empty()) {
    rule_id = rules.stages(0).rule_id();
  }
  if (registration.phase() == REGISTRATION_PHASE_DELETED) rule_id = rules.incomplete_deletion().rule_id();
  *entry.mutable_basis() = MakeBasis(rule_id, version, FromMicros(registration.phase_us()));
  entry.mutable_basis()->add_positions(registration.phase_position());
  if (const pb::ReReview* again = WaitsForNewOwner(timeline, state, registration)) {
    const ScopeState* scope = FindScope(state, registration.scope());
    entry.set_state(pb::REGISTRATION_STATE_REOPENED);
    *entry.mutable_basis() = MakeBasis(again->rule_id(), version, FromMicros(scope->since_us()));
    *entry.mutable_basis()->mutable_positions() = scope->basis().positions();
  }
  ReadStages(version, registration, &entry);
  ReadReview(timeline, registration, at, &entry);
  if (const auto deletion = NextDeletion(timeline, state, registration.scope())) {
    if (deletion->at <= at) {
      entry.set_state(pb::REGISTRATION_STATE_DELETED);
      *entry.mutable_basis() = deletion->basis;
    } else {
      *entry.mutable_deletion_time() = ToTimestamp(deletion->at);
      *entry.mutable_deletion_basis() = deletion->basis;
    }
  }
  return entry;
}

// --- Decisions.

// The value of a field as it comes with an event; several for contact points.
std::vector<std::string> Given(const google::protobuf::Map<std::string, std::string>& fields,
                               const pb::PersonalData* personal, const std::string& field) {
  std::vector<std::string> values;
  const auto given = fields.find(field);
  if (given != fields.end() && !given->second.empty()) values.push_back(given->second);
  if (personal == nullptr) return values;
  if (field == "name" && !personal->name().empty()) values.push_back(personal->name());
  if (field == "address" && !personal->address().empty()) values.push_back(personal->address());
  for (const pb::ContactPoint& point : personal->contact_points()) {
    const bool phone = field == "phone" && point.kind() == pb::CONTACT_POINT_KIND_PHONE;
    const bool email = field == "email" && point.kind() == pb::CONTACT_POINT_KIND_EMAIL;
    if ((phone || email) && !point.value().empty()) values.push_back(point.value());
  }
  return values;
}

absl::Status CheckRequired(const google::protobuf::RepeatedPtrField<std::string>& required,
                           const google::protobuf::Map<std::string, std::string>& fields,
                           const pb::PersonalData* personal, const std::string& rule_id) {
  std::vector<std::string> missing;
  for (const std::string& field : required) {
    if (Given(fields, personal, field).empty()) missing.push_back(field);
  }
  if (missing.empty()) return absl::OkStatus();
  return Refuse(
      absl::StatusCode::kFailedPrecondition, "FIELDS_MISSING",
      absl::StrCat("the registration must bring ", absl::StrJoin(missing, ", "), "; add what is missing"),
      rule_id);
}

absl::Status CheckFields(const pb::Registration& rules,
                         const google::protobuf::Map<std::string, std::string>& fields,
                         const pb::PersonalData* personal) {
  for (const pb::FieldValidator& validator : rules.validators()) {
    if (!validator.where_field().empty()) {
      const auto kind = fields.find(validator.where_field());
      if ((kind == fields.end() ? "" : kind->second) != validator.where_value()) continue;
    }
    for (const std::string& value : Given(fields, personal, validator.field())) {
      const std::string error = ValidatorError(validator, value);
      if (error.empty()) continue;
      return Refuse(absl::StatusCode::kFailedPrecondition, "FIELD_INVALID",
                    absl::StrCat("the field \"", validator.field(), "\": ", error), validator.rule_id());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNotStaff(const Proposal& proposal, const pb::CustomerRegistered& registered) {
  const pb::Registration& rules = proposal.policy.policy.registration();
  if (!rules.has_staff_excluded()) return absl::OkStatus();
  const auto is_staff = [&proposal](const std::string& id) {
    const auto member = proposal.timeline.StaffAt(id, proposal.at);
    return member.has_value() && member->status != pb::STAFF_STATUS_LEFT;
  };
  bool staff = is_staff(registered.customer_id());
  const auto said = registered.fields().find(rules.staff_excluded().form_field());
  if (said != registered.fields().end()) staff = staff || said->second == "true" || is_staff(said->second);
  if (!staff) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, "STAFF_EXCLUDED",
                "members of the staff do not become customers; register somebody else",
                rules.staff_excluded().rule_id());
}

absl::Status CheckSubmitted(const Proposal& proposal, const pb::ProfileSubmitted& submitted) {
  const pb::Registration& rules = proposal.policy.policy.registration();
  const RegistrationScopeState* registration = Find(proposal.customer, submitted.scope());
  if (registration == nullptr && submitted.scope().empty() && proposal.customer.registrations_size() == 1) {
    registration = &proposal.customer.registrations(0);
  }
  if (registration != nullptr) {
    const auto deletion = NextDeletion(proposal.timeline, proposal.customer, registration->scope());
    if (registration->phase() == REGISTRATION_PHASE_DELETED ||
        (deletion.has_value() && deletion->at <= proposal.at)) {
      return Refuse(absl::StatusCode::kFailedPrecondition, "REGISTRATION_DELETED",
                    "the registration was not completed in time and is deleted; register the customer again",
                    rules.incomplete_deletion().rule_id());
    }
  }
  if (rules.stages().empty() || CauseOf(submitted.stage()).has_value()) return absl::OkStatus();
  const auto stage = std::find_if(
      rules.stages().begin(), rules.stages().end(),
      [&submitted](const pb::RegistrationStage& known) { return known.name() == submitted.stage(); });
  if (stage == rules.stages().end()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "STAGE_UNKNOWN",
                  absl::StrCat("there is no stage \"", submitted.stage(), "\"; the policy names them"),
                  rules.stages(0).rule_id());
  }
  std::vector<std::string> missing;
  for (const std::string& field : stage->required_fields()) {
    const bool known = registration != nullptr &&
                       std::find(registration->known_fields().begin(), registration->known_fields().end(),
                                 field) != registration->known_fields().end();
    if (!known) missing.push_back(field);
  }
  if (missing.empty()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition, "STAGE_INCOMPLETE",
                absl::StrCat("stage \"", stage->name(), "\" still lacks ", absl::StrJoin(missing, ", "),
                             "; record a change of profile with them first"),
                stage->rule_id());
}

absl::Status CheckReviewed(const Proposal& proposal, const pb::ProfileReviewed& reviewed) {
  const pb::Review& review = proposal.policy.policy.registration().review();
  if (review.roles().empty()) return absl::OkStatus();
  const auto member = proposal.timeline.StaffAt(reviewed.reviewer_id(), proposal.at);
  // Somebody of whom nothing was ever said may be anybody.
  if (!member.has_value() || member->role.empty()) return absl::OkStatus();
  if (std::find(review.roles().begin(), review.roles().end(), member->role) != review.roles().end()) {
    return absl::OkStatus();
  }
  return Refuse(
      absl::StatusCode::kPermissionDenied, "NOT_A_REVIEWER",
      absl::StrCat("a ", member->role, " does not review; ask a ", absl::StrJoin(review.roles(), " or a ")),
      review.rule_id());
}

}  // namespace

void ApplyRegistration(const Step& step, CustomerState* state) {
  const pb::Registration& rules = step.policy.policy.registration();
  if (rules.has_filing()) ApplyFiling(step, state);
  if (!HasLifeCycle(rules)) return;
  DeleteIfDue(step, state);
  const pb::Event& event = *step.event.event;
  if (event.has_customer_registered()) {
    ApplyCreated(step, event.customer_registered(), state);
  } else if (event.has_profile_changed()) {
    for (RegistrationScopeState& registration : *state->mutable_registrations()) {
      KnowFields(step, event.profile_changed().changes(), &registration);
    }
  } else if (event.has_profile_submitted()) {
    ApplySubmitted(step, event.profile_submitted(), state);
  } else if (event.has_profile_reviewed()) {
    ApplyReviewed(step, event.profile_reviewed(), state);
  }
}

std::optional<DueDeletion> NextDeletion(const policy::Timeline& timeline, const CustomerState& state,
                                        absl::string_view scope) {
  const RegistrationScopeState* registration = Find(state, scope);
  if (registration == nullptr || registration->phase() != REGISTRATION_PHASE_DRAFT) return std::nullopt;
  const absl::Time created = FromMicros(registration->created_us());
  const policy::PolicyVersion& version = PolicyInForce(timeline, created);
  const pb::Registration& rules = version.policy.registration();
  if (!rules.has_incomplete_deletion()) return std::nullopt;
  const pb::IncompleteDeletion& deletion = rules.incomplete_deletion();
  DueDeletion due;
  due.at = PeriodEnd(timeline, version.policy, created, deletion.after());
  std::string arithmetic =
      absl::StrCat("registered ", DescribePeriod(version.policy, created, deletion.after(), due.at));
  if (const ScopeState* custody = FindScope(state, scope)) {
    if (!custody->disputes().empty() || custody->has_transfer()) return std::nullopt;
    if (custody->lapse().was_held() && FromMicros(custody->lapse().held_until_us()) > due.at) {
      due.at = FromMicros(custody->lapse().held_until_us());
      absl::StrAppend(&arithmetic, ", held back until ", LocalText(version.policy, due.at));
    }
  }
  due.basis = MakeBasis(deletion.rule_id(), version, due.at);
  due.basis.add_positions(registration->created_position());
  due.basis.set_arithmetic(std::move(arithmetic));
  return due;
}

bool IsApproved(const policy::Timeline& timeline, const CustomerState& state, absl::string_view scope,
                absl::Time at) {
  const pb::Registration& rules = PolicyInForce(timeline, at).policy.registration();
  if (rules.stages().empty() && !rules.has_review()) return true;
  const RegistrationScopeState* registration = Find(state, scope);
  return registration != nullptr && registration->phase() == REGISTRATION_PHASE_APPROVED &&
         WaitsForNewOwner(timeline, state, *registration) == nullptr;
}

std::vector<pb::RegistrationEntry> ReadRegistrations(const policy::Timeline& timeline,
                                                     const CustomerState& folded, absl::Time at) {
  CustomerState state = folded;
  Advance(timeline, at, &state);
  std::vector<pb::RegistrationEntry> entries;
  for (const RegistrationScopeState& registration : state.registrations()) {
    entries.push_back(ReadOne(timeline, state, registration, at));
  }
  // Forms may be filed where nothing else is asked of a registration.
  for (const FilingState& filing : state.filings()) {
    const auto known = std::find_if(entries.begin(), entries.end(),
                                    [&filing](const auto& entry) { return entry.scope() == filing.scope(); });
    if (known != entries.end()) continue;
    entries.emplace_back().set_scope(filing.scope());
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.scope() < b.scope(); });
  for (pb::RegistrationEntry& entry : entries) {
    for (pb::FilingEntry& filing : ReadFilings(timeline, state, entry.scope(), at)) {
      *entry.add_filings() = std::move(filing);
    }
  }
  return entries;
}

absl::Status CheckRegistration(const Proposal& proposal, const pb::PersonalData* personal,
                               const pb::Event& event) {
  const pb::Registration& rules = proposal.policy.policy.registration();
  if (event.has_customer_registered()) {
    const pb::CustomerRegistered& registered = event.customer_registered();
    LEDGER_RETURN_IF_ERROR(CheckRequired(rules.required_fields(), registered.fields(), personal,
                                         rules.required_fields_rule_id()));
    LEDGER_RETURN_IF_ERROR(CheckFields(rules, registered.fields(), personal));
    return CheckNotStaff(proposal, registered);
  }
  if (event.has_profile_changed()) return CheckFields(rules, event.profile_changed().changes(), personal);
  if (event.has_profile_submitted()) return CheckSubmitted(proposal, event.profile_submitted());
  if (event.has_profile_reviewed()) return CheckReviewed(proposal, event.profile_reviewed());
  return absl::OkStatus();
}

}  // namespace ledger::rules
