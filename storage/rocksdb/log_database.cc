#include "storage/rocksdb/log_database.h"

#include <map>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "rocksdb/file_checksum.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"
#include "storage/mutex.h"
#include "storage/rocksdb/keys.h"
#include "storage/status_macros.h"

namespace ledger::storage {
namespace {

rocksdb::Options MakeOptions(const LogDatabaseOptions& options) {
  rocksdb::Options result;
  // The default recovery mode opens a damaged write-ahead log as if its tail had never been written.
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  result.max_bgerror_resume_count = 0;
  result.paranoid_file_checks = true;
  result.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  result.memtable_protection_bytes_per_key = 8;
  result.write_dbid_to_manifest = true;
  // One family, so one memtable for everything: a commit's rows live and die together.
  result.write_buffer_size = options.write_buffer_bytes;
  result.max_write_buffer_number = 3;
  result.max_background_jobs = 2;
  // The sequencer's bounded queues are what holds writers back; a log that pauses its compactions for want of space must
  // not stall.
  result.level0_slowdown_writes_trigger = 1 << 20;
  result.level0_stop_writes_trigger = 1 << 20;
  // Preallocated logs and manifests would fill a small disk with nothing.
  result.allow_fallocate = false;
  result.manifest_preallocation_size = 64 << 10;
  result.keep_log_file_num = 4;
  result.max_log_file_size = 8 << 20;
  result.compression = rocksdb::kLZ4Compression;
  result.bottommost_compression = rocksdb::kZSTD;
  result.memtable_whole_key_filtering = true;
  result.memtable_prefix_bloom_size_ratio = 0.02;
  result.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  table.block_size = 16 << 10;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  result.disable_auto_compactions = !options.compact;
  if (options.listener != nullptr) result.listeners.push_back(options.listener);
  return result;
}

// RocksDB borrows its environment. One for each file system that was ever given lives as long as the process, which
// only tests make more than one of.
rocksdb::Env* EnvironmentOver(const std::shared_ptr<rocksdb::FileSystem>& file_system) {
  static Mutex& mutex = *new Mutex();
  static auto& environments =
      *new std::map<std::shared_ptr<rocksdb::FileSystem>, std::unique_ptr<rocksdb::Env>>();
  MutexLock lock(mutex);
  std::unique_ptr<rocksdb::Env>& environment = environments[file_system];
  if (environment == nullptr) environment = rocksdb::NewCompositeEnv(file_system);
  return environment.get();
}

class NoNotes : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

absl::StatusOr<std::unique_ptr<rocksdb::DB>> OpenLogDatabase(const std::string& directory, OpenMode mode,
                                                             const LogDatabaseOptions& options) {
  rocksdb::Options rocks = MakeOptions(options);
  if (options.file_system != nullptr) rocks.env = EnvironmentOver(options.file_system);
  rocks.create_if_missing = mode == OpenMode::kCreate;
  rocks.error_if_exists = mode == OpenMode::kCreate;
  // Looking at a damaged directory leaves every file of it as it was, RocksDB's own notes included.
  if (mode == OpenMode::kReadOnly) rocks.info_log = std::make_shared<NoNotes>();
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status = mode == OpenMode::kReadOnly
                                     ? rocksdb::DB::OpenForReadOnly(rocks, directory, &raw)
                                     : rocksdb::DB::Open(rocks, directory, &raw);
  if (!status.ok()) return FromRocks(status, absl::StrCat("cannot open ", directory));
  return std::unique_ptr<rocksdb::DB>(raw);
}

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrCat(what, ": ", status.ToString());
  // A file that the manifest names and that is not there is damage, though it comes as an I/O error.
  const bool refused =
      (status.IsIOError() && !status.IsPathNotFound() && !absl::StrContains(text, "No such file")) ||
      status.IsNoSpace() || status.IsBusy() || status.IsTimedOut() || status.IsTryAgain() ||
      status.IsShutdownInProgress();
  if (refused) return absl::UnavailableError(absl::StrCat("DISK_REFUSED: ", text));
  return absl::DataLossError(absl::StrCat("LOG_DAMAGED: ", text));
}

absl::StatusOr<std::string> GetRow(rocksdb::DB& database, absl::string_view key) {
  std::string value;
  const rocksdb::Status status = database.Get(rocksdb::ReadOptions(), AsSlice(key), &value);
  if (status.IsNotFound()) return absl::NotFoundError("NO_SUCH_ROW: the log has no such row");
  if (!status.ok()) return FromRocks(status, "cannot read a row of the log");
  return value;
}

absl::StatusOr<GlobalRow> GetGlobalRow(rocksdb::DB& database) {
  LEDGER_ASSIGN_OR_RETURN(GlobalRow row, GetMessage<GlobalRow>(database, keys::Global()));
  if (row.format_version() > kLogFormat) {
    return absl::FailedPreconditionError(absl::StrCat("FORMAT_IS_NEWER: the log has format ",
                                                      row.format_version(), "; this release reads up to ",
                                                      kLogFormat, ". Use the release that wrote it."));
  }
  return row;
}

}  // namespace ledger::storage
