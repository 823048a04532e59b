#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/record.pb.h"

namespace ledger::storage {

// The one record format there is so far. A reader refuses a higher number by name.
inline constexpr uint32_t kRecordFormat = 1;

// The row of a record: CRC-32 (as zlib's) of the record, 4 bytes little-endian, then the record.
std::string EncodeRecordRow(absl::string_view record);

// The record within a row; points into `row`. kDataLoss: the checksum does not match.
absl::StatusOr<absl::string_view> DecodeRecordRow(absl::string_view row);

// Parses a record. kDataLoss: not a record. kFailedPrecondition: of a newer format, which the message names.
absl::StatusOr<customerledger::v1::Record> ParseRecord(absl::string_view record);

}  // namespace ledger::storage
