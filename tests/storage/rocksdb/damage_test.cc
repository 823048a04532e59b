#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/rocksdb/maintenance.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/vault/vault.h"
#include "tests/storage/rocksdb/fault_file_system.h"
#include "tests/storage/rocksdb/log_test_util.h"

// Damages every file of a data directory whose server was killed: a damaged directory is refused, or the check finds
// the damage, or every answer is the same; never a silently different one. LEDGER_EXHAUSTIVE=1 flips every byte.
namespace ledger::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kHistorySeed = 7;
constexpr uint64_t kSmallBuffer = 64 << 10;
constexpr char kWriterFlag[] = "--write-history";

size_t CountFiles(const std::string& directory, const std::string& extension) {
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(directory)) count += entry.path().extension() == extension;
  return count;
}

// The child: writes a history and waits to be killed. With `hold_tables` flushes never end, so that several
// write-ahead logs hold the tail. Prints the number of commits once all are acknowledged.
int WriteHistory(const std::string& directory, bool hold_tables) {
  if (!vault::Vault::Create(directory + "/vault").ok()) return 3;
  LogOptions options = OptionsFor(directory, kSmallBuffer);
  auto faults = std::make_shared<FaultFileSystem>();
  options.file_system = faults;
  auto log = RocksEventLog::Open(options);
  if (!log.ok()) return 4;
  History history(kHistorySeed);
  int commits = 0;
  const auto enough = [&] {
    if (hold_tables) return CountFiles(directory + "/log", ".log") >= 3;
    // Several tables, a full tile, and a tail that is in the write-ahead log alone.
    return (*log)->CommittedPosition(1) > 300 && commits % 50 == 0;
  };
  if (hold_tables) faults->HoldTables();
  while (commits < 10 || !enough()) {
    if (!history.CommitOne(**log).ok()) return 5;
    ++commits;
  }
  std::cout << commits << std::endl;
  ::pause();
  return 6;
}

// Runs the child until it has written, and kills it. The number of commits it had acknowledged.
int WriteAndKill(const std::string& directory, bool hold_tables) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return -1;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], 1);
  posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
  std::string program = fs::read_symlink("/proc/self/exe");
  std::string flag = kWriterFlag, where = directory, hold = hold_tables ? "hold" : "flush";
  char* arguments[] = {program.data(), flag.data(), where.data(), hold.data(), nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_ends[1]);
  if (spawned != 0) return -1;
  std::string said;
  char byte;
  while (::read(pipe_ends[0], &byte, 1) == 1 && byte != '\n') said.push_back(byte);
  ::close(pipe_ends[0]);
  ::kill(child, SIGKILL);
  int state = 0;
  ::waitpid(child, &state, 0);
  int commits = -1;
  if (!WIFSIGNALED(state) || !absl::SimpleAtoi(said, &commits)) return -1;
  return commits;
}

