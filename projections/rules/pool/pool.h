#pragma once

#include "absl/status/statusor.h"
#include "projections/rules/mechanism.h"

// Mechanism 4, public pool: customers without an owner, and who may take them.
namespace ledger::rules {

// True if a registration takes a pooled customer.
bool PoolIsOpen(const policy::PolicyVersion& policy);

void ApplyReleased(const Step& step, CustomerState* state);
absl::StatusOr<Decision> DecideReleased(const Proposal& proposal,
                                        const customerledger::v1::OwnerReleased& released);

}  // namespace ledger::rules
