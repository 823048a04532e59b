#include "projections/rules/lapse/card.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/claim/election.h"
#include "projections/rules/custody.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

bool IsAlive(const ClaimState& claim) {
  return claim.standing() == CLAIM_STANDING_OWNS || claim.standing() == CLAIM_STANDING_SECOND;
}

// When the holder's leaving ends the card; InfiniteFuture: never.
absl::Time HolderLeaves(const policy::Timeline& timeline, const ClaimState& claim) {
  if (!IsAlive(claim) || !claim.has_card() || claim.claimant().staff_id().empty())
    return absl::InfiniteFuture();
  const absl::Time from = FromMicros(claim.effective_us());
  if (PolicyInForce(timeline, from).policy.lapse().card().leaving_rule_id().empty())
    return absl::InfiniteFuture();
  const std::string& holder = claim.claimant().staff_id();
  const absl::Time leaves = timeline.LeavesAfter(holder, from);
  if (leaves == absl::InfiniteFuture()) return leaves;
  return timeline.StaffStatusAt(holder, leaves - absl::Seconds(1)) == pb::STAFF_STATUS_TRIAL
             ? leaves
             : absl::InfiniteFuture();
}

// Ends `claim`; if it owned, the next one succeeds.
void EndClaim(const Step& step, const pb::Basis& basis, ClaimState* claim, ScopeState* scope,
              CustomerState* state) {
  const bool owned = claim->standing() == CLAIM_STANDING_OWNS;
  claim->set_standing(CLAIM_STANDING_VOID);
  *claim->mutable_void_basis() = basis;
  if (owned) SucceedVoid(step, basis, scope, state);
}

// The step's contact or visit, as far as cards care.
struct Call {
  std::string staff_id;
  std::string contact_id;
  bool by_sms = false;
  bool reached = true;
};

Call CallOf(const pb::Event& event) {
  if (event.has_visit_logged()) return {event.visit_logged().staff_id(), "", false, true};
  const pb::ContactLogged& contact = event.contact_logged();
  return {contact.staff_id(), contact.contact_id(), contact.channel() == pb::CONTACT_CHANNEL_SMS,
          contact.outcome() == pb::CONTACT_OUTCOME_UNSPECIFIED ||
              contact.outcome() == pb::CONTACT_OUTCOME_REACHED};
}

// Counts the call for `claim`. Why that ends it; empty: it does not.
std::optional<pb::Basis> Count(const Step& step, const pb::CardLife& rules, const Call& call,
                               ClaimState* claim) {
  CardState* card = claim->mutable_card();
  const uint32_t number = card->call_backs() + 1;
  card->set_call_backs(number);
  card->set_counted_from_us(ToMicros(step.at()));
  card->set_counted_from_position(step.event.position);
  card->clear_unsigned_contact_id();
  card->set_unsigned_us(0);
  if (rules.has_signed_call_back() && rules.signed_call_back().number() == number) {
    card->set_unsigned_contact_id(call.contact_id);
    card->set_unsigned_us(ToMicros(step.at()));
  }
  if (!rules.has_sms_streak() || number < rules.sms_streak().from_number()) return std::nullopt;
  card->set_sms_streak(call.by_sms ? card->sms_streak() + 1 : 0);
  if (card->sms_streak() < rules.sms_streak().length() || !IsAlive(*claim)) return std::nullopt;
  pb::Basis basis = MakeBasis(rules.sms_streak().rule_id(), step.policy, step.at());
  basis.add_positions(step.event.position);
  basis.set_arithmetic(absl::StrCat(card->sms_streak(), " call-backs in a row by short message alone"));
  return basis;
}

}  // namespace

void StartCard(const Step& step, ClaimState* claim) {
  if (!step.policy.policy.lapse().has_card()) return;
  CardState* card = claim->mutable_card();
  if (card->call_backs() > 0) return;
  card->set_counted_from_us(ToMicros(step.at()));
  card->set_counted_from_position(step.event.position);
}

absl::Time CardEnd(const policy::Timeline& timeline, const ClaimState& claim) {
  if (!IsAlive(claim) || !claim.has_card()) return absl::InfiniteFuture();
  const absl::Time from = FromMicros(claim.card().counted_from_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, from);
  if (!policy.policy.lapse().has_card()) return absl::InfiniteFuture();
  const pb::CardLife& rules = policy.policy.lapse().card();
  return PeriodEnd(timeline, policy.policy, from,
                   claim.card().call_backs() == 0 ? rules.first() : rules.further());
}

std::optional<CardTerm> CardTermOf(const policy::Timeline& timeline, const ClaimState& claim) {
  CardTerm term;
  term.end = CardEnd(timeline, claim);
  if (term.end == absl::InfiniteFuture()) return std::nullopt;
  const absl::Time from = FromMicros(claim.card().counted_from_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, from);
  const pb::CardLife& rules = policy.policy.lapse().card();
  const bool first = claim.card().call_backs() == 0;
  term.rule_id = first ? rules.first_rule_id() : rules.further_rule_id();
  term.arithmetic =
      absl::StrCat(first ? "effective " : absl::StrCat("call-back ", claim.card().call_backs(), " of "),
                   DescribePeriod(policy.policy, from, first ? rules.first() : rules.further(), term.end));
  term.policy_version = policy.number;
  term.position = claim.card().counted_from_position();
  return term;
}

