#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load_client.h"
#include "tests/bench/workload.h"

namespace ledger::services {
class Server;
}

namespace ledger::bench {

// A server in this process, with ledgers named "book-1", "book-2", ... under the default policy, what is appended to
// them, and a client. Not thread-safe.
class ServedLedgers {
 public:
  // Makes the data directory, or opens it again where the same ledgers are in it already.
  static absl::StatusOr<ServedLedgers> Start(const std::string& directory, int ledgers, uint64_t customers,
                                             bool register_first);
  ServedLedgers(ServedLedgers&&) noexcept;
  ~ServedLedgers();

  LoadClient& client() { return *client_; }
  const std::vector<Workload*>& workloads() const { return borrowed_; }
  // How many events each ledger began with.
  uint64_t first_events() const { return first_events_; }

  // The slowest projection of any ledger, in events.
  absl::StatusOr<uint64_t> ProjectionLag();
  absl::Status WaitUntilProjected();

  // Stops the server; only first_events() may be called then.
  void Stop();

 private:
  ServedLedgers();
  std::unique_ptr<services::Server> server_;
  std::unique_ptr<LoadClient> client_;
  std::vector<std::unique_ptr<Workload>> workloads_;
  std::vector<Workload*> borrowed_;
  uint64_t first_events_ = 0;
};

}  // namespace ledger::bench
