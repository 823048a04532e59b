// AppendStream and Subscribe through a real gRPC server on loopback: order, back-pressure, readers that stop, and ends.

#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "services/common/worker_pool.h"
#include "services/ledger/ledger_service.h"
#include "tests/services/ledger/writer_fixture.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

class StreamTest : public WriterTest {
 protected:
  void SetUp() override {
    WriterTest::SetUp();
    CreateLedger("l");
    workers_ = std::make_unique<WorkerPool>(2);
    service_ =
        std::make_unique<LedgerServiceImpl>(*gated_, *preparer_, *sequencer_, *notifier_, *vault_, *workers_);
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
    address_ = absl::StrCat("127.0.0.1:", port);
  }

  void TearDown() override {
    StopServer();
    WriterTest::TearDown();
  }

  void StopServer() {
    if (server_ == nullptr) return;
    gated_->Open();
    service_->Stop();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
    server_->Wait();
    server_.reset();
    notifier_->Stop();
    sequencer_->Stop();
    workers_->Stop();
    service_.reset();
  }

  std::unique_ptr<pb::LedgerService::Stub> Stub() {
    grpc::ChannelArguments arguments;
    // Every stub a connection of its own, so that one reader's flow control is not another's.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return pb::LedgerService::NewStub(
        grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), arguments));
  }

  static pb::AppendStreamRequest Message(uint64_t correlation, pb::AppendRequest append) {
    pb::AppendStreamRequest message;
    message.set_correlation(correlation);
    *message.mutable_append() = std::move(append);
    return message;
  }

  // Reads until `last` has been delivered; every position once, in order.
  static void ExpectDense(grpc::ClientReader<pb::SubscribeResponse>& reader, uint64_t after, uint64_t last) {
    uint64_t expected = after + 1;
    pb::SubscribeResponse response;
    while (expected <= last && reader.Read(&response)) {
      for (const std::string& bytes : response.batch().records()) {
        pb::Record record;
        ASSERT_TRUE(record.ParseFromString(bytes));
        ASSERT_EQ(record.header().position(), expected);
        ++expected;
      }
    }
    EXPECT_EQ(expected, last + 1);
  }

  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<LedgerServiceImpl> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

TEST_F(StreamTest, MessagesApplyInTheirOrderWhateverTheirSize) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  auto stub = Stub();
  grpc::ClientContext context;
  auto stream = stub->AppendStream(&context);
  constexpr uint64_t kMessages = 300;
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kMessages; ++i) {
      pb::AppendRequest request = Contact(absl::StrCat("r-", i), "c-1", "liu");
      // Large and small in turn: what takes long to prepare must not be overtaken.
      const int extra = i % 2 == 0 ? 0 : static_cast<int>(random() % 200);
      for (int j = 0; j < extra; ++j) *request.add_events() = request.events(0);
      request.mutable_events(0)->mutable_event()->set_note(absl::StrCat(i));
      stream->Write(Message(i, request));
    }
    stream->WritesDone();
  });
  pb::AppendStreamResponse response;
  uint64_t answered = 0;
  uint64_t position = 2;
  while (stream->Read(&response)) {
    ++answered;
    ASSERT_EQ(response.correlation(), answered);
    ASSERT_TRUE(response.has_appended()) << response.refused().message();
    ASSERT_EQ(response.appended().events(0).position(), position + 1);
    position = response.appended().position().position();
    ASSERT_EQ(RecordAt(response.appended().events(0).position()).event().note(), absl::StrCat(answered));
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answered, kMessages);
}

TEST_F(StreamTest, ARefusalIsAnAnswerAndTheStreamGoesOn) {
  auto stub = Stub();
  grpc::ClientContext context;
  auto stream = stub->AppendStream(&context);
  pb::AppendRequest strict = Contact("r-2", "c-9", "liu");
  strict.mutable_checks(0)->mutable_exists();
  pb::AppendRequest malformed = Contact("r-3", "c-1", "liu");
  malformed.clear_checks();
  stream->Write(Message(1, Contact("r-1", "c-1", "liu")));
  stream->Write(Message(2, strict));
  stream->Write(Message(3, malformed));
  stream->Write(Message(4, Contact("r-4", "c-1", "liu")));
  stream->WritesDone();
  std::vector<bool> appended;
  pb::AppendStreamResponse response;
  while (stream->Read(&response)) {
    EXPECT_EQ(response.correlation(), appended.size() + 1);
    appended.push_back(response.has_appended());
  }
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(appended, (std::vector<bool>{true, false, false, true}));
}

