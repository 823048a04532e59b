#pragma once

#include "absl/strings/string_view.h"
#include "projections/rules/mechanism.h"

// Facts that a policy reads off a customer's events, for the mechanisms that ask for them.
namespace ledger::rules {

// Establishes and withdraws what the policy in force asks for. Comes before the mechanisms that read facts.
void ApplyFacts(const Step& step, CustomerState* state);

// The fact `name`, or nullptr where nothing ever established it.
const FactState* FindFact(const CustomerState& state, absl::string_view name);
bool Holds(const CustomerState& state, absl::string_view name);
// True if the event of this step made the fact hold.
bool BeganToHold(const Step& step, const CustomerState& state, absl::string_view name);

// What `name` means, as the policy says; its name where it does not say.
std::string FactMeaning(const customerledger::v1::Policy& policy, absl::string_view name);

// The id under which a review names this contact or visit; empty for other events.
absl::string_view ContactIdOf(const customerledger::v1::Event& event);
// The contact or visit that this event finds false; empty: none.
absl::string_view FoundFalse(const customerledger::v1::Event& event);

}  // namespace ledger::rules
