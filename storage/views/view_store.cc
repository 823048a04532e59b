#include "storage/views/view_store.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/file_checksum.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/snapshot.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"
#include "storage/status_macros.h"

namespace ledger::views {
namespace {

// The format row: its key begins with the store's own zero byte, its value is the format's number in decimal.
constexpr char kFormatKeyBytes[] = "\0format";
constexpr uint32_t kFormat = 1;

std::string FormatKey() { return std::string(kFormatKeyBytes, sizeof(kFormatKeyBytes) - 1); }

rocksdb::Slice ToSlice(absl::string_view text) { return rocksdb::Slice(text.data(), text.size()); }
absl::string_view ToView(const rocksdb::Slice& slice) {
  return absl::string_view(slice.data(), slice.size());
}

absl::Status FromRocks(const rocksdb::Status& status, absl::string_view what) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = absl::StrCat(what, ": ", status.ToString());
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return absl::UnavailableError(absl::StrCat("DIRECTORY_LOCKED: ", text));
  }
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsPathNotFound() ||
      absl::StrContains(text, "No such file")) {
    return absl::DataLossError(absl::StrCat("VIEWS_DAMAGED: ", text,
                                            "; remove the views' directory to have them ", "computed again"));
  }
  return absl::UnavailableError(absl::StrCat("DISK_REFUSED: ", text));
}

rocksdb::Options MakeOptions(const ViewStoreOptions& options) {
  rocksdb::Options result;
  result.create_if_missing = true;
  result.max_bgerror_resume_count = 0;
  result.paranoid_file_checks = true;
  result.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  result.memtable_protection_bytes_per_key = 8;
  result.write_dbid_to_manifest = true;
  // Without a write-ahead log a close would otherwise lose what is in memory.
  result.avoid_flush_during_shutdown = false;
  result.write_buffer_size = options.write_buffer_bytes;
  result.max_write_buffer_number = 3;
  result.max_background_jobs = 2;
  result.allow_fallocate = false;
  result.manifest_preallocation_size = 64 << 10;
  result.keep_log_file_num = 4;
  result.max_log_file_size = 8 << 20;
  result.compression = rocksdb::kLZ4Compression;
  result.level_compaction_dynamic_level_bytes = true;
  result.memtable_whole_key_filtering = true;
  result.memtable_prefix_bloom_size_ratio = 0.02;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return result;
}

rocksdb::WriteOptions MakeWriteOptions() {
  rocksdb::WriteOptions result;
  result.disableWAL = true;
  result.protection_bytes_per_key = 8;
  return result;
}

absl::Status CheckFormat(rocksdb::DB& db, const std::string& directory) {
  std::string value;
  const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), FormatKey(), &value);
  if (status.IsNotFound()) {
    LEDGER_RETURN_IF_ERROR(
        FromRocks(db.Put(MakeWriteOptions(), FormatKey(), absl::StrCat(kFormat)), directory));
    return FromRocks(db.Flush(rocksdb::FlushOptions()), directory);
  }
  LEDGER_RETURN_IF_ERROR(FromRocks(status, directory));
  uint32_t format = 0;
  if (!absl::SimpleAtoi(value, &format) || format == 0) {
    return absl::DataLossError(
        absl::StrCat("VIEWS_DAMAGED: the format row of ", directory, " makes no sense"));
  }
  if (format > kFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        "FORMAT_IS_NEWER: the views in ", directory, " have format ", format, ", this release knows ",
        kFormat, "; start the later release, or remove the directory to have them computed again"));
  }
  return absl::OkStatus();
}

}  // namespace

struct ViewBatch::Rep {
  rocksdb::WriteBatch batch{0, 0, 8, 0};
};

ViewBatch::ViewBatch() : rep_(std::make_unique<Rep>()) {}
ViewBatch::~ViewBatch() = default;
ViewBatch::ViewBatch(ViewBatch&&) noexcept = default;
ViewBatch& ViewBatch::operator=(ViewBatch&&) noexcept = default;

// Adding to a batch in memory only fails for one larger than 4 GiB, and then so does writing it.
void ViewBatch::Put(absl::string_view key, absl::string_view value) {
  rep_->batch.Put(ToSlice(key), ToSlice(value)).PermitUncheckedError();
}
void ViewBatch::Delete(absl::string_view key) { rep_->batch.Delete(ToSlice(key)).PermitUncheckedError(); }
void ViewBatch::DeleteRange(absl::string_view begin, absl::string_view end) {
  rep_->batch.DeleteRange(ToSlice(begin), ToSlice(end)).PermitUncheckedError();
}
bool ViewBatch::empty() const { return rep_->batch.Count() == 0; }
size_t ViewBatch::bytes() const { return rep_->batch.GetDataSize(); }

struct ViewSnapshot::Rep {
  Rep(rocksdb::DB& db_in) : db(db_in), snapshot(db_in.GetSnapshot()) {}
  ~Rep() { db.ReleaseSnapshot(snapshot); }
  rocksdb::DB& db;
  const rocksdb::Snapshot* snapshot;
};

