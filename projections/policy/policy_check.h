#pragma once

#include <vector>

#include "customerledger/v1/operations_service.pb.h"
#include "customerledger/v1/policy.pb.h"

namespace ledger::policy {

// Says what is wrong with a policy, in the order of its fields. A finding's field is a path such as
// "grade_schemes[0].classes[2].name" (indices count from 0); its message says what is wrong, what it would do, and
// what is allowed. A policy may be adopted unless an error is among the findings; warnings are only said. Pure; any
// thread.
std::vector<customerledger::v1::PolicyFinding> CheckPolicy(const customerledger::v1::Policy& policy);

// The errors alone; empty: the policy may be adopted.
std::vector<customerledger::v1::PolicyFinding> PolicyErrors(const customerledger::v1::Policy& policy);

}  // namespace ledger::policy
