#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "projections/rules/consumption/consumption.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 3, lapse: what ends a claim as time passes: protection, dormancy, and a month in which others served the
// customer. Cards have a file of their own. Everything here is computed from the state and the reference timeline on
// reading; nothing is ever written because time went by.
namespace ledger::rules {

// Until when a claim is safe from others.
struct ProtectionTerm {
  absl::Time end = absl::InfiniteFuture();  // not included
  std::string rule_id;
  std::string arithmetic;
};
ProtectionTerm ProtectionOf(const policy::Timeline& timeline, const LapseState& lapse);

// Something that comes unless something else happens.
struct DueLapse {
  absl::Time at;
  customerledger::v1::Basis basis;
};

// The dormancy that sends the customer to the pool. Empty: not owned, provisionally owned, no such rule, held back by
// a dispute or a hand-over that leaves nobody as owner, or not until `bound`, included: most callers look no further than
// the next event, and need no words for what lies beyond it.
std::optional<DueLapse> NextDormancy(const policy::Timeline& timeline, const ScopeState& scope,
                                     absl::Time bound = absl::InfiniteFuture());
// The end of a month in which too much of the customer's consumption did not go through the owner. Empty: as above.
std::optional<DueLapse> NextBypass(const policy::Timeline& timeline, const ScopeState& scope,
                                   absl::Time bound = absl::InfiniteFuture());
// From when on the customer is open to others although the owner stays. Empty: never, or not under this policy.
std::optional<DueLapse> OpeningToOthers(const policy::Timeline& timeline, const ScopeState& scope);

// `due`, or the instant until which a dispute or a hand-over held it back.
absl::Time AfterHold(const ScopeState& scope, absl::Time due);
// Says so in words: empty where nothing was held back.
std::string HoldText(const ScopeState& scope, const policy::PolicyVersion& policy, absl::Time due);

// From the step on nothing holds a lapse back any longer: one that fell due meanwhile applies at its instant.
void EndHold(const Step& step, ScopeState* scope);

// Whether the step's event was recorded soon enough after it happened to keep anything alive.
bool RecordedInTime(const Step& step);

// A contact, visit or deal keeps ownerships alive. `consumption` is what TakeConsumption said.
void ApplyEvidence(const Step& step, const ConsumptionRecord& consumption, CustomerState* state);

}  // namespace ledger::rules
