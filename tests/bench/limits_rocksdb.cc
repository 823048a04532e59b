#include "tests/bench/limits_rocksdb.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "rocksdb/write_batch.h"
#include "storage/rocksdb/keys.h"
#include "storage/rocksdb/log_database.h"
#include "storage/status_macros.h"

namespace ledger::bench {
namespace {

using storage::AsSlice;
using storage::AsView;
using storage::FromRocks;

constexpr size_t kChecksumBytes = 4;  // before each record
constexpr uint64_t kTileWidth = 256;

// Where the rows of one ledger go. Batches count from 0.
struct LedgerRows {
  std::map<uint64_t, Rows> batches;
  std::map<uint64_t, std::set<std::string>> subjects;  // keys of their states, by batch
  Rows requests;
};

// The key of a subject's state, from a key of its index: that holds the id's length before the id and the version after.
std::string SubjectKeyOf(absl::string_view index_key) {
  std::string key = "s";
  key.append(index_key.data() + 1, 5);
  key.append(index_key.data() + 7, index_key.size() - 7 - 8);
  return key;
}

// The last position that a tile covers.
uint64_t TileEnd(absl::string_view key) {
  uint64_t end = storage::keys::TrailingNumber(key) + 1;
  for (int level = 0; level <= static_cast<unsigned char>(key[5]); ++level) end *= kTileWidth;
  return end;
}

}  // namespace

absl::StatusOr<LoggedRows> ReadLoggedRows(const std::string& data_directory, uint64_t events_per_batch,
                                          uint64_t skip_positions) {
  LEDGER_ASSIGN_OR_RETURN(
      const std::unique_ptr<rocksdb::DB> database,
      storage::OpenLogDatabase(data_directory + "/log", storage::OpenMode::kReadOnly, {}));
  std::map<uint32_t, LedgerRows> ledgers;
  std::map<char, Row> of_commits;
  std::unordered_map<std::string, std::string> states;
  const std::unique_ptr<rocksdb::Iterator> it(database->NewIterator(rocksdb::ReadOptions()));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    Row row{it->key().ToString(), it->value().ToString()};
    const char kind = row.key[0];
    if (kind == 'k' || kind == 'g' || kind == 'm') of_commits[kind] = row;
    if (std::string("epistq").find(kind) == std::string::npos) continue;
    LedgerRows& ledger = ledgers[storage::keys::DecodeLedger(absl::string_view(row.key).substr(1))];
    if (kind == 'q') {
      ledger.requests.push_back(std::move(row));
      continue;
    }
    if (kind == 's') {
      states.emplace(std::move(row.key), std::move(row.value));
      continue;
    }
    uint64_t position = storage::keys::TrailingNumber(kind == 'i' ? row.value : row.key);
    if (kind == 't') position = TileEnd(row.key);
    if (position <= skip_positions) continue;
    const uint64_t batch = (position - skip_positions - 1) / events_per_batch;
    if (kind == 'i') ledger.subjects[batch].insert(SubjectKeyOf(row.key));
    ledger.batches[batch].push_back(std::move(row));
  }
  LEDGER_RETURN_IF_ERROR(FromRocks(it->status(), "cannot read the log"));

  LoggedRows result;
  for (const auto& [kind, row] : of_commits) result.each_commit.push_back(row);
  for (auto& [number, ledger] : ledgers) {
    std::vector<Rows>& batches = result.ledgers.emplace_back();
    const size_t count = ledger.batches.size();
    for (auto& [batch, rows] : ledger.batches) {
      for (const std::string& key : ledger.subjects[batch]) {
        if (const auto found = states.find(key); found != states.end()) rows.push_back({key, found->second});
      }
      const size_t from = ledger.requests.size() * batches.size() / count;
      const size_t to = ledger.requests.size() * (batches.size() + 1) / count;
      for (size_t i = from; i < to; ++i) rows.push_back(ledger.requests[i]);
      batches.push_back(std::move(rows));
    }
  }
  if (result.ledgers.empty()) return absl::NotFoundError("the log holds no events");
  return result;
}

struct BareBatch::Rep {
  rocksdb::WriteBatch batch{/*reserved_bytes=*/64 << 10, /*max_bytes=*/0, /*protection_bytes_per_key=*/8,
                            /*default_cf_ts_sz=*/0};
};

BareBatch::BareBatch() : rep_(std::make_unique<Rep>()) {}
BareBatch::~BareBatch() = default;

void BareBatch::PutAs(uint32_t ledger, const Rows& rows) {
  const std::string number = storage::keys::EncodeLedger(ledger);
  std::string key;
  for (const Row& row : rows) {
    key = row.key;
    key.replace(1, number.size(), number);
    rep_->batch.Put(AsSlice(key), AsSlice(row.value)).PermitUncheckedError();
  }
}

void BareBatch::Put(const Rows& rows) {
  for (const Row& row : rows) rep_->batch.Put(AsSlice(row.key), AsSlice(row.value)).PermitUncheckedError();
}

struct BareLog::Rep {
  std::unique_ptr<rocksdb::DB> database;
};

BareLog::BareLog(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
BareLog::~BareLog() = default;

absl::StatusOr<std::unique_ptr<BareLog>> BareLog::Create(const std::string& directory) {
  std::filesystem::create_directories(directory);
  auto rep = std::make_unique<Rep>();
  LEDGER_ASSIGN_OR_RETURN(rep->database, storage::OpenLogDatabase(directory, storage::OpenMode::kCreate, {}));
  return std::unique_ptr<BareLog>(new BareLog(std::move(rep)));
}

absl::Status BareLog::Write(BareBatch& batch) {
  rocksdb::WriteOptions options;
  options.sync = true;
  options.protection_bytes_per_key = 8;
  const rocksdb::Status status = rep_->database->Write(options, &batch.rep_->batch);
  batch.rep_->batch.Clear();
  return FromRocks(status, "cannot write");
}

struct BareScan::Rep {
  std::unique_ptr<rocksdb::DB> database;
};

BareScan::BareScan(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
BareScan::~BareScan() = default;

absl::StatusOr<std::unique_ptr<BareScan>> BareScan::Open(const std::string& data_directory) {
  auto rep = std::make_unique<Rep>();
  LEDGER_ASSIGN_OR_RETURN(
      rep->database, storage::OpenLogDatabase(data_directory + "/log", storage::OpenMode::kReadOnly, {}));
  return std::unique_ptr<BareScan>(new BareScan(std::move(rep)));
}

absl::StatusOr<BareScan::Result> BareScan::Scan() {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;  // or a second scan would check nothing
  Result result;
  const std::unique_ptr<rocksdb::Iterator> it(rep_->database->NewIterator(options));
  for (it->Seek("e"); it->Valid() && it->key()[0] == 'e'; it->Next()) {
    ++result.events;
    result.bytes += it->value().size() - kChecksumBytes;
  }
  LEDGER_RETURN_IF_ERROR(FromRocks(it->status(), "cannot scan"));
  return result;
}

}  // namespace ledger::bench
