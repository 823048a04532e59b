#pragma once

#include "customerledger/v1/policy.pb.h"
#include "projections/rules/state.pb.h"

// Which case of a policy a reception or a deal is. Pure; any thread.
namespace ledger::rules {

// True if the policy credits somebody.
bool CreditsDeals(const customerledger::v1::Policy& policy);

// The reception at `position`; nullptr: there is none.
const ReceptionState* FindReception(const CreditState& credit, uint64_t position);

// True if somebody other than the first received.
bool BringsInASecond(const ReceptionState& reception);

// True if the receiver only stood in for the first.
bool IsAssistance(const ReceptionState& reception);

// The first case about receptions that `reception` fits; nullptr: none. Requires: it was received.
const customerledger::v1::CreditCase* CaseOfReception(const customerledger::v1::Credit& rules,
                                                      const ReceptionState& reception);

// True if `dispute` is about `deal`: it names it, or names none and the deal was made before it was resolved, or is the
// customer's first since.
bool Concerns(const CreditState& credit, const DealDisputeState& dispute, const DealState& deal);

// A deal's case, and what decided.
struct DealCase {
  const customerledger::v1::CreditCase* fits = nullptr;
  const ReceptionState* reception = nullptr;  // about receptions: the one that decides
  const DealDisputeState* dispute = nullptr;  // about disputes
  const StaffComplaintState* complaint = nullptr;
};

// The first case that `deal` fits, on what had happened until `at_us`.
DealCase CaseOfDeal(const customerledger::v1::Credit& rules, const CreditState& credit, const DealState& deal,
                    int64_t at_us);

}  // namespace ledger::rules
