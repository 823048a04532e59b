#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rocksdb/db.h"
#include "rocksdb/file_system.h"
#include "rocksdb/listener.h"
#include "storage/rocksdb/rows.pb.h"

// How the log's RocksDB is opened, and its errors in our words. Inside storage/rocksdb only.
namespace ledger::storage {

inline constexpr uint32_t kLogFormat = 1;

struct LogDatabaseOptions {
  uint64_t write_buffer_bytes = 64 << 20;
  uint64_t block_cache_bytes = 128 << 20;
  std::shared_ptr<rocksdb::FileSystem> file_system;  // nullptr: the machine's own
  std::shared_ptr<rocksdb::EventListener> listener;  // may be nullptr
  bool compact = true;                               // false: starts no compaction until told to
};

enum class OpenMode { kReadOnly, kReadWrite, kCreate };

// Opens `directory` with the options that notes on RocksDB's behaviour demand: a damaged write-ahead log is
// refused, checksums are checked everywhere, nothing resumes after a failed write. A log that was cut at its end
// opens: that it is too short is for the head to say (open_check.h).
absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenLogDatabase(const std::string& directory, OpenMode mode,
                                                             const LogDatabaseOptions& options);

// `status` in our codes: kUnavailable for what the disk refused; kDataLoss for everything else, since what RocksDB
// does not find or understand of its own files is damaged.
absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what);

// The value of `key`. kNotFound; otherwise as FromRocks.
absl::StatusOr<std::string> GetRow(rocksdb::DB& database, absl::string_view key);

// A row that is one of our small messages. kDataLoss: it does not parse.
template <typename Row>
absl::StatusOr<Row> GetMessage(rocksdb::DB& database, absl::string_view key) {
  absl::StatusOr<std::string> value = GetRow(database, key);
  if (!value.ok()) return value.status();
  Row row;
  if (!row.ParseFromString(*value))
    return absl::DataLossError("ROW_DAMAGED: a row of the log does not parse");
  return row;
}

// The database's GlobalRow. kFailedPrecondition: its format is newer than this release's.
absl::StatusOr<GlobalRow> GetGlobalRow(rocksdb::DB& database);

inline rocksdb::Slice AsSlice(absl::string_view bytes) { return rocksdb::Slice(bytes.data(), bytes.size()); }
inline absl::string_view AsView(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

}  // namespace ledger::storage
