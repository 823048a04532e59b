#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "tests/storage/rocksdb/log_test_util.h"

// The log on a real file system of 12 MB that fills up.
namespace ledger::storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Whether this process may mount; set by main() while there is one thread only, as the kernel demands.
bool may_mount = false;

class DiskFullTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!may_mount || ::mount("tmpfs", mount_.path().c_str(), "tmpfs", 0, "size=12m") != 0) {
      GTEST_SKIP()
          << "SKIPPED: this machine lets the test mount no tmpfs, neither as root nor in a user namespace";
    }
    mounted_ = true;
    Reopen();
    ASSERT_OK(StageLedgerNamed(*log_, "north"));
    ASSERT_OK(StageOne(*log_, 1, "c-0"));
    ASSERT_OK(log_->Commit(log_->Seal()));
  }
  void TearDown() override {
    log_.reset();
    if (mounted_) ::umount2(mount_.path().c_str(), MNT_DETACH);
  }

  LogOptions Options() const {
    LogOptions options = OptionsFor(mount_ / "data", 256 << 10);
    options.disk_low_water_bytes = 1 << 20;
    return options;
  }
  void Reopen() {
    log_.reset();
    std::filesystem::create_directory(mount_ / "data");
    auto log = RocksEventLog::Open(Options());
    ASSERT_OK(log);
    log_ = *std::move(log);
  }

  // Appends `groups` of 50 events, or until appends are refused; how many groups were taken.
  int Append(int groups) {
    for (int group = 0; group < groups; ++group) {
      const absl::Status accepts = log_->AcceptsAppends();
      if (!accepts.ok()) {
        EXPECT_TRUE(absl::IsResourceExhausted(accepts)) << accepts;
        EXPECT_THAT(std::string(accepts.message()), HasSubstr("DISK_NEARLY_FULL"));
        return group;
      }
      for (int i = 0; i < 50; ++i) {
        std::string note(1000, ' ');
        for (char& c : note) c = static_cast<char>('!' + random_() % 90);
        EXPECT_OK(StageOne(*log_, 1, absl::StrCat("c-", random_() % 100), note));
      }
      const absl::Status committed = log_->Commit(log_->Seal());
      EXPECT_OK(committed);
      if (!committed.ok()) return group;
    }
    return groups;
  }

  void ExpectReadsGoOn() {
    EXPECT_EQ(*log_->Root(1), NaiveRootOf(*log_, 1));
    EXPECT_OK(log_->Read(1, log_->CommittedPosition(1)));
    EXPECT_OK(log_->Head(1, Customer("c-1")));
  }

  // Somebody else fills the file system until `left` bytes are free; the filler's path.
  void Fill(uint64_t left) {
    const int fd = ::open(Filler().c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    ASSERT_GE(fd, 0);
    const std::string page(4096, 'x');
    while (log_free() > left && ::write(fd, page.data(), page.size()) > 0) {
    }
    ::close(fd);
  }
  uint64_t log_free() const { return std::filesystem::space(mount_.path()).available; }
  std::string Filler() const { return mount_ / "filler"; }

  TempDir mount_;
  bool mounted_ = false;
  std::mt19937_64 random_{1};
  std::unique_ptr<RocksEventLog> log_;
};

TEST_F(DiskFullTest, AppendsAreRefusedBeforeTheDiskIsFullAndReadsGoOn) {
  const int taken = Append(1000);
  ASSERT_GT(taken, 20);
  ASSERT_LT(taken, 1000) << "12 MB took 50 MB";
  EXPECT_GT(log_free(), uint64_t{512} << 10) << "the mark is there to be kept";
  ExpectReadsGoOn();
  const uint64_t position = log_->CommittedPosition(1);
  Reopen();
  EXPECT_EQ(log_->CommittedPosition(1), position);
  ExpectReadsGoOn();
  EXPECT_THAT(Findings(*log_), IsEmpty());
}

TEST_F(DiskFullTest, AppendsAreAcceptedAgainOnceSpaceIsFreed) {
  ASSERT_EQ(Append(10), 10);
  Fill(/*left=*/600 << 10);
  EXPECT_EQ(Append(1), 0);
  ExpectReadsGoOn();
  Reopen();
  ExpectReadsGoOn();
  Fill(/*left=*/300 << 10);
  EXPECT_EQ(Append(1), 0);
  std::filesystem::remove(Filler());
  EXPECT_EQ(Append(10), 10);
  EXPECT_EQ(log_->CommittedPosition(1), 1u + 20 * 50);
  ExpectReadsGoOn();
  Reopen();
  EXPECT_EQ(log_->CommittedPosition(1), 1u + 20 * 50);
  EXPECT_THAT(Findings(*log_), IsEmpty());
}

TEST_F(DiskFullTest, NotAByteFreeIsSurvived) {
  ASSERT_EQ(Append(8), 8);
  ASSERT_TRUE(std::filesystem::exists(mount_ / "data/ballast")) << "laid while there was plenty";
  Fill(/*left=*/0);
  ASSERT_LT(log_free(), 4096u);
  EXPECT_EQ(Append(1), 0);
  ExpectReadsGoOn();
  // A stop writes what it can; the next start has the ballast to live on.
  Reopen();
  EXPECT_FALSE(std::filesystem::exists(mount_ / "data/ballast")) << "freed for the start";
  EXPECT_EQ(log_->CommittedPosition(1), 1u + 8 * 50);
  EXPECT_EQ(Append(1), 0);
  ExpectReadsGoOn();
  log_.reset();

  // Not even the ballast is left: refused with a name, and not aborted; nothing is lost.
  Fill(/*left=*/0);
  const absl::Status refused = RocksEventLog::Open(Options()).status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("DISK_FULL"));
  std::filesystem::remove(Filler());
  Reopen();
  EXPECT_EQ(log_->CommittedPosition(1), 1u + 8 * 50);
  EXPECT_THAT(Findings(*log_), IsEmpty());
  EXPECT_EQ(Append(4), 4);
}

}  // namespace

// A mount namespace of its own, so that what is mounted goes with the process.
void AskToMount() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user == 0) {
    if (::unshare(CLONE_NEWNS) != 0) return;
  } else {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return;
    WriteAll("/proc/self/setgroups", "deny");
    WriteAll("/proc/self/uid_map", absl::StrCat("0 ", user, " 1"));
    WriteAll("/proc/self/gid_map", absl::StrCat("0 ", group, " 1"));
  }
  may_mount = ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace ledger::storage

int main(int argc, char** argv) {
  ledger::storage::AskToMount();
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
