#include "storage/merkle/tiles.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/merkle/frontier.h"
#include "storage/status_macros.h"

namespace ledger::merkle {
namespace {

// The number of leaves under one entry of `level`.
uint64_t LeavesPerEntry(uint32_t level) { return uint64_t{1} << (8 * level); }

// How many levels get their tile filled by leaf `leaf`, counted from 0.
uint32_t LevelsFilledBy(uint64_t leaf) {
  uint32_t levels = 0;
  for (uint64_t rest = leaf; levels + 1 < kTileLevelsMax && rest % kTileWidth == kTileWidth - 1;
       rest /= kTileWidth) {
    ++levels;
  }
  return levels;
}

std::string Concatenate(const std::vector<Hash>& entries) {
  std::string bytes;
  bytes.reserve(entries.size() * kHashBytes);
  for (const Hash& entry : entries) absl::StrAppend(&bytes, AsBytes(entry));
  return bytes;
}

}  // namespace

absl::StatusOr<Hash> TileRoot(absl::string_view tile_bytes) {
  if (tile_bytes.size() != kTileBytes) {
    return absl::DataLossError(absl::StrCat("a tile has ", kTileBytes, " bytes, not ", tile_bytes.size()));
  }
  Frontier entries;
  for (size_t at = 0; at < kTileBytes; at += kHashBytes) {
    LEDGER_ASSIGN_OR_RETURN(Hash entry, HashFromBytes(tile_bytes.substr(at, kHashBytes)));
    entries.Push(entry);
  }
  return entries.Root();
}

absl::Status TileBuilder::Push(const Hash& leaf, TileSource& source, std::vector<Tile>* completed) {
  const uint32_t filled = LevelsFilledBy(size_);
  if (partial_.size() < filled + 1) partial_.resize(filled + 1);
  // All that may fail comes first: reading adds to what is known and takes no leaf.
  for (uint32_t level = 0; level < filled; ++level) LEDGER_RETURN_IF_ERROR(Complete(level, source));

  Hash entry = leaf;
  for (uint32_t level = 0; level < filled; ++level) {
    std::vector<Hash>& entries = partial_[level];
    entries.push_back(entry);
    Frontier tile;
    for (const Hash& hash : entries) tile.Push(hash);
    entry = tile.Root();
    completed->push_back({level, size_ / LeavesPerEntry(level + 1), Concatenate(entries)});
    entries.clear();
  }
  partial_[filled].push_back(entry);
  ++size_;
  return absl::OkStatus();
}

absl::Status TileBuilder::Complete(uint32_t level, TileSource& source) {
  std::vector<Hash>& known = partial_[level];
  const uint64_t tile = size_ / LeavesPerEntry(level + 1);
  const size_t missing = kTileWidth - 1 - known.size();  // the entry that fills the tile is about to come
  if (missing == 0) return absl::OkStatus();
  std::vector<Hash> entries;
  entries.reserve(kTileWidth);
  for (uint64_t index = tile * kTileWidth; entries.size() < missing; ++index) {
    if (level == 0) {
      LEDGER_ASSIGN_OR_RETURN(Hash leaf, source.ReadLeaf(index));
      entries.push_back(leaf);
    } else {
      LEDGER_ASSIGN_OR_RETURN(std::string below, source.ReadTile(level - 1, index));
      LEDGER_ASSIGN_OR_RETURN(Hash entry, TileRoot(below));
      entries.push_back(entry);
    }
  }
  entries.insert(entries.end(), known.begin(), known.end());
  known = std::move(entries);
  return absl::OkStatus();
}

}  // namespace ledger::merkle
