#include "projections/rules/customer.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"
#include "projections/rules/call_back/call_back.h"
#include "projections/rules/call_back/contact_terms.h"
#include "projections/rules/call_back/occasion.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/claim/claim.h"
#include "projections/rules/claim/election.h"
#include "projections/rules/consumption/consumption.h"
#include "projections/rules/credit/credit.h"
#include "projections/rules/custody.h"
#include "projections/rules/dispute/dispute.h"
#include "projections/rules/duty/duty.h"
#include "projections/rules/fact/fact.h"
#include "projections/rules/grade/grade.h"
#include "projections/rules/hand_over/hand_over.h"
#include "projections/rules/lapse/card.h"
#include "projections/rules/lapse/lapse.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/pool/pool.h"
#include "projections/rules/pool/wake_up.h"
#include "projections/rules/reception/reception.h"
#include "projections/rules/registration/registration.h"
#include "projections/rules/requirement/memory.h"
#include "projections/rules/requirement/requirement.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// The first half of each hundred may change an owner, a tier or a call-back; see event.proto.
bool MayBePassedOver(uint32_t event_type) { return event_type % 100 >= 50; }

void ApplyIdentity(uint64_t position, const std::string& customer_id, const std::string& alias, bool joins,
                   CustomerState* state) {
  IdentityState* identity = state->add_identities();
  identity->set_position(position);
  identity->set_customer_id(customer_id);
  identity->set_alias_customer_id(alias);
  identity->set_joins(joins);
}

