#include "storage/rocksdb/head_file.h"

#include <zlib.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/storage/rocksdb/log_test_util.h"

namespace ledger::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kLineage = "0123456789abcdef";

HeadCommit CommitOf(uint64_t number) {
  HeadCommit commit;
  commit.number = number;
  commit.hash = std::string(32, static_cast<char>('a' + number % 26));
  commit.flushed = number / 2;
  return commit;
}

// A head after `commits` commits, each of which moved ledger 1 to its number and ledger 3 to ten times that.
void MakeHead(const std::string& path, uint64_t commits) {
  ASSERT_OK(HeadFile::Create(path, kLineage));
  auto head = HeadFile::Open(path, true);
  ASSERT_OK(head);
  for (uint64_t number = 1; number <= commits; ++number) {
    ASSERT_OK((*head)->Write(CommitOf(number), {{1, number}, {3, 10 * number}}));
  }
}

TEST(HeadFileTest, ComesBack) {
  TempDir dir;
  MakeHead(dir / "head", 9);
  const auto head = HeadFile::Open(dir / "head", false);
  ASSERT_OK(head);
  EXPECT_EQ((*head)->lineage(), kLineage);
  EXPECT_EQ((*head)->commit().number, 9u);
  EXPECT_EQ((*head)->commit().hash, CommitOf(9).hash);
  EXPECT_EQ((*head)->commit().flushed, 4u);
  EXPECT_EQ((*head)->positions(), (std::map<LedgerNumber, uint64_t>{{1, 9}, {3, 90}}));
  EXPECT_THAT((*head)->findings(), IsEmpty());
}

TEST(HeadFileTest, IsCreatedOnce) {
  TempDir dir;
  MakeHead(dir / "head", 1);
  EXPECT_TRUE(absl::IsAlreadyExists(HeadFile::Create(dir / "head", kLineage)));
  EXPECT_TRUE(absl::IsDataLoss(HeadFile::Open(dir / "nothing", true).status()));
}

TEST(HeadFileTest, ATornSlotLeavesTheOneBefore) {
  TempDir dir;
  MakeHead(dir / "head", 9);
  const std::string image = ReadAll(dir / "head");
  MakeHead(dir / "older", 8);
  const std::string older = ReadAll(dir / "older");
  const size_t slot = 4096 + 512;  // of odd commits
  for (size_t written = 1; written < 52; ++written) {
    // The first bytes are commit 9's, the others still commit 7's.
    std::string torn = image;
    torn.replace(slot + written, 52 - written, older, slot + written, 52 - written);
    if (torn == image) continue;
    WriteAll(dir / "torn", torn);
    const auto head = HeadFile::Open(dir / "torn", false);
    ASSERT_OK(head);
    EXPECT_EQ((*head)->commit().number, 8u) << written;
    EXPECT_EQ((*head)->commit().hash, CommitOf(8).hash);
    EXPECT_EQ((*head)->findings().size(), 1u);
  }
}

TEST(HeadFileTest, EveryFlippedByteIsRefusedOrReportedOrMeansNothing) {
  TempDir dir;
  MakeHead(dir / "head", 9);
  // The entries of ledgers 9 to 4,096 are zeros, like those of 4 to 8; they can go.
  const std::string image = ReadAll(dir / "head").substr(0, 8192 + 16 * 8);
  WriteAll(dir / "damaged", image);
  int refused = 0, reported = 0, harmless = 0;
  for (size_t at = 0; at < image.size(); ++at) {
    FlipBit(dir / "damaged", at, static_cast<int>(at % 8));
    const auto head = HeadFile::Open(dir / "damaged", false);
    FlipBit(dir / "damaged", at, static_cast<int>(at % 8));
    if (!head.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(head.status())) << at << " " << head.status();
      ++refused;
      continue;
    }
    EXPECT_EQ((*head)->lineage(), kLineage) << at;
    const uint64_t number = (*head)->commit().number;
    EXPECT_TRUE(number == 9 || number == 8) << at;
    EXPECT_EQ((*head)->commit().hash, CommitOf(number).hash) << at;
    for (const auto& [ledger, position] : (*head)->positions()) {
      EXPECT_EQ(position, ledger == 1 ? 9u : 90u) << at;
    }
    if (!(*head)->findings().empty()) {
      ++reported;
    } else {
      EXPECT_EQ(number, 9u) << at;
      EXPECT_EQ((*head)->positions().size(), 2u) << at;
      ++harmless;
    }
  }
  EXPECT_EQ(refused, 36) << "the header and its checksum";
  EXPECT_EQ(reported, 2 * 52 + 8 * 16) << "both slots and the entries";
  EXPECT_EQ(harmless, 8192 - 36 - 2 * 52);
}