ViewSnapshot::ViewSnapshot(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
ViewSnapshot::~ViewSnapshot() = default;

struct ViewStore::Rep {
  std::string directory;
  std::unique_ptr<rocksdb::DB> db;

  static rocksdb::ReadOptions ReadAt(const ViewSnapshot* snapshot) {
    rocksdb::ReadOptions result;
    if (snapshot != nullptr) result.snapshot = snapshot->rep_->snapshot;
    return result;
  }
};

ViewStore::ViewStore(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}

ViewStore::~ViewStore() {
  // A clean close loses nothing; if the disk refuses, the rows are computed again.
  Flush().IgnoreError();
  rep_->db->Close().PermitUncheckedError();
}

absl::StatusOr<std::unique_ptr<ViewStore>> ViewStore::Open(const std::string& directory,
                                                           const ViewStoreOptions& options) {
  auto rep = std::make_unique<Rep>();
  rep->directory = directory;
  rocksdb::DB* raw = nullptr;
  LEDGER_RETURN_IF_ERROR(FromRocks(rocksdb::DB::Open(MakeOptions(options), directory, &raw),
                                   absl::StrCat("cannot open ", directory)));
  rep->db.reset(raw);
  LEDGER_RETURN_IF_ERROR(CheckFormat(*rep->db, directory));
  return std::unique_ptr<ViewStore>(new ViewStore(std::move(rep)));
}

absl::StatusOr<std::optional<std::string>> ViewStore::Get(absl::string_view key,
                                                          const ViewSnapshot* snapshot) const {
  std::string value;
  const rocksdb::Status status = rep_->db->Get(Rep::ReadAt(snapshot), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  LEDGER_RETURN_IF_ERROR(FromRocks(status, "cannot read a row"));
  return std::optional<std::string>(std::move(value));
}

absl::StatusOr<std::vector<std::optional<std::string>>> ViewStore::MultiGet(
    const std::vector<std::string>& keys, const ViewSnapshot* snapshot) const {
  std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  rep_->db->MultiGet(Rep::ReadAt(snapshot), rep_->db->DefaultColumnFamily(), keys.size(), slices.data(),
                     values.data(), statuses.data());
  std::vector<std::optional<std::string>> result(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    LEDGER_RETURN_IF_ERROR(FromRocks(statuses[i], "cannot read a row"));
    result[i] = values[i].ToString();
  }
  return result;
}

absl::Status ViewStore::Scan(absl::string_view begin, absl::string_view end,
                             const std::function<bool(absl::string_view key, absl::string_view value)>& visit,
                             const ViewSnapshot* snapshot) const {
  rocksdb::ReadOptions options = Rep::ReadAt(snapshot);
  const rocksdb::Slice bound = ToSlice(end);
  options.iterate_upper_bound = &bound;
  std::unique_ptr<rocksdb::Iterator> iterator(rep_->db->NewIterator(options));
  for (iterator->Seek(ToSlice(begin)); iterator->Valid(); iterator->Next()) {
    if (!visit(ToView(iterator->key()), ToView(iterator->value()))) return absl::OkStatus();
  }
  return FromRocks(iterator->status(), "cannot read rows");
}

absl::Status ViewStore::ScanPrefix(
    absl::string_view prefix,
    const std::function<bool(absl::string_view key, absl::string_view value)>& visit,
    const ViewSnapshot* snapshot) const {
  return Scan(prefix, PrefixEnd(prefix), visit, snapshot);
}

std::shared_ptr<const ViewSnapshot> ViewStore::Snapshot() const {
  return std::shared_ptr<const ViewSnapshot>(
      new ViewSnapshot(std::make_unique<ViewSnapshot::Rep>(*rep_->db)));
}

absl::Status ViewStore::Write(ViewBatch batch) {
  return FromRocks(rep_->db->Write(MakeWriteOptions(), &batch.rep_->batch), "cannot write rows");
}

absl::Status ViewStore::Flush() {
  return FromRocks(rep_->db->Flush(rocksdb::FlushOptions()), "cannot flush the views");
}

absl::Status ViewStore::VerifyChecksums() const {
  LEDGER_RETURN_IF_ERROR(FromRocks(rep_->db->VerifyFileChecksums(rocksdb::ReadOptions()),
                                   absl::StrCat("views in ", rep_->directory)));
  return FromRocks(rep_->db->VerifyChecksum(), absl::StrCat("views in ", rep_->directory));
}

uint64_t ViewStore::MemoryBytes() const {
  uint64_t bytes = 0;
  rep_->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
  return bytes;
}

uint64_t ViewStore::DiskBytes() const {
  uint64_t bytes = 0;
  rep_->db->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
  return bytes;
}

absl::Status ViewStore::Destroy(const std::string& directory) {
  return FromRocks(rocksdb::DestroyDB(directory, rocksdb::Options()),
                   absl::StrCat("cannot remove ", directory));
}

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace ledger::views
