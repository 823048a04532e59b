#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "customerledger/v1/ledger_service.pb.h"

namespace ledger::bench {

// What is appended to one ledger: contacts, happening now, with customers picked at random, optionally after every customer's
// registration. Thread-safe.
class Workload {
 public:
  // Requires: customers is at least the events of one request.
  Workload(std::string ledger, uint64_t customers, bool register_first, uint64_t seed);

  const std::string& ledger() const { return ledger_; }

  // The next request, with `events` events on as many different customers. Reuses what `request` holds.
  void Fill(int events, customerledger::v1::AppendRequest* request);
  // A customer picked at random.
  std::string RandomCustomer();

 private:
  std::string CustomerId(uint64_t number) const;

  const std::string ledger_;
  const uint64_t customers_;
  const bool register_first_;
  const uint64_t seed_;
  std::atomic<uint64_t> requests_{0};
  std::atomic<uint64_t> events_{0};
  std::atomic<uint64_t> draws_{0};
};

}  // namespace ledger::bench
