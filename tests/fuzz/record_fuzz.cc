#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/record_codec.h"

// Whatever the bytes of a row: no crash; what is not a record is refused as lost data or as a newer format; and
// any bytes survive their own encoding.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size == 0) return 0;  // there is no empty record
  const auto in_row = ledger::storage::DecodeRecordRow(bytes);
  if (!in_row.ok() && in_row.status().code() != absl::StatusCode::kDataLoss) std::abort();
  const std::string row = ledger::storage::EncodeRecordRow(bytes);
  const auto decoded = ledger::storage::DecodeRecordRow(row);
  if (!decoded.ok() || *decoded != bytes) std::abort();
  // A change of any one byte is seen.
  std::string changed = row;
  changed[size % changed.size()] = static_cast<char>(changed[size % changed.size()] ^ 0x10);
  if (ledger::storage::DecodeRecordRow(changed).ok()) std::abort();
  // Past the checksum, so that the parser sees the mutations.
  const auto record = ledger::storage::ParseRecord(bytes);
  if (record.ok()) {
    if (record->header().format_version() > ledger::storage::kRecordFormat) std::abort();
  } else if (record.status().code() != absl::StatusCode::kDataLoss &&
             record.status().code() != absl::StatusCode::kFailedPrecondition) {
    std::abort();
  }
  return 0;
}
