#pragma once

#include <map>
#include <string>
#include <vector>

#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/policy_text.pb.h"

namespace ledger::policy {

// A policy in English sentences, mechanism by mechanism, each with the rules it cites and, where the policy quotes
// one, the rule's phrase in the original language. Whatever is set in the policy is said: two policies that differ
// have different texts. Pure; deterministic; any thread.
customerledger::v1::PolicyText ExplainPolicy(const customerledger::v1::Policy& policy);

// The orders of a policy's lists of messages: the list's key, and the keys of its entries as they stand.
using ListOrders = std::map<std::string, std::vector<std::string>>;

// As ExplainPolicy; fills `orders` (not null) too.
customerledger::v1::PolicyText ExplainPolicy(const customerledger::v1::Policy& policy, ListOrders* orders);

}  // namespace ledger::policy
