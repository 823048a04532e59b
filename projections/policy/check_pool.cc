#include "projections/policy/checks.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

void CheckPool(const pb::Policy& policy, Findings* findings) {
  const pb::Pool& pool = policy.pool();
  if (pool.has_wake_up() && pool.wake_up().receptions() == 0) {
    findings->Error("pool.wake_up.receptions", "is 0, which is no reception at all; 1 or more are allowed");
  }
  if (pool.has_daily_cap() && pool.daily_cap().customers() == 0) {
    findings->Error("pool.daily_cap.customers",
                    "is 0: nobody could ever take a customer; leave claim_by_registration out instead");
  }
  if (pool.has_cool_down()) findings->CheckPeriod("pool.cool_down.period", pool.cool_down().has_period());
  for (const bool limits : {pool.has_daily_cap(), pool.has_cool_down()}) {
    if (!limits || pool.claim_by_registration()) continue;
    findings->Warning("pool", "limits claims that nobody can make: claim_by_registration is not set");
    break;
  }
  if (!pool.claim_by_registration() || policy.ownership().by_recorded_assignment()) return;
  if (policy.ownership().claim_by() == pb::CLAIM_ACT_REGISTRATION) return;
  findings->Error("pool.claim_by_registration",
                  "nobody could take a customer from the pool, because registering is no claim here; set "
                  "ownership.claim_by to CLAIM_ACT_REGISTRATION");
}

}  // namespace ledger::policy