TEST(HeadFileTest, EveryCutIsRefusedOrOnlyCostsNames) {
  TempDir dir;
  MakeHead(dir / "head", 9);
  const std::string image = ReadAll(dir / "head");
  for (size_t length = 0; length < 8192 + 64; length += 61) {
    WriteAll(dir / "cut", image.substr(0, length));
    const auto head = HeadFile::Open(dir / "cut", false);
    if (length < 8192) {
      EXPECT_TRUE(absl::IsDataLoss(head.status())) << length;
    } else {
      ASSERT_OK(head);
      EXPECT_EQ((*head)->commit().number, 9u);
    }
  }
}

TEST(HeadFileTest, BothSlotsDamagedIsDataLoss) {
  TempDir dir;
  MakeHead(dir / "head", 9);
  std::string image = ReadAll(dir / "head");
  image[4096] ^= 1;
  image[4608] ^= 1;
  WriteAll(dir / "head", image);
  const absl::Status status = HeadFile::Open(dir / "head", true).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("neither slot"));
}

TEST(HeadFileTest, ANewerFormatIsRefusedByName) {
  TempDir dir;
  MakeHead(dir / "head", 1);
  std::string image = ReadAll(dir / "head");
  image[8] = 2;
  const uint32_t checksum = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(image.data()), 32));
  for (int i = 0; i < 4; ++i) image[32 + i] = static_cast<char>(checksum >> (8 * i));
  WriteAll(dir / "head", image);
  const absl::Status status = HeadFile::Open(dir / "head", true).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("FORMAT_IS_NEWER"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("format 2"));
}

TEST(HeadFileTest, OneProcessAtATimeHasIt) {
  TempDir dir;
  MakeHead(dir / "head", 1);
  auto first = HeadFile::Open(dir / "head", true);
  ASSERT_OK(first);
  const absl::Status second = HeadFile::Open(dir / "head", true).status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr("DIRECTORY_LOCKED"));
  first->reset();
  EXPECT_OK(HeadFile::Open(dir / "head", true));
}

TEST(HeadFileTest, GrowsWithTheNumberOfLedgers) {
  TempDir dir;
  ASSERT_OK(HeadFile::Create(dir / "head", kLineage));
  {
    auto head = HeadFile::Open(dir / "head", true);
    ASSERT_OK(head);
    ASSERT_OK((*head)->Write(CommitOf(1), {{1, 1}, {5000, 2}, {20000, 3}}));
  }
  const auto head = HeadFile::Open(dir / "head", false);
  ASSERT_OK(head);
  EXPECT_EQ((*head)->positions(), (std::map<LedgerNumber, uint64_t>{{1, 1}, {5000, 2}, {20000, 3}}));
}

TEST(HeadFileTest, TakesAnotherLineage) {
  TempDir dir;
  MakeHead(dir / "head", 3);
  {
    auto head = HeadFile::Open(dir / "head", true);
    ASSERT_OK(head);
    ASSERT_OK((*head)->SetLineage("fedcba9876543210"));
  }
  const auto head = HeadFile::Open(dir / "head", false);
  ASSERT_OK(head);
  EXPECT_EQ((*head)->lineage(), "fedcba9876543210");
  EXPECT_EQ((*head)->commit().number, 3u);
}

}  // namespace
}  // namespace ledger::storage
