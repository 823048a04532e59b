#include "storage/rocksdb/maintenance.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/storage/rocksdb/log_test_util.h"

namespace ledger::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void NoProgress(absl::string_view) {}

class MaintenanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(Data());
    auto log = RocksEventLog::Open(OptionsFor(Data(), 128 << 10));
    ASSERT_OK(log);
    log_ = *std::move(log);
    auto vault = vault::Vault::Create(Data() + "/vault");
    ASSERT_OK(vault);
    vault_ = *std::move(vault);
  }

  void Commit(int commits) {
    for (int i = 0; i < commits; ++i) ASSERT_OK(history_.CommitOne(*log_));
  }
  absl::StatusOr<uint64_t> Backup() { return CreateBackup(*log_, *vault_, Data(), BackupDir(), NoProgress); }
  absl::Status Restore(const std::string& to) { return RestoreBackup(BackupDir(), to, NoProgress); }
  absl::StatusOr<std::unique_ptr<RocksEventLog>> OpenRestored(const std::string& where) {
    LogOptions options = OptionsFor(where);
    options.create_if_missing = false;
    return RocksEventLog::Open(options);
  }
  std::string Data() const { return dir_ / "data"; }
  std::string BackupDir() const { return dir_ / "backup"; }
  std::string Restored() const { return dir_ / "restored"; }

  static std::vector<std::string> VerifyAll(const std::string& directory) {
    std::vector<std::string> findings;
    const auto count = VerifyDirectory(
        directory, [&](const std::string& what) { findings.push_back(what); },
        [](absl::string_view, uint64_t, uint64_t) {});
    EXPECT_OK(count);
    if (count.ok()) {
      EXPECT_EQ(*count, findings.size());
    }
    return findings;
  }

  TempDir dir_;
  std::unique_ptr<RocksEventLog> log_;
  std::unique_ptr<vault::Vault> vault_;
  History history_{11};
};

TEST_F(MaintenanceTest, ARestoreHasTheSameRecordsAndStartsANewLineage) {
  Commit(60);
  const std::string sealed = *vault_->Seal(5, "aad", "a name");
  const auto backed_up = Backup();
  ASSERT_OK(backed_up);
  EXPECT_EQ(*backed_up, log_->CommitNumber());
  ASSERT_OK(Restore(Restored()));

  auto restored = OpenRestored(Restored());
  ASSERT_OK(restored);
  EXPECT_NE((*restored)->lineage(), log_->lineage());
  EXPECT_EQ((*restored)->lineage().size(), 16u);
  ASSERT_EQ((*restored)->Ledgers().size(), log_->Ledgers().size());
  for (const LedgerIdentity& ledger : log_->Ledgers()) {
    const uint64_t size = log_->CommittedPosition(ledger.number);
    ASSERT_EQ((*restored)->CommittedPosition(ledger.number), size + 1);
    std::vector<merkle::Hash> leaves;
    for (uint64_t position = 1; position <= size; ++position) {
      ASSERT_EQ(*(*restored)->Read(ledger.number, position), *log_->Read(ledger.number, position));
      leaves.push_back(merkle::LeafHash(*(*restored)->Read(ledger.number, position)));
    }
    const merkle::Hash root = merkle::NaiveRoot(leaves);
    EXPECT_EQ(*log_->Root(ledger.number), std::string(merkle::AsBytes(root)));
    EXPECT_EQ(*(*restored)->Root(ledger.number), NaiveRootOf(**restored, ledger.number));
    pb::Record record;
    ASSERT_TRUE(record.ParseFromString(*(*restored)->Read(ledger.number, size + 1)));
    EXPECT_EQ(record.event().lineage_started().lineage(), (*restored)->lineage());
    EXPECT_EQ(record.event().lineage_started().previous_lineage(), log_->lineage());
    EXPECT_EQ(record.event().lineage_started().restored_position(), size);
  }
  // But for the lineage and the event that says so, every answer is the old one.
  const auto before = AllAnswers(*log_, history_.requests());
  const auto after = AllAnswers(**restored, history_.requests());
  ASSERT_OK(before);
  ASSERT_OK(after);
  for (const std::string& answer : *before) {
    if (absl::StartsWith(answer, "ledger ") || absl::StartsWith(answer, "lineage ")) continue;
    EXPECT_EQ(std::count(after->begin(), after->end(), answer), 1) << answer;
  }
  const std::string lineage = (*restored)->lineage();
  restored->reset();
  EXPECT_THAT(VerifyAll(Restored()), IsEmpty());
  const auto vault = vault::Vault::Open(Restored() + "/vault");
  ASSERT_OK(vault);
  EXPECT_EQ(*(*vault)->Open(5, "aad", sealed), "a name");
  EXPECT_EQ((*OpenRestored(Restored()))->lineage(), lineage) << "begun once, not at each start";
}