void CopyTree(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

// What became of a damaged directory.
enum class Outcome { kRefused, kReported, kHarmless };

class DamageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    seed_ = Seed();
    random_.seed(seed_);
    base_ = new TempDir();
    commits_ = WriteAndKill(*base_ / "data", /*hold_tables=*/false);
    ASSERT_GT(commits_, 0);
    LearnAnswers(*base_ / "data", commits_, &answers_, &requests_);
    ASSERT_GE(CountFiles(*base_ / "data/log", ".sst"), 2u);
  }
  static void TearDownTestSuite() {
    delete base_;
    base_ = nullptr;
  }

  // What the undamaged directory answers, and the keys of the requests it knows.
  static void LearnAnswers(const std::string& directory, int commits, std::vector<std::string>* answers,
                           std::vector<std::pair<LedgerNumber, std::string>>* requests) {
    TempDir elsewhere;
    auto same = RocksEventLog::Open(OptionsFor(elsewhere.path()));
    ASSERT_OK(same);
    History history(kHistorySeed);
    for (int i = 0; i < commits; ++i) ASSERT_OK(history.CommitOne(**same));
    *requests = history.requests();
    auto expected = AllAnswers(**same, *requests);
    ASSERT_OK(expected);

    TempDir copy;
    CopyTree(directory, copy / "data");
    auto log = RocksEventLog::Open(OptionsFor(copy / "data", kSmallBuffer));
    ASSERT_OK(log);
    auto learnt = AllAnswers(**log, *requests);
    ASSERT_OK(learnt);
    *answers = *learnt;
    // But for the lineage, a history that survived a kill is the one that nobody killed.
    learnt->pop_back();
    expected->pop_back();
    EXPECT_EQ(*learnt, *expected);
    EXPECT_THAT(Findings(**log), IsEmpty());
  }

  // Opens the damaged copy and asks it everything.
  static Outcome Judge(const std::string& what) {
    SCOPED_TRACE(absl::StrCat(what, " seed ", seed_));
    const std::map<std::string, std::string> before = AllFiles(Work());
    auto log = RocksEventLog::Open(OptionsFor(Work(), kSmallBuffer));
    if (!log.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(log.status())) << log.status();
      const std::map<std::string, std::string> after = AllFiles(Work());
      for (const auto& [name, bytes] : before) {
        EXPECT_TRUE(after.contains(name) && after.at(name) == bytes)
            << name << " was touched; " << log.status();
      }
      EXPECT_EQ(after.size(), before.size()) << log.status();
      return Outcome::kRefused;
    }
    const auto answers = AllAnswers(**log, requests_);
    const std::vector<std::string> findings = Findings(**log);
    if (!findings.empty()) return Outcome::kReported;
    EXPECT_TRUE(answers.ok()) << "a read failed and the check found nothing: " << answers.status();
    if (answers.ok()) {
      EXPECT_TRUE(*answers == answers_) << "silently different";
    }
    log->reset();
    // The keys of personal data are another file, and the whole check's business.
    uint64_t reported = 0;
    const auto counted = VerifyDirectory(
        Work(), [&](const std::string&) { ++reported; }, [](absl::string_view, uint64_t, uint64_t) {});
    EXPECT_OK(counted);
    if (counted.ok()) {
      EXPECT_EQ(*counted, reported);
    }
    return reported > 0 ? Outcome::kReported : Outcome::kHarmless;
  }

  static void TakeFreshCopy() { CopyTree(*base_ / "data", Work()); }
  static std::string Work() { return *base_ / "work"; }

  // The files of a kind, relative to the data directory.
  static std::vector<std::string> FilesOf(const std::string& kind) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : AllFiles(*base_ / "data")) {
      const bool matches = kind == "wal"        ? absl::EndsWith(name, ".log")
                           : kind == "sst"      ? absl::EndsWith(name, ".sst")
                           : kind == "manifest" ? absl::StrContains(name, "MANIFEST")
                           : kind == "current"  ? absl::EndsWith(name, "CURRENT")
                           : kind == "head"     ? name == "head"
                                                : absl::StartsWith(name, "vault/");
      if (matches && !bytes.empty()) names.push_back(name);
    }
    return names;
  }

  // Flips a bit of each sampled byte of each file of a kind.
  static std::map<Outcome, int> FlipBytesOf(const std::string& kind, size_t samples) {
    const bool exhaustive = getenv("LEDGER_EXHAUSTIVE") != nullptr;
    std::map<Outcome, int> outcomes;
    const std::vector<std::string> names = FilesOf(kind);
    EXPECT_THAT(names, Not(IsEmpty())) << kind;
    for (const std::string& name : names) {
      const std::string bytes = ReadAll(*base_ / ("data/" + name));
      std::vector<size_t> offsets = {0, bytes.size() - 1};
      // Half of them where something stands: the head is zeros for the most part.
      std::vector<size_t> used;
      for (size_t at = 0; at < bytes.size(); ++at) {
        if (bytes[at] != '\0') used.push_back(at);
      }
      while (offsets.size() < samples) {
        offsets.push_back(random_() % bytes.size());
        offsets.push_back(used[random_() % used.size()]);
      }
      if (exhaustive) {
        offsets.clear();
        for (size_t at = 0; at < bytes.size(); ++at) offsets.push_back(at);
      }
      for (const size_t at : offsets) {
        TakeFreshCopy();
        const int bit = static_cast<int>(random_() % 8);
        FlipBit(Work() + "/" + name, at, bit);
        ++outcomes[Judge(absl::StrCat("bit ", bit, " of byte ", at, " of ", name))];
      }
    }
    Print("flips", kind, outcomes);
    return outcomes;
  }

  // Cuts each file of a kind at sampled lengths, nothing and all but one byte among them.
  static std::map<Outcome, int> CutFilesOf(const std::string& kind, size_t samples) {
    std::map<Outcome, int> outcomes;
    for (const std::string& name : FilesOf(kind)) {
      const std::string bytes = ReadAll(*base_ / ("data/" + name));
      std::vector<size_t> lengths = {0, bytes.size() - 1};
      while (lengths.size() < samples) lengths.push_back(random_() % bytes.size());
      for (const size_t length : lengths) {
        TakeFreshCopy();
        fs::resize_file(Work() + "/" + name, length);
        ++outcomes[Judge(absl::StrCat(name, " cut to ", length, " of ", bytes.size()))];
      }
    }
    Print("cuts", kind, outcomes);
    return outcomes;
  }

  static void Print(const std::string& what, const std::string& kind, std::map<Outcome, int> outcomes) {
    std::cout << kind << " " << what << ": " << outcomes[Outcome::kRefused] << " refused, "
              << outcomes[Outcome::kReported] << " reported, " << outcomes[Outcome::kHarmless]
              << " harmless\n";
  }

  static inline uint64_t seed_ = 0;
  static inline std::mt19937_64 random_;
  static inline TempDir* base_ = nullptr;
  static inline int commits_ = 0;
  static inline std::vector<std::string> answers_;
  static inline std::vector<std::pair<LedgerNumber, std::string>> requests_;
};

