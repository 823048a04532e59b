#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"

// What can be said of a request from its bytes alone. Pure; any thread. Every error is kInvalidArgument with a reason,
// the place in the request and what is allowed.
namespace ledger::services {

inline constexpr int kEventsMax = 1'000;
inline constexpr size_t kRequestBytesMax = 4 << 20;
inline constexpr size_t kEventBytesMax = 64 << 10;
inline constexpr size_t kIdBytesMax = 128;
// How far an event may be ahead of the ledger's clock: clocks differ, but nothing has happened that is yet to come, and
// lists that are kept for the present could not show it.
inline constexpr absl::Duration kAheadMax = absl::Minutes(10);

// `from_import`: the request came with a producer instead of a request_id.
absl::Status ValidateAppend(const customerledger::v1::AppendRequest& request, bool from_import,
                            absl::Time now);

// An id as a caller may choose it: 1 to 128 bytes, no control characters. `what` names it in the error.
absl::Status ValidateId(absl::string_view id, absl::string_view what);

// A ledger's name.
absl::Status ValidateLedgerName(absl::string_view name);

}  // namespace ledger::services
