#include "services/ctl/import/byte_source.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/services/ctl/import/import_testing.h"

namespace ledger::ctl {
namespace {

// Reads in pieces of `piece` bytes until the end or an error.
std::string ReadBytes(ByteSource* source, size_t piece, absl::Status* status) {
  std::string all;
  std::string buffer(piece, '\0');
  while (true) {
    const absl::StatusOr<size_t> got = source->Read(buffer.data(), piece);
    *status = got.status();
    if (!got.ok() || *got == 0) return all;
    all.append(buffer, 0, *got);
  }
}

std::string Text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "row " + std::to_string(i * 7919 % 10007) + "\n";
  return text;
}

TEST(ByteSourceTest, PlainAndGzipReadAlikeWhateverThePieces) {
  for (const size_t piece : {1, 7, 4096, 1 << 20}) {
    absl::Status status;
    EXPECT_EQ(ReadBytes(OpenMemory(Text()).get(), piece, &status), Text());
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(ReadBytes(OpenMemory(Gzip(Text())).get(), piece, &status), Text());
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST(ByteSourceTest, SeveralGzipMembersReadAsOneStream) {
  absl::Status status;
  EXPECT_EQ(ReadBytes(OpenMemory(Gzip("one ") + Gzip("two ") + Gzip("three")).get(), 100, &status),
            "one two three");
  EXPECT_TRUE(status.ok()) << status;
}

TEST(ByteSourceTest, EmptyAndOneByteFilesAreNoGzip) {
  absl::Status status;
  EXPECT_EQ(ReadBytes(OpenMemory("").get(), 10, &status), "");
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(ReadBytes(OpenMemory("\x1f").get(), 10, &status), "\x1f");
  EXPECT_TRUE(status.ok());
}

TEST(ByteSourceTest, ACutGzipGivesWhatIsThereThenNamesThePlace) {
  const std::string whole = Gzip(Text());
  absl::Status status;
  const std::string got = ReadBytes(OpenMemory(whole.substr(0, whole.size() / 2)).get(), 4096, &status);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find("byte " + std::to_string(whole.size() / 2)), absl::string_view::npos)
      << status;
  EXPECT_GT(got.size(), 0U);
  EXPECT_EQ(Text().substr(0, got.size()), got);
}

TEST(ByteSourceTest, ADamagedGzipIsToldByItsChecksum) {
  std::string damaged = Gzip(Text());
  damaged[damaged.size() - 6] ^= 1;  // in the CRC at the end
  absl::Status status;
  ReadBytes(OpenMemory(damaged).get(), 4096, &status);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST(ByteSourceTest, AFileKnowsItsSizeAndHowFarItIs) {
  const std::string path = testing::TempDir() + "/byte_source_test.gz";
  const std::string bytes = Gzip(Text());
  std::ofstream(path, std::ios::binary) << bytes;
  const auto source = OpenFile(path);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->file_bytes_total(), bytes.size());
  EXPECT_EQ((*source)->file_bytes_read(), 0U);
  absl::Status status;
  EXPECT_EQ(ReadBytes(source->get(), 4096, &status), Text());
  EXPECT_EQ((*source)->file_bytes_read(), bytes.size());
}

TEST(ByteSourceTest, WhatCannotBeOpenedSaysWhy) {
  EXPECT_EQ(OpenFile(testing::TempDir() + "/no-such-file").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(OpenFile(testing::TempDir()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ledger::ctl