TEST_F(MaintenanceTest, BackupsGoOnWhileAppendsDo) {
  Commit(5);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> commits{0};
  std::thread appender([&] {
    while (!stop.load()) {
      const absl::Status status = history_.CommitOne(*log_);
      EXPECT_OK(status);
      if (!status.ok()) return;
      ++commits;
    }
  });
  for (int round = 0; round < 4; ++round) {
    const uint64_t before = commits.load();
    const uint64_t position = log_->CommittedPosition(1);
    const auto backed_up = Backup();
    EXPECT_OK(backed_up);
    // Each round sees appends, or it shows nothing.
    while (commits.load() < before + 20) std::this_thread::yield();
    const std::string where = absl::StrCat(Restored(), "-", round);
    EXPECT_OK(Restore(where));
    const auto restored = OpenRestored(where);
    EXPECT_OK(restored);
    if (!restored.ok()) break;
    EXPECT_GE((*restored)->CommittedPosition(1), position + 1);
    EXPECT_THAT(Findings(**restored), IsEmpty());
    for (const LedgerIdentity& ledger : (*restored)->Ledgers()) {
      EXPECT_EQ(*(*restored)->Root(ledger.number), NaiveRootOf(**restored, ledger.number));
    }
  }
  stop.store(true);
  appender.join();
  EXPECT_THAT(Findings(*log_), IsEmpty());
}

TEST_F(MaintenanceTest, ASecondBackupCopiesOnlyWhatIsNew) {
  Commit(80);
  ASSERT_OK(Backup());
  const auto inodes = [&] {
    std::map<std::string, ino_t> found;
    for (const auto& entry : fs::recursive_directory_iterator(BackupDir())) {
      struct stat info;
      if (entry.path().extension() == ".sst" && ::stat(entry.path().c_str(), &info) == 0) {
        found[entry.path()] = info.st_ino;
      }
    }
    return found;
  };
  const auto first = inodes();
  ASSERT_FALSE(first.empty());
  Commit(3);
  ASSERT_OK(Backup());
  const auto second = inodes();
  size_t kept = 0;
  for (const auto& [name, inode] : first) kept += second.contains(name) && second.at(name) == inode;
  EXPECT_GT(kept, 0u);
  EXPECT_GT(second.size(), kept) << "and something is new";
  ASSERT_OK(Restore(Restored()));
  EXPECT_EQ((*OpenRestored(Restored()))->CommittedPosition(1), log_->CommittedPosition(1) + 1);
}

TEST_F(MaintenanceTest, ARestoreNeedsAnEmptyDirectory) {
  Commit(3);
  ASSERT_OK(Backup());
  fs::create_directory(Restored());
  WriteAll(Restored() + "/something", "of somebody's");
  const absl::Status status = Restore(Restored());
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("NOT_EMPTY"));
  EXPECT_EQ(AllFiles(Restored()).size(), 1u);
}

TEST_F(MaintenanceTest, ABackupOfANewerFormatIsRefusedByName) {
  Commit(5);
  ASSERT_OK(Backup());
  std::ofstream(BackupDir() + "/BACKUP") << "customer ledger backup, format 2\n";
  const absl::Status status = Restore(Restored());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("FORMAT_IS_NEWER"));
}

