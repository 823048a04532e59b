#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "customerledger/v1/query_registration.pb.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 1, filing: forms that are handed in, and by when. due -> in time, late or overdue.
namespace ledger::rules {

// Takes in the step's event where the policy in force files anything.
void ApplyFiling(const Step& step, CustomerState* state);

// A form, judged.
struct JudgedFiling {
  customerledger::v1::FilingState state = customerledger::v1::FILING_STATE_UNSPECIFIED;
  absl::Time end;  // the first instant that is late, grace included where it is granted
  std::optional<absl::Time>
      effective;  // from when the claim counts that it is about; not set: not received, or none
  customerledger::v1::Basis basis;
};
// At `at`, which is not before the form's receipt.
JudgedFiling Judge(const policy::Timeline& timeline, const FilingState& filing, absl::Time at);

// From when the claim counts that the registration at `position` made: from the time on its form (or the
// registration's own) if the form was received in time, else from the receipt. nullopt: the policy in force does not say
// so, or the form was not received. For those who compare claims.
std::optional<JudgedFiling> EffectiveClaim(const policy::Timeline& timeline, const CustomerState& state,
                                           uint64_t position, absl::Time at);

// Every form, in the order of what they are counted from.
std::vector<customerledger::v1::FilingEntry> ReadFilings(const policy::Timeline& timeline,
                                                         const CustomerState& state, const std::string& scope,
                                                         absl::Time at);

}  // namespace ledger::rules