TEST_F(StreamTest, AProducersStreamEndsWithItsFirstRefusal) {
  const auto imported = [](uint64_t number, bool good) {
    pb::AppendRequest request = Contact("", "c-1", "");
    request.mutable_events(0)->mutable_event()->mutable_evidence()->set_record_number(number);
    if (!good) request.clear_checks();
    pb::AppendStreamRequest message = Message(number, request);
    message.set_producer("import:f");
    message.set_producer_sequence(number);
    return message;
  };
  auto stub = Stub();
  grpc::ClientContext context;
  auto stream = stub->AppendStream(&context);
  for (uint64_t i = 1; i <= 10; ++i) {
    if (!stream->Write(imported(i, i != 3))) break;
  }
  stream->WritesDone();
  pb::AppendStreamResponse response;
  std::vector<uint64_t> appended;
  while (stream->Read(&response)) {
    if (response.has_appended()) appended.push_back(response.correlation());
  }
  EXPECT_FALSE(stream->Finish().ok());
  EXPECT_EQ(appended, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(log_->Producer(log_->FindLedger("l")->number, "import:f")->first, 2u);
}

TEST_F(StreamTest, OverloadIsBackPressureAndNeverAHole) {
  gated_->Close();
  auto stub = Stub();
  grpc::ClientContext context;
  auto stream = stub->AppendStream(&context);
  constexpr uint64_t kMessages = 2'000;
  std::atomic<uint64_t> written{0};
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kMessages; ++i) {
      pb::AppendRequest request = Contact(absl::StrCat("r-", i), "c-1", "liu");
      // Ten kilobytes each: more than the connection's window, so that a server that stops reading is felt.
      for (int j = 0; j < 64; ++j) *request.add_events() = request.events(0);
      if (!stream->Write(Message(i, request))) break;
      ++written;
    }
    stream->WritesDone();
  });
  gated_->AwaitCommitAtGate();
  gated_->Open();
  pb::AppendStreamResponse response;
  uint64_t answered = 0;
  while (stream->Read(&response)) {
    ASSERT_EQ(response.correlation(), ++answered);
    ASSERT_TRUE(response.has_appended()) << response.refused().message();
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(answered, kMessages);
}

TEST_F(StreamTest, WantOfDiskEndsTheStreamWithoutAHole) {
  auto stub = Stub();
  grpc::ClientContext context;
  auto stream = stub->AppendStream(&context);
  pb::AppendStreamResponse response;
  stream->Write(Message(1, Contact("r-1", "c-1", "liu")));
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_TRUE(response.has_appended());
  gated_->RefuseAppends(absl::ResourceExhaustedError("DISK_NEARLY_FULL: injected"));
  stream->Write(Message(2, Contact("r-2", "c-1", "liu")));
  stream->Write(Message(3, Contact("r-3", "c-1", "liu")));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Position(), 3u);
}

TEST_F(StreamTest, AfterAnUnknownOutcomeTheStreamEndsAndARetrySettlesIt) {
  gated_->FailCommits();
  auto stub = Stub();
  grpc::ClientContext context;
  auto stream = stub->AppendStream(&context);
  stream->Write(Message(1, Contact("r-1", "c-1", "liu")));
  stream->Write(Message(2, Contact("r-2", "c-1", "liu")));
  pb::AppendStreamResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  StopServer();
  Restart();
  const auto retried = Append(Contact("r-1", "c-1", "liu"));
  EXPECT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(Position(), 3u);
}

TEST_F(StreamTest, AppendsRaceTheSwitchFromCatchingUpToLive) {
  constexpr int kEvents = 3'000;
  std::thread writer([&] {
    for (int i = 0; i < kEvents; i += 10) {
      pb::AppendRequest request = Contact(absl::StrCat("r-", i), absl::StrCat("c-", i % 7), "liu");
      for (int j = 1; j < 10; ++j) *request.add_events() = request.events(0);
      ASSERT_TRUE(Append(request).ok());
    }
  });
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::vector<std::thread> readers;
  for (unsigned r = 0; r < 8; ++r) {
    readers.emplace_back([this, r, seed] {
      std::mt19937 random(seed + r);
      // Each begins somewhere within what there is by then.
      const uint64_t after = random() % Position();
      auto stub = Stub();
      grpc::ClientContext context;
      pb::SubscribeRequest request;
      request.set_ledger("l");
      request.mutable_after()->set_position(after);
      auto reader = stub->Subscribe(&context, request);
      ExpectDense(*reader, after, kEvents + 2);
      context.TryCancel();
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
}

TEST_F(StreamTest, SaysWhenItHasCaughtUpAndGoesOnLive) {
  auto stub = Stub();
  grpc::ClientContext context;
  pb::SubscribeRequest request;
  request.set_ledger("l");
  auto reader = stub->Subscribe(&context, request);
  pb::SubscribeResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.batch().records_size(), 2);
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.has_caught_up());
  EXPECT_EQ(response.position().position(), 2u);
  ASSERT_TRUE(Append(Contact("r-1", "c-1", "liu")).ok());
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.batch().records_size(), 1);
  EXPECT_EQ(response.position().position(), 3u);
  EXPECT_EQ(response.position().lineage(), log_->lineage());
  context.TryCancel();
}

