#pragma once

#include <optional>

#include "projections/rules/mechanism.h"

// Mechanism 7, call-back: when the owner must be in touch next.
namespace ledger::rules {

// A contact or visit by the owner.
void ApplyContact(const Step& step, CustomerState* state);
void ApplyTrackingEnded(const Step& step, CustomerState* state);

// The call-back that is owed unless something happens.
struct DueCallBack {
  absl::Time due;  // the last instant in time
  customerledger::v1::Basis basis;
};
// Empty: nobody owns at present, nobody follows the customer any longer, or the policy asks for none. Of
// several cadences the earliest counts.
std::optional<DueCallBack> NextCallBack(const policy::Timeline& timeline, const CustomerState& state,
                                        const ScopeState& scope);

}  // namespace ledger::rules
