#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/common.pb.h"
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
  kNew,    // protection and the first call-back start now
  kMoved,  // they keep their dates
};

// Gives `scope` to `owner` from the step's instant on. Ends an open transfer, starts the dormancy clock, counts
// the change.
void SetOwner(const Step& step, const customerledger::v1::Owner& owner,
              const customerledger::v1::Basis& basis, Filing filing, ScopeState* scope, CustomerState* state);

// Puts `scope` into the public pool from `at` on.
void SetPooled(absl::Time at, const customerledger::v1::Basis& basis, ScopeState* scope);

// True between two owners where the policy says that nobody owns meanwhile.
bool InLimbo(const policy::Timeline& timeline, const ScopeState& scope);

// What time brought about.
struct TimeChange {
  std::string scope;
  customerledger::v1::Owner former_owner;
  absl::Time at;
  customerledger::v1::Basis basis;
};

// Brings about what time does until `at`, included. Requires: `at` is not before the state's last event. The
// result does not depend on in how many steps time is advanced.
std::vector<TimeChange> Advance(const policy::Timeline& timeline, absl::Time at, CustomerState* state);

// Ownership within one scope, as answers say it. Requires: `scope` was advanced.
customerledger::v1::Ownership ReadOwnership(const policy::Timeline& timeline, const ScopeState& scope);

}  // namespace ledger::rules