// One case for each body there is, so that a new one breaks the build until somebody decides what it means.
absl::Status ApplyBody(const Step& step, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  const uint64_t position = step.event.position;
  switch (event.body_case()) {
    case pb::Event::BODY_NOT_SET:
      if (step.event.event_type != 0 && MayBePassedOver(step.event.event_type)) return absl::OkStatus();
      return absl::DataLossError(absl::StrCat("UNKNOWN_EVENT_TYPE: position ", position,
                                              " holds an event of type ", step.event.event_type,
                                              ", which may change this customer and which this release does ",
                                              "not know; run a release that does"));

    case pb::Event::kCustomerRegistered:
      ApplyRegistered(step, state);
      break;
    case pb::Event::kOwnerAssigned:
      ApplyAssigned(step, state);
      break;
    case pb::Event::kOwnerReleased:
      ApplyReleased(step, state);
      break;
    case pb::Event::kTransferProposed:
      ApplyTransferProposed(step, state);
      break;
    case pb::Event::kTransferAudited:
    case pb::Event::kTransferAccepted:
    case pb::Event::kTransferConfirmed:
    case pb::Event::kTransferCompleted:
    case pb::Event::kCustomerNotified:
      ApplyTransferStep(step, state);
      break;
    case pb::Event::kTransferDeclined:
      ApplyTransferEnded(step, event.transfer_declined().transfer_id(), state);
      break;
    case pb::Event::kTransferCancelled:
      ApplyTransferEnded(step, event.transfer_cancelled().transfer_id(), state);
      break;
    case pb::Event::kRegistrationSigned:
      ApplySigned(step, state);
      break;
    case pb::Event::kProfileReviewed:
      ApplyReviewed(step, state);
      ApplyTransferReview(step, state);
      break;
    case pb::Event::kProfileSubmitted:
      ApplyTransferReview(step, state);
      break;
    case pb::Event::kInvitationConfirmed:
      ApplyInvitation(step, state);
      break;
    case pb::Event::kListSubmitted:
      ApplyList(step, state);
      break;
    case pb::Event::kContactLogged:
    case pb::Event::kVisitLogged:
      ApplyEvidence(step, ConsumptionRecord(), state);
      ApplyContact(step, state);
      ApplyCallBack(step, state);
      break;
    case pb::Event::kContactReviewed:
      ApplyCallBackSigned(step, state);
      ApplyContactReviewed(step, state);
      break;
    case pb::Event::kCustomerStatusChanged:
      ApplyCardCancelled(step, state);
      break;
    case pb::Event::kReservationMade:
      ApplyReservation(step, state);
      break;
    case pb::Event::kDealRecorded: {
      const ConsumptionRecord consumption = TakeConsumption(step, state);
      ApplyCreditedDeal(step, consumption, state);
      ApplyEvidence(step, consumption, state);
      ApplySettlingDeal(step, state);
      ApplyPublicReception(step, consumption, state);
      break;
    }
    case pb::Event::kGradeChanged:
      ApplyGradeChanged(step, state);
      break;
    case pb::Event::kGradeProposed:
      ApplyGradeProposed(step, state);
      break;
    case pb::Event::kMetricRecorded:
      ApplyMetric(step, state);
      break;
    case pb::Event::kAuthorityDelegated:
      ApplyAuthority(step, state);
      break;
    case pb::Event::kContactPlanned:
      ApplyContactPlanned(step, state);
      break;
    case pb::Event::kTrackingEnded:
      ApplyTrackingEnded(step, state);
      break;
    case pb::Event::kDisputeOpened:
      ApplyDisputeOpened(step, state);
      break;
    case pb::Event::kDisputeStepTaken:
      ApplyDisputeStep(step, state);
      break;
    case pb::Event::kDisputeResolved:
      ApplyDisputeResolved(step, state);
      break;
    case pb::Event::kCustomersMerged:
      ApplyIdentity(position, event.customers_merged().customer_id(),
                    event.customers_merged().absorbed_customer_id(), true, state);
      break;
    case pb::Event::kCustomersUnmerged:
      ApplyIdentity(position, event.customers_unmerged().customer_id(),
                    event.customers_unmerged().absorbed_customer_id(), false, state);
      break;
    case pb::Event::kClaimJoined:
      ApplyIdentity(position, event.claim_joined().customer_id(), event.claim_joined().claimant_customer_id(),
                    true, state);
      break;

    // Nothing in a customer's state follows from these, under any policy this release knows. Corrections took
    // effect when the history was built.
    case pb::Event::kEventCorrected:
    case pb::Event::kLedgerCreated:
    case pb::Event::kLineageStarted:
    case pb::Event::kPolicyAdopted:
    case pb::Event::kCalendarPublished:
    case pb::Event::kStaffStatusChanged:
    case pb::Event::kPresenceChanged:
    case pb::Event::kRotationSet:
    case pb::Event::kProfileChanged:
    case pb::Event::kConsentChanged:
    case pb::Event::kRegistrationFiled:
    case pb::Event::kReceptionAssigned:
    case pb::Event::kDealAmended:
    case pb::Event::kPaymentReceived:
    case pb::Event::kCreditAllocated:
    case pb::Event::kCreditRevoked:
    case pb::Event::kDeletionRequested:
    case pb::Event::kDeletionDecided:
    case pb::Event::kRecordDestroyed:
    // Facts that are only kept.
    case pb::Event::kDeadlineLapsed:
    case pb::Event::kCommandRejected:
    case pb::Event::kLeadReceived:
    case pb::Event::kVisitPlanned:
    case pb::Event::kRewardGranted:
    case pb::Event::kCommitmentLogged:
    case pb::Event::kCommitmentSettled:
    case pb::Event::kComplaintFiled:
    case pb::Event::kComplaintStepTaken:
    case pb::Event::kComplaintClosed:
    case pb::Event::kActivityRecorded:
    case pb::Event::kAccessRequested:
    case pb::Event::kAccessDecided:
    case pb::Event::kFileCustodyChanged:
    case pb::Event::kReportSubmitted:
    case pb::Event::kSurveyRecorded:
    case pb::Event::kBreachRecorded:
    case pb::Event::kCaseOpened:
    case pb::Event::kCaseStepCompleted:
    case pb::Event::kCaseClosed:
    case pb::Event::kCustomersLinked:
      break;
  }
  return absl::OkStatus();
}

