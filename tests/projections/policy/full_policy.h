#pragma once

#include <string>
#include <vector>

#include "customerledger/v1/policy.pb.h"

// Policies with every field set, whatever fields there are. For tests.
namespace ledger::policy {

// So many variants show every case of every oneof.
int PolicyVariantsForTest();

// One policy for each field of Policy, in which that field alone is set and within it every field of every message,
// lists with several entries; of each oneof and each enum the `variant`-th case, wrapping around. All texts and
// numbers differ.
std::vector<customerledger::v1::Policy> FullPoliciesForTest(int variant);

// One way to change a policy, and where.
struct Mutation {
  std::string path;
  customerledger::v1::Policy policy;
};

// `policy` with one field cleared, one list entry removed, or one value changed; once
// for each field and what holds it.
std::vector<Mutation> MutationsForTest(const customerledger::v1::Policy& policy);

}  // namespace ledger::policy
