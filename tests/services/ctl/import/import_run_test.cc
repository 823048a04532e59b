#include "services/ctl/import/import_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>

#include "services/ctl/import/mapping_file.h"
#include "tests/services/ctl/import/fake_ledger.h"
#include "tests/services/ctl/import/import_testing.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Act = FakeLedger::Act;

constexpr int kRecords = 1000;

class ImportRunTest : public testing::Test {
 protected:
  // A history of kRecords records about 37 customers; every hundredth record is bad.
  static std::string History() {
    std::string text;
    for (int i = 1; i <= kRecords; ++i) {
      text += i % 100 == 0 ? "{\"who\": broken\n"
                           : "{\"who\":\"c" + std::to_string(i % 37) + "\",\"by\":\"liu\",\"what\":\"n" +
                                 std::to_string(i) + "\",\"at\":\"2026-01-01T00:" + (i % 60 < 10 ? "0" : "") +
                                 std::to_string(i % 60) + ":00Z\"}\n";
    }
    return text;
  }

  ImportOptions Options(const std::string& bytes = History()) {
    ImportOptions options;
    options.ledger = "book";
    options.file_path = testing::TempDir() + "/import_run_test." +
                        testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl";
    std::ofstream(options.file_path, std::ios::binary) << bytes;
    options.mapping = ParseMapping(
                          "jsonl {} customer { field: 'who' } owner { field: 'by' } time { field: 'at' } "
                          "activity { fields: 'what' }",
                          "m")
                          .value();
    options.name = "history";
    options.events_per_message = 10;
    options.retry_wait_first = absl::Milliseconds(1);
    options.retry_wait_max = absl::Milliseconds(1);
    return options;
  }

  absl::Status Run(const ImportOptions& options) { return ImportRun(options, ledger_.stub()).Run(&summary_); }

  // The ledger has every good record once, in the file's order.
  void ExpectWhole() {
    std::vector<uint64_t> expected;
    for (uint64_t i = 1; i <= kRecords; ++i) {
      if (i % 100 != 0) expected.push_back(i);
    }
    EXPECT_EQ(RecordsInLedger(), expected);
  }

  std::vector<uint64_t> RecordsInLedger() {
    std::vector<uint64_t> records;
    for (const pb::NewEvent& event : ledger_.events()) {
      records.push_back(event.event().evidence().record_number());
    }
    return records;
  }

  FakeLedger ledger_;
  ImportSummary summary_;
};

TEST_F(ImportRunTest, EveryGoodRecordArrivesOnceAndBadOnesAreNamed) {
  ASSERT_TRUE(Run(Options()).ok());
  ExpectWhole();
  EXPECT_EQ(summary_.producer, "import:history");
  EXPECT_EQ(summary_.records, 1000U);
  EXPECT_EQ(summary_.appended, 990U);
  EXPECT_EQ(summary_.skipped, 0U);
  EXPECT_EQ(summary_.bad, 10U);
  ASSERT_EQ(summary_.bad_records.size(), 10U);
  EXPECT_EQ(summary_.bad_records[3].line, 400U);
  EXPECT_GT(summary_.elapsed, absl::ZeroDuration());
}

TEST_F(ImportRunTest, MessagesCarryChecksProducerAndSequence) {
  ASSERT_TRUE(Run(Options()).ok());
  for (const pb::AppendStreamRequest& message : ledger_.appended()) {
    EXPECT_EQ(message.producer(), "import:history");
    EXPECT_LE(message.append().events_size(), 10);
    EXPECT_EQ(message.producer_sequence(),
              message.append().events().rbegin()->event().evidence().record_number());
    EXPECT_EQ(message.append().ledger(), "book");
    EXPECT_FALSE(message.append().has_recorded_time());
    std::set<std::string> customers;
    for (const pb::NewEvent& event : message.append().events()) {
      customers.insert(event.event().activity_recorded().customer_id());
    }
    std::set<std::string> checked;
    for (const pb::SubjectCheck& check : message.append().checks()) {
      EXPECT_EQ(check.subject().kind(), pb::SUBJECT_KIND_CUSTOMER);
      EXPECT_TRUE(check.has_any());
      EXPECT_TRUE(checked.insert(check.subject().id()).second);
    }
    EXPECT_EQ(checked, customers);
  }
}

TEST_F(ImportRunTest, ASecondRunAppendsNothingAndReportsTheSame) {
  ASSERT_TRUE(Run(Options()).ok());
  ASSERT_TRUE(Run(Options()).ok());
  ExpectWhole();
  EXPECT_EQ(summary_.records, 1000U);
  EXPECT_EQ(summary_.appended, 0U);
  EXPECT_EQ(summary_.skipped, 990U);
  EXPECT_EQ(summary_.bad, 10U);
}