// A state as it stands at an instant: itself where time changes nothing until then, which is nearly always, and else a
// copy that was advanced.
class AdvancedState {
 public:
  AdvancedState(const policy::Timeline& timeline, const CustomerState& state, absl::Time at)
      : state_(&state) {
    if (!ChangesBy(timeline, at, state)) return;
    copy_ = state;
    Advance(timeline, at, &*copy_);
    state_ = &*copy_;
  }
  AdvancedState(const AdvancedState&) = delete;
  AdvancedState& operator=(const AdvancedState&) = delete;

  const CustomerState& operator*() const { return *state_; }

 private:
  std::optional<CustomerState> copy_;
  const CustomerState* state_;
};

// How many changes of class by time alone a list looks ahead.
constexpr int kMostGradeChanges = 16;

pb::Callback MakeCallback(const policy::Timeline& timeline, const CustomerState& state,
                          const ScopeState& scope, const DueCallBack& call, absl::Time at) {
  pb::Callback callback;
  callback.set_scope(scope.scope());
  *callback.mutable_owner() = scope.owner();
  callback.set_occasion(call.occasion);
  *callback.mutable_basis() = call.basis;
  if (call.has_date) {
    const pb::Policy& policy = PolicyInForce(timeline, at).policy;
    *callback.mutable_due_time() = ToTimestamp(call.due);
    callback.set_overdue(at > call.LastInstant());
    callback.set_days_left(static_cast<int32_t>(LocalDay(policy, call.LastInstant()) - LocalDay(policy, at)));
    if (call.has_hard_limit) {
      *callback.mutable_hard_due_time() = ToTimestamp(call.hard_due);
      *callback.mutable_hard_due_basis() = call.hard_basis;
    }
  }
  SetContactTerms(timeline, state, scope, call, at, &callback);
  return callback;
}

bool KnowsMerge(const CustomerState& state, const pb::CustomersUnmerged& unmerged) {
  bool joined = false;
  for (const IdentityState& identity : state.identities()) {
    if (identity.customer_id() == unmerged.customer_id() &&
        identity.alias_customer_id() == unmerged.absorbed_customer_id()) {
      joined = identity.joins();
    }
  }
  return joined;
}

absl::StatusOr<Decision> DecideMerged(const pb::CustomersMerged& merged) {
  if (merged.customer_id() == merged.absorbed_customer_id()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "SAME_CUSTOMER",
                  "a customer is not merged with itself; name the other id", "");
  }
  return Decision{};
}

absl::StatusOr<Decision> DecideUnmerged(const Proposal& proposal, const pb::CustomersUnmerged& unmerged) {
  if (!KnowsMerge(proposal.customer, unmerged)) {
    return Refuse(absl::StatusCode::kNotFound, "NOT_MERGED",
                  absl::StrCat("\"", unmerged.absorbed_customer_id(), "\" is not an alias of \"",
                               unmerged.customer_id(), "\"; read the customer to see its aliases"),
                  "");
  }
  return Decision{};
}

absl::StatusOr<Decision> DecideCorrected(const Proposal& proposal, const pb::EventCorrected& corrected) {
  if (corrected.target_position() == 0) {
    return Refuse(absl::StatusCode::kInvalidArgument, "TARGET_MISSING",
                  "name the position of the wrong event; history shows it", "");
  }
  for (const IdentityState& identity : proposal.customer.identities()) {
    if (identity.position() != corrected.target_position()) continue;
    return Refuse(absl::StatusCode::kFailedPrecondition, "MERGE_NEEDS_UNMERGE",
                  "a merge concerns two customers and is undone by CustomersUnmerged, which both know", "");
  }
  return Decision{};
}

