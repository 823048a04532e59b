#pragma once

#include "absl/status/statusor.h"
#include "projections/rules/consumption/consumption.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 9, credit: what is remembered so that the credit of a deal can be computed; read_credit.h computes it.
// Nothing is kept under a policy that credits nobody.
namespace ledger::rules {

// Applies whatever the credit of deals depends on but the deals themselves; other events change nothing. Before the event
// changes an owner (`kBefore`) it is remembered whose customer a visitor was; after it (`kAfter`) comes the rest.
enum class CreditMoment { kBefore, kAfter };
void ApplyCredit(const Step& step, CreditMoment moment, CustomerState* state);

// A deal was made or delivered. `consumption` is what TakeConsumption said.
void ApplyCreditedDeal(const Step& step, const ConsumptionRecord& consumption, CustomerState* state);

// Refuses what names a deal that is not known.
absl::StatusOr<Decision> DecideCreditAllocated(const Proposal& proposal,
                                               const customerledger::v1::CreditAllocated& allocated);
absl::StatusOr<Decision> DecideCreditRevoked(const Proposal& proposal,
                                             const customerledger::v1::CreditRevoked& revoked);

}  // namespace ledger::rules
