#include "storage/views/view_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace ledger::views {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class ViewStoreTest : public ::testing::Test {
 protected:
  ViewStoreTest() {
    std::string pattern = (fs::temp_directory_path() / "views-test-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    directory_ = (root_ / "views").string();
  }
  ~ViewStoreTest() override { fs::remove_all(root_); }

  std::unique_ptr<ViewStore> OpenStore() {
    auto store = ViewStore::Open(directory_);
    EXPECT_TRUE(store.ok()) << store.status();
    return std::move(store).value();
  }
  static void PutRow(ViewStore& store, absl::string_view key, absl::string_view value) {
    ViewBatch batch;
    batch.Put(key, value);
    ASSERT_TRUE(store.Write(std::move(batch)).ok());
  }
  static std::vector<std::pair<std::string, std::string>> Rows(const ViewStore& store,
                                                               absl::string_view prefix,
                                                               const ViewSnapshot* snapshot = nullptr) {
    std::vector<std::pair<std::string, std::string>> rows;
    EXPECT_TRUE(store
                    .ScanPrefix(
                        prefix,
                        [&](absl::string_view key, absl::string_view value) {
                          rows.emplace_back(std::string(key), std::string(value));
                          return true;
                        },
                        snapshot)
                    .ok());
    return rows;
  }

  fs::path root_;
  std::string directory_;
};

TEST_F(ViewStoreTest, ReadsWhatWasWritten) {
  auto store = OpenStore();
  ViewBatch batch;
  batch.Put("a1", "one");
  batch.Put("a2", "two");
  batch.Put("b1", "three");
  batch.Delete("a2");
  ASSERT_TRUE(store->Write(std::move(batch)).ok());
  EXPECT_EQ(*store->Get("a1"), "one");
  EXPECT_EQ(*store->Get("a2"), std::nullopt);
  EXPECT_THAT(*store->MultiGet({"b1", "a2", "a1"}), ElementsAre("three", std::nullopt, "one"));
  EXPECT_THAT(Rows(*store, "a"), ElementsAre(Pair("a1", "one")));
}

TEST_F(ViewStoreTest, ScansInOrderAndStopsWhenTold) {
  auto store = OpenStore();
  for (const char* key : {"c", "a", "b", "d"}) PutRow(*store, key, key);
  std::vector<std::string> seen;
  ASSERT_TRUE(store
                  ->Scan("a", "d",
                         [&](absl::string_view key, absl::string_view) {
                           seen.emplace_back(key);
                           return seen.size() < 2;
                         })
                  .ok());
  EXPECT_THAT(seen, ElementsAre("a", "b"));
}

TEST_F(ViewStoreTest, DeletesARangeWithoutItsEnd) {
  auto store = OpenStore();
  for (const char* key : {"a1", "a2", "a3", "b"}) PutRow(*store, key, key);
  ViewBatch batch;
  batch.DeleteRange("a1", "a3");
  ASSERT_TRUE(store->Write(std::move(batch)).ok());
  EXPECT_THAT(Rows(*store, "a"), ElementsAre(Pair("a3", "a3")));
  EXPECT_EQ(*store->Get("b"), "b");
}

TEST_F(ViewStoreTest, ASnapshotDoesNotMove) {
  auto store = OpenStore();
  PutRow(*store, "a", "old");
  const auto moment = store->Snapshot();
  PutRow(*store, "a", "new");
  PutRow(*store, "b", "new");
  EXPECT_EQ(*store->Get("a", moment.get()), "old");
  EXPECT_THAT(*store->MultiGet({"a", "b"}, moment.get()), ElementsAre("old", std::nullopt));
  EXPECT_THAT(Rows(*store, "a", moment.get()), ElementsAre(Pair("a", "old")));
  EXPECT_EQ(*store->Get("a"), "new");
}

TEST_F(ViewStoreTest, ACleanCloseLosesNothing) {
  PutRow(*OpenStore(), "a", "one");
  EXPECT_EQ(*OpenStore()->Get("a"), "one");
}

TEST_F(ViewStoreTest, ACrashGoesBackToTheLastFlushBetweenBatches) {
  const std::string copy = (root_ / "copy").string();
  {
    auto store = OpenStore();
    PutRow(*store, "flushed", "1");
    ASSERT_TRUE(store->Flush().ok());
    PutRow(*store, "in memory", "1");
    fs::copy(directory_, copy, fs::copy_options::recursive);  // what a killed process leaves behind
  }
  auto reopened = ViewStore::Open(copy);
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  EXPECT_EQ(*(*reopened)->Get("flushed"), "1");
  EXPECT_EQ(*(*reopened)->Get("in memory"), std::nullopt);
}

TEST_F(ViewStoreTest, RefusesANewerFormatByName) {
  PutRow(*OpenStore(), std::string("\0format", 7), "2");
  const auto store = ViewStore::Open(directory_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("FORMAT_IS_NEWER"));
}

TEST_F(ViewStoreTest, RefusesASecondOpener) {
  const auto first = OpenStore();
  const auto second = ViewStore::Open(directory_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("DIRECTORY_LOCKED"));
}

// Every sampled flip is refused, found, or harmless; what is read is never silently different.
TEST_F(ViewStoreTest, FlippedBytesAreNeverReadAsSomethingElse) {
  {
    auto store = OpenStore();
    for (int i = 0; i < 200; ++i)
      PutRow(*store, "key" + std::to_string(1000 + i), "value" + std::to_string(i));
  }
  const uint32_t seed = std::random_device()();
  std::mt19937 random(seed);
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(".sst") || name.starts_with("MANIFEST") || name == "CURRENT")
      files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 3u);
  int noticed = 0;
  for (int round = 0; round < 30; ++round) {
    const fs::path copy = root_ / "flipped";
    fs::remove_all(copy);
    fs::copy(directory_, copy, fs::copy_options::recursive);
    const fs::path file = copy / files[random() % files.size()].filename();
    const auto size = fs::file_size(file);
    const auto at = static_cast<std::streamoff>(random() % size);
    {
      std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(at);
      const char byte = static_cast<char>(stream.get() ^ (1 << random() % 8));
      stream.seekp(at);
      stream.put(byte);
    }
    SCOPED_TRACE(::testing::Message() << file.filename() << " at " << at);
    auto store = ViewStore::Open(copy.string());
    if (!store.ok()) {
      ++noticed;
      continue;
    }
    const bool verified = (*store)->VerifyChecksums().ok();
    if (!verified) ++noticed;
    int missing = 0;
    for (int i = 0; i < 200; ++i) {
      const auto value = (*store)->Get("key" + std::to_string(1000 + i));
      if (!value.ok()) continue;
      if (!value->has_value()) {
        ++missing;
      } else {
        EXPECT_EQ(**value, "value" + std::to_string(i));
      }
    }
    // A store that begins anew has lost everything at once, its checkpoints with its rows; never some rows
    // alone.
    EXPECT_TRUE(!verified || missing == 0 || missing == 200) << missing << " rows are missing";
  }
  EXPECT_GT(noticed, 0);
}

TEST(PrefixEndTest, FollowsEveryKeyWithThePrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
}

}  // namespace
}  // namespace ledger::views