absl::StatusOr<Decision> DecideBody(const Proposal& proposal, const DecisionContext& context,
                                    const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::BODY_NOT_SET:
      return Refuse(absl::StatusCode::kInvalidArgument, "UNKNOWN_EVENT_TYPE",
                    "the event has no body that this server knows; send one of Event.body", "");
    case pb::Event::kCustomerRegistered:
      return DecideRegistered(proposal, context, event);
    case pb::Event::kOwnerAssigned:
      LEDGER_RETURN_IF_ERROR(CheckResponsible(proposal, event.owner_assigned().owner()));
      return DecideAssigned(proposal, event.owner_assigned());
    case pb::Event::kOwnerReleased:
      return DecideReleased(proposal, event.owner_released());
    case pb::Event::kTransferProposed:
      LEDGER_RETURN_IF_ERROR(CheckResponsible(proposal, event.transfer_proposed().to()));
      return DecideTransferProposed(proposal, event.transfer_proposed());
    case pb::Event::kTransferAudited:
    case pb::Event::kTransferAccepted:
    case pb::Event::kTransferConfirmed:
    case pb::Event::kTransferCompleted:
      return DecideTransferStep(proposal, event);
    case pb::Event::kProfileSubmitted:
    case pb::Event::kProfileReviewed:
      LEDGER_RETURN_IF_ERROR(CheckTransferReview(proposal, event));
      return Decision{};
    case pb::Event::kTransferDeclined:
      return DecideTransferDeclined(proposal, event.transfer_declined());
    case pb::Event::kTransferCancelled:
      return DecideTransferCancelled(proposal, event.transfer_cancelled());
    case pb::Event::kGradeChanged:
      return DecideGradeChanged(proposal, event.grade_changed());
    case pb::Event::kGradeProposed:
      return DecideGradeProposed(proposal, event.grade_proposed());
    case pb::Event::kContactLogged:
      return DecideContact(proposal, event);
    case pb::Event::kCustomerNotified:
      return DecideNotified(proposal, event);
    case pb::Event::kTrackingEnded:
      return DecideTrackingEnded(proposal, event.tracking_ended());
    case pb::Event::kDisputeOpened:
      return DecideDisputeOpened(proposal, event.dispute_opened());
    case pb::Event::kDisputeStepTaken:
      return DecideDisputeStep(proposal, event.dispute_step_taken());
    case pb::Event::kDisputeResolved:
      return DecideDisputeResolved(proposal, event);
    case pb::Event::kCreditAllocated:
      return DecideCreditAllocated(proposal, event.credit_allocated());
    case pb::Event::kCreditRevoked:
      return DecideCreditRevoked(proposal, event.credit_revoked());
    case pb::Event::kVisitLogged:
      return DecideVisit(proposal, context, event);
    case pb::Event::kEventCorrected:
      return DecideCorrected(proposal, event.event_corrected());
    case pb::Event::kCustomersMerged:
      return DecideMerged(event.customers_merged());
    case pb::Event::kCustomersUnmerged:
      return DecideUnmerged(proposal, event.customers_unmerged());
    case pb::Event::kCustomersLinked:
      return DecideLinked(proposal, context, event);
    default:  // a fact; facts are not refused
      return Decision{};
  }
}

}  // namespace

absl::Status Apply(const policy::Timeline& timeline, const HistoryEvent& event, CustomerState* state) {
  if (event.event == nullptr) return absl::DataLossError("NO_EVENT: a history entry without an event");
  const policy::PolicyVersion& policy = PolicyInForce(timeline, event.business_time);
  const Step step{timeline, policy, event};
  // What time brings about at an instant comes before the events of that instant; what an event lets go of
  // falls at once.
  Advance(timeline, event.business_time, state);
  if (event.decided_later) {
    ApplyDecidedEarlier(step, state);
    Advance(timeline, event.business_time, state);
    state->set_last_us(ToMicros(event.business_time));
    return absl::OkStatus();
  }
  const bool remembers = timeline.memory() != nullptr;  // the policy has requirements or duties
  if (remembers) {
    AdvanceDuties(timeline, DutyHolder(), event.business_time, state);
    ApplyFlags(step, state);
  }
  ApplyFacts(step, state);
  ApplyCredit(step, CreditMoment::kBefore, state);
  LEDGER_RETURN_IF_ERROR(ApplyBody(step, state));
  ApplyLateEvidence(step, state);
  ApplyGradeSigns(step, state);
  ApplyCallBackSigns(step, state);
  if (policy.policy.has_registration()) {
    ApplyRegistration(step, state);
    ApplyForms(step, state);
  }
  if (remembers) {
    ApplyDuties(step, DutyHolder(), state);
    RememberEvent(step, state);
  }
  ApplyRecordedOwner(step, state);
  ApplyCredit(step, CreditMoment::kAfter, state);
  Advance(timeline, event.business_time, state);

  if (state->events() == 0) {
    state->set_first_position(event.position);
    state->set_first_us(ToMicros(event.business_time));
  }
  state->set_events(state->events() + 1);
  state->set_last_position(event.position);
  state->set_last_us(ToMicros(event.business_time));
  if (event.event->has_evidence()) state->set_source_events(state->source_events() + 1);
  return absl::OkStatus();
}

