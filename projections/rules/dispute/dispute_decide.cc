#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/dispute/chain.h"
#include "projections/rules/dispute/dispute.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr auto kNo = absl::StatusCode::kFailedPrecondition;

const DisputeState* Open(const CustomerState& state, absl::string_view dispute_id) {
  for (const ScopeState& scope : state.scopes()) {
    for (const DisputeState& dispute : scope.disputes()) {
      if (absl::string_view(dispute.dispute_id()) == dispute_id) return &dispute;
    }
  }
  return nullptr;
}

const DisputeState* Kept(const CustomerState& state, absl::string_view dispute_id) {
  for (const ScopeState& scope : state.scopes()) {
    for (const DisputeState& dispute : scope.decided_disputes()) {
      if (absl::string_view(dispute.dispute_id()) == dispute_id) return &dispute;
    }
  }
  return nullptr;
}

absl::Status NoOpenDispute(absl::string_view dispute_id, const std::string& rule_id) {
  return Refuse(absl::StatusCode::kNotFound, "NO_OPEN_DISPUTE",
                absl::StrCat("no dispute \"", dispute_id, "\" of this customer is open"), rule_id);
}

bool IsParty(const DisputeState& dispute, absl::string_view staff_id) {
  return std::any_of(dispute.parties().begin(), dispute.parties().end(),
                     [&](const pb::Owner& party) { return ActsFor(party, staff_id); });
}

bool MayDecide(const Proposal& proposal, const pb::Dispute& rules, const pb::DisputeLevel& level,
               const DisputeState& dispute, absl::string_view staff_id) {
  if (level.parties_decide() && IsParty(dispute, staff_id)) return true;
  if (level.decider_roles().empty()) return !level.parties_decide();
  return HoldsRole(proposal, staff_id, level.decider_roles(), rules.unknown_role_may());
}

std::string WhoDecides(const pb::DisputeLevel& level) {
  std::string who = level.parties_decide() ? "a party to it" : "";
  for (const std::string& role : level.decider_roles()) {
    absl::StrAppend(&who, who.empty() ? "whoever has the role " : ", ", role);
  }
  return who.empty() ? "anybody" : who;
}

absl::Status CheckDecider(const Proposal& proposal, const pb::Dispute& rules, const DisputeState& dispute,
                          absl::string_view decided_by) {
  const pb::DisputeLevel* level = LevelOf(rules, dispute);
  if (level == nullptr) return absl::OkStatus();
  const int highest = rules.levels_in_order() ? static_cast<int>(dispute.level()) : rules.levels_size() - 1;
  for (int i = static_cast<int>(dispute.level()); i <= highest && i < rules.levels_size(); ++i) {
    if (MayDecide(proposal, rules, rules.levels(i), dispute, decided_by)) return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kPermissionDenied, "NO_AUTHORITY",
                absl::StrCat("the dispute is on the level \"", level->name(), "\", where ",
                             WhoDecides(*level), " decides; \"", decided_by, "\" may not"),
                level->rule_id().empty() ? rules.rule_id() : level->rule_id());
}

// The claim of `party` that is heard if those made until `until_us` are. Who made none is heard all the same: there is
// other evidence than claims.
bool IsHeard(const ScopeState& scope, const pb::Owner& party, int64_t until_us,
             const google::protobuf::RepeatedField<uint64_t>& late) {
  bool claimed = false;
  for (const ClaimState& claim : scope.claims()) {
    if (!SameHolder(claim.claimant(), party)) continue;
    if (claim.time_us() <= until_us) return true;
    if (std::find(late.begin(), late.end(), claim.position()) != late.end()) return true;
    claimed = true;
  }
  return !claimed;
}

absl::Status ClaimAfterDeal(const pb::Dispute& rules, const pb::Owner& party) {
  return Refuse(kNo, "CLAIM_AFTER_DEAL",
                absl::StrCat("the deal settled who claims; ", HolderText(party),
                             " claimed only after it and is not heard"),
                rules.settled_rule_id().empty() ? rules.rule_id() : rules.settled_rule_id());
}

