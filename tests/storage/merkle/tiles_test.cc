#include "storage/merkle/tiles.h"

#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/storage/merkle/naive_tree.h"

namespace ledger::merkle {
namespace {

constexpr size_t kLeaves = 70'000;  // past the first full tile of level 1, at 65,536

std::string NaiveTile(const std::vector<Hash>& leaves, uint32_t level, uint64_t index) {
  size_t leaves_per_entry = 1;
  for (uint32_t i = 0; i < level; ++i) leaves_per_entry *= 256;
  std::string bytes;
  for (size_t entry = index * 256; entry < (index + 1) * 256; ++entry) {
    const Hash root = NaiveRoot(leaves.data() + entry * leaves_per_entry, leaves_per_entry);
    bytes.append(root.begin(), root.end());
  }
  return bytes;
}

// What a log has stored: leaves below `size`, and the tiles that were written.
class StoredTiles : public TileSource {
 public:
  StoredTiles(const std::vector<Hash>& leaves, uint64_t size) : leaves_(leaves), size_(size) {}

  void Store(const Tile& tile) {
    EXPECT_TRUE(tiles_.emplace(std::pair(tile.level, tile.index), tile.bytes).second) << "written twice";
  }
  const std::map<std::pair<uint32_t, uint64_t>, std::string>& tiles() const { return tiles_; }
  int reads() const { return reads_; }
  void FailFromNowOn(bool fail) { fail_ = fail; }

  absl::StatusOr<std::string> ReadTile(uint32_t level, uint64_t index) override {
    ++reads_;
    if (fail_) return absl::UnavailableError("no disk");
    auto found = tiles_.find({level, index});
    if (found == tiles_.end()) return absl::NotFoundError("asked for a tile that is not full");
    return found->second;
  }
  absl::StatusOr<Hash> ReadLeaf(uint64_t index) override {
    ++reads_;
    if (fail_) return absl::UnavailableError("no disk");
    if (index >= size_) return absl::NotFoundError("asked for a leaf past the resume");
    return leaves_[index];
  }

 private:
  const std::vector<Hash>& leaves_;
  const uint64_t size_;
  std::map<std::pair<uint32_t, uint64_t>, std::string> tiles_;
  int reads_ = 0;
  bool fail_ = false;
};

class TilesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { leaves_ = new std::vector<Hash>(RandomLeaves(4, kLeaves)); }
  static void TearDownTestSuite() {
    delete leaves_;
    leaves_ = nullptr;
  }

  static void PushUntil(uint64_t end, TileBuilder* builder, StoredTiles* stored) {
    std::vector<Tile> completed;
    while (builder->size() < end) {
      completed.clear();
      const absl::Status pushed = builder->Push((*leaves_)[builder->size()], *stored, &completed);
      ASSERT_TRUE(pushed.ok()) << pushed << " at " << builder->size();
      for (const Tile& tile : completed) stored->Store(tile);
    }
  }

  static std::vector<Hash>* leaves_;
};
std::vector<Hash>* TilesTest::leaves_ = nullptr;

TEST_F(TilesTest, TilesHoldTheRootsOfTheirSubtrees) {
  TileBuilder builder;
  StoredTiles stored(*leaves_, 0);
  PushUntil(kLeaves, &builder, &stored);
  EXPECT_EQ(stored.tiles().size(), kLeaves / 256 + 1);
  for (const auto& [key, bytes] : stored.tiles()) {
    ASSERT_EQ(bytes, NaiveTile(*leaves_, key.first, key.second)) << key.first << "/" << key.second;
  }
  ASSERT_EQ(stored.tiles().count({1, 0}), 1);
  EXPECT_EQ(TileRoot(stored.tiles().at({1, 0})).value(), NaiveRoot(leaves_->data(), 65'536));
  EXPECT_EQ(stored.reads(), 0) << "a builder that saw everything reads nothing";
}

TEST_F(TilesTest, ATileCompletesWithItsLastLeaf) {
  TileBuilder builder;
  StoredTiles stored(*leaves_, 0);
  PushUntil(65'535, &builder, &stored);
  std::vector<Tile> completed;
  ASSERT_TRUE(builder.Push((*leaves_)[65'535], stored, &completed).ok());
  ASSERT_EQ(completed.size(), 2u);
  EXPECT_EQ(completed[0].level, 0u);
  EXPECT_EQ(completed[0].index, 255u);
  EXPECT_EQ(completed[1].level, 1u);
  EXPECT_EQ(completed[1].index, 0u);
}

TEST_F(TilesTest, ResumesAnywhereWithTheSameTiles) {
  StoredTiles reference(*leaves_, 0);
  TileBuilder whole;
  PushUntil(kLeaves, &whole, &reference);
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::vector<uint64_t> sizes = {1, 255, 256, 257, 511, 512, 65'279, 65'280, 65'535, 65'536, 65'537, 69'999};
  for (int i = 0; i < 5; ++i) sizes.push_back(random() % kLeaves);
  for (uint64_t size : sizes) {
    StoredTiles stored(*leaves_, size);
    for (const auto& [key, bytes] : reference.tiles()) {
      const uint64_t last_leaf = key.first == 0 ? (key.second + 1) * 256 : (key.second + 1) * 65'536;
      if (last_leaf <= size) stored.Store({key.first, key.second, bytes});
    }
    TileBuilder builder(size);
    EXPECT_EQ(stored.reads(), 0);
    PushUntil(kLeaves, &builder, &stored);
    ASSERT_EQ(stored.tiles(), reference.tiles()) << "resumed at " << size;
  }
}

TEST_F(TilesTest, ReadsOnlyWhenTheTileFills) {
  StoredTiles stored(*leaves_, 100);
  TileBuilder builder(100);
  PushUntil(255, &builder, &stored);
  EXPECT_EQ(stored.reads(), 0);
  PushUntil(256, &builder, &stored);
  EXPECT_EQ(stored.reads(), 100);
}

TEST_F(TilesTest, AFailedReadTakesNothingAndMayBeRepeated) {
  StoredTiles stored(*leaves_, 100);
  TileBuilder builder(100);
  PushUntil(255, &builder, &stored);
  stored.FailFromNowOn(true);
  std::vector<Tile> completed;
  EXPECT_EQ(builder.Push((*leaves_)[255], stored, &completed).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(builder.size(), 255u);
  EXPECT_TRUE(completed.empty());
  stored.FailFromNowOn(false);
  PushUntil(256, &builder, &stored);
  EXPECT_EQ(stored.tiles().at({0, 0}), NaiveTile(*leaves_, 0, 0));
}

TEST(TileRootTest, AnotherLengthIsRefused) {
  EXPECT_EQ(TileRoot(std::string(kTileBytes - 1, 'x')).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(TileRoot("").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ledger::merkle
