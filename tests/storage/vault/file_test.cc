#include "storage/vault/file.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/storage/vault/temp_dir.h"

namespace ledger::vault {
namespace {

TEST(FileTest, ReadsBackWhatWasWrittenAndNotMore) {
  TempDir dir;
  const std::string path = dir.path() + "/f";
  absl::StatusOr<File> file = File::CreateEmpty(path);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->WriteAt(3, "abc").ok());
  ASSERT_TRUE(file->SyncData().ok());
  EXPECT_EQ(file->Size().value(), 6u);
  EXPECT_EQ(file->ReadAt(2, 4).value(), std::string("\0abc", 4));
  EXPECT_EQ(file->ReadAt(4, 4).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReadFile(path, 6).value(), std::string("\0\0\0abc", 6));
  EXPECT_EQ(ReadFile(path, 5).status().code(), absl::StatusCode::kDataLoss);
}

TEST(FileTest, WhatIsMissingIsNamed) {
  TempDir dir;
  const absl::Status missing = File::Open(dir.path() + "/none").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(missing.message()).find("/none"), std::string::npos);
  EXPECT_EQ(ReadFile(dir.path() + "/none", 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(File::CreateEmpty(dir.path() + "/none/f").status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(FileExists(dir.path() + "/none"));
}

TEST(FileTest, OneLockAtATime) {
  TempDir dir;
  const std::string path = dir.path() + "/f";
  {
    absl::StatusOr<File> first = File::CreateEmpty(path);
    ASSERT_TRUE(first.ok() && first->Lock().ok());
    EXPECT_EQ(File::Open(path)->Lock().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_TRUE(File::Open(path)->Lock().ok());
}

TEST(FileTest, DirectoriesAreMadeAndNamesReplaced) {
  TempDir dir;
  const std::string deep = dir.path() + "/a/b";
  ASSERT_TRUE(CreateDirectory(deep).ok());
  ASSERT_TRUE(CreateDirectory(deep).ok());
  WriteAll(deep + "/old", "1");
  WriteAll(deep + "/new", "2");
  ASSERT_TRUE(RenameFile(deep + "/new", deep + "/old").ok());
  ASSERT_TRUE(SyncDirectory(deep).ok());
  EXPECT_EQ(ReadAll(deep + "/old"), "2");
  EXPECT_FALSE(FileExists(deep + "/new"));
  EXPECT_FALSE(SyncDirectory(dir.path() + "/none").ok());
}

}  // namespace
}  // namespace ledger::vault
