#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "storage/merkle/frontier.h"
#include "storage/merkle/hash.h"
#include "storage/merkle/tiles.h"
#include "storage/record_codec.h"
#include "storage/rocksdb/keys.h"
#include "storage/rocksdb/log_database.h"
#include "storage/rocksdb/open_check.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/status_macros.h"

namespace ledger::storage {
namespace {

using Finding = std::function<void(const std::string&)>;
using Progress = std::function<bool(absl::string_view, uint64_t, uint64_t)>;

constexpr uint64_t kProgressEvery = 4096;

// Rebuilds the tree from records alone; never needs to look anything up, since it starts at the first leaf.
class NothingBefore : public merkle::TileSource {
 public:
  absl::StatusOr<std::string> ReadTile(uint32_t, uint64_t) override {
    return absl::InternalError("no earlier tile");
  }
  absl::StatusOr<merkle::Hash> ReadLeaf(uint64_t) override { return absl::InternalError("no earlier leaf"); }
};

absl::Status VerifyLedger(rocksdb::DB& database, const LedgerIdentity& ledger, uint64_t size,
                          const std::string& root, const Finding& finding, const Progress& progress) {
  const std::string step = absl::StrCat("ledger ", ledger.name);
  merkle::Frontier frontier;
  merkle::TileBuilder tiles;
  NothingBefore nothing_before;
  for (uint64_t position = 1; position <= size; ++position) {
    if (position % kProgressEvery == 0 && !progress(step, position, size)) {
      return absl::CancelledError("CANCELLED: the caller went away");
    }
    std::string record;
    if (absl::Status status = CheckRecordRows(database, ledger.number, position, &record); !status.ok()) {
      if (absl::IsUnavailable(status)) return status;
      finding(absl::StrCat("ledger '", ledger.name, "' position ", position, ": ", status.message()));
      // Without this leaf no root can be compared; the other records still can.
      if (record.empty()) {
        absl::StatusOr<std::string> row = GetRow(database, keys::Record(ledger.number, position));
        if (row.ok() && row->size() > 4) record = row->substr(4);
      }
    }
    const merkle::Hash leaf = merkle::LeafHash(record);
    frontier.Push(leaf);
    std::vector<merkle::Tile> full;
    LEDGER_RETURN_IF_ERROR(tiles.Push(leaf, nothing_before, &full));
    for (const merkle::Tile& tile : full) {
      absl::StatusOr<std::string> stored =
          GetRow(database, keys::Tile(ledger.number, tile.level, tile.index));
      if (!stored.ok() || *stored != tile.bytes) {
        finding(absl::StrCat("ledger '", ledger.name, "': tile ", tile.level, "/", tile.index,
                             " does not agree with the records"));
      }
    }
  }
  const merkle::Hash computed = frontier.Root();
  if (size > 0 && merkle::AsBytes(computed) != absl::string_view(root)) {
    finding(absl::StrCat("ledger '", ledger.name, "': the tree's root over ", size,
                         " records is not the stored one"));
  }
  progress(step, size, size);
  return absl::OkStatus();
}

}  // namespace

absl::Status RocksEventLog::Verify(LedgerNumber ledger, const Finding& finding, const Progress& progress) {
  for (const std::string& what : head_->findings()) finding(what);
  std::vector<CommittedEnd> ends;
  {
    MutexLock lock(mutex_);
    for (const auto& [number, end] : committed_) {
      if (ledger == 0 || ledger == number) ends.push_back(end);
    }
  }
  if (ledger == 0) {
    if (!progress("files", 0, 1)) return absl::CancelledError("CANCELLED: the caller went away");
    // A warm block cache hides a flipped bit; these two read the files themselves.
    rocksdb::Status status = database_->VerifyFileChecksums(rocksdb::ReadOptions());
    if (!status.ok()) finding(absl::StrCat("a table file is damaged: ", status.ToString()));
    status = database_->VerifyChecksum();
    if (!status.ok()) finding(absl::StrCat("a table file's block is damaged: ", status.ToString()));
    progress("files", 1, 1);
  }
  for (const CommittedEnd& end : ends) {
    LEDGER_RETURN_IF_ERROR(VerifyLedger(*database_, end.identity, end.position, end.root, finding, progress));
  }
  return absl::OkStatus();
}

}  // namespace ledger::storage
