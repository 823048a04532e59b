#pragma once

#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/policy_text.pb.h"

namespace ledger::policy {

// What changes from one policy to the other, sentence by sentence. Entries of lists are matched by what names them and
// not by their place; a list whose common entries stand in another order is a change too. Empty only where the
// policies are the same. Pure; deterministic; any thread.
customerledger::v1::PolicyDiff DiffPolicies(const customerledger::v1::Policy& from,
                                            const customerledger::v1::Policy& to);

}  // namespace ledger::policy
