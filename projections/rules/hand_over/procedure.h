#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "customerledger/v1/policy.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// How a policy hands customers over: which procedure a hand-over follows, and where it stands in it. Pure; what is
// returned points into the timeline.
namespace ledger::rules {

// The procedure for hand-overs of `kind`; nullptr: there is none.
const customerledger::v1::HandOverProcedure* ProcedureFor(const policy::PolicyVersion& policy,
                                                          customerledger::v1::TransferKind kind);

// The procedure that `transfer` has followed since it was proposed. nullptr: the policy in force then has none any
// longer, which happens only if the policy itself came to be recorded otherwise.
const customerledger::v1::HandOverProcedure* ProcedureOf(const policy::Timeline& timeline,
                                                         const TransferState& transfer);

// One step of a procedure.
struct Act {
  int place = 0;
  const customerledger::v1::HandOverAct* act = nullptr;
  bool receiver_owns = false;  // from it on
};

// The steps of `procedure` that concern a hand-over between same or different posts, in order.
std::vector<Act> ActsOf(const customerledger::v1::HandOverProcedure& procedure, bool same_post);

// What may be taken next: the next step, and what may be skipped before it. Empty: nothing is left to take.
std::vector<Act> NextActs(const customerledger::v1::HandOverProcedure& procedure,
                          const TransferState& transfer);

// True if only steps that may be skipped are left.
bool IsFinished(const std::vector<Act>& next);

// The rule that `act` cites.
const std::string& RuleOf(const customerledger::v1::HandOverProcedure& procedure,
                          const customerledger::v1::HandOverAct& act);

// True where only the intended owner may take `act`.
bool IsReceiversAlone(const customerledger::v1::HandOverAct& act);

// True if `act` must wait while a dispute is open: audit and acceptance count meanwhile, what confirms or moves the
// customer does not (conv.dispute-freeze, AMB-52).
bool WaitsForDispute(const Act& act);

}  // namespace ledger::rules
