#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "tests/storage/rocksdb/fault_file_system.h"
#include "tests/storage/rocksdb/log_test_util.h"

// What the log does when the disk refuses, and after the power was lost.
namespace ledger::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A log of 20 commits whose disk then begins to fail; what was acknowledged before.
class FaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    LogOptions options = OptionsFor(dir_.path());
    options.file_system = faults_;
    auto log = RocksEventLog::Open(options);
    ASSERT_OK(log);
    log_ = *std::move(log);
    for (int i = 0; i < 20; ++i) ASSERT_OK(history_.CommitOne(*log_));
    acknowledged_ = *AllAnswers(*log_, history_.requests());
    position_ = log_->CommittedPosition(1);
    requests_ = history_.requests();
  }

  // The next commit fails with an unknown outcome, everything after it too, and a restart has all that was
  // acknowledged, and at most the one group more.
  void ExpectStopsAndLosesNothing() {
    ASSERT_OK(history_.StageOneGroup(*log_));
    const uint64_t staged_position = log_->StagedPosition(1);
    const absl::Status failed = log_->Commit(log_->Seal());
    EXPECT_TRUE(absl::IsUnavailable(failed)) << failed;
    EXPECT_THAT(std::string(failed.message()), HasSubstr("OUTCOME_UNKNOWN"));
    ASSERT_OK(history_.StageOneGroup(*log_));
    const absl::Status later = log_->Commit(log_->Seal());
    EXPECT_TRUE(absl::IsUnavailable(later)) << later;
    EXPECT_TRUE(absl::IsUnavailable(log_->AcceptsAppends()));
    EXPECT_EQ(log_->CommittedPosition(1), position_) << "nothing that failed may be read as committed";
    EXPECT_EQ(*log_->Root(1), NaiveRootOf(*log_, 1));
    log_.reset();

    auto log = RocksEventLog::Open(OptionsFor(dir_.path()));
    ASSERT_OK(log);
    const uint64_t position = (*log)->CommittedPosition(1);
    EXPECT_TRUE(position == position_ || position == staged_position) << position;
    const auto now = AllAnswers(**log, requests_);
    ASSERT_OK(now);
    const std::set<std::string> there(now->begin(), now->end());
    for (const std::string& answer : acknowledged_) {
      // Ends and heads move where the group turned out to be durable; records, indexes and requests never change.
      const std::string kind = answer.substr(0, answer.find(' '));
      if (kind == "ledger" || kind == "subject" || kind == "producer") continue;
      EXPECT_TRUE(there.contains(answer)) << answer;
    }
    EXPECT_THAT(Findings(**log), IsEmpty());
    EXPECT_EQ(*(*log)->Root(1), NaiveRootOf(**log, 1));
    ASSERT_OK(StageOne(**log, 1, "c-1"));
    ASSERT_OK((*log)->Commit((*log)->Seal()));
    EXPECT_EQ((*log)->CommittedPosition(1), position + 1);
  }

  TempDir dir_;
  std::shared_ptr<FaultFileSystem> faults_ = std::make_shared<FaultFileSystem>();
  History history_{42};
  std::unique_ptr<RocksEventLog> log_;
  std::vector<std::string> acknowledged_;
  std::vector<std::pair<LedgerNumber, std::string>> requests_;
  uint64_t position_ = 0;
};

TEST_F(FaultTest, AFailedSyncStopsTheLog) {
  faults_->FailLogSyncs();
  ExpectStopsAndLosesNothing();
}

TEST_F(FaultTest, AWriteThatFindsNoSpaceStopsTheLog) {
  faults_->SetLogAppend(FaultFileSystem::AppendFault::kNoSpace);
  ExpectStopsAndLosesNothing();
}

TEST_F(FaultTest, AShortWriteStopsTheLog) {
  faults_->SetLogAppend(FaultFileSystem::AppendFault::kShort);
  ExpectStopsAndLosesNothing();
}

// Copies a data directory as a disk would hold it had the power gone now. The head is not RocksDB's: it is written and
// synced as one step, by the thread that calls this.
void CopyAfterPowerLoss(const std::string& from, const std::string& to, FaultFileSystem& faults,
                        std::mt19937_64& random) {
  std::filesystem::create_directories(to + "/log");
  WriteAll(to + "/head", ReadAll(from + "/head"));
  faults.AtPowerLoss(random, [&](const std::map<std::string, uint64_t>& lengths) {
    for (const auto& entry : std::filesystem::directory_iterator(from + "/log")) {
      const std::string name = entry.path().filename();
      const auto found = lengths.find(from + "/log/" + name);
      std::string bytes = ReadAll(entry.path());
      if (found != lengths.end()) bytes.resize(std::min<uint64_t>(bytes.size(), found->second));
      WriteAll(to + "/log/" + name, bytes);
    }
  });
}

TEST(PowerLossTest, NothingAcknowledgedIsLost) {
  const uint64_t seed = Seed();
  std::mt19937_64 random(seed);
  TempDir dir;
  TempDir losses;
  auto faults = std::make_shared<FaultFileSystem>();
  LogOptions options = OptionsFor(dir.path(), 128 << 10);
  options.file_system = faults;
  auto log = RocksEventLog::Open(options);
  ASSERT_OK(log);
  History history(seed);

  struct Loss {
    std::string directory;
    std::vector<std::string> records;  // of ledger 1, acknowledged before
  };
  std::vector<Loss> taken;
  bool take = false;
  bool take_after_sync = false;
  faults->OnLogSync([&](bool synced) {
    // In the middle of a commit: written and perhaps synced, but neither in the head nor acknowledged.
    if (!take || synced != take_after_sync) return;
    take = false;
    CopyAfterPowerLoss(dir.path(), taken.back().directory, *faults, random);
  });
  for (int commit = 0; commit < 120; ++commit) {
    if (commit % 8 == 3) {
      Loss loss;
      loss.directory = losses / absl::StrCat("loss-", commit);
      ASSERT_OK((*log)->Scan(1, 1, Order::kForward, [&](uint64_t, absl::string_view record) {
        loss.records.emplace_back(record);
        return true;
      }));
      taken.push_back(std::move(loss));
      take = true;
      take_after_sync = random() % 2 == 0;
    }
    ASSERT_OK(history.CommitOne(**log));
    ASSERT_FALSE(take) << "a commit without a sync";
  }
  faults->OnLogSync(nullptr);
  log->reset();

  ASSERT_EQ(taken.size(), 15u);
  for (const Loss& loss : taken) {
    SCOPED_TRACE(loss.directory);
    auto after = RocksEventLog::Open(OptionsFor(loss.directory));
    ASSERT_OK(after);
    std::vector<std::string> records;
    ASSERT_OK((*after)->Scan(1, 1, Order::kForward, [&](uint64_t, absl::string_view record) {
      records.emplace_back(record);
      return true;
    }));
    ASSERT_GE(records.size(), loss.records.size());
    records.resize(loss.records.size());
    EXPECT_EQ(records, loss.records);
    EXPECT_THAT(Findings(**after), IsEmpty());
    for (const LedgerIdentity& ledger : (*after)->Ledgers()) {
      EXPECT_EQ(*(*after)->Root(ledger.number), NaiveRootOf(**after, ledger.number));
    }
  }
}

}  // namespace
}  // namespace ledger::storage
