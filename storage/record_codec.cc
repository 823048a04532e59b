#include "storage/record_codec.h"

#include <zlib.h>

#include "absl/strings/str_cat.h"

namespace ledger::storage {
namespace {

uint32_t Checksum(absl::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::string EncodeRecordRow(absl::string_view record) {
  const uint32_t checksum = Checksum(record);
  std::string row;
  row.reserve(record.size() + 4);
  for (int shift = 0; shift < 32; shift += 8) row.push_back(static_cast<char>(checksum >> shift));
  row.append(record.data(), record.size());
  return row;
}

absl::StatusOr<absl::string_view> DecodeRecordRow(absl::string_view row) {
  if (row.size() < 5) return absl::DataLossError("RECORD_DAMAGED: the record's row is too short");
  uint32_t checksum = 0;
  for (int i = 3; i >= 0; --i) checksum = checksum << 8 | static_cast<unsigned char>(row[i]);
  const absl::string_view record = row.substr(4);
  if (Checksum(record) != checksum)
    return absl::DataLossError("RECORD_DAMAGED: the record's checksum does not match");
  return record;
}

absl::StatusOr<customerledger::v1::Record> ParseRecord(absl::string_view record) {
  customerledger::v1::Record parsed;
  if (!parsed.ParseFromArray(record.data(), static_cast<int>(record.size()))) {
    return absl::DataLossError("RECORD_DAMAGED: the bytes are not a record");
  }
  if (parsed.header().format_version() > kRecordFormat) {
    return absl::FailedPreconditionError(
        absl::StrCat("FORMAT_IS_NEWER: the record has format ", parsed.header().format_version(),
                     "; this release reads up to ", kRecordFormat, ". Use the release that wrote it."));
  }
  if (parsed.header().position() == 0 || parsed.header().subjects().empty()) {
    return absl::DataLossError("RECORD_DAMAGED: the record names no position or no subject");
  }
  return parsed;
}

}  // namespace ledger::storage
