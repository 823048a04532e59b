#pragma once

#include "absl/status/statusor.h"
#include "projections/rules/custody.h"
#include "projections/rules/mechanism.h"

// Mechanism 2, claim and priority: who owns when several claim. The first position wins; what loses is kept as
// evidence for ever.
namespace ledger::rules {

// Who registers: the staff member, or the unit alone. Not set: nobody is named.
customerledger::v1::Owner ClaimantOf(const customerledger::v1::CustomerRegistered& registered);

// ClaimState.rank: a decision comes before all claims, one whose list or form is late or missing after all others.
inline constexpr uint32_t kInOrderRank = 1;
inline constexpr uint32_t kLateRank = 2;

void ApplyRegistered(const Step& step, CustomerState* state);
// A profile was reviewed: where claims come into being by approval, the one that waits does; and a provisional owner is
// confirmed.
void ApplyReviewed(const Step& step, CustomerState* state);
// A decision by somebody with the authority; counts as a claim of its own time.
void ApplyAssigned(const Step& step, CustomerState* state);
// The owner that an import recorded, where the policy counts nothing else.
void ApplyRecordedOwner(const Step& step, CustomerState* state);

// The claim that owned has owned; unless it is `next_owner`'s own. Null: nobody owns next.
void RetireClaims(const customerledger::v1::Owner* next_owner, ScopeState* scope);

void ReadClaims(const policy::Timeline& timeline, const ScopeState& scope,
                customerledger::v1::Ownership* ownership);

absl::StatusOr<Decision> DecideRegistered(const Proposal& proposal, const DecisionContext& context,
                                          const customerledger::v1::Event& event);
// A family link gives the later customer to whoever received the first of them.
absl::StatusOr<Decision> DecideLinked(const Proposal& proposal, const DecisionContext& context,
                                      const customerledger::v1::Event& event);
absl::StatusOr<Decision> DecideAssigned(const Proposal& proposal,
                                        const customerledger::v1::OwnerAssigned& assigned);

}  // namespace ledger::rules
