#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "projections/rules/call_back/call_back.h"

// When and how a customer may be contacted: quiet hours, better hours, channels, consent, refusal.
namespace ledger::rules {

// OK unless `policy` forbids that the company contacts the customer by `channel` for `purpose` at `at`.
absl::Status CheckContactTerms(const customerledger::v1::Policy& policy, const CustomerState& customer,
                               customerledger::v1::ContactChannel channel, absl::string_view purpose,
                               absl::Time at);

// Adds hours, channels and days to an answer about `call`, as of `at`.
void SetContactTerms(const policy::Timeline& timeline, const CustomerState& state, const ScopeState& scope,
                     const DueCallBack& call, absl::Time at, customerledger::v1::Callback* callback);

}  // namespace ledger::rules
