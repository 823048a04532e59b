#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "customerledger/v1/query_service.pb.h"

namespace ledger::ctl {

// The figures with snake_case keys and plain numbers (protobuf JSON would write 64-bit numbers as text), the
// owners as {"owner": what --owner takes, "customers": N}, most first. Ends in a line break.
absl::StatusOr<std::string> StatsJson(const customerledger::v1::GetStatsResponse& stats, bool indented);

}  // namespace ledger::ctl
