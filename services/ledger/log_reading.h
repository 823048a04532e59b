#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "storage/event_log.h"
#include "storage/vault/vault.h"

// Pages of the log, and what a filter lets through. No gRPC; reads the disk: not for gRPC's own threads.
namespace ledger::services {

// At most so many bytes of records in a page, unless a single one is larger.
inline constexpr size_t kPageBytesMax = 1 << 20;

// kInvalidArgument: too many conditions, or one that can match nothing.
absl::Status ValidateFilter(const customerledger::v1::EventFilter& filter);
// True if the filter lets a serialised record through. kDataLoss: not a record.
absl::StatusOr<bool> Matches(const customerledger::v1::EventFilter& filter, absl::string_view record);

// kFailedPrecondition "LINEAGE_CHANGED": the token is from before a restore.
absl::Status CheckLineage(const storage::LogReader& log, const customerledger::v1::PositionToken& token);

absl::StatusOr<customerledger::v1::ReadLogResponse> ReadLogPage(
    const storage::LogReader& log, vault::Vault& vault, const customerledger::v1::ReadLogRequest& request);
absl::StatusOr<customerledger::v1::ReadSubjectResponse> ReadSubjectPage(
    const storage::LogReader& log, vault::Vault& vault,
    const customerledger::v1::ReadSubjectRequest& request);

}  // namespace ledger::services