TEST_F(MaintenanceTest, AnUnfinishedRestoreIsNotServed) {
  Commit(3);
  ASSERT_OK(Backup());
  ASSERT_OK(Restore(Restored()));
  WriteAll(Restored() + "/RESTORING", "not finished");
  const absl::Status status = OpenRestored(Restored()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("RESTORE_UNFINISHED"));
}

TEST_F(MaintenanceTest, ADamagedBackupIsRefusedAndNeverServed) {
  Commit(60);
  ASSERT_OK(Backup());
  const std::map<std::string, std::string> whole = AllFiles(BackupDir());
  int refused = 0, round = 0;
  for (const auto& [name, bytes] : whole) {
    const bool matters = absl::EndsWith(name, ".sst") || absl::StrContains(name, "MANIFEST") ||
                         absl::StrContains(name, "vault-") || absl::StartsWith(name, "head-");
    if (!matters) continue;
    // Of a head, a byte that means something: one of its first part.
    const size_t at = absl::StartsWith(name, "head-") ? 20 : bytes.size() / 2;
    for (const bool cut : {false, true}) {
      SCOPED_TRACE(absl::StrCat(name, cut ? " cut" : " flipped"));
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 4);
      WriteAll(BackupDir() + "/" + name, cut ? bytes.substr(0, bytes.size() / 3) : damaged);
      const std::string where = absl::StrCat(Restored(), "-", ++round);
      const absl::Status status = Restore(where);
      // A cut head loses only the names of what might be missing, where its slots are whole.
      if (!(cut && absl::StartsWith(name, "head-"))) {
        EXPECT_TRUE(absl::IsDataLoss(status)) << status;
        ++refused;
        EXPECT_TRUE(absl::IsFailedPrecondition(OpenRestored(where).status()))
            << "what was half restored is not served";
      }
      WriteAll(BackupDir() + "/" + name, bytes);
    }
  }
  EXPECT_GT(refused, 8);
  EXPECT_OK(Restore(Restored())) << "and whole again it restores";
}

TEST_F(MaintenanceTest, WhereABackupMayGo) {
  Commit(3);
  EXPECT_TRUE(
      absl::IsInvalidArgument(CreateBackup(*log_, *vault_, Data(), Data() + "/backup", NoProgress).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(CreateBackup(*log_, *vault_, Data(), Data(), NoProgress).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(CreateBackup(*log_, *vault_, Data(), "backup", NoProgress).status()));
  EXPECT_OK(CreateBackup(*log_, *vault_, Data(), Data() + "-copy", NoProgress))
      << "beside it, with a like name";
  fs::create_directory(dir_ / "other");
  WriteAll(dir_ / "other/thesis", "mine");
  EXPECT_TRUE(
      absl::IsAlreadyExists(CreateBackup(*log_, *vault_, Data(), dir_ / "other", NoProgress).status()));
  EXPECT_TRUE(absl::IsNotFound(RestoreBackup(dir_ / "other", Restored(), NoProgress)));
  // Begun and never completed.
  fs::create_directory(dir_ / "unfinished");
  WriteAll(dir_ / "unfinished/BACKUP", "customer ledger backup, format 1\n");
  EXPECT_TRUE(absl::IsDataLoss(RestoreBackup(dir_ / "unfinished", Restored(), NoProgress)));
}

TEST_F(MaintenanceTest, VerifyDirectoryFindsADamagedKeyAndKeepsOffAServersDirectory) {
  Commit(10);
  EXPECT_TRUE(
      absl::IsUnavailable(VerifyDirectory(
                              Data(), [](const std::string&) {}, [](absl::string_view, uint64_t, uint64_t) {})
                              .status()));
  log_.reset();
  vault_.reset();
  EXPECT_THAT(VerifyAll(Data()), IsEmpty());
  std::string slots = ReadAll(Data() + "/vault/slots");
  slots[4096 + 128 * 9 + 30] ^= 1;
  WriteAll(Data() + "/vault/slots", slots);
  const std::vector<std::string> findings = VerifyAll(Data());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0], HasSubstr("vault slot 9"));
}

}  // namespace
}  // namespace ledger::storage