TEST_F(ImportRunTest, AShorterFileUnderTheSameNameIsAnotherFile) {
  ASSERT_TRUE(Run(Options()).ok());
  const std::string history = History();
  const absl::Status other = Run(Options(history.substr(0, history.find('\n') + 1)));
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition) << other;
  ExpectWhole();
}

TEST_F(ImportRunTest, ARunThatDiedGoesOnWhereItEnded) {
  ledger_.act = [](int message, const auto&) {
    return message == 23 ? Act::kBreak : message == 40 ? Act::kAppendAndBreak : Act::kAppend;
  };
  ImportOptions options = Options();
  options.retries_max = 0;
  EXPECT_EQ(Run(options).code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(ledger_.events().size(), 990U);
  options.events_per_message = 7;  // the next run need not cut the file the same way
  EXPECT_EQ(Run(options).code(), absl::StatusCode::kUnavailable);
  const absl::Status last = Run(options);
  ASSERT_TRUE(last.ok()) << last;
  ExpectWhole();
  EXPECT_GT(summary_.skipped, 0U);
  EXPECT_EQ(summary_.skipped + summary_.appended, 990U);
}

TEST_F(ImportRunTest, BrokenConnectionsAreSettledAndGoOn) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  auto random = std::make_shared<std::mt19937>(seed);
  ledger_.act = [random](int, const auto&) {
    switch ((*random)() % 10) {
      case 0:
        return Act::kBreak;
      case 1:
        return Act::kAppendAndBreak;
      case 2:
        return Act::kEnd;
      default:
        return Act::kAppend;
    }
  };
  ImportOptions options = Options();
  options.retries_max = 100;
  const absl::Status status = Run(options);
  ASSERT_TRUE(status.ok()) << status;
  ExpectWhole();
  EXPECT_EQ(summary_.appended, 990U);
  EXPECT_GT(ledger_.streams(), 1);
}

TEST_F(ImportRunTest, WaitsForAServerThatStartsAgain) {
  ledger_.act = [](int message, const auto&) { return message == 5 ? Act::kAppendAndBreak : Act::kAppend; };
  ledger_.get_producer_failures = 6;
  ASSERT_TRUE(Run(Options()).ok());
  ExpectWhole();
}

TEST_F(ImportRunTest, GivesUpAfterTheLastTryAndSaysThatNothingIsLost) {
  ledger_.act = [](int, const auto&) { return Act::kBreak; };
  ImportOptions options = Options();
  options.retries_max = 3;
  const absl::Status status = Run(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("gave up after 3 tries"));
  EXPECT_EQ(ledger_.streams(), 4);
}

