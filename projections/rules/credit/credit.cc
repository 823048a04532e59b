#include "projections/rules/credit/credit.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_match.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/credit/credit_case.h"
#include "projections/rules/custody.h"
#include "projections/rules/lapse/lapse.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

using EventMatches = google::protobuf::RepeatedPtrField<pb::EventMatch>;

bool MatchesAny(const EventMatches& matches, const pb::Event& event) {
  return std::any_of(matches.begin(), matches.end(),
                     [&event](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

pb::Owner StaffOwner(const std::string& staff_id) {
  pb::Owner owner;
  owner.set_staff_id(staff_id);
  return owner;
}

// The owner of a scope; nobody while it is pooled or between two owners.
pb::Owner OwnerOf(const policy::Timeline& timeline, const ScopeState* scope) {
  if (scope == nullptr || scope->custody() != CUSTODY_OWNED || InLimbo(timeline, *scope)) return pb::Owner();
  return scope->owner();
}

void SetMoment(const Step& step, MomentState* moment) {
  if (moment->position() != 0) return;  // the first time counts
  moment->set_time_us(ToMicros(step.at()));
  moment->set_position(step.event.position);
}

ReceptionState* FindVisit(CreditState* credit, const std::string& visit_id) {
  auto* receptions = credit->mutable_receptions();
  for (int i = receptions->size() - 1; i >= 0; --i) {
    if (receptions->Get(i).visit_id() == visit_id) return receptions->Mutable(i);
  }
  return nullptr;
}

// Who counts as the first of a reception that begins now.
void FindFirst(const Step& step, const CustomerState& state, ReceptionState* reception) {
  const ScopeState* scope = FindScope(state, "");
  const pb::Owner owner = OwnerOf(step.timeline, scope);
  if (!HolderKey(owner).empty()) {
    const ProtectionTerm term = ProtectionOf(step.timeline, scope->lapse());
    *reception->mutable_first() = owner;
    reception->set_first_position(scope->lapse().protection_position());
    reception->set_first_filed_us(scope->lapse().protection_from_us());
    reception->set_first_protected(step.at() < term.end);
    if (term.end < absl::InfiniteFuture()) reception->set_first_protected_until_us(ToMicros(term.end));
    return;
  }
  for (const ReceptionState& earlier : state.credit().receptions()) {
    if (earlier.staff_id().empty() || IsAssistance(earlier)) continue;
    *reception->mutable_first() = StaffOwner(earlier.staff_id());
    reception->set_first_position(earlier.position());
    return;
  }
  reception->set_first_visit(!reception->came_before() && !reception->forgotten());
  const std::string& asked_for = !reception->requested().empty() ? reception->requested()
                                 : reception->named_size() == 1  ? reception->named(0)
                                                                 : reception->staff_id();
  if (!reception->first_visit() || asked_for.empty()) return;
  *reception->mutable_first() = StaffOwner(asked_for);
}

// Gives the customer to whoever the case says, from the start of the reception.
void MoveOwner(const Step& step, const pb::CreditCase& fits, const ReceptionState& reception,
               CustomerState* state) {
  if (step.policy.policy.ownership().by_recorded_assignment()) return;
  pb::Owner owner;
  switch (fits.owner_after()) {
    case pb::CASE_OWNER_RECEIVER:
      owner = StaffOwner(reception.staff_id());
      break;
    case pb::CASE_OWNER_FIRST:
      owner = reception.first();
      break;
    default:
      return;
  }
  if (HolderKey(owner).empty()) return;
  const ScopeState* known = FindScope(*state, "");
  if (known != nullptr) {
    if (!known->disputes().empty() || InLimbo(step.timeline, *known)) return;  // frozen
    if (known->custody() == CUSTODY_OWNED && SameHolder(known->owner(), owner)) return;
    // Who was assigned by a rule that comes before the cases stays the owner.
    const CreditState& credit = state->credit();
    for (const pb::CreditCase& before : step.policy.policy.credit().cases()) {
      if (&before == &fits) break;
      const auto& positions = known->basis().positions();
      if (before.when() == pb::CREDIT_WHEN_ASSIGNED && !credit.assigned_rule_id().empty() &&
          before.rule_id() == credit.assigned_rule_id() &&
          std::find(positions.begin(), positions.end(), credit.assigned_position()) != positions.end()) {
        return;
      }
    }
  }
  HistoryEvent begins = step.event;
  begins.business_time = FromMicros(reception.time_us());
  const Step start{step.timeline, step.policy, begins};
  pb::Basis basis = MakeBasis(fits.rule_id(), step.policy, start.at());
  if (reception.first_position() != 0) basis.add_positions(reception.first_position());
  basis.add_positions(reception.position());
  SetOwner(start, owner, basis, Filing::kMoved, FindOrAddScope(state, ""), state);
}

// Somebody received: judges which case that is.
void Judge(const Step& step, ReceptionState* reception, CustomerState* state) {
  if (reception->staff_id().empty()) return;
  if (HolderKey(reception->first()).empty() && reception->first_visit()) {
    *reception->mutable_first() = StaffOwner(reception->staff_id());
  }
  const pb::CreditCase* fits = CaseOfReception(step.policy.policy.credit(), *reception);
  if (fits == nullptr) return;
  CreditState* credit = state->mutable_credit();
  const bool open = credit->deciding_position() == 0 || credit->deciding_position() == reception->position();
  if (open || BringsInASecond(*reception)) credit->set_deciding_position(reception->position());
  const ReceptionState judged = *reception;  // the state's own may move
  MoveOwner(step, *fits, judged, state);
}

void ApplyVisit(const Step& step, CustomerState* state) {
  const pb::VisitLogged& visit = step.event.event->visit_logged();
  if (visit.direction() == pb::DIRECTION_OUTBOUND) return;
  if (!visit.occasion_id().empty()) SetMoment(step, state->mutable_credit()->mutable_attended());
  ReceptionState reception;
  reception.set_visit_id(visit.visit_id());
  reception.set_staff_id(visit.staff_id());
  reception.set_time_us(ToMicros(step.at()));
  reception.set_position(step.event.position);
  *reception.mutable_named() = visit.named_staff_ids();
  reception.set_requested(visit.requested_staff_id());
  reception.set_refused(visit.refused_staff_id());
  reception.set_wants_discount(visit.wants_discount());
  reception.set_came_before(visit.came_before() == pb::CAME_BEFORE_YES);
  reception.set_forgotten(visit.came_before() == pb::CAME_BEFORE_UNKNOWN && visit.named_staff_ids().empty() &&
                          visit.requested_staff_id().empty());
  FindFirst(step, *state, &reception);
  *state->mutable_credit()->add_receptions() = reception;
}

void ApplyVisitReceived(const Step& step, CustomerState* state) {
  auto* receptions = state->mutable_credit()->mutable_receptions();
  if (receptions->empty() || receptions->rbegin()->position() != step.event.position) return;
  Judge(step, &*receptions->rbegin(), state);
}

void ApplyReceptionAssigned(const Step& step, CustomerState* state) {
  const pb::ReceptionAssigned& assigned = step.event.event->reception_assigned();
  ReceptionState* reception = FindVisit(state->mutable_credit(), assigned.visit_id());
  if (reception == nullptr) return;
  reception->set_staff_id(assigned.staff_id());
  reception->set_basis(assigned.basis());
  Judge(step, reception, state);
}

// A forgotten receiver was found.
void ApplyFound(const Step& step, CustomerState* state) {
  if (!MatchesAny(step.policy.policy.credit().found_by(), *step.event.event)) return;
  for (ReceptionState& reception : *state->mutable_credit()->mutable_receptions()) {
    if (!reception.forgotten() || reception.found_position() != 0) continue;
    reception.set_found_position(step.event.position);
    reception.set_found_us(ToMicros(step.at()));
  }
}

void ApplyAssignment(const Step& step, const ScopeState* scope, CreditState* credit) {
  const pb::OwnerAssigned& assigned = step.event.event->owner_assigned();
  if (!assigned.scope().empty() || scope == nullptr || !scope->disputes().empty()) return;
  credit->set_assigned_position(step.event.position);
  credit->set_assigned_rule_id(assigned.rule_id());
  const ReceptionState* reception = FindReception(*credit, credit->deciding_position());
  if (reception == nullptr) return;
  const pb::CreditCase* fits = CaseOfReception(step.policy.policy.credit(), *reception);
  const bool party = SameHolder(assigned.owner(), reception->first()) ||
                     SameHolder(assigned.owner(), StaffOwner(reception->staff_id()));
  if (party && fits != nullptr && fits->assignment_chooses()) return;
  credit->clear_deciding_position();
}

DealState* FindDeal(const std::string& deal_id, CreditState* credit) {
  for (DealState& deal : *credit->mutable_deals()) {
    if (deal.deal_id() == deal_id) return &deal;
  }
  return nullptr;
}

bool IsOpen(const DealState& deal) {
  return deal.delivered().position() == 0 && deal.cancelled().position() == 0;
}

// The deal whose goods were delivered: the one named, else the one of that unit, else the only open one.
DealState* FindDelivered(const pb::DealRecorded& recorded, CreditState* credit) {
  if (DealState* named = FindDeal(recorded.deal_id(), credit)) return named;
  DealState* only = nullptr;
  int open = 0;
  for (DealState& deal : *credit->mutable_deals()) {
    if (!IsOpen(deal)) continue;
    if (!recorded.unit_number().empty() && deal.unit_number() == recorded.unit_number()) return &deal;
    only = &deal;
    ++open;
  }
  return recorded.unit_number().empty() && open == 1 ? only : nullptr;
}

void SetInviter(const Step& step, const CustomerState& state, DealState* deal) {
  if (deal->occasion_id().empty()) return;
  const pb::Owner inviter = OwnerOf(step.timeline, FindScope(state, deal->occasion_id()));
  if (!HolderKey(inviter).empty()) *deal->mutable_inviter() = inviter;
}

void SetOwnerAtDeal(const Step& step, const CustomerState& state, DealState* deal) {
  const ScopeState* scope = FindScope(state, deal->scope());
  if (scope == nullptr) scope = FindScope(state, "");
  const pb::Owner owner = OwnerOf(step.timeline, scope);
  if (HolderKey(owner).empty()) return;
  *deal->mutable_owner() = owner;
  deal->set_owner_rule_id(scope->basis().rule_id());
  *deal->mutable_owner_positions() = scope->basis().positions();
  const auto& positions = scope->basis().positions();
  const uint64_t assigned = state.credit().assigned_position();
  if (std::find(positions.begin(), positions.end(), assigned) != positions.end()) {
    deal->set_assigned_rule_id(state.credit().assigned_rule_id());
  }
}

bool IsCredited(const pb::Credit& rules, pb::DealKind kind) {
  if (kind == pb::DEAL_KIND_LOSS) return false;
  if (rules.deal_kinds().empty()) return kind != pb::DEAL_KIND_DELIVERY;
  return std::find(rules.deal_kinds().begin(), rules.deal_kinds().end(), static_cast<int>(kind)) !=
         rules.deal_kinds().end();
}

void ApplyAmended(const Step& step, CreditState* credit) {
  const pb::DealAmended& amended = step.event.event->deal_amended();
  DealState* deal = FindDeal(amended.deal_id(), credit);
  if (deal == nullptr) return;
  switch (amended.change()) {
    case pb::DEAL_CHANGE_CANCEL:
    case pb::DEAL_CHANGE_RETURN:
      return SetMoment(step, deal->mutable_cancelled());
    case pb::DEAL_CHANGE_UNIT:
      deal->set_unit_number(amended.after());
      break;
    default:
      break;
  }
  deal->clear_changed();  // the last change counts
  SetMoment(step, deal->mutable_changed());
}

void ApplyPayment(const Step& step, CreditState* credit) {
  const pb::PaymentReceived& payment = step.event.event->payment_received();
  DealState* deal = FindDeal(payment.deal_id(), credit);
  if (deal == nullptr) return;
  deal->set_paid_minor_units(deal->paid_minor_units() + payment.amount().minor_units());
  if (payment.kind() == pb::PAYMENT_KIND_DOWN_PAYMENT) SetMoment(step, deal->mutable_down_payment());
  if (payment.kind() == pb::PAYMENT_KIND_LOAN_RELEASED) SetMoment(step, deal->mutable_loan_released());
  const bool all =
      deal->amount().minor_units() > 0 && deal->paid_minor_units() >= deal->amount().minor_units();
  if (payment.kind() == pb::PAYMENT_KIND_FULL || all) SetMoment(step, deal->mutable_paid());
}

// The id of a deal that an event about papers names, or another id.
std::string NamedFile(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kCaseStepCompleted:
      return event.case_step_completed().case_id();
    case pb::Event::kCaseClosed:
      return event.case_closed().case_id();
    case pb::Event::kFileCustodyChanged:
      return event.file_custody_changed().record_id();
    default:
      return "";
  }
}

void ApplyPapers(const Step& step, CreditState* credit) {
  if (!MatchesAny(step.policy.policy.credit().papers(), *step.event.event)) return;
  if (DealState* named = FindDeal(NamedFile(*step.event.event), credit)) {
    return SetMoment(step, named->mutable_papers());
  }
  bool delivered = false;
  for (const DealState& deal : credit->deals()) {
    delivered = delivered || (deal.delivered().position() != 0 && deal.papers().position() == 0);
  }
  // Papers that come before the delivery are about what is not delivered yet.
  for (DealState& deal : *credit->mutable_deals()) {
    if (deal.delivered().position() != 0 || !delivered) SetMoment(step, deal.mutable_papers());
  }
}

void ApplyAllocated(const Step& step, CreditState* credit) {
  const pb::CreditAllocated& allocated = step.event.event->credit_allocated();
  DealState* deal = FindDeal(allocated.deal_id(), credit);
  if (deal == nullptr) return;
  CreditDecisionState* decision = deal->add_decisions();
  decision->set_position(step.event.position);
  decision->set_time_us(ToMicros(step.at()));
  decision->set_rule_id(allocated.rule_id());
  *decision->mutable_performance() = allocated.performance_shares();
  *decision->mutable_bonus() = allocated.bonus_shares();
}

void ApplyRevoked(const Step& step, CreditState* credit) {
  const pb::CreditRevoked& revoked = step.event.event->credit_revoked();
  DealState* deal = FindDeal(revoked.deal_id(), credit);
  if (deal == nullptr) return;
  CreditDecisionState* decision = deal->add_decisions();
  decision->set_position(step.event.position);
  decision->set_time_us(ToMicros(step.at()));
  decision->set_revoked_staff_id(revoked.staff_id());
}

DealDisputeState* FindDispute(const std::string& dispute_id, CreditState* credit) {
  for (DealDisputeState& dispute : *credit->mutable_disputes()) {
    if (dispute.dispute_id() == dispute_id) return &dispute;
  }
  return nullptr;
}

void ApplyOpened(const Step& step, CreditState* credit) {
  const pb::DisputeOpened& opened = step.event.event->dispute_opened();
  if (FindDispute(opened.dispute_id(), credit) != nullptr) return;
  DealDisputeState* dispute = credit->add_disputes();
  dispute->set_dispute_id(opened.dispute_id());
  dispute->set_deal_id(opened.deal_id());
  dispute->set_opened_us(ToMicros(step.at()));
}

void ApplyDisputeStep(const Step& step, CreditState* credit) {
  const pb::DisputeStepTaken& taken = step.event.event->dispute_step_taken();
  DealDisputeState* dispute = FindDispute(taken.dispute_id(), credit);
  if (dispute == nullptr) return;
  if (taken.step() == pb::DISPUTE_STEP_QUARREL && dispute->quarrel_position() == 0) {
    dispute->set_quarrel_position(step.event.position);
    dispute->set_quarrel_us(ToMicros(step.at()));
  } else if (taken.step() == pb::DISPUTE_STEP_REFUSED_DECISION && dispute->disobedience_position() == 0) {
    dispute->set_disobedience_position(step.event.position);
    dispute->set_disobedience_us(ToMicros(step.at()));
  }
}

void ApplyResolved(const Step& step, CreditState* credit) {
  const pb::DisputeResolved& resolved = step.event.event->dispute_resolved();
  DealDisputeState* dispute = FindDispute(resolved.dispute_id(), credit);
  if (dispute == nullptr) return;
  dispute->set_resolved_us(ToMicros(step.at()));
  dispute->set_resolved_position(step.event.position);
  dispute->set_rule_id(resolved.rule_id());
  if (resolved.has_owner()) *dispute->mutable_owner() = resolved.owner();
  if (resolved.performance_shares().empty() && resolved.bonus_shares().empty()) return;
  for (DealState& deal : *credit->mutable_deals()) {
    if (!Concerns(*credit, *dispute, deal)) continue;
    CreditDecisionState* decision = deal.add_decisions();
    decision->set_position(step.event.position);
    decision->set_time_us(ToMicros(step.at()));
    decision->set_rule_id(resolved.rule_id());
    decision->set_by_dispute(true);
    *decision->mutable_performance() = resolved.performance_shares();
    *decision->mutable_bonus() = resolved.bonus_shares();
  }
}

void ApplyComplaint(const Step& step, CreditState* credit) {
  const pb::ComplaintFiled& filed = step.event.event->complaint_filed();
  if (filed.against_staff_id().empty()) return;
  StaffComplaintState* complaint = credit->add_complaints();
  complaint->set_complaint_id(filed.complaint_id());
  complaint->set_against(filed.against_staff_id());
  complaint->set_filed_us(ToMicros(step.at()));
}

void ApplyComplaintStep(const Step& step, CustomerState* state) {
  const pb::ComplaintStepTaken& taken = step.event.event->complaint_step_taken();
  CreditState* credit = state->mutable_credit();
  for (StaffComplaintState& complaint : *credit->mutable_complaints()) {
    if (complaint.complaint_id() != taken.complaint_id()) continue;
    if (taken.step() == pb::COMPLAINT_STEP_NOT_ESTABLISHED) {
      complaint.clear_verified_position();
      complaint.clear_verified_us();
    }
    if (taken.step() != pb::COMPLAINT_STEP_VERIFIED || complaint.verified_position() != 0) return;
    complaint.set_verified_position(step.event.position);
    complaint.set_verified_us(ToMicros(step.at()));
    const ReceptionState* reception = FindReception(*credit, credit->deciding_position());
    if (reception == nullptr || !BringsInASecond(*reception) ||
        !SameHolder(reception->first(), StaffOwner(complaint.against()))) {
      return;
    }
    for (const pb::CreditCase& fits : step.policy.policy.credit().cases()) {
      if (fits.when() != pb::CREDIT_WHEN_COMPLAINT) continue;
      ReceptionState judged = *reception;
      judged.set_time_us(ToMicros(step.at()));  // what was verified now moves nobody earlier
      MoveOwner(step, fits, judged, state);
      return;
    }
    return;
  }
}

void ApplyReferrer(const std::string& referrer, const Step& step, CreditState* credit) {
  if (referrer.empty() || !credit->referrer_customer_id().empty()) return;
  credit->set_referrer_customer_id(referrer);
  credit->set_referrer_position(step.event.position);
}

// Whoever is named first was brought by the other.
void ApplyLinked(const Step& step, CreditState* credit) {
  const pb::CustomersLinked& linked = step.event.event->customers_linked();
  if (linked.kind() != pb::LINK_KIND_REFERRAL || linked.customer_id() != credit->customer_id()) return;
  ApplyReferrer(linked.other_customer_id(), step, credit);
}

// Links and merges name two customers, all other events one.
void NoteCustomer(const pb::Event& event, CreditState* credit) {
  if (!credit->customer_id().empty() || event.has_customers_linked() || event.has_customers_merged() ||
      event.has_customers_unmerged() || event.has_claim_joined() || event.has_list_submitted()) {
    return;
  }
  credit->set_customer_id(policy::CustomerIdOf(event));
}

void ApplyAfter(const Step& step, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  switch (event.body_case()) {
    case pb::Event::kVisitLogged:
      return ApplyVisitReceived(step, state);
    case pb::Event::kReceptionAssigned:
      return ApplyReceptionAssigned(step, state);
    case pb::Event::kComplaintStepTaken:
      return ApplyComplaintStep(step, state);
    default:
      break;
  }
  const ScopeState* scope = FindScope(*state, "");
  CreditState* credit = state->mutable_credit();
  switch (event.body_case()) {
    case pb::Event::kOwnerAssigned:
      return ApplyAssignment(step, scope, credit);
    case pb::Event::kCustomerRegistered:
      return ApplyReferrer(event.customer_registered().referrer_customer_id(), step, credit);
    case pb::Event::kCustomersLinked:
      return ApplyLinked(step, credit);
    case pb::Event::kDealAmended:
      return ApplyAmended(step, credit);
    case pb::Event::kPaymentReceived:
      return ApplyPayment(step, credit);
    case pb::Event::kCreditAllocated:
      return ApplyAllocated(step, credit);
    case pb::Event::kCreditRevoked:
      return ApplyRevoked(step, credit);
    case pb::Event::kDisputeOpened:
      return ApplyOpened(step, credit);
    case pb::Event::kDisputeStepTaken:
      return ApplyDisputeStep(step, credit);
    case pb::Event::kDisputeResolved:
      return ApplyResolved(step, credit);
    case pb::Event::kComplaintFiled:
      return ApplyComplaint(step, credit);
    default:
      return;
  }
}

absl::Status KnowsDeal(const Proposal& proposal, const std::string& deal_id) {
  if (!CreditsDeals(proposal.policy.policy)) return absl::OkStatus();
  for (const DealState& deal : proposal.customer.credit().deals()) {
    if (deal.deal_id() == deal_id) return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kNotFound, "NO_SUCH_DEAL",
                absl::StrCat("no credited deal \"", deal_id,
                             "\" of this customer is known; record the deal first, or check its id"),
                proposal.policy.policy.credit().decision_rule_id());
}

}  // namespace

void ApplyCreditedDeal(const Step& step, const ConsumptionRecord& consumption, CustomerState* state) {
  if (!CreditsDeals(step.policy.policy)) return;
  const pb::DealRecorded& recorded = step.event.event->deal_recorded();
  CreditState* credit = state->mutable_credit();
  if (!recorded.occasion_id().empty()) SetMoment(step, credit->mutable_attended());
  if (recorded.kind() == pb::DEAL_KIND_DELIVERY) {
    if (DealState* delivered = FindDelivered(recorded, credit)) {
      return SetMoment(step, delivered->mutable_delivered());
    }
  }
  if (!IsCredited(step.policy.policy.credit(), recorded.kind())) return;
  DealState* deal = FindDeal(recorded.deal_id(), credit);
  const bool known = deal != nullptr && !recorded.deal_id().empty();
  if (known) {  // a further stage of the same deal
    deal->set_kind(recorded.kind());
    if (recorded.has_amount()) *deal->mutable_amount() = recorded.amount();
    if (recorded.has_bonus()) *deal->mutable_bonus() = recorded.bonus();
    return;
  }
  deal = credit->add_deals();
  deal->set_deal_id(recorded.deal_id());
  deal->set_scope(consumption.is_consumption ? consumption.scope : recorded.scope());
  deal->set_kind(recorded.kind());
  deal->set_position(step.event.position);
  deal->set_time_us(ToMicros(step.at()));
  if (recorded.has_amount()) *deal->mutable_amount() = recorded.amount();
  if (recorded.has_bonus()) *deal->mutable_bonus() = recorded.bonus();
  deal->set_unit_number(recorded.unit_number());
  deal->set_closed_by(recorded.closed_by());
  deal->set_occasion_id(recorded.occasion_id());
  deal->set_reception_position(credit->deciding_position());
  if (recorded.kind() == pb::DEAL_KIND_DELIVERY) SetMoment(step, deal->mutable_delivered());
  if (consumption.is_consumption) {
    ConsumptionState* consumed = deal->mutable_consumption();
    consumed->set_taken_by(consumption.taken_by);
    consumed->set_reservation_position(consumption.reservation_position);
    consumed->set_counts(consumption.counts);
    consumed->set_rule_id(consumption.rule_id);
  }
  SetOwnerAtDeal(step, *state, deal);
  SetInviter(step, *state, deal);
  const auto closer = step.timeline.StaffAt(recorded.closed_by(), step.at());
  if (closer.has_value() && closer->status == pb::STAFF_STATUS_TRIAL) {
    deal->set_closer_on_trial(true);
    deal->set_mentor_id(closer->mentor_id);
  }
}

void ApplyCredit(const Step& step, CreditMoment moment, CustomerState* state) {
  if (!CreditsDeals(step.policy.policy)) return;
  NoteCustomer(*step.event.event, state->mutable_credit());
  if (moment == CreditMoment::kBefore) {
    if (step.event.event->has_visit_logged()) ApplyVisit(step, state);
    return;
  }
  ApplyAfter(step, state);
  const pb::Credit& rules = step.policy.policy.credit();
  if (state->credit().receptions_size() > 0 && rules.found_by_size() > 0) ApplyFound(step, state);
  if (state->credit().deals_size() > 0 && rules.papers_size() > 0) {
    ApplyPapers(step, state->mutable_credit());
  }
}

absl::StatusOr<Decision> DecideCreditAllocated(const Proposal& proposal,
                                               const pb::CreditAllocated& allocated) {
  if (absl::Status known = KnowsDeal(proposal, allocated.deal_id()); !known.ok()) return known;
  Decision decision;
  decision.rule_id =
      allocated.rule_id().empty() ? proposal.policy.policy.credit().decision_rule_id() : allocated.rule_id();
  return decision;
}

absl::StatusOr<Decision> DecideCreditRevoked(const Proposal& proposal, const pb::CreditRevoked& revoked) {
  if (absl::Status known = KnowsDeal(proposal, revoked.deal_id()); !known.ok()) return known;
  Decision decision;
  decision.rule_id = proposal.policy.policy.credit().revocation_rule_id();
  return decision;
}

}  // namespace ledger::rules