TEST_F(DamageTest, TheUndamagedDirectoryIsHarmless) {
  TakeFreshCopy();
  EXPECT_EQ(Judge("nothing"), Outcome::kHarmless);
}

TEST_F(DamageTest, FlippedBytesOfTheWriteAheadLog) {
  // Everything in it was acknowledged, so no flip that is noticed at all may be survived.
  EXPECT_GT(FlipBytesOf("wal", 40)[Outcome::kRefused], 0);
}
TEST_F(DamageTest, FlippedBytesOfTables) {
  auto outcomes = FlipBytesOf("sst", 12);
  EXPECT_GT(outcomes[Outcome::kRefused] + outcomes[Outcome::kReported], 0);
  EXPECT_EQ(outcomes[Outcome::kHarmless], 0) << "every byte of a table is under its file's checksum";
}
TEST_F(DamageTest, FlippedBytesOfTheManifest) {
  EXPECT_GT(FlipBytesOf("manifest", 40)[Outcome::kRefused], 0);
}
TEST_F(DamageTest, FlippedBytesOfCurrent) { EXPECT_GT(FlipBytesOf("current", 16)[Outcome::kRefused], 0); }
TEST_F(DamageTest, FlippedBytesOfTheHead) {
  auto outcomes = FlipBytesOf("head", 40);
  EXPECT_GT(outcomes[Outcome::kRefused], 0);
  EXPECT_GT(outcomes[Outcome::kReported], 0);
}
TEST_F(DamageTest, FlippedBytesOfTheVault) { EXPECT_GT(FlipBytesOf("vault", 20)[Outcome::kReported], 0); }

TEST_F(DamageTest, CutWriteAheadLogs) {
  EXPECT_EQ(CutFilesOf("wal", 12)[Outcome::kHarmless], 0) << "whatever is cut off was acknowledged";
}
TEST_F(DamageTest, CutTables) { EXPECT_EQ(CutFilesOf("sst", 4)[Outcome::kHarmless], 0); }
TEST_F(DamageTest, CutManifest) { EXPECT_GT(CutFilesOf("manifest", 16)[Outcome::kRefused], 0); }
TEST_F(DamageTest, CutCurrent) { EXPECT_EQ(CutFilesOf("current", 4)[Outcome::kHarmless], 0); }
TEST_F(DamageTest, CutHead) { EXPECT_GT(CutFilesOf("head", 8)[Outcome::kRefused], 0); }
// The line feed at the end of the master key is the one byte that may go.
TEST_F(DamageTest, CutVault) { EXPECT_GT(CutFilesOf("vault", 4)[Outcome::kReported], 5); }