std::optional<DueLapse> NextVoid(const policy::Timeline& timeline, const ScopeState& scope,
                                 const ClaimState& claim, absl::Time bound) {
  if (!scope.disputes().empty()) return std::nullopt;
  if (claim.standing() == CLAIM_STANDING_OWNS && InLimbo(timeline, scope)) return std::nullopt;
  const absl::Time term_end = CardEnd(timeline, claim);
  const absl::Time leaves = HolderLeaves(timeline, claim);
  const absl::Time end = std::min(term_end, leaves);
  DueLapse due;
  due.at = AfterHold(scope, end);
  if (end == absl::InfiniteFuture() || due.at > bound) return std::nullopt;
  const policy::PolicyVersion& policy = PolicyInForce(timeline, FromMicros(claim.card().counted_from_us()));
  if (leaves < term_end) {
    due.basis = MakeBasis(policy.policy.lapse().card().leaving_rule_id(), policy, due.at);
    due.basis.add_positions(claim.position());
    due.basis.set_arithmetic(absl::StrCat(claim.claimant().staff_id(), " left the company on ",
                                          LocalText(policy.policy, leaves), HoldText(scope, policy, end)));
    return due;
  }
  const std::optional<CardTerm> term = CardTermOf(timeline, claim);
  due.basis = MakeBasis(term->rule_id, policy, due.at);
  due.basis.add_positions(claim.position());
  if (term->position != claim.position()) due.basis.add_positions(term->position);
  due.basis.set_arithmetic(absl::StrCat(term->arithmetic, HoldText(scope, policy, end)));
  return due;
}

void ApplyCallBack(const Step& step, CustomerState* state) {
  if (!step.policy.policy.lapse().has_card()) return;
  const Call call = CallOf(*step.event.event);
  if (!call.reached || call.staff_id.empty() || !RecordedInTime(step)) return;
  for (ScopeState& scope : *state->mutable_scopes()) {
    for (ClaimState& claim : *scope.mutable_claims()) {
      if (!IsAlive(claim) && claim.standing() != CLAIM_STANDING_WAITING) continue;
      if (claim.claimant().staff_id() != call.staff_id) continue;
      // One that fell due during a dispute is only held back: later acts do not undo it.
      if (CardEnd(step.timeline, claim) <= step.at()) continue;
      // A running card keeps the rules it was counted from.
      const policy::PolicyVersion& policy =
          claim.has_card() ? PolicyInForce(step.timeline, FromMicros(claim.card().counted_from_us()))
                           : step.policy;
      const pb::CardLife& rules =
          policy.policy.lapse().has_card() ? policy.policy.lapse().card() : step.policy.policy.lapse().card();
      if (const std::optional<pb::Basis> ends = Count(step, rules, call, &claim)) {
        EndClaim(step, *ends, &claim, &scope, state);
      }
    }
  }
}

void ApplyCallBackSigned(const Step& step, CustomerState* state) {
  const pb::ContactReviewed& reviewed = step.event.event->contact_reviewed();
  if (reviewed.verdict() != pb::CONTACT_VERDICT_VALID) return;
  for (ScopeState& scope : *state->mutable_scopes()) {
    for (ClaimState& claim : *scope.mutable_claims()) {
      CardState* card = claim.has_card() ? claim.mutable_card() : nullptr;
      if (card == nullptr || card->unsigned_us() == 0) continue;
      if (card->unsigned_contact_id() != reviewed.contact_id()) continue;
      const absl::Time called = FromMicros(card->unsigned_us());
      const policy::PolicyVersion& policy = PolicyInForce(step.timeline, called);
      const pb::Period& within = policy.policy.lapse().card().signed_call_back().within();
      card->clear_unsigned_contact_id();
      card->set_unsigned_us(0);
      if (step.at() < PeriodEnd(step.timeline, policy.policy, called, within)) continue;
      card->set_counted_from_us(ToMicros(step.at()));
      card->set_counted_from_position(step.event.position);
    }
  }
}

void ApplyCardCancelled(const Step& step, CustomerState* state) {
  const pb::CustomerStatusChanged& changed = step.event.event->customer_status_changed();
  if (changed.to() != pb::CUSTOMER_STATUS_CANCELLED || changed.card_id().empty()) return;
  if (!step.policy.policy.lapse().has_card()) return;
  for (ScopeState& scope : *state->mutable_scopes()) {
    for (ClaimState& claim : *scope.mutable_claims()) {
      if (claim.card_id() != changed.card_id()) continue;
      if (!IsAlive(claim) && claim.standing() != CLAIM_STANDING_WAITING) continue;
      const std::string& rule_id = changed.rule_id().empty()
                                       ? step.policy.policy.lapse().card().cancelled_rule_id()
                                       : changed.rule_id();
      pb::Basis basis = MakeBasis(rule_id, step.policy, step.at());
      basis.add_positions(claim.position());
      basis.add_positions(step.event.position);
      EndClaim(step, basis, &claim, &scope, state);
    }
  }
}

}  // namespace ledger::rules
