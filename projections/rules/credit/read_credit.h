#pragma once

#include <vector>

#include "absl/time/time.h"
#include "customerledger/v1/query_credit.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/state.pb.h"

// What the credit of deals is, computed from what is remembered. Money is divided here and nowhere stored. Pure; any
// thread.
namespace ledger::rules {

// One for each deal made until `at`, in business order. What happened after `at` is left out as far as the deals
// remember when it happened.
std::vector<customerledger::v1::DealCredit> ReadCredit(const policy::Timeline& timeline,
                                                       const CustomerState& state, absl::Time at);

// What others earned by bringing this customer, until `at`.
std::vector<customerledger::v1::EarnedReward> ReadRewards(const policy::Timeline& timeline,
                                                          const CustomerState& state, absl::Time at);

// The customer's orders that are open at `at`; no customer_id and no place.
std::vector<customerledger::v1::QueuedDeal> ReadQueuedDeals(const policy::Timeline& timeline,
                                                            const CustomerState& state, absl::Time at);

// Whose goods are handed out first.
bool QueuedBefore(const customerledger::v1::QueuedDeal& a, const customerledger::v1::QueuedDeal& b);

}  // namespace ledger::rules
