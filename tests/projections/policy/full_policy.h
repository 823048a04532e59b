#pragma once

#include <string>
#include <vector>

#include "customerledger/v1/policy.pb.h"

// Policies with every field set, whatever fields there are. For tests.
namespace ledger::policy {

// A policy in which every field of every message is set, lists with two entries; of each oneof and each enum the
// `variant`-th case, wrapping around. All texts and numbers differ.
customerledger::v1::Policy FullPolicyForTest(int variant);

// One way to change a policy, and where.
struct Mutation {
  std::string path;
  customerledger::v1::Policy policy;
};

// `policy` with one field cleared, one list entry removed, or one value changed; each such policy once.
std::vector<Mutation> MutationsForTest(const customerledger::v1::Policy& policy);

}  // namespace ledger::policy