absl::Status CheckDeal(const Proposal& proposal, const pb::DisputeOpened& opened) {
  const pb::Dispute& rules = proposal.policy.policy.dispute();
  for (const ScopeState& scope : proposal.customer.scopes()) {
    for (const DisputeState& decided : scope.decided_disputes()) {
      if (decided.deal_id() != opened.deal_id() || !decided.resolution().is_final()) continue;
      return Refuse(
          kNo, "DECIDED_FINALLY",
          absl::StrCat("the dispute \"", decided.dispute_id(), "\" about the same deal was decided by ",
                       decided.resolution().decided_by(), ", and that is final"),
          decided.resolution().rule_id());
    }
  }
  const ScopeState* scope = FindScope(proposal.customer, opened.scope());
  if (!rules.settled_at_deal() || scope == nullptr) return absl::OkStatus();
  for (const SettledDealState& deal : proposal.customer.settled_deals()) {
    if (deal.deal_id() != opened.deal_id()) continue;
    for (const pb::Owner& party : opened.parties()) {
      if (!IsHeard(*scope, party, deal.time_us(), {})) return ClaimAfterDeal(rules, party);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Decision> DecideDisputeOpened(const Proposal& proposal, const pb::DisputeOpened& opened) {
  const std::string& rule_id = proposal.policy.policy.dispute().rule_id();
  if (opened.dispute_id().empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "DISPUTE_ID_MISSING",
                  "give the dispute an id that is unique among the customer's", rule_id);
  }
  if (Open(proposal.customer, opened.dispute_id()) != nullptr) {
    return Refuse(kNo, "DISPUTE_ALREADY_OPEN",
                  absl::StrCat("the dispute \"", opened.dispute_id(), "\" is open already; use another id"),
                  rule_id);
  }
  if (Kept(proposal.customer, opened.dispute_id()) != nullptr) {
    return Refuse(kNo, "DISPUTE_ID_TAKEN",
                  absl::StrCat("the dispute \"", opened.dispute_id(), "\" was decided; use another id"),
                  rule_id);
  }
  if (!opened.deal_id().empty()) LEDGER_RETURN_IF_ERROR(CheckDeal(proposal, opened));
  Decision decision;
  decision.rule_id = rule_id;
  return decision;
}

absl::StatusOr<Decision> DecideDisputeStep(const Proposal& proposal, const pb::DisputeStepTaken& taken) {
  const DisputeState* dispute = Open(proposal.customer, taken.dispute_id());
  // What the parties do after the decision is recorded as well: they may disobey it.
  if (dispute == nullptr) dispute = Kept(proposal.customer, taken.dispute_id());
  if (dispute == nullptr) {
    return NoOpenDispute(taken.dispute_id(), proposal.policy.policy.dispute().rule_id());
  }
  const pb::Dispute& rules = RulesOf(proposal.timeline, *dispute).policy.dispute();
  Decision decision;
  decision.rule_id = rules.rule_id();
  const std::optional<int> reached =
      dispute->has_resolution() ? std::nullopt : LevelAfter(rules, *dispute, taken.step());
  if (reached.has_value()) {
    const pb::DisputeLevel& level = rules.levels(*reached);
    if (!level.rule_id().empty()) decision.rule_id = level.rule_id();
    if (!level.step_roles().empty() &&
        !HoldsRole(proposal, taken.taken_by(), level.step_roles(), rules.unknown_role_may())) {
      return Refuse(absl::StatusCode::kPermissionDenied, "WRONG_ROLE",
                    absl::StrCat("\"", taken.taken_by(), "\" may not take the dispute to the level \"",
                                 level.name(), "\""),
                    decision.rule_id);
    }
  }
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, taken.taken_by(), decision.rule_id));
  return decision;
}

absl::StatusOr<Decision> DecideDisputeResolved(const Proposal& proposal, const pb::Event& event) {
  const pb::DisputeResolved& resolved = event.dispute_resolved();
  const DisputeState* dispute = Open(proposal.customer, resolved.dispute_id());
  if (dispute == nullptr) {
    return NoOpenDispute(resolved.dispute_id(), proposal.policy.policy.dispute().rule_id());
  }
  const pb::Dispute& rules = RulesOf(proposal.timeline, *dispute).policy.dispute();
  const std::string rule_id = ResolutionRule(rules, *dispute, resolved);
  if (resolved.has_effective_from_time()) {
    const absl::Time from = ToTime(resolved.effective_from_time().time());
    if (from > ToTime(event.occurred_time().time())) {
      return Refuse(absl::StatusCode::kInvalidArgument, "EFFECTIVE_IN_FUTURE",
                    "a decision counts from its own time at the latest; record it when it takes effect",
                    rule_id);
    }
    const ScopeState* disputed = FindDispute(proposal.customer, resolved.dispute_id());
    if (disputed->scope() != resolved.scope()) {
      return Refuse(
          absl::StatusCode::kInvalidArgument, "SCOPE_MISSING",
          absl::StrCat("a decision that counts from an earlier time names the scope of its dispute, \"",
                       disputed->scope(), "\""),
          rule_id);
    }
    if (ToMicros(from) < proposal.customer.first_us()) {
      return Refuse(absl::StatusCode::kInvalidArgument, "EFFECTIVE_BEFORE_HISTORY",
                    "a decision cannot count from before the customer's first event; name a later time",
                    rule_id);
    }
  }
  LEDGER_RETURN_IF_ERROR(CheckDecider(proposal, rules, *dispute, resolved.decided_by()));
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, resolved.decided_by(), rule_id));
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, resolved.owner().staff_id(), rule_id));
  if (dispute->is_settled() && rules.settled_at_deal() && !HolderKey(resolved.owner()).empty()) {
    const ScopeState& scope = *FindDispute(proposal.customer, resolved.dispute_id());
    if (!IsHeard(scope, resolved.owner(), HeardUntil(*dispute), dispute->late_evidence_positions())) {
      return ClaimAfterDeal(rules, resolved.owner());
    }
  }
  Decision decision;
  decision.rule_id = rule_id;
  return decision;
}

}  // namespace ledger::rules
