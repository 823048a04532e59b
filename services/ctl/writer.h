#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "services/ctl/session.h"

namespace ledger::ctl {

// What the user requires of the principal subject of the event that is written; nothing by default.
struct Expectation {
  std::optional<uint64_t> version;
  bool is_new = false;

  // Declares --expect-version and --new.
  void AddOptions(const Command& command);
};

// Writes one event at a time. Not thread-safe; lives within one command.
class Writer {
 public:
  // `session` must outlive the writer.
  explicit Writer(Session& session);

  // The request_id that will be used: --request-id, or a fresh one.
  const std::string& request_id() const { return request_id_; }

  // An id for something the request brings about, e.g. "t-1234567": the same for the same request_id.
  std::string DerivedId(absl::string_view prefix) const;

  // Appends `event` to the session's ledger, with the occurred time of --at (else --recorded-time, else now).
  // Other subjects than the first may be in any state.
  absl::StatusOr<customerledger::v1::AppendResponse> Append(customerledger::v1::NewEvent event,
                                                            const Expectation& expectation);

  // Append, then prints what became of it.
  absl::Status AppendAndPrint(customerledger::v1::NewEvent event, const Expectation& expectation);

 private:
  Session& session_;
  std::string request_id_;
};

// For people, the events with their places, and what a registration met; else JSON.
absl::Status PrintAppended(Session& session, const customerledger::v1::AppendResponse& response);

// The SHA-256 of `text` in hex.
std::string HexDigest(absl::string_view text);

}  // namespace ledger::ctl