TEST_F(DamageTest, MissingFiles) {
  for (const std::string kind : {"wal", "sst", "manifest", "current", "head", "vault"}) {
    for (const std::string& name : FilesOf(kind)) {
      TakeFreshCopy();
      fs::remove(Work() + "/" + name);
      EXPECT_THAT(Judge(name + " deleted"), AnyOf(Outcome::kRefused, Outcome::kReported)) << name;
    }
  }
  TakeFreshCopy();
  fs::remove_all(Work() + "/log");
  EXPECT_EQ(Judge("log/ deleted"), Outcome::kRefused);
}

TEST_F(DamageTest, ADeletedLiveWriteAheadLogNamesWhatIsMissing) {
  TakeFreshCopy();
  for (const std::string& name : FilesOf("wal")) fs::remove(Work() + "/" + name);
  const std::map<std::string, std::string> before = AllFiles(Work());
  const absl::Status status = RocksEventLog::Open(OptionsFor(Work())).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("ACKNOWLEDGED_EVENTS_MISSING"));
  // answers_[0] is "ledger 1 north ... at N ...": the last position is the end of the missing ones.
  TempDir copy;
  CopyTree(*base_ / "data", copy / "data");
  auto whole = RocksEventLog::Open(OptionsFor(copy / "data"));
  ASSERT_OK(whole);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ledger 'north' positions "));
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat(" to ", (*whole)->CommittedPosition(1))));
  EXPECT_EQ(AllFiles(Work()), before) << "the evidence";
  uint64_t findings = 0;
  const auto verified = VerifyDirectory(
      Work(), [&](const std::string& what) { findings += absl::StrContains(what, "north"); },
      [](absl::string_view, uint64_t, uint64_t) {});
  ASSERT_OK(verified);
  EXPECT_EQ(findings, 1u);
  EXPECT_EQ(AllFiles(Work()), before) << "the evidence";
}

// Three write-ahead logs hold the tail, since no flush ever ended.
TEST_F(DamageTest, ADeletedOlderWriteAheadLogNamesWhatIsMissing) {
  TempDir dir;
  const int commits = WriteAndKill(dir / "data", /*hold_tables=*/true);
  ASSERT_GT(commits, 0);
  std::vector<std::string> answers;
  std::vector<std::pair<LedgerNumber, std::string>> requests;
  LearnAnswers(dir / "data", commits, &answers, &requests);
  std::vector<std::string> logs;
  for (const auto& entry : fs::directory_iterator(dir / "data/log")) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path().filename());
  }
  std::sort(logs.begin(), logs.end());
  ASSERT_GE(logs.size(), 3u);
  for (const bool cut : {false, true}) {
    for (size_t i = 0; i < logs.size(); ++i) {
      const std::string work = dir / "work";
      CopyTree(dir / "data", work);
      const std::string path = work + "/log/" + logs[i];
      const std::string bytes = ReadAll(path);
      if (bytes.empty()) continue;
      SCOPED_TRACE(absl::StrCat(logs[i], cut ? " cut" : " deleted"));
      if (cut) {
        WriteAll(path, bytes.substr(0, bytes.size() / 2));
      } else {
        fs::remove(path);
      }
      const std::map<std::string, std::string> before = AllFiles(work);
      const absl::Status status = RocksEventLog::Open(OptionsFor(work)).status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_EQ(AllFiles(work), before) << "the evidence";
      const std::string message(status.message());
      EXPECT_THAT(message, HasSubstr("ACKNOWLEDGED_EVENTS_MISSING"));
      EXPECT_THAT(message, HasSubstr(" positions ")) << "which ones";
      if (i == 0 && !cut) {
        EXPECT_THAT(message, HasSubstr(" positions 1 to "));
      }
      std::cout << message.substr(0, 200) << "\n";
    }
  }
}

}  // namespace
}  // namespace ledger::storage

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == ledger::storage::kWriterFlag) {
    return ledger::storage::WriteHistory(argv[2], std::string(argv[3]) == "hold");
  }
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
