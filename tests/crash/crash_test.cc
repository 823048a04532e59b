#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "customerledger/v1/record.pb.h"
#include "google/protobuf/text_format.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "storage/merkle/hash.h"
#include "storage/mutex.h"
#include "tests/storage/merkle/naive_tree.h"

// Kills the real server again and again under load. This process keeps what was acknowledged; the server's own files
// must agree with it at the end.
namespace ledger {
namespace {

namespace pb = ::customerledger::v1;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kLedgers = 4;
constexpr int kCustomers = 40;
constexpr int kInFlight = 32;

std::string EnvOr(const char* name, const std::string& otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? value : otherwise;
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// The server as a child process. Not thread-safe.
class Server {
 public:
  explicit Server(std::string directory) : directory_(std::move(directory)) {}
  ~Server() { Kill(); }

  void Start() {
    fs::remove(PortFile());
    std::string program = EnvOr("LEDGER_LEDGERD", LEDGERD_PATH);
    std::vector<std::string> words = {
        program, "--data", directory_ + "/data", "--listen", "127.0.0.1:0", "--port-file", PortFile()};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, LogFile().c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    const int spawned = ::posix_spawn(&child_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (spawned != 0) child_ = 0;
    ASSERT_EQ(spawned, 0) << "cannot start " << program
                          << "; build the target ledgerd, or set LEDGER_LEDGERD";
  }

  // The address once it is ready; empty if it ended instead.
  std::string WaitUntilReady() {
    const Clock::time_point end = Clock::now() + std::chrono::seconds(60);
    while (Clock::now() < end) {
      if (fs::exists(PortFile())) {
        std::string port = ReadAll(PortFile());
        while (!port.empty() && port.back() == '\n') port.pop_back();
        return "127.0.0.1:" + port;
      }
      int state = 0;
      if (::waitpid(child_, &state, WNOHANG) == child_) {
        child_ = 0;
        return "";
      }
      ::usleep(1000);  // a poll: a child cannot wake us
    }
    return "";
  }

  void Kill() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

  std::string LogFile() const { return directory_ + "/ledgerd.log"; }

 private:
  std::string PortFile() const { return directory_ + "/port"; }

  const std::string directory_;
  pid_t child_ = 0;
};

// Where the server is now. Thread-safe.
class Whereabouts {
 public:
  void Set(const std::string& address) {
    MutexLock lock(mutex_);
    channel_ = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    ++generation_;
    changed_.NotifyAll();
  }
  // Waits for a server later than `generation`, which it sets; the channel to it.
  std::shared_ptr<grpc::Channel> Later(uint64_t* generation) {
    MutexLock lock(mutex_);
    while (generation_ <= *generation) changed_.Wait(mutex_);
    *generation = generation_;
    return channel_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
};

// What one request was acknowledged with.
struct Settled {
  pb::AppendRequest request;
  std::vector<uint64_t> positions;  // of the events it sent, without what the rules added
  uint64_t last_position = 0;
  bool unknown_before = false;  // it was retried after an unknown outcome
};

std::vector<uint64_t> SentPositions(const pb::AppendResponse& response) {
  std::vector<uint64_t> positions;
  for (const pb::AppendedEvent& event : response.events()) {
    if (!event.derived()) positions.push_back(event.position());
  }
  return positions;
}

std::string LedgerName(int number) { return absl::StrCat("company-", number); }

pb::AppendRequest MakeRequest(const std::string& request_id, std::mt19937_64& random) {
  pb::AppendRequest request;
  request.set_ledger(LedgerName(static_cast<int>(random() % kLedgers)));
  request.set_request_id(request_id);
  // The same customers in every ledger, and few: heads are contended.
  const std::string customer = absl::StrCat("c-", random() % kCustomers);
  pb::SubjectCheck& check = *request.add_checks();
  check.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  check.mutable_subject()->set_id(customer);
  check.mutable_any();
  const int events = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < events; ++i) {
    pb::Event& event = *request.add_events()->mutable_event();
    event.mutable_occurred_time()->mutable_time()->set_seconds(1'700'000'000);
    event.set_note(absl::StrCat(request_id, "/", i));
    event.mutable_contact_logged()->set_customer_id(customer);
    event.mutable_contact_logged()->set_content(std::string(random() % 300, 'x'));
  }
  return request;
}

class CrashTest : public ::testing::Test {
 protected:
  CrashTest()
      : directory_(mkdtemp((fs::temp_directory_path() / "crash_XXXXXX").string().data())),
        server_(directory_) {}
  ~CrashTest() override {
    server_.Kill();
    if (HasFailure()) std::cout << "the server said last:\n" << Tail(ReadAll(server_.LogFile()));
    fs::remove_all(directory_);
  }

  static std::string Tail(const std::string& text) {
    return text.substr(text.size() - std::min<size_t>(text.size(), 3000));
  }

  // Starts a server and waits until it answers.
  void Serve() {
    ASSERT_NO_FATAL_FAILURE(server_.Start());
    const std::string address = server_.WaitUntilReady();
    ASSERT_FALSE(address.empty()) << "the server did not start:\n" << Tail(ReadAll(server_.LogFile()));
    where_.Set(address);
  }

  void CreateLedgers() {
    pb::CreateLedgerRequest request;
    ASSERT_TRUE(
        google::protobuf::TextFormat::ParseFromString(ReadAll(POLICY_PATH), request.mutable_policy()));
    uint64_t generation = 0;
    auto stub = pb::OperationsService::NewStub(where_.Later(&generation));
    for (int i = 0; i < kLedgers; ++i) {
      request.set_name(LedgerName(i));
      request.set_request_id(absl::StrCat("create-", i));
      grpc::ClientContext context;
      pb::CreateLedgerResponse response;
      const grpc::Status status = stub->CreateLedger(&context, request, &response);
      ASSERT_TRUE(status.ok()) << status.error_message();
    }
  }

  // One of the appends in flight: sends a request until it is settled, then the next, until told to stop.
  void Append(int worker, uint64_t seed) {
    std::mt19937_64 random(seed);
    uint64_t generation = 0;
    std::unique_ptr<pb::LedgerService::Stub> stub = pb::LedgerService::NewStub(where_.Later(&generation));
    for (int count = 0; !stop_.load(); ++count) {
      Settled settled;
      settled.request = MakeRequest(absl::StrCat("w", worker, "-", count), random);
      for (;;) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
        pb::AppendResponse response;
        const grpc::Status status = stub->Append(&context, settled.request, &response);
        if (status.ok()) {
          settled.positions = SentPositions(response);
          settled.last_position = response.position().position();
          // An acknowledgement before any failure cannot be of an earlier append.
          if (response.replayed() && !settled.unknown_before) ++false_replays_;
          if (response.replayed()) ++replays_;
          break;
        }
        if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) continue;
        if (status.error_code() != grpc::StatusCode::UNAVAILABLE) {
          ADD_FAILURE() << settled.request.request_id() << ": " << status.error_code() << " "
                        << status.error_message();
          return;
        }
        settled.unknown_before = true;
        ++unknown_;
        stub = pb::LedgerService::NewStub(where_.Later(&generation));
      }
      MutexLock lock(mutex_);
      settled_.push_back(std::move(settled));
      more_settled_.NotifyOne();
    }
  }

  size_t SettledCount() {
    MutexLock lock(mutex_);
    return settled_.size();
  }
  // Waits until `count` more appends were acknowledged; fails after two minutes.
  void AwaitMore(size_t count) {
    MutexLock lock(mutex_);
    const size_t enough = settled_.size() + count;
    const Clock::time_point end = Clock::now() + std::chrono::minutes(2);
    while (settled_.size() < enough) {
      ASSERT_LT(Clock::now(), end) << "appends no longer go through";
      more_settled_.WaitFor(mutex_, std::chrono::seconds(1));
      ASSERT_FALSE(HasFailure());
    }
  }
  // Kills the server under load, now and then once more while it starts, and starts it again.
  void KillOnce(std::mt19937_64& random, uint64_t* killed_starting) {
    ASSERT_NO_FATAL_FAILURE(AwaitMore(20 + random() % 200));
    ::usleep(static_cast<useconds_t>(random() % 5000));  // the random moment itself
    server_.Kill();
    if (random() % 5 == 0) {
      ASSERT_NO_FATAL_FAILURE(server_.Start());
      ::usleep(static_cast<useconds_t>(random() % 100'000));
      server_.Kill();
      ++*killed_starting;
    }
    Serve();
  }

  void ExpectAllThere(pb::LedgerService::Stub& ledgers, pb::OperationsService::Stub& operations);
  void ExpectRetriesReplay(pb::LedgerService::Stub& ledgers, std::mt19937_64& random);

  const std::string directory_;
  Server server_;
  Whereabouts where_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> unknown_{0};
  std::atomic<uint64_t> replays_{0};
  std::atomic<uint64_t> false_replays_{0};
  Mutex mutex_;
  CondVar more_settled_;
  std::vector<Settled> settled_ ABSL_GUARDED_BY(mutex_);
};

std::vector<std::string> ReadWholeLog(pb::LedgerService::Stub& ledgers, const std::string& ledger) {
  std::vector<std::string> records;
  pb::ReadLogRequest request;
  request.set_ledger(ledger);
  request.set_page_size(1000);
  do {
    grpc::ClientContext context;
    pb::ReadLogResponse response;
    const grpc::Status status = ledgers.ReadLog(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    if (!status.ok()) break;
    records.insert(records.end(), response.records().begin(), response.records().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return records;
}

void CrashTest::ExpectAllThere(pb::LedgerService::Stub& ledgers, pb::OperationsService::Stub& operations) {
  // By request: the positions and notes of the events that stand in the log.
  std::map<std::string, std::vector<std::pair<uint64_t, std::string>>> in_log;
  for (int i = 0; i < kLedgers; ++i) {
    const std::string name = LedgerName(i);
    const std::vector<std::string> records = ReadWholeLog(ledgers, name);
    std::map<std::pair<int, std::string>, std::pair<uint64_t, uint64_t>>
        subjects;  // last version and position
    std::vector<merkle::Hash> leaves;
    for (size_t at = 0; at < records.size(); ++at) {
      pb::Record record;
      ASSERT_TRUE(record.ParseFromString(records[at]));
      const pb::RecordHeader& header = record.header();
      ASSERT_EQ(header.position(), at + 1) << name << ": positions are not dense";
      for (const pb::SubjectVersion& subject : header.subjects()) {
        auto& last = subjects[{subject.subject().kind(), subject.subject().id()}];
        ASSERT_EQ(subject.version(), last.first + 1) << name << ": versions are not dense";
        ASSERT_EQ(subject.previous_position(), last.second) << name;
        last = {subject.version(), header.position()};
      }
      leaves.push_back(merkle::Sha256({absl::string_view("\0", 1), records[at]}));
      if (!header.derived() && record.event().has_contact_logged()) {
        in_log[absl::StrCat(name, " ", header.request_id())].emplace_back(header.position(),
                                                                          record.event().note());
      }
    }
    grpc::ClientContext context;
    pb::GetLedgerRequest request;
    request.set_name(name);
    pb::GetLedgerResponse response;
    const grpc::Status status = operations.GetLedger(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response.ledger().position().position(), records.size());
    const merkle::Hash root = merkle::NaiveRoot(leaves);
    EXPECT_EQ(response.ledger().root(), std::string(merkle::AsBytes(root))) << name << ": the tree's root";
  }
  MutexLock lock(mutex_);
  for (const Settled& settled : settled_) {
    const auto found = in_log.find(absl::StrCat(settled.request.ledger(), " ", settled.request.request_id()));
    ASSERT_NE(found, in_log.end()) << settled.request.request_id() << " was acknowledged and is lost";
    ASSERT_EQ(found->second.size(), static_cast<size_t>(settled.request.events_size()))
        << settled.request.request_id() << " is not there exactly once";
    ASSERT_EQ(settled.positions.size(), found->second.size());
    for (size_t i = 0; i < found->second.size(); ++i) {
      ASSERT_EQ(found->second[i].first, settled.positions[i]) << settled.request.request_id();
      ASSERT_EQ(found->second[i].second, settled.request.events(static_cast<int>(i)).event().note());
    }
  }
  EXPECT_EQ(in_log.size(), settled_.size()) << "every request was settled, so nothing else may be there";
}

void CrashTest::ExpectRetriesReplay(pb::LedgerService::Stub& ledgers, std::mt19937_64& random) {
  MutexLock lock(mutex_);
  for (int i = 0; i < 200; ++i) {
    const Settled& settled = settled_[random() % settled_.size()];
    grpc::ClientContext context;
    pb::AppendResponse response;
    const grpc::Status status = ledgers.Append(&context, settled.request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(response.replayed());
    EXPECT_EQ(response.position().position(), settled.last_position);
    EXPECT_EQ(SentPositions(response), settled.positions);
  }
}

TEST_F(CrashTest, KilledUnderLoadNothingAcknowledgedIsLostAndNothingIsDoubled) {
  const int kills = std::max(1, atoi(EnvOr("LEDGER_CRASH_KILLS", "30").c_str()));
  const uint64_t seed =
      strtoull(EnvOr("LEDGER_SEED", std::to_string(std::random_device{}())).c_str(), nullptr, 10);
  std::cout << "LEDGER_SEED=" << seed << " LEDGER_CRASH_KILLS=" << kills << std::endl;
  std::mt19937_64 random(seed);
  ASSERT_NO_FATAL_FAILURE(Serve());
  ASSERT_NO_FATAL_FAILURE(CreateLedgers());
  std::vector<std::thread> workers;
  for (int i = 0; i < kInFlight; ++i)
    workers.emplace_back([this, i, worker_seed = random()] { Append(i, worker_seed); });

  uint64_t killed_starting = 0;
  for (int kill = 0; kill < kills && !HasFailure(); ++kill) KillOnce(random, &killed_starting);
  stop_.store(true);
  if (HasFailure()) {
    // Whoever waits for a server that does not come back would wait for ever.
    std::cout << "gave up; the server said last:\n" << Tail(ReadAll(server_.LogFile())) << std::endl;
    server_.Kill();
    std::_Exit(1);
  }
  for (std::thread& worker : workers) worker.join();
  ASSERT_FALSE(HasFailure());

  // Once more, so that what is checked is what the disk holds.
  server_.Kill();
  ASSERT_NO_FATAL_FAILURE(Serve());
  uint64_t generation = 0;
  const std::shared_ptr<grpc::Channel> channel = where_.Later(&generation);
  auto ledgers = pb::LedgerService::NewStub(channel);
  auto operations = pb::OperationsService::NewStub(channel);
  std::cout << SettledCount() << " appends acknowledged, " << unknown_ << " outcomes unknown and retried, "
            << replays_ << " of them had been appended; " << killed_starting << " kills while starting"
            << std::endl;
  EXPECT_GT(unknown_.load(), 0u) << "no kill hit an append in flight";
  EXPECT_EQ(false_replays_.load(), 0u);
  ASSERT_NO_FATAL_FAILURE(ExpectAllThere(*ledgers, *operations));
  ASSERT_NO_FATAL_FAILURE(ExpectRetriesReplay(*ledgers, random));
  ASSERT_NO_FATAL_FAILURE(ExpectAllThere(*ledgers, *operations)) << "after the retries";
}

}  // namespace
}  // namespace ledger
