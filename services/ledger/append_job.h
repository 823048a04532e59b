#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "storage/event_log.h"
#include "storage/vault/personal.h"

namespace ledger::services {

// Closed as soon as one message of a stream was turned away for want of room or an unknown outcome: what comes after it
// on the same stream must not be accepted.
struct StreamGate {
  std::atomic<bool> closed{false};
};

// What could be done to an event before its turn.
struct PreparedEvent {
  std::vector<std::string> contact_points;  // subject ids, in the order given
  bool has_personal = false;
  uint64_t vault_slot = 0;
  vault::SealedPersonal sealed;
};

// A request on its way through the sequencer.
struct AppendJob {
  storage::LedgerIdentity ledger;
  customerledger::v1::AppendRequest request;
  customerledger::v1::Who who;
  std::string producer;  // empty: the request_id counts
  uint64_t producer_sequence = 0;
  std::string request_key;              // 32 bytes
  std::string content_hash;             // 32 bytes
  std::vector<PreparedEvent> prepared;  // one for each event of the request
  std::shared_ptr<StreamGate> gate;     // nullptr: not of a stream
  // Called once, on the completion thread, when the outcome is on disk or known never to be.
  std::function<void(absl::StatusOr<customerledger::v1::AppendResponse>)> done;
};

}  // namespace ledger::services
