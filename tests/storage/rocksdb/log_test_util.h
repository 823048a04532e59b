#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "storage/merkle/hash.h"
#include "storage/request_key.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/status_macros.h"
#include "tests/storage/merkle/naive_tree.h"

// What the tests of the log share: histories to write, and everything a log can answer as one comparable value.
namespace ledger::storage {

namespace pb = ::customerledger::v1;

#define ASSERT_OK(expr) ASSERT_PRED_FORMAT1(ledger::storage::IsOk, ledger::storage::AsStatus(expr))
#define EXPECT_OK(expr) EXPECT_PRED_FORMAT1(ledger::storage::IsOk, ledger::storage::AsStatus(expr))

inline absl::Status AsStatus(const absl::Status& status) { return status; }
template <typename T>
absl::Status AsStatus(const absl::StatusOr<T>& result) {
  return result.status();
}
inline ::testing::AssertionResult IsOk(const char* what, const absl::Status& status) {
  if (status.ok()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << what << ": " << status;
}

// A directory of its own, removed at the end.
class TempDir {
 public:
  TempDir() : path_(mkdtemp((std::filesystem::temp_directory_path() / "log_XXXXXX").string().data())) {}
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Flips one bit, in place, as a failing disk would.
inline void FlipBit(const std::string& path, size_t offset, int bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ (1 << bit));
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

// A random test prints what it began with, and takes it back from LEDGER_SEED.
inline uint64_t Seed() {
  const char* given = getenv("LEDGER_SEED");
  const uint64_t seed = given != nullptr ? strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "LEDGER_SEED=" << seed << std::endl;
  return seed;
}

inline LogOptions OptionsFor(const std::string& directory, uint64_t write_buffer_bytes = 8 << 20) {
  LogOptions options;
  options.directory = directory;
  options.create_if_missing = true;
  options.write_buffer_bytes = write_buffer_bytes;
  options.block_cache_bytes = 1 << 20;
  // These tests are about other things than how full the machine happens to be.
  options.disk_low_water_bytes = 64 << 10;
  return options;
}

inline SubjectKey Customer(const std::string& id) { return {pb::SUBJECT_KIND_CUSTOMER, id}; }

inline PendingEvent EventAbout(std::vector<SubjectKey> subjects, const std::string& note,
                               const std::string& request_id = "") {
  PendingEvent event;
  event.header.mutable_who()->set_principal("tester");
  event.header.set_request_id(request_id);
  event.event.mutable_customer_registered()->set_customer_id(subjects[0].id);
  event.event.set_note(note);
  event.subjects = std::move(subjects);
  return event;
}

// Stages one event about one customer, decided on the customer as it stands.
inline absl::StatusOr<StagedEvent> StageOne(EventLog& log, LedgerNumber ledger, const std::string& customer,
                                            const std::string& note = "note") {
  Transaction transaction;
  transaction.ledger = ledger;
  transaction.recorded_time = absl::FromUnixSeconds(1'700'000'000);
  LEDGER_ASSIGN_OR_RETURN(const SubjectHead head, log.StagedHead(ledger, Customer(customer)));
  transaction.reads.emplace_back(Customer(customer), head.version);
  transaction.events.push_back(EventAbout({Customer(customer)}, note));
  transaction.states.emplace_back(Customer(customer), absl::StrCat("state ", head.version + 1));
  LEDGER_ASSIGN_OR_RETURN(std::vector<StagedEvent> staged, log.Stage(std::move(transaction)));
  return staged.at(0);
}

inline std::string LedgerId(const std::string& name) { return (name + std::string(16, '.')).substr(0, 16); }

inline absl::StatusOr<LedgerNumber> StageLedgerNamed(EventLog& log, const std::string& name) {
  return log.StageLedger(name, LedgerId(name), false, absl::FromUnixSeconds(1'600'000'000));
}

// A random but repeatable history over three ledgers: several transactions to a commit, several subjects to an event,
// requests, an import, ciphertexts. The same seed writes the same bytes.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {}

  // Stages, seals and commits one group. The first one makes the ledgers.
  absl::Status CommitOne(EventLog& log) {
    LEDGER_RETURN_IF_ERROR(StageOneGroup(log));
    return log.Commit(log.Seal());
  }

  absl::Status StageOneGroup(EventLog& log) {
    if (log.StagedPosition(1) == 0 && ledgers_.empty()) {
      for (const char* name : {"north", "south", "west"}) {
        LEDGER_ASSIGN_OR_RETURN(const LedgerNumber number, StageLedgerNamed(log, name));
        ledgers_.push_back(number);
      }
    }
    const int transactions = 1 + Below(4);
    for (int i = 0; i < transactions; ++i) LEDGER_RETURN_IF_ERROR(StageTransaction(log));
    return absl::OkStatus();
  }

  // The keys of all requests so far, by ledger.
  const std::vector<std::pair<LedgerNumber, std::string>>& requests() const { return requests_; }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }

  absl::Status StageTransaction(EventLog& log) {
    const LedgerNumber ledger = ledgers_[Below(4) == 0 ? 1 + Below(2) : 0];
    const std::string request_id = absl::StrCat("request-", ++request_count_);
    const bool imported = Below(5) == 0;
    Transaction transaction;
    transaction.ledger = ledger;
    transaction.recorded_time = absl::FromUnixSeconds(1'700'000'000 + static_cast<int64_t>(request_count_));
    const int events = 1 + Below(3);
    for (int i = 0; i < events; ++i) {
      std::vector<SubjectKey> subjects = {Customer(absl::StrCat("c-", Below(30)))};
      if (Below(3) == 0) subjects.push_back({pb::SUBJECT_KIND_STAFF, absl::StrCat("s-", Below(5))});
      if (Below(4) == 0) {
        std::string hash(32, '\0');
        for (char& c : hash) c = static_cast<char>('a' + Below(16));
        subjects.push_back({pb::SUBJECT_KIND_CONTACT_POINT, hash});
      }
      std::string note(static_cast<size_t>(20 + Below(300)), ' ');
      for (char& c : note) c = static_cast<char>('!' + Below(90));
      PendingEvent event = EventAbout(subjects, note, imported ? "" : request_id);
      if (Below(3) == 0) {
        event.ciphertext = note.substr(0, 40);
        const merkle::Hash hash = merkle::Sha256(event.ciphertext);
        event.header.mutable_personal()->set_ciphertext_sha256(std::string(merkle::AsBytes(hash)));
      }
      for (const SubjectKey& subject : subjects) {
        LEDGER_ASSIGN_OR_RETURN(const SubjectHead head, log.StagedHead(ledger, subject));
        if (i == 0) transaction.reads.emplace_back(subject, head.version);
        transaction.states.emplace_back(subject, absl::StrCat("after ", request_count_, "/", i));
      }
      transaction.events.push_back(std::move(event));
    }
    LEDGER_ASSIGN_OR_RETURN(const std::vector<StagedEvent> staged, log.Stage(std::move(transaction)));
    if (imported) {
      log.StageProducer(ledger, "import", static_cast<uint64_t>(request_count_), staged.back().position);
    } else {
      const std::string key = RequestKey("tester", request_id);
      log.StageRequest(ledger, key, absl::StrCat("answer to ", request_id, " at ", staged.back().position));
      requests_.emplace_back(ledger, key);
    }
    return absl::OkStatus();
  }

  std::mt19937_64 random_;
  std::vector<LedgerNumber> ledgers_;
  std::vector<std::pair<LedgerNumber, std::string>> requests_;
  int64_t request_count_ = 0;
};

// The root over a ledger's records, by RFC 6962's definition alone. Fails the test where positions are not dense.
inline std::string NaiveRootOf(const LogReader& log, LedgerNumber ledger) {
  std::vector<merkle::Hash> leaves;
  const absl::Status status =
      log.Scan(ledger, 1, Order::kForward, [&](uint64_t position, absl::string_view record) {
        EXPECT_EQ(position, leaves.size() + 1);
        leaves.push_back(merkle::Sha256({absl::string_view("\0", 1), record}));
        return true;
      });
  EXPECT_TRUE(status.ok()) << status;
  const merkle::Hash root = merkle::NaiveRoot(leaves);
  return std::string(merkle::AsBytes(root));
}

// Everything that a log answers about committed events, one line each; `requests` are the keys to ask for. An error is
// the first that a read met.
inline absl::StatusOr<std::vector<std::string>> AllAnswers(
    const EventLog& log, const std::vector<std::pair<LedgerNumber, std::string>>& requests) {
  std::vector<std::string> answers;
  for (const LedgerIdentity& ledger : log.Ledgers()) {
    LEDGER_ASSIGN_OR_RETURN(const std::string root, log.Root(ledger.number));
    answers.push_back(absl::StrCat(
        "ledger ", ledger.number, " ", ledger.name, " ", ledger.ledger_id, " ", ledger.simulated, " ",
        absl::ToUnixMicros(ledger.create_time), " at ", log.CommittedPosition(ledger.number), " ",
        absl::ToUnixMicros(log.CommittedTime(ledger.number)), " root ", absl::BytesToHexString(root)));
    LEDGER_RETURN_IF_ERROR(
        log.Scan(ledger.number, 1, Order::kForward, [&](uint64_t position, absl::string_view record) {
          answers.push_back(absl::StrCat("record ", ledger.number, "/", position, " ", record));
          return true;
        }));
    for (uint64_t position = 1; position <= log.CommittedPosition(ledger.number); ++position) {
      absl::StatusOr<std::string> ciphertext = log.ReadCiphertext(ledger.number, position);
      if (absl::IsNotFound(ciphertext.status())) continue;
      LEDGER_RETURN_IF_ERROR(ciphertext.status());
      answers.push_back(absl::StrCat("ciphertext ", ledger.number, "/", position, " ", *ciphertext));
    }
    for (int kind = 1; kind <= 8; ++kind) {
      std::vector<std::string> ids;
      LEDGER_RETURN_IF_ERROR(log.ScanSubjects(ledger.number, static_cast<pb::SubjectKind>(kind), "",
                                              [&](absl::string_view id, const SubjectHead& head) {
                                                ids.emplace_back(id);
                                                answers.push_back(absl::StrCat(
                                                    "subject ", ledger.number, "/", kind, "/", id, " ",
                                                    head.version, " ", head.last_position, " ", head.state));
                                                return true;
                                              }));
      for (const std::string& id : ids) {
        LEDGER_RETURN_IF_ERROR(log.ScanSubject(ledger.number, {static_cast<pb::SubjectKind>(kind), id}, 0,
                                               Order::kForward, [&](uint64_t version, uint64_t position) {
                                                 answers.push_back(absl::StrCat("index ", ledger.number, "/",
                                                                                kind, "/", id, " ", version,
                                                                                " ", position));
                                                 return true;
                                               }));
      }
    }
    LEDGER_ASSIGN_OR_RETURN(const auto producer, log.Producer(ledger.number, "import"));
    answers.push_back(absl::StrCat("producer ", ledger.number, " ", producer.first, " ", producer.second));
  }
  for (const auto& [ledger, key] : requests) {
    LEDGER_ASSIGN_OR_RETURN(const std::optional<std::string> answer, log.StagedRequest(ledger, key));
    answers.push_back(
        absl::StrCat("request ", absl::BytesToHexString(key), " ", answer ? *answer : "unknown"));
  }
  answers.push_back(absl::StrCat("lineage ", absl::BytesToHexString(log.lineage())));
  return answers;
}

// Reads everything back; the findings.
inline std::vector<std::string> Findings(RocksEventLog& log) {
  std::vector<std::string> findings;
  const absl::Status status = log.Verify(
      0, [&](const std::string& what) { findings.push_back(what); },
      [](absl::string_view, uint64_t, uint64_t) { return true; });
  if (!status.ok()) findings.push_back(std::string(status.message()));
  return findings;
}

// The bytes of every file of a directory, by name.
inline std::map<std::string, std::string> AllFiles(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files[entry.path().lexically_relative(directory)] = ReadAll(entry.path());
  }
  return files;
}

}  // namespace ledger::storage
