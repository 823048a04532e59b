#include "projections/rules/dispute/dispute.h"

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/lapse/lapse.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

int IndexOf(const ScopeState& scope, absl::string_view dispute_id) {
  for (int i = 0; i < scope.disputes_size(); ++i) {
    if (absl::string_view(scope.disputes(i).dispute_id()) == dispute_id) return i;
  }
  return -1;
}

const ScopeState* FindDispute(const CustomerState& state, absl::string_view dispute_id) {
  for (const ScopeState& scope : state.scopes()) {
    if (IndexOf(scope, dispute_id) >= 0) return &scope;
  }
  return nullptr;
}

}  // namespace

void ApplyDisputeOpened(const Step& step, CustomerState* state) {
  const pb::DisputeOpened& opened = step.event.event->dispute_opened();
  if (FindDispute(*state, opened.dispute_id()) != nullptr) return;
  DisputeState* dispute = FindOrAddScope(state, opened.scope())->add_disputes();
  dispute->set_dispute_id(opened.dispute_id());
  dispute->set_position(step.event.position);
  dispute->set_time_us(ToMicros(step.at()));
}

void ApplyDisputeResolved(const Step& step, CustomerState* state) {
  const pb::DisputeResolved& resolved = step.event.event->dispute_resolved();
  const ScopeState* found = FindDispute(*state, resolved.dispute_id());
  const std::string name = found != nullptr ? found->scope() : resolved.scope();
  uint64_t opened_position = 0;
  if (found != nullptr) {
    ScopeState* scope = FindScope(state, name);
    const int index = IndexOf(*scope, resolved.dispute_id());
    opened_position = scope->disputes(index).position();
    scope->mutable_disputes()->DeleteSubrange(index, 1);
    if (scope->disputes().empty()) EndHold(step, scope);
  }
  if (HolderKey(resolved.owner()).empty() || step.policy.policy.ownership().by_recorded_assignment()) return;
  absl::Time since = step.at();
  if (resolved.has_effective_from_time()) {
    since = std::min(since, ToTime(resolved.effective_from_time().time()));
  }
  pb::Basis basis = MakeBasis(resolved.rule_id(), step.policy, since);
  if (opened_position != 0) basis.add_positions(opened_position);
  basis.add_positions(step.event.position);
  SetOwner(step, resolved.owner(), basis, Filing::kNew, FindOrAddScope(state, name), state);
}

absl::StatusOr<Decision> DecideDisputeOpened(const Proposal& proposal, const pb::DisputeOpened& opened) {
  if (opened.dispute_id().empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "DISPUTE_ID_MISSING",
                  "give the dispute an id that is unique among the customer's", "");
  }
  if (FindDispute(proposal.customer, opened.dispute_id()) != nullptr) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "DISPUTE_ALREADY_OPEN",
                  absl::StrCat("the dispute \"", opened.dispute_id(), "\" is open already; use another id"),
                  "");
  }
  return Decision{};
}

absl::StatusOr<Decision> DecideDisputeStep(const Proposal& proposal, absl::string_view dispute_id) {
  if (FindDispute(proposal.customer, dispute_id) == nullptr) {
    return Refuse(absl::StatusCode::kNotFound, "NO_OPEN_DISPUTE",
                  absl::StrCat("no dispute \"", dispute_id, "\" of this customer is open"), "");
  }
  return Decision{};
}

absl::StatusOr<Decision> DecideDisputeResolved(const Proposal& proposal, const pb::Event& event) {
  const pb::DisputeResolved& resolved = event.dispute_resolved();
  LEDGER_ASSIGN_OR_RETURN(Decision decision, DecideDisputeStep(proposal, resolved.dispute_id()));
  if (resolved.has_effective_from_time() &&
      ToTime(resolved.effective_from_time().time()) > ToTime(event.occurred_time().time())) {
    return Refuse(absl::StatusCode::kInvalidArgument, "EFFECTIVE_IN_FUTURE",
                  "a decision counts from its own time at the latest; record it when it takes effect",
                  resolved.rule_id());
  }
  LEDGER_RETURN_IF_ERROR(StaffIsHere(proposal, resolved.owner().staff_id(), resolved.rule_id()));
  decision.rule_id = resolved.rule_id();
  return decision;
}

}  // namespace ledger::rules