absl::StatusOr<CustomerState> Fold(const policy::Timeline& timeline, const History& history,
                                   absl::Time true_at) {
  CustomerState state;
  for (const HistoryEvent& event : history.events) {
    if (event.business_time > true_at) break;
    LEDGER_RETURN_IF_ERROR(Apply(timeline, event, &state));
  }
  return state;
}

std::vector<pb::Ownership> ReadOwnerships(const policy::Timeline& timeline, const CustomerState& state,
                                          absl::Time true_at) {
  std::vector<pb::Ownership> ownerships;
  const AdvancedState standing(timeline, state, true_at);
  const CustomerState& advanced = *standing;
  for (const ScopeState& scope : advanced.scopes()) {
    ownerships.push_back(ReadOwnership(timeline, scope, true_at));
  }
  return ownerships;
}

std::vector<pb::Tier> ReadTiers(const policy::Timeline& timeline, const CustomerState& state,
                                absl::Time true_at) {
  return ReadGrades(timeline, state, true_at);
}

std::vector<pb::Callback> ReadCallbacks(const policy::Timeline& timeline, const CustomerState& state,
                                        absl::Time true_at) {
  std::vector<pb::Callback> callbacks;
  const AdvancedState standing(timeline, state, true_at);
  const CustomerState& advanced = *standing;
  for (const ScopeState& scope : advanced.scopes()) {
    if (const std::optional<DueCallBack> call = NextCallBack(timeline, advanced, scope, true_at)) {
      callbacks.push_back(MakeCallback(timeline, advanced, scope, *call, true_at));
    }
    for (const DueCallBack& occasion : Occasions(timeline, advanced, scope, true_at)) {
      if (occasion.stands_from > true_at) continue;
      callbacks.push_back(MakeCallback(timeline, advanced, scope, occasion, true_at));
    }
  }
  return callbacks;
}

bool FoldsReadStaff(const pb::Policy& policy) {
  return policy.pool().has_wake_up() || !policy.lapse().card().leaving_rule_id().empty();
}

std::string RelatedCustomerId(const policy::Timeline& timeline, absl::Time recorded_time,
                              const pb::Event& event) {
  const pb::OwnershipRules& rules = PolicyInForce(timeline, recorded_time).policy.ownership();
  if (event.has_customer_registered() && rules.has_referral()) {
    return event.customer_registered().referrer_customer_id();
  }
  if (event.has_customers_linked() && rules.has_family()) return event.customers_linked().other_customer_id();
  return "";
}

std::string CappedStaffId(const policy::Timeline& timeline, absl::Time recorded_time,
                          const pb::Event& event) {
  if (!event.has_customer_registered()) return "";
  if (!PolicyInForce(timeline, recorded_time).policy.pool().has_daily_cap()) return "";
  return event.customer_registered().registrar_id();
}

std::vector<CustodyInterval> CustodyIntervals(const policy::Timeline& timeline, const CustomerState& state) {
  std::vector<CustodyInterval> intervals;
  CustomerState future = state;
  for (ScopeState& scope : *future.mutable_scopes()) {
    while (true) {
      CustodyInterval interval;
      interval.scope = scope.scope();
      interval.from = FromMicros(scope.since_us());
      interval.until = absl::InfiniteFuture();
      interval.pooled = scope.custody() == CUSTODY_POOLED;
      const bool owned = scope.custody() == CUSTODY_OWNED && !InLimbo(timeline, scope);
      if (owned) interval.owner = scope.owner();
      const std::optional<TimeChange> change = AdvanceOnce(timeline, absl::InfiniteFuture(), &scope, &future);
      if (change.has_value()) interval.until = change->at;
      if (owned || interval.pooled) intervals.push_back(std::move(interval));
      if (!change.has_value()) break;
    }
  }
  return intervals;
}

