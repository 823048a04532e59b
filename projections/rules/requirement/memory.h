#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// What requirements and duties remember of a customer: when events of the kinds they name occurred. Nothing where the
// policy names none.
namespace ledger::rules {

// Takes in the step's event. After everything else that the event does: "earlier" does not mean the event itself.
void RememberEvent(const Step& step, CustomerState* state);

// Events like `match`, told apart by `key_field` (empty: not). nullptr: none occurred.
const RememberedState* FindRemembered(const CustomerState& state, const customerledger::v1::EventMatch& match,
                                      absl::string_view key_field);
// Those of them whose key is `key`; nullptr: none.
const Occurrences* FindKey(const RememberedState& remembered, absl::string_view key);

// The profile's field `field`; empty: it was never given.
absl::string_view ProfileValue(const CustomerState& state, absl::string_view field);

}  // namespace ledger::rules
