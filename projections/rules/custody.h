#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/common.pb.h"
#include "projections/rules/lapse/lapse.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Who owns within a scope: the one place where custody changes hands, whichever mechanism moves it.
namespace ledger::rules {

// The state of `scope`, or nullptr. The empty scope is the whole company.
const ScopeState* FindScope(const CustomerState& state, absl::string_view scope);
ScopeState* FindScope(CustomerState* state, absl::string_view scope);
// Adds it, sorted, where it is missing.
ScopeState* FindOrAddScope(CustomerState* state, absl::string_view scope);

// Whether an ownership begins afresh or goes on in other hands.
enum class Filing {
  kClaimed,  // by a claim: protection and the first call-back start now
  kNew,      // by a decision: as by a claim, which it counts as where claims compete
  kMoved,    // by a hand-over: they keep their dates
};

// Gives `scope` to `owner` from the step's instant on. Ends an open transfer, starts the dormancy clock, counts
// the change.
void SetOwner(const Step& step, const customerledger::v1::Owner& owner,
              const customerledger::v1::Basis& basis, Filing filing, ScopeState* scope, CustomerState* state);

// Ends the ownership of `scope` from `at` on: it is in the public pool, or void.
void SetPooled(const policy::Timeline& timeline, absl::Time at, const customerledger::v1::Basis& basis,
               ScopeState* scope);
void SetVoid(const policy::Timeline& timeline, absl::Time at, const customerledger::v1::Basis& basis,
             ScopeState* scope);

// Confirms the provisional owner of `scope`: approved at the step, whose clocks start now.
void ConfirmOwner(const Step& step, ScopeState* scope);

// True between two owners where the policy says that nobody owns meanwhile.
bool InLimbo(const policy::Timeline& timeline, const ScopeState& scope);

// What time brought about; who owned before and after, as answers say it.
struct TimeChange {
  std::string scope;
  absl::Time at;
  std::string from;
  std::string to;
  customerledger::v1::Basis basis;
};

// Brings about what time does until `at`, included. Requires: `at` is not before the state's last event. The
// result does not depend on in how many steps time is advanced.
std::vector<TimeChange> Advance(const policy::Timeline& timeline, absl::Time at, CustomerState* state);

// True if time changes something at or before `at`; where it does not, a state may be read as it is.
bool ChangesBy(const policy::Timeline& timeline, absl::Time at, const CustomerState& state);

// Brings about the next change of `scope` alone, if one comes at or before `at`; empty: none does.
std::optional<TimeChange> AdvanceOnce(const policy::Timeline& timeline, absl::Time at, ScopeState* scope,
                                      CustomerState* state);

// The instant of the next change of custody unless something happens; empty: never.
std::optional<DueLapse> NextChange(const policy::Timeline& timeline, const ScopeState& scope);

// "liu", "public pool", "void", "in transfer" or "none".
std::string CustodyText(const policy::Timeline& timeline, const ScopeState& scope);

// Ownership within one scope, as answers say it. Requires: `scope` was advanced to `at`.
customerledger::v1::Ownership ReadOwnership(const policy::Timeline& timeline, const ScopeState& scope,
                                            absl::Time at);

}  // namespace ledger::rules