TEST_F(StreamTest, SendsCheckpointsWhereNothingMatches) {
  for (int i = 0; i < 25; ++i) {
    pb::AppendRequest request = Contact(absl::StrCat("r-", i), "c-1", "liu");
    for (int j = 1; j < 1'000; ++j) *request.add_events() = request.events(0);
    ASSERT_TRUE(Append(request).ok());
  }
  auto stub = Stub();
  grpc::ClientContext context;
  pb::SubscribeRequest request;
  request.set_ledger("l");
  request.mutable_filter()->add_event_types(pb::Event::kDealRecordedFieldNumber);
  auto reader = stub->Subscribe(&context, request);
  pb::SubscribeResponse response;
  int checkpoints = 0;
  uint64_t reached = 0;
  while (reader->Read(&response) && !response.has_caught_up()) {
    EXPECT_FALSE(response.has_batch());
    EXPECT_GT(response.position().position(), reached);
    reached = response.position().position();
    ++checkpoints;
  }
  EXPECT_GE(checkpoints, 3);
  EXPECT_EQ(reached, 25'002u);
  context.TryCancel();
}

// Kilobytes of memory this process holds.
uint64_t ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6));
  }
  return 0;
}

TEST_F(StreamTest, FiftyReadersThatStopReadingCostNobodyAnything) {
  std::vector<std::unique_ptr<pb::LedgerService::Stub>> stubs;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<pb::SubscribeResponse>>> readers;
  for (int i = 0; i < 50; ++i) {
    stubs.push_back(Stub());
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    pb::SubscribeRequest request;
    request.set_ledger("l");
    readers.push_back(stubs.back()->Subscribe(contexts.back().get(), request));
    pb::SubscribeResponse first;
    ASSERT_TRUE(readers.back()->Read(&first));
  }
  // From here on nobody reads. Forty megabytes go by, which would be two gigabytes if each reader had them buffered.
  const auto append = [this](int from, int to) {
    for (int i = from; i < to; ++i) {
      pb::AppendRequest request = Contact(absl::StrCat("r-", i), "c-1", "liu");
      request.mutable_events(0)->mutable_event()->mutable_contact_logged()->set_content(
          std::string(1'000, 'x'));
      for (int j = 1; j < 1'000; ++j) *request.add_events() = request.events(0);
      const auto outcome = Append(request);
      ASSERT_TRUE(outcome.ok()) << outcome.status();
    }
  };
  // By now every reader has a batch on its way that nobody takes, and what the connection holds.
  append(0, 20);
  const uint64_t before = ResidentKilobytes();
  append(20, 60);
  const uint64_t after = ResidentKilobytes();
  // The log's own memtables and caches may grow by what was written a few times over; buffers for each reader would
  // grow by fifty times as much.
  EXPECT_LT(after, before + 300 * 1024);
  // A reader that goes on is served everything from the log.
  ExpectDense(*readers[0], 2, 60'002);
  for (auto& context : contexts) context->TryCancel();
}

TEST_F(StreamTest, EndsCleanlyAtShutdown) {
  auto stub = Stub();
  grpc::ClientContext context;
  pb::SubscribeRequest request;
  request.set_ledger("l");
  auto reader = stub->Subscribe(&context, request);
  pb::SubscribeResponse response;
  while (reader->Read(&response) && !response.has_caught_up()) {
  }
  grpc::ClientContext append_context;
  auto appending = stub->AppendStream(&append_context);
  appending->Write(Message(1, Contact("r-1", "c-1", "liu")));
  pb::AppendStreamResponse answer;
  ASSERT_TRUE(appending->Read(&answer));
  std::thread stopping([this] { StopServer(); });
  while (reader->Read(&response)) {
  }
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("stopping"));
  EXPECT_FALSE(appending->Read(&answer));
  EXPECT_EQ(appending->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  stopping.join();
}

TEST_F(StreamTest, RefusesWhatCannotBeFollowed) {
  const auto status_of = [this](const pb::SubscribeRequest& request) {
    auto stub = Stub();
    grpc::ClientContext context;
    auto reader = stub->Subscribe(&context, request);
    pb::SubscribeResponse response;
    EXPECT_FALSE(reader->Read(&response));
    return reader->Finish();
  };
  pb::SubscribeRequest request;
  request.set_ledger("nowhere");
  EXPECT_EQ(status_of(request).error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_ledger("l");
  request.mutable_after()->set_position(99);
  EXPECT_EQ(status_of(request).error_code(), grpc::StatusCode::OUT_OF_RANGE);
  request.mutable_after()->set_position(0);
  request.mutable_after()->set_lineage("another lineage.");
  EXPECT_EQ(status_of(request).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  request.clear_after();
  request.mutable_filter()->add_event_types(0);
  EXPECT_EQ(status_of(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(StreamTest, APrincipalThatCouldNotBeReadBackIsRefused) {
  auto stub = Stub();
  {
    grpc::ClientContext context;
    context.AddMetadata("customerledger-principal", std::string(200, 'x'));
    pb::AppendResponse response;
    EXPECT_EQ(stub->Append(&context, Contact("r-1", "c-1", "liu"), &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(Position(), 2u);
  grpc::ClientContext context;
  context.AddMetadata("customerledger-principal", "front-desk");
  pb::AppendResponse response;
  ASSERT_TRUE(stub->Append(&context, Contact("r-1", "c-1", "liu"), &response).ok());
  EXPECT_EQ(RecordAt(3).header().who().principal(), "front-desk");
}

TEST_F(StreamTest, ManyFailingChecksFitIntoTheTrailers) {
  pb::AppendRequest request = Contact("r-1", "c-0", "liu");
  for (int i = 1; i < 300; ++i) {
    const pb::AppendRequest more = Contact("", absl::StrCat("customer-with-a-long-name-", i), "liu");
    *request.add_events() = more.events(0);
    *request.add_checks() = more.checks(0);
  }
  for (pb::SubjectCheck& check : *request.mutable_checks()) check.mutable_exists();
  auto stub = Stub();
  grpc::ClientContext context;
  pb::AppendResponse response;
  const grpc::Status status = stub->Append(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(status.error_message(), HasSubstr("bytes more"));
}

TEST_F(StreamTest, PagesOfTheLogForwardAndBackward) {
  for (int i = 0; i < 25; ++i) {
    ASSERT_TRUE(Append(Contact(absl::StrCat("r-", i), absl::StrCat("c-", i % 2), "liu")).ok());
  }
  auto stub = Stub();
  for (const pb::ReadDirection direction : {pb::READ_DIRECTION_FORWARD, pb::READ_DIRECTION_BACKWARD}) {
    std::vector<uint64_t> positions;
    pb::ReadLogRequest request;
    request.set_ledger("l");
    request.set_direction(direction);
    request.set_page_size(4);
    do {
      grpc::ClientContext context;
      pb::ReadLogResponse response;
      ASSERT_TRUE(stub->ReadLog(&context, request, &response).ok());
      for (const std::string& bytes : response.records()) {
        pb::Record record;
        ASSERT_TRUE(record.ParseFromString(bytes));
        positions.push_back(record.header().position());
      }
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    ASSERT_EQ(positions.size(), 27u);
    EXPECT_EQ(positions.front(), direction == pb::READ_DIRECTION_FORWARD ? 1u : 27u);
    EXPECT_TRUE(direction == pb::READ_DIRECTION_FORWARD
                    ? std::is_sorted(positions.begin(), positions.end())
                    : std::is_sorted(positions.rbegin(), positions.rend()));
  }
  pb::ReadSubjectRequest request;
  request.set_ledger("l");
  request.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  request.mutable_subject()->set_id("c-0");
  request.set_page_size(5);
  uint64_t seen = 0;
  do {
    grpc::ClientContext context;
    pb::ReadSubjectResponse response;
    ASSERT_TRUE(stub->ReadSubject(&context, request, &response).ok());
    EXPECT_EQ(response.version(), 13u);
    seen += static_cast<uint64_t>(response.records_size());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, 13u);
  // A token belongs to its question.
  pb::ReadLogRequest other;
  other.set_ledger("l");
  other.set_page_token("bm9uc2Vuc2U");
  grpc::ClientContext context;
  pb::ReadLogResponse response;
  EXPECT_EQ(stub->ReadLog(&context, other, &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace ledger::services