std::vector<CallbackInterval> CallbackIntervals(const policy::Timeline& timeline,
                                                const CustomerState& state) {
  std::vector<CallbackInterval> intervals;
  const absl::Time last = FromMicros(state.last_us());
  for (const ScopeState& scope : state.scopes()) {
    CallbackInterval interval;
    interval.scope = scope.scope();
    interval.has_owner = true;
    interval.owner = scope.owner();
    const std::optional<DueLapse> lapse = NextChange(timeline, scope);
    const absl::Time end = lapse.has_value() ? lapse->at : absl::InfiniteFuture();
    const auto add = [&](absl::Time due, absl::Time from, absl::Time until) {
      // What falls due at one instant stands on a list once.
      for (CallbackInterval& other : intervals) {
        if (other.scope != interval.scope || other.due != due) continue;
        if (from > other.until || until < other.from) continue;
        other.from = std::min(other.from, from);
        other.until = std::max(other.until, until);
        return;
      }
      interval.due = due;
      interval.from = from;
      interval.until = until;
      intervals.push_back(interval);
    };
    // A class that time alone changes may change the cadence.
    absl::Time from = last;
    for (int changes = 0; from < end && changes < kMostGradeChanges; ++changes) {
      const std::optional<DueCallBack> call = NextCallBack(timeline, state, scope, from);
      const absl::Time next = std::min(end, NextGradeChange(timeline, state, from));
      if (call.has_value() && call->has_date) add(call->due, from, next);
      from = next;
    }
    for (const DueCallBack& occasion : Occasions(timeline, state, scope, last)) {
      if (occasion.stands_from >= end) continue;
      add(occasion.due, std::max(last, occasion.stands_from), std::min(end, occasion.stands_until));
    }
  }
  return intervals;
}

absl::StatusOr<Decision> Decide(const DecisionContext& context, const pb::Event& proposed) {
  if (proposed.body_case() == pb::Event::BODY_NOT_SET || proposed.has_evidence()) {
    if (proposed.has_evidence() && proposed.body_case() != pb::Event::BODY_NOT_SET) return Decision{};
    return Refuse(absl::StatusCode::kInvalidArgument, "UNKNOWN_EVENT_TYPE",
                  "the event has no body that this server knows; send one of Event.body", "");
  }
  static const auto* const nobody = new CustomerState();
  const CustomerState& customer = context.customer == nullptr ? *nobody : *context.customer;
  // A state may reach beyond the present: occurred times run up to a day ahead.
  absl::Time at = context.recorded_time;
  if (customer.events() > 0) at = std::max(at, FromMicros(customer.last_us()));
  const AdvancedState standing(*context.timeline, customer, at);
  const CustomerState& advanced = *standing;
  const policy::PolicyVersion& policy = PolicyInForce(*context.timeline, at);
  const Proposal proposal{*context.timeline, policy, advanced, at};
  if (policy.policy.ownership().by_recorded_assignment()) return Decision{};
  if (HasRequirements(policy, proposed)) {
    pb::Record record;
    *record.mutable_event() = proposed;
    record.mutable_header()->set_event_type(policy::EventTypeOf(proposed));
    *record.mutable_header()->mutable_recorded_time() = ToTimestamp(context.recorded_time);
    const absl::Time counts = BusinessTimeOf(*context.timeline, record);
    LEDGER_RETURN_IF_ERROR(CheckRequirements(proposal, proposed, counts));
  }
  if (policy.policy.has_registration()) {
    LEDGER_RETURN_IF_ERROR(CheckRegistration(proposal, context.personal, proposed));
  }
  return DecideBody(proposal, context, proposed);
}

}  // namespace ledger::rules
