#pragma once

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "projections/rules/customer.h"
#include "storage/event_log.h"

namespace ledger::services {

// A customer's fold up to its last event.
struct FoldedCustomer {
  rules::CustomerState state;
  absl::Time last_time = absl::InfinitePast();  // business time of the last event
};

// Customers that were decided on lately, folded, so that the next decision need not read their events again. Whatever is
// not here is folded from its events. Not thread-safe.
class FoldCache {
 public:
  // nullptr: not here.
  const FoldedCustomer* Find(storage::LedgerNumber ledger, const std::string& customer_id) const {
    const auto found = customers_.find({ledger, customer_id});
    return found == customers_.end() ? nullptr : &found->second;
  }
  void Put(storage::LedgerNumber ledger, const std::string& customer_id, FoldedCustomer folded) {
    if (customers_.size() >= kCustomersMax) customers_.clear();
    customers_[{ledger, customer_id}] = std::move(folded);
  }
  void Drop(storage::LedgerNumber ledger, const std::string& customer_id) {
    customers_.erase({ledger, customer_id});
  }
  void DropLedger(storage::LedgerNumber ledger) {
    absl::erase_if(customers_, [ledger](const auto& entry) { return entry.first.first == ledger; });
  }

 private:
  static constexpr size_t kCustomersMax = 100'000;

  absl::flat_hash_map<std::pair<storage::LedgerNumber, std::string>, FoldedCustomer> customers_;
};

}  // namespace ledger::services
