#pragma once

#include "projections/rules/custody.h"
#include "projections/rules/mechanism.h"

// Mechanism 2, where claims compete for as long as they live: cards, forms with a time of their own, invitations. The
// owner is whoever's living claim comes first by (rank, effective time, position); a decision comes before all claims.
namespace ledger::rules {

// True if claims of this policy compete; false: who owns is settled when a claim is made.
bool ClaimsCompete(const policy::PolicyVersion& policy);

// Gives `scope` to the first living claim. Does nothing while a dispute is open or nobody owns between two owners.
void Elect(const Step& step, ScopeState* scope, CustomerState* state);

// The owner's claim has become void for `basis`: the next living claim succeeds, or the customer is void.
void SucceedVoid(const Step& step, const customerledger::v1::Basis& basis, ScopeState* scope,
                 CustomerState* state);

// A decision made `owner` the owner: it counts as a claim of the step where claims compete.
void AddDecidedClaim(const Step& step, const customerledger::v1::Owner& owner, ScopeState* scope);

// A card was signed.
void ApplySigned(const Step& step, CustomerState* state);

// After the step's form was filed, or its registration entered: where the time on a form decides, the claims whose forms are
// in count from then on.
void ApplyForms(const Step& step, CustomerState* state);

// An invitation was confirmed; a list was handed in.
void ApplyInvitation(const Step& step, CustomerState* state);
void ApplyList(const Step& step, CustomerState* state);

}  // namespace ledger::rules
