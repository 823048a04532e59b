#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 3, lapse: what ends a claim as time passes. Everything here is computed from the state and the
// reference timeline on reading; nothing is ever written because time went by.
namespace ledger::rules {

// Until when a claim is safe from others.
struct ProtectionTerm {
  absl::Time end = absl::InfiniteFuture();  // not included
  std::string rule_id;
  std::string arithmetic;
};
ProtectionTerm ProtectionOf(const policy::Timeline& timeline, const LapseState& lapse);

// The lapse that comes unless something happens.
struct DueLapse {
  absl::Time at;
  customerledger::v1::Basis basis;
};
// Empty: not owned, no dormancy rule, or held back by a dispute or a hand-over that leaves nobody as owner.
std::optional<DueLapse> NextLapse(const policy::Timeline& timeline, const ScopeState& scope);

// From the step on nothing holds a lapse back any longer: one that fell due meanwhile applies at its instant.
void EndHold(const Step& step, ScopeState* scope);

// A contact, visit or deal keeps ownerships alive.
void ApplyEvidence(const Step& step, CustomerState* state);

}  // namespace ledger::rules
