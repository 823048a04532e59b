#include "storage/rocksdb/rocksdb_event_log.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/storage/rocksdb/log_test_util.h"

namespace ledger::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class RocksEventLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    const auto number = StageLedgerNamed(*log_, "north");
    ASSERT_OK(number);
    ledger_ = *number;
    ASSERT_OK(StageOne(*log_, ledger_, "c-0", "the first"));
    Commit();
  }

  void Reopen(uint64_t write_buffer_bytes = 8 << 20) {
    log_.reset();
    auto log = RocksEventLog::Open(OptionsFor(dir_.path(), write_buffer_bytes));
    ASSERT_OK(log);
    log_ = *std::move(log);
  }
  void Commit() { ASSERT_OK(log_->Commit(log_->Seal())); }

  std::vector<std::pair<uint64_t, uint64_t>> IndexOf(LedgerNumber ledger, const SubjectKey& subject,
                                                     uint64_t from, Order order) const {
    std::vector<std::pair<uint64_t, uint64_t>> rows;
    EXPECT_OK(log_->ScanSubject(ledger, subject, from, order, [&](uint64_t version, uint64_t position) {
      rows.emplace_back(version, position);
      return true;
    }));
    return rows;
  }

  std::vector<uint64_t> PositionsFrom(uint64_t from, Order order, size_t limit = 100) const {
    std::vector<uint64_t> positions;
    EXPECT_OK(log_->Scan(ledger_, from, order, [&](uint64_t position, absl::string_view) {
      positions.push_back(position);
      return positions.size() < limit;
    }));
    return positions;
  }

  TempDir dir_;
  std::unique_ptr<RocksEventLog> log_;
  LedgerNumber ledger_ = 0;
};

