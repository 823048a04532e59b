#include "projections/rules/consumption/consumption.h"

#include "projections/rules/custody.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

bool OwnerTakes(const policy::Timeline& timeline, const ScopeState* scope, const std::string& taken_by) {
  return scope != nullptr && scope->custody() == CUSTODY_OWNED && !InLimbo(timeline, *scope) &&
         (taken_by.empty() || ActsFor(scope->owner(), taken_by));
}

bool ByWayOfOwner(pb::ReservationPath path) {
  return path == pb::RESERVATION_PATH_VIA_REFERRER || path == pb::RESERVATION_PATH_WALKIN_VIA_REFERRER;
}

}  // namespace

void ApplyReservation(const Step& step, CustomerState* state) {
  if (!step.policy.policy.has_consumption()) return;
  const pb::ReservationMade& made = step.event.event->reservation_made();
  const ScopeState* scope = FindScope(*state, made.scope());
  ReservationState* reservation = state->add_reservations();
  reservation->set_reservation_id(made.reservation_id());
  reservation->set_scope(made.scope());
  reservation->set_taken_by(made.taken_by());
  reservation->set_via_owner(ByWayOfOwner(made.path()) && OwnerTakes(step.timeline, scope, made.taken_by()));
  reservation->set_sms_sent(made.has_sms_sent_time());
  reservation->set_approved(scope != nullptr && scope->custody() == CUSTODY_OWNED && scope->approved());
  reservation->set_position(step.event.position);
}

ConsumptionRecord TakeConsumption(const Step& step, CustomerState* state) {
  const pb::DealRecorded& deal = step.event.event->deal_recorded();
  ConsumptionRecord record;
  if (deal.kind() != pb::DEAL_KIND_CONSUMPTION) return record;
  record.is_consumption = true;
  record.scope = deal.scope();
  record.taken_by = deal.closed_by();
  if (!step.policy.policy.has_consumption()) {
    record.reserved = true;
    record.counts = true;
    record.via_owner = !deal.closed_by().empty() &&
                       OwnerTakes(step.timeline, FindScope(*state, deal.scope()), deal.closed_by());
    return record;
  }
  const pb::Consumption& rules = step.policy.policy.consumption();
  auto* reservations = state->mutable_reservations();
  for (int i = 0; i < reservations->size(); ++i) {
    const ReservationState& reservation = reservations->Get(i);
    if (deal.reservation_id().empty() || reservation.reservation_id() != deal.reservation_id()) continue;
    record.scope = reservation.scope();
    if (!reservation.taken_by().empty()) record.taken_by = reservation.taken_by();
    record.via_owner = reservation.via_owner();
    record.reservation_position = reservation.position();
    record.reserved = reservation.sms_sent() || !rules.needs_sms();
    record.counts = record.reserved && (reservation.approved() || !rules.needs_approval());
    if (!record.reserved) {
      record.rule_id = rules.sms_rule_id();
    } else if (!record.counts) {
      record.rule_id = rules.approval_rule_id();
    }
    reservations->DeleteSubrange(i, 1);
    return record;
  }
  record.rule_id = rules.reservation_rule_id();
  return record;
}

}  // namespace ledger::rules
