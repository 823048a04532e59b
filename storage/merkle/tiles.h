#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/merkle/hash.h"

// The geometry of tlog-tiles: entry i of level 0 is leaf hash i, entry i of level k+1 is the root over the
// 256 entries of tile i of level k. A tile holds 256 entries of one level, and is written once, when full.
namespace ledger::merkle {

inline constexpr uint64_t kTileWidth = 256;
inline constexpr size_t kTileBytes = kTileWidth * kHashBytes;  // 8,192
// Level 8 would need 256^8 leaves.
inline constexpr uint32_t kTileLevelsMax = 8;

// A full tile: entries [256 * index, 256 * (index + 1)) of `level`.
struct Tile {
  uint32_t level = 0;
  uint64_t index = 0;
  std::string bytes;  // kTileBytes: the entries' hashes one after another
};

// Where a TileBuilder finds what was pushed before it began.
class TileSource {
 public:
  virtual ~TileSource() = default;

  // The 8,192 bytes of a full tile.
  virtual absl::StatusOr<std::string> ReadTile(uint32_t level, uint64_t index) = 0;

  // The hash of a leaf, counted from 0 (the leaf of position p is p - 1).
  virtual absl::StatusOr<Hash> ReadLeaf(uint64_t index) = 0;
};

// Says which tiles become full as leaves arrive. A value that keeps at most one partial tile a level (8 KiB
// each), and after a resume reads the rest of a partial tile only when that tile fills: a ledger that is
// opened and never appended to reads nothing. Not thread-safe.
class TileBuilder {
 public:
  // Resumes behind the first `size` leaves.
  explicit TileBuilder(uint64_t size = 0) : size_(size) {}

  // The number of leaves.
  uint64_t size() const { return size_; }

  // Takes the next leaf and adds the tiles that it fills to `completed`, lowest level first: none for 255
  // leaves of 256. `source` is asked only for leaves and tiles of below the size that this builder resumed
  // from. Any error is of `source`, or kDataLoss where it gave a tile of a wrong length: the leaf was not
  // taken and nothing was added to `completed`; the same call may be repeated.
  absl::Status Push(const Hash& leaf, TileSource& source, std::vector<Tile>* completed);

 private:
  // Reads what is unknown of the tile of `level` that the next leaf fills.
  absl::Status Complete(uint32_t level, TileSource& source);

  uint64_t size_;
  // By level: the known entries of its partial tile, which are the last ones, those since the resume.
  std::vector<std::vector<Hash>> partial_;
};

// The root over a full tile's 256 entries. kDataLoss: not kTileBytes long.
absl::StatusOr<Hash> TileRoot(absl::string_view tile_bytes);

}  // namespace ledger::merkle