TEST_F(RocksEventLogTest, WhatIsCommittedIsRead) {
  Transaction transaction;
  transaction.ledger = ledger_;
  transaction.recorded_time = absl::FromUnixSeconds(1'700'000'100);
  transaction.events.push_back(
      EventAbout({Customer("c-1"), {pb::SUBJECT_KIND_STAFF, "liu"}}, "called", "r-1"));
  transaction.events.back().ciphertext = "sealed";
  transaction.states.emplace_back(Customer("c-1"), "decided");
  const auto staged = log_->Stage(std::move(transaction));
  ASSERT_OK(staged);
  ASSERT_EQ(staged->size(), 1u);
  EXPECT_EQ(staged->at(0).position, 2u);
  EXPECT_THAT(staged->at(0).versions,
              ElementsAre(Pair(Customer("c-1"), 1u), Pair(SubjectKey{pb::SUBJECT_KIND_STAFF, "liu"}, 1u)));
  Commit();

  const auto bytes = log_->Read(ledger_, 2);
  ASSERT_OK(bytes);
  pb::Record record;
  ASSERT_TRUE(record.ParseFromString(*bytes));
  EXPECT_EQ(record.header().format_version(), 1u);
  EXPECT_EQ(record.header().position(), 2u);
  EXPECT_EQ(record.header().ledger_id(), LedgerId("north"));
  EXPECT_EQ(record.header().event_type(), 200u);
  EXPECT_EQ(record.header().recorded_time().seconds(), 1'700'000'100);
  EXPECT_EQ(record.header().request_id(), "r-1");
  ASSERT_EQ(record.header().subjects_size(), 2);
  EXPECT_EQ(record.header().subjects(0).version(), 1u);
  EXPECT_EQ(record.event().note(), "called");
  const auto ciphertext = log_->ReadCiphertext(ledger_, 2);
  ASSERT_OK(ciphertext);
  EXPECT_EQ(*ciphertext, "sealed");
  EXPECT_TRUE(absl::IsNotFound(log_->ReadCiphertext(ledger_, 1).status()));
  const auto head = log_->Head(ledger_, Customer("c-1"));
  ASSERT_OK(head);
  EXPECT_EQ(head->version, 1u);
  EXPECT_EQ(head->last_position, 2u);
  EXPECT_EQ(head->state, "decided");
  EXPECT_EQ(log_->CommittedTime(ledger_), absl::FromUnixSeconds(1'700'000'100));
  EXPECT_TRUE(absl::IsNotFound(log_->Read(ledger_, 3).status()));
  EXPECT_TRUE(absl::IsNotFound(log_->Read(ledger_, 0).status()));
}

TEST_F(RocksEventLogTest, StagedIsSeenByTheSequencerAndByNoReader) {
  ASSERT_OK(StageOne(*log_, ledger_, "c-1", "unseen"));
  log_->StageRequest(ledger_, std::string(32, 'k'), "answer");
  log_->StageProducer(ledger_, "import", 7, 2);
  EXPECT_EQ(log_->StagedPosition(ledger_), 2u);
  EXPECT_EQ(log_->StagedHead(ledger_, Customer("c-1"))->version, 1u);
  EXPECT_EQ(log_->StagedHead(ledger_, Customer("c-1"))->state, "state 1");
  EXPECT_OK(log_->StagedRead(ledger_, 2));
  EXPECT_EQ(**log_->StagedRequest(ledger_, std::string(32, 'k')), "answer");
  EXPECT_EQ(log_->StagedProducer(ledger_, "import")->first, 7u);
  EXPECT_GT(log_->OpenBytes(), 0u);

  const std::string root = *log_->Root(ledger_);
  EXPECT_EQ(log_->CommittedPosition(ledger_), 1u);
  EXPECT_TRUE(absl::IsNotFound(log_->Read(ledger_, 2).status()));
  EXPECT_EQ(log_->Head(ledger_, Customer("c-1"))->version, 0u);
  EXPECT_THAT(IndexOf(ledger_, Customer("c-1"), 0, Order::kForward), IsEmpty());
  EXPECT_EQ(log_->Producer(ledger_, "import")->first, 0u);
  EXPECT_THAT(PositionsFrom(1, Order::kForward), ElementsAre(1));

  // Sealed is not committed either, and the next group is staged upon it.
  std::unique_ptr<CommitGroup> first = log_->Seal();
  ASSERT_OK(StageOne(*log_, ledger_, "c-1", "upon it"));
  EXPECT_EQ(log_->StagedHead(ledger_, Customer("c-1"))->version, 2u);
  std::unique_ptr<CommitGroup> second = log_->Seal();
  EXPECT_EQ(log_->CommittedPosition(ledger_), 1u);
  EXPECT_EQ(*log_->Root(ledger_), root);
  EXPECT_EQ(log_->Seal(), nullptr) << "nothing was staged since";
  ASSERT_OK(log_->Commit(std::move(first)));
  EXPECT_EQ(log_->CommittedPosition(ledger_), 2u);
  EXPECT_EQ(*log_->Root(ledger_), NaiveRootOf(*log_, ledger_));
  ASSERT_OK(log_->Commit(std::move(second)));
  EXPECT_EQ(log_->CommittedPosition(ledger_), 3u);
  EXPECT_THAT(IndexOf(ledger_, Customer("c-1"), 0, Order::kForward), ElementsAre(Pair(1, 2), Pair(2, 3)));
}

TEST_F(RocksEventLogTest, OfTwoDecisionsOnOneVersionInOneGroupExactlyOneWins) {
  const auto claim = [&](const std::string& who) {
    Transaction transaction;
    transaction.ledger = ledger_;
    transaction.recorded_time = absl::FromUnixSeconds(1'700'000'000);
    transaction.reads.emplace_back(Customer("contested"), 0);
    transaction.events.push_back(EventAbout({Customer("contested")}, who));
    return log_->Stage(std::move(transaction));
  };
  ASSERT_OK(claim("liu"));
  const absl::Status second = claim("chen").status();
  EXPECT_TRUE(absl::IsAborted(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr("contested"));
  EXPECT_THAT(std::string(second.message()), HasSubstr("version 1"));
  Commit();
  EXPECT_TRUE(absl::IsAborted(claim("wang").status())) << "nor after the commit";
  EXPECT_EQ(log_->Seal(), nullptr) << "a refused transaction leaves nothing behind";
  EXPECT_EQ(log_->CommittedPosition(ledger_), 2u);
  EXPECT_EQ(log_->Head(ledger_, Customer("contested"))->version, 1u);
  EXPECT_EQ(*log_->Root(ledger_), NaiveRootOf(*log_, ledger_));
}

TEST_F(RocksEventLogTest, RecordedTimeNeverDecreases) {
  Transaction transaction;
  transaction.ledger = ledger_;
  transaction.recorded_time = absl::FromUnixSeconds(5);
  transaction.events.push_back(EventAbout({Customer("c-1")}, "early"));
  ASSERT_OK(log_->Stage(std::move(transaction)));
  Commit();
  EXPECT_EQ(log_->CommittedTime(ledger_), absl::FromUnixSeconds(1'700'000'000));
}

TEST_F(RocksEventLogTest, RequestsAndProducersAreRememberedAcrossReopening) {
  const std::string key = RequestKey("liu", "r-1");
  EXPECT_EQ(*log_->StagedRequest(ledger_, key), std::nullopt);
  log_->StageRequest(ledger_, key, "answer");
  log_->StageProducer(ledger_, "import", 41, 1);
  log_->StageVaultSlot(17);
  Commit();
  Reopen();
  EXPECT_EQ(**log_->StagedRequest(ledger_, key), "answer");
  EXPECT_EQ(*log_->StagedRequest(ledger_, RequestKey("chen", "r-1")), std::nullopt);
  EXPECT_EQ(*log_->StagedRequest(ledger_ + 1, key), std::nullopt) << "another ledger's";
  EXPECT_THAT(*log_->Producer(ledger_, "import"), Pair(41, 1));
  EXPECT_THAT(*log_->StagedProducer(ledger_, "imp"), Pair(0, 0));
  EXPECT_EQ(log_->StagedVaultSlot(), 17u);
}

TEST_F(RocksEventLogTest, TheSameCustomerInTwoLedgersNeverMeets) {
  const auto other = StageLedgerNamed(*log_, "south");
  ASSERT_OK(other);
  ASSERT_OK(StageOne(*log_, *other, "c-0", "another company's"));
  ASSERT_OK(StageOne(*log_, ledger_, "c-0"));
  ASSERT_OK(StageOne(*log_, ledger_, "c-0"));
  Commit();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(log_->CommittedPosition(ledger_), 3u);
    EXPECT_EQ(log_->CommittedPosition(*other), 1u);
    EXPECT_EQ(log_->Head(ledger_, Customer("c-0"))->version, 3u);
    EXPECT_EQ(log_->Head(*other, Customer("c-0"))->version, 1u);
    EXPECT_THAT(IndexOf(ledger_, Customer("c-0"), 0, Order::kForward),
                ElementsAre(Pair(1, 1), Pair(2, 2), Pair(3, 3)));
    EXPECT_THAT(IndexOf(*other, Customer("c-0"), 0, Order::kForward), ElementsAre(Pair(1, 1)));
    EXPECT_THAT(IndexOf(*other, Customer("c-0"), UINT64_MAX, Order::kBackward), ElementsAre(Pair(1, 1)));
    EXPECT_NE(*log_->Root(ledger_), *log_->Root(*other));
    pb::Record record;
    ASSERT_TRUE(record.ParseFromString(*log_->Read(*other, 1)));
    EXPECT_EQ(record.event().note(), "another company's");
    Reopen();
  }
  EXPECT_TRUE(absl::IsAlreadyExists(StageLedgerNamed(*log_, "south").status()));
  EXPECT_EQ(log_->FindLedger("south")->number, *other);
  EXPECT_TRUE(absl::IsNotFound(log_->FindLedger("sout").status()));
}

TEST_F(RocksEventLogTest, ALedgerWithoutEventsIsThereAfterItsCommit) {
  const auto empty = StageLedgerNamed(*log_, "empty");
  ASSERT_OK(empty);
  EXPECT_TRUE(absl::IsNotFound(log_->FindLedger("empty").status()));
  Commit();
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK(log_->FindLedger("empty"));
    EXPECT_EQ(log_->CommittedPosition(*empty), 0u);
    EXPECT_EQ(log_->CommittedTime(*empty), absl::InfinitePast());
    const merkle::Hash root = merkle::EmptyRoot();
    EXPECT_EQ(*log_->Root(*empty), std::string(merkle::AsBytes(root)));
    EXPECT_THAT(Findings(*log_), IsEmpty());
    Reopen();
  }
  ASSERT_OK(StageOne(*log_, *empty, "c-1"));
  Commit();
  EXPECT_EQ(*log_->Root(*empty), NaiveRootOf(*log_, *empty));
}

TEST_F(RocksEventLogTest, ScansGoBothWaysAndStopWhenTold) {
  for (int i = 0; i < 5; ++i) ASSERT_OK(StageOne(*log_, ledger_, "c-1"));
  // A neighbour's rows follow at once in key order.
  const auto other = StageLedgerNamed(*log_, "south");
  ASSERT_OK(StageOne(*log_, *other, "c-1"));
  Commit();
  EXPECT_THAT(PositionsFrom(1, Order::kForward), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(PositionsFrom(4, Order::kForward), ElementsAre(4, 5, 6));
  EXPECT_THAT(PositionsFrom(7, Order::kForward), IsEmpty());
  EXPECT_THAT(PositionsFrom(3, Order::kBackward), ElementsAre(3, 2, 1));
  EXPECT_THAT(PositionsFrom(UINT64_MAX, Order::kBackward), ElementsAre(6, 5, 4, 3, 2, 1));
  EXPECT_THAT(PositionsFrom(0, Order::kBackward), IsEmpty());
  EXPECT_THAT(PositionsFrom(2, Order::kForward, 2), ElementsAre(2, 3));
  EXPECT_THAT(PositionsFrom(5, Order::kBackward, 2), ElementsAre(5, 4));
}

TEST_F(RocksEventLogTest, OneIdThatBeginsAnotherKeepsItsOwnHistory) {
  const std::string longest(128, 'c');
  const std::vector<std::string> ids = {
      "c", "c-", "c-1", "c-10", std::string("c\0", 2), std::string("c\0\0", 3), longest};
  for (int round = 0; round < 3; ++round) {
    for (const std::string& id : ids) ASSERT_OK(StageOne(*log_, ledger_, id));
  }
  Commit();
  for (size_t i = 0; i < ids.size(); ++i) {
    const uint64_t first = 2 + i;
    const uint64_t step = ids.size();
    EXPECT_THAT(IndexOf(ledger_, Customer(ids[i]), 0, Order::kForward),
                ElementsAre(Pair(1, first), Pair(2, first + step), Pair(3, first + 2 * step)));
    EXPECT_THAT(IndexOf(ledger_, Customer(ids[i]), 2, Order::kForward),
                ElementsAre(Pair(2, first + step), Pair(3, first + 2 * step)));
    EXPECT_THAT(IndexOf(ledger_, Customer(ids[i]), 2, Order::kBackward),
                ElementsAre(Pair(2, first + step), Pair(1, first)));
  }
  std::vector<std::string> seen;
  ASSERT_OK(log_->ScanSubjects(ledger_, pb::SUBJECT_KIND_CUSTOMER, "c-",
                               [&](absl::string_view id, const SubjectHead&) {
                                 seen.emplace_back(id);
                                 return true;
                               }));
  EXPECT_THAT(seen, ElementsAre("c-0", "c-1", "c-10", longest));
}

TEST_F(RocksEventLogTest, RandomHistoriesKeepRootsIndexAndVersionsThroughReopening) {
  const uint64_t seed = Seed();
  TempDir dir;
  std::mt19937_64 random(seed);
  History history(seed);
  std::unique_ptr<RocksEventLog> log;
  const auto reopen = [&] {
    log.reset();
    auto opened = RocksEventLog::Open(OptionsFor(dir.path(), 128 << 10));
    ASSERT_OK(opened);
    log = *std::move(opened);
  };
  reopen();
  for (int commit = 0; commit < 200; ++commit) {
    ASSERT_OK(history.CommitOne(*log));
    if (random() % 20 == 0) {
      const auto before = AllAnswers(*log, history.requests());
      ASSERT_OK(before);
      reopen();
      const auto after = AllAnswers(*log, history.requests());
      ASSERT_OK(after);
      ASSERT_EQ(*before, *after);
    }
  }
  EXPECT_GT(log->CommittedPosition(1), 256u) << "no tile was ever full";
  for (const LedgerIdentity& ledger : log->Ledgers()) {
    EXPECT_EQ(*log->Root(ledger.number), NaiveRootOf(*log, ledger.number));
    // Versions are dense and each record names the subject's one before.
    std::map<std::pair<int, std::string>, std::pair<uint64_t, uint64_t>> subjects;
    ASSERT_OK(log->Scan(ledger.number, 1, Order::kForward, [&](uint64_t position, absl::string_view bytes) {
      pb::Record record;
      EXPECT_TRUE(record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      for (const pb::SubjectVersion& subject : record.header().subjects()) {
        auto& last = subjects[{subject.subject().kind(), subject.subject().id()}];
        EXPECT_EQ(subject.version(), last.first + 1);
        EXPECT_EQ(subject.previous_position(), last.second);
        last = {subject.version(), position};
      }
      return true;
    }));
    for (const auto& [subject, last] : subjects) {
      const auto head =
          log->Head(ledger.number, {static_cast<pb::SubjectKind>(subject.first), subject.second});
      EXPECT_EQ(head->version, last.first);
      EXPECT_EQ(head->last_position, last.second);
    }
  }
  EXPECT_THAT(Findings(*log), IsEmpty());
}

size_t EntriesOf(const std::string& directory) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}

TEST_F(RocksEventLogTest, AThousandLedgersNeedNoThreadAndNoFileEach) {
  const size_t threads = EntriesOf("/proc/self/task");
  const size_t open_files = EntriesOf("/proc/self/fd");
  const size_t files = EntriesOf(dir_ / "log");
  std::vector<LedgerNumber> ledgers;
  for (int i = 0; i < 1000; ++i) {
    const auto number = StageLedgerNamed(*log_, absl::StrCat("company-", i));
    ASSERT_OK(number);
    ledgers.push_back(*number);
    ASSERT_OK(StageOne(*log_, *number, "c-0", absl::StrCat("of company ", i)));
    if (i % 100 == 99) Commit();
  }
  EXPECT_EQ(EntriesOf("/proc/self/task"), threads);
  EXPECT_LE(EntriesOf("/proc/self/fd"), open_files + 4);
  EXPECT_LE(EntriesOf(dir_ / "log"), files + 4);
  Reopen();
  EXPECT_LE(EntriesOf("/proc/self/task"), threads + 2);
  EXPECT_LE(EntriesOf("/proc/self/fd"), open_files + 8);
  ASSERT_EQ(log_->Ledgers().size(), 1001u);
  for (int i = 0; i < 1000; i += 37) {
    pb::Record record;
    ASSERT_TRUE(record.ParseFromString(*log_->Read(ledgers[i], 1)));
    EXPECT_EQ(record.event().note(), absl::StrCat("of company ", i));
    EXPECT_EQ(log_->Head(ledgers[i], Customer("c-0"))->version, 1u);
  }
}

TEST_F(RocksEventLogTest, AFullTileMayBeReadFromAnEarlierRun) {
  // The tile builder resumes in the middle of a tile whose first leaves were written before the reopening.
  for (int i = 0; i < 200; ++i) ASSERT_OK(StageOne(*log_, ledger_, absl::StrCat("c-", i % 7)));
  Commit();
  Reopen();
  for (int i = 0; i < 400; ++i) ASSERT_OK(StageOne(*log_, ledger_, absl::StrCat("c-", i % 7)));
  Commit();
  EXPECT_EQ(*log_->Root(ledger_), NaiveRootOf(*log_, ledger_));
  EXPECT_THAT(Findings(*log_), IsEmpty());
}

TEST_F(RocksEventLogTest, OneDirectoryIsOpenedOnce) {
  const absl::Status second = RocksEventLog::Open(OptionsFor(dir_.path())).status();
  EXPECT_TRUE(absl::IsUnavailable(second));
  EXPECT_THAT(std::string(second.message()), HasSubstr("DIRECTORY_LOCKED"));
}

TEST(RocksEventLogOpenTest, NothingThereIsNotFound) {
  TempDir dir;
  LogOptions options = OptionsFor(dir.path());
  options.create_if_missing = false;
  EXPECT_TRUE(absl::IsNotFound(RocksEventLog::Open(options).status()));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

}  // namespace
}  // namespace ledger::storage