TEST_F(ImportRunTest, ARefusalEndsTheImportAndNamesTheRecords) {
  ledger_.act = [](int message, const auto&) { return message >= 4 ? Act::kRefuse : Act::kAppend; };
  const absl::Status status = Run(Options());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("records 31 to 40 (from line 31"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not like this"));
  EXPECT_EQ(ledger_.events().size(), 30U);
  EXPECT_EQ(summary_.appended, 30U);
}

TEST_F(ImportRunTest, ARefusalTellsWhatWasAppendedBehindIt) {
  ledger_.act = [](int message, const auto&) { return message == 4 ? Act::kRefuse : Act::kAppend; };
  // The refusal is answered only after the messages behind it have come.
  ledger_.answers_held = 8;
  ledger_.messages_expected = 1000;
  ImportOptions options = Options();
  options.messages_in_flight_max = 8;
  const absl::Status status = Run(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("records 31 to 40"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Later records up to 80"));
}

TEST_F(ImportRunTest, AFailureForGoodIsNotRetried) {
  ledger_.act = [](int message, const auto&) { return message == 4 ? Act::kFail : Act::kAppend; };
  const absl::Status status = Run(Options());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("stored bytes make no sense"));
  EXPECT_EQ(ledger_.streams(), 1);
}

TEST_F(ImportRunTest, KeepsTheMessagesInFlightToTheirLimit) {
  ledger_.answers_held = 4;  // a run that kept fewer in flight would wait for ever
  ledger_.messages_expected = 99;
  ImportOptions options = Options();
  options.messages_in_flight_max = 4;
  ASSERT_TRUE(Run(options).ok());
  ExpectWhole();
  EXPECT_EQ(ledger_.unanswered_most(), 4);
}

TEST_F(ImportRunTest, MessagesStayBelowTheirBytes) {
  ImportOptions options = Options();
  options.events_per_message = 1000;
  options.message_bytes_max = 500;
  ASSERT_TRUE(Run(options).ok());
  ExpectWhole();
  for (const pb::AppendStreamRequest& message : ledger_.appended()) {
    int bytes = 0;
    for (const pb::NewEvent& event : message.append().events())
      bytes += static_cast<int>(event.ByteSizeLong());
    EXPECT_LE(bytes, 500);
  }
}

TEST_F(ImportRunTest, AnotherRunUnderTheSameNameIsNoticed) {
  ledger_.act = [](int message, const auto&) { return message == 5 ? Act::kBreak : Act::kAppend; };
  ledger_.sequence_after_break = 995;  // as if the other run had got so far meanwhile
  ImportOptions options = Options();
  options.messages_in_flight_max = 1;
  const absl::Status status = Run(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("another run"));
}

TEST_F(ImportRunTest, ALedgerThatWentBackIsNoticed) {
  ledger_.act = [](int message, const auto&) { return message == 5 ? Act::kBreak : Act::kAppend; };
  ledger_.sequence_after_break = 20;
  ImportOptions options = Options();
  options.messages_in_flight_max = 1;
  const absl::Status status = Run(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("restored"));
}

TEST_F(ImportRunTest, ASimulatedLedgersTimeFollowsTheLatestEvent) {
  ImportOptions options = Options();
  options.simulated = true;
  ASSERT_TRUE(Run(options).ok());
  int64_t latest = 0;
  for (const pb::AppendStreamRequest& message : ledger_.appended()) {
    for (const pb::NewEvent& event : message.append().events()) {
      latest = std::max(latest, event.event().occurred_time().time().seconds());
    }
    EXPECT_EQ(message.append().recorded_time().seconds(), latest);
  }
  EXPECT_GT(latest, 0);
}

TEST_F(ImportRunTest, ATimeInTheFutureIsABadRecordExceptOnASimulatedLedger) {
  ImportOptions options = Options("{\"who\":\"c\",\"what\":\"w\",\"at\":\"2199-01-01T00:00:00Z\"}\n");
  ASSERT_TRUE(Run(options).ok());
  EXPECT_EQ(summary_.bad, 1U);
  EXPECT_EQ(summary_.appended, 0U);
  options.simulated = true;
  ASSERT_TRUE(Run(options).ok());
  EXPECT_EQ(summary_.appended, 1U);
}

TEST_F(ImportRunTest, ACutFileIsImportedUpToTheCutAndLaterToItsEnd) {
  const std::string whole = Gzip(History());
  ImportOptions options = Options(whole.substr(0, whole.size() - 1000));
  const absl::Status cut = Run(options);
  EXPECT_EQ(cut.code(), absl::StatusCode::kDataLoss) << cut;
  EXPECT_THAT(std::string(cut.message()), HasSubstr("cut off"));
  EXPECT_GT(summary_.appended, 0U);
  EXPECT_LT(summary_.appended, 990U);
  ASSERT_TRUE(Run(Options(whole)).ok());
  ExpectWhole();
}

TEST_F(ImportRunTest, ProgressReachesTheEnd) {
  ImportOptions options = Options();
  std::vector<ImportProgress> seen;
  options.progress = [&seen](const ImportProgress& progress) { seen.push_back(progress); };
  ASSERT_TRUE(Run(options).ok());
  ASSERT_GT(seen.size(), 90U);
  for (size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].records_read, seen[i - 1].records_read);
    EXPECT_GE(seen[i].events_acknowledged, seen[i - 1].events_acknowledged);
  }
  EXPECT_EQ(seen.back().records_read, 1000U);
  EXPECT_EQ(seen.back().records_bad, 10U);
  EXPECT_EQ(seen.back().events_acknowledged, 990U);
  EXPECT_EQ(seen.back().file_bytes_read, History().size());
  EXPECT_EQ(seen.back().file_bytes_total, History().size());
}

TEST_F(ImportRunTest, WhatCannotStartSaysWhy) {
  ImportOptions options = Options();
  options.ledger = "other";
  EXPECT_EQ(Run(options).code(), absl::StatusCode::kNotFound);
  options = Options();
  options.file_path += ".none";
  EXPECT_EQ(Run(options).code(), absl::StatusCode::kNotFound);
  options = Options();
  options.name = std::string(122, 'x');
  EXPECT_EQ(Run(options).code(), absl::StatusCode::kInvalidArgument);
  options = Options();
  options.mapping.clear_time();
  EXPECT_EQ(Run(options).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(ledger_.events().empty());
}

}  // namespace
}  // namespace ledger::ctl
