#include "projections/policy/checks.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckPool(const pb::Policy& policy, Findings* findings) {
  if (!policy.pool().claim_by_registration() || policy.ownership().by_recorded_assignment()) return;
  if (policy.ownership().claim_by() == pb::CLAIM_ACT_REGISTRATION) return;
  findings->Error("pool.claim_by_registration",
                  "nobody could take a customer from the pool, because registering is no claim here; set "
                  "ownership.claim_by to CLAIM_ACT_REGISTRATION");
}

}  // namespace ledger::policy
