#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/query_service.pb.h"
#include "tests/bench/workload.h"

namespace ledger::bench {

// One connection and the loads it can put on a server; the same code asks the ledger and its limits. One load at a
// time. Errors are the server's, or kUnavailable.
class LoadClient {
 public:
  explicit LoadClient(const std::string& address);
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  // Creates a ledger under the policy in `policy_file`; returns the position of its last event.
  absl::StatusOr<uint64_t> CreateLedger(const std::string& name, const std::string& policy_file);

  // Keeps `in_flight` Append calls of one event each running for `time`. Events acknowledged per second. `answer`, if
  // not null, receives one of the answers.
  absl::StatusOr<double> AppendUnary(Workload& workload, int in_flight, absl::Duration time,
                                     customerledger::v1::AppendResponse* answer);

  // One AppendStream call for each workload, each with `window` messages of `events_per_message` unanswered, for `time`
  // or until each has sent `messages_max`. Events acknowledged per second.
  absl::StatusOr<double> AppendStreams(const std::vector<Workload*>& workloads, int events_per_message,
                                       int window, absl::Duration time, uint64_t messages_max);

  struct CatchUpResult {
    uint64_t events = 0;
    uint64_t bytes = 0;  // of the records
    absl::Duration time;
  };
  // Reads a ledger's log from its beginning until it has caught up. `messages`, if not null, receives what came.
  absl::StatusOr<CatchUpResult> CatchUp(const std::string& ledger,
                                        std::vector<customerledger::v1::SubscribeResponse>* messages);

  // Rebuilds the three projections at the same time; returns when all three have switched.
  absl::StatusOr<absl::Duration> Rebuild(const std::string& ledger);

  // Asks for the owners of `count` customers, one after the other. Microseconds each. `answer` as above.
  absl::StatusOr<std::vector<double>> AskOwners(Workload& workload, int count,
                                                customerledger::v1::GetOwnerResponse* answer);

  // Waits until every projection of the ledger has applied its whole log.
  absl::Status WaitUntilProjected(const std::string& ledger);
  // How far the ledger's slowest projection is behind, in events.
  absl::StatusOr<uint64_t> ProjectionLag(const std::string& ledger);

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace ledger::bench
