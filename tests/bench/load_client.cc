#include "tests/bench/load_client.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "customerledger/v1/query_service.grpc.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "projections/policy/policy_file.h"
#include "storage/mutex.h"
#include "storage/status_macros.h"

namespace ledger::bench {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kProjections[][9] = {"owner", "tier", "callback"};

absl::Status ToAbsl(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

double PerSecond(uint64_t count, absl::Duration time) {
  return static_cast<double>(count) / std::max(absl::ToDoubleSeconds(time), 1e-9);
}

// Calls that start their successor when they end, until the time is over.
class UnaryLoad {
 public:
  UnaryLoad(pb::LedgerService::Stub& stub, Workload& workload, int in_flight)
      : stub_(stub), workload_(workload), calls_(static_cast<size_t>(in_flight)) {}

  absl::StatusOr<double> Run(absl::Duration time, pb::AppendResponse* answer) {
    const absl::Time start = absl::Now();
    deadline_ = start + time;
    {
      MutexLock lock(mutex_);
      running_ = calls_.size();
    }
    for (Call& call : calls_) Start(call);
    MutexLock lock(mutex_);
    while (running_ > 0) ended_.Wait(mutex_);
    LEDGER_RETURN_IF_ERROR(error_);
    if (answer != nullptr) *answer = calls_[0].response;
    return PerSecond(acknowledged_.load(), time);
  }

 private:
  struct Call {
    std::optional<grpc::ClientContext> context;
    pb::AppendRequest request;
    pb::AppendResponse response;
  };

  void Start(Call& call) {
    call.context.emplace();
    workload_.Fill(1, &call.request);
    stub_.async()->Append(&*call.context, &call.request, &call.response,
                          [this, &call](const grpc::Status& status) { Ended(call, status); });
  }

  void Ended(Call& call, const grpc::Status& status) {
    const bool in_time = absl::Now() < deadline_;
    if (status.ok() && in_time) {
      acknowledged_.fetch_add(1);
      Start(call);
      return;
    }
    MutexLock lock(mutex_);
    if (!status.ok() && error_.ok()) error_ = ToAbsl(status);
    if (--running_ == 0) ended_.NotifyAll();
  }

  pb::LedgerService::Stub& stub_;
  Workload& workload_;
  std::vector<Call> calls_;
  absl::Time deadline_;
  std::atomic<uint64_t> acknowledged_{0};
  Mutex mutex_;
  CondVar ended_;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

// One AppendStream call. Writes while fewer than `window` messages are unanswered and the time is not over.
class StreamLoad : public grpc::ClientBidiReactor<pb::AppendStreamRequest, pb::AppendStreamResponse> {
 public:
  StreamLoad(Workload& workload, int events, int window, absl::Time deadline, uint64_t messages_max)
      : workload_(workload),
        events_(events),
        window_(window),
        deadline_(deadline),
        messages_max_(messages_max) {}

  void Start(pb::LedgerService::Stub& stub) {
    stub.async()->AppendStream(&context_, this);
    {
      MutexLock lock(mutex_);
      StartRead(&response_);
      Advance();
    }
    StartCall();
  }

  // Waits for the end of the call; the events that were acknowledged before the deadline.
  absl::StatusOr<uint64_t> Join() {
    MutexLock lock(mutex_);
    while (!done_) ended_.Wait(mutex_);
    LEDGER_RETURN_IF_ERROR(error_);
    return acknowledged_;
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    if (ok) Advance();
  }

  void OnReadDone(bool ok) override {
    MutexLock lock(mutex_);
    if (!ok) return;
    if (!response_.has_appended()) {
      if (error_.ok()) error_ = absl::InternalError(response_.refused().message());
      context_.TryCancel();
      return;
    }
    --unanswered_;
    if (absl::Now() < deadline_) acknowledged_ += static_cast<uint64_t>(events_);
    StartRead(&response_);
    Advance();
  }

  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    if (error_.ok()) error_ = ToAbsl(status);
    done_ = true;
    ended_.NotifyAll();
  }

 private:
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (sent_ >= messages_max_ || absl::Now() >= deadline_) {
      if (unanswered_ > 0) return;
      finished_ = true;
      StartWritesDone();
      return;
    }
    if (unanswered_ >= window_) return;
    request_.set_correlation(++sent_);
    workload_.Fill(events_, request_.mutable_append());
    ++unanswered_;
    writing_ = true;
    StartWrite(&request_);
  }

  Workload& workload_;
  const int events_;
  const int window_;
  const absl::Time deadline_;
  const uint64_t messages_max_;
  grpc::ClientContext context_;
  pb::AppendStreamRequest request_;    // gRPC's while writing_
  pb::AppendStreamResponse response_;  // gRPC's while reading
  Mutex mutex_;
  CondVar ended_;
  uint64_t sent_ ABSL_GUARDED_BY(mutex_) = 0;
  int unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

struct LoadClient::Stubs {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<pb::LedgerService::Stub> ledger;
  std::unique_ptr<pb::QueryService::Stub> query;
  std::unique_ptr<pb::OperationsService::Stub> operations;
};

LoadClient::LoadClient(const std::string& address) : stubs_(std::make_unique<Stubs>()) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  // Otherwise clients of one process share a connection.
  arguments.SetInt("grpc.use_local_subchannel_pool", 1);
  stubs_->channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  stubs_->ledger = pb::LedgerService::NewStub(stubs_->channel);
  stubs_->query = pb::QueryService::NewStub(stubs_->channel);
  stubs_->operations = pb::OperationsService::NewStub(stubs_->channel);
}

LoadClient::~LoadClient() = default;

absl::StatusOr<uint64_t> LoadClient::CreateLedger(const std::string& name, const std::string& policy_file) {
  std::ifstream file(policy_file, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return absl::NotFoundError(absl::StrCat("cannot read ", policy_file));
  std::vector<policy::PolicyFileError> errors;
  pb::CreateLedgerRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_policy(), policy::ParsePolicyText(text.str(), &errors));
  request.set_name(name);
  request.set_request_id(absl::StrCat("create-", name));
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  pb::CreateLedgerResponse response;
  LEDGER_RETURN_IF_ERROR(ToAbsl(stubs_->operations->CreateLedger(&context, request, &response)));
  return response.ledger().position().position();
}

absl::StatusOr<double> LoadClient::AppendUnary(Workload& workload, int in_flight, absl::Duration time,
                                               pb::AppendResponse* answer) {
  return UnaryLoad(*stubs_->ledger, workload, in_flight).Run(time, answer);
}

absl::StatusOr<double> LoadClient::AppendStreams(const std::vector<Workload*>& workloads,
                                                 int events_per_message, int window, absl::Duration time,
                                                 uint64_t messages_max) {
  const absl::Time start = absl::Now();
  const absl::Time deadline = start + time;
  std::vector<std::unique_ptr<StreamLoad>> streams;
  for (Workload* workload : workloads) {
    streams.push_back(
        std::make_unique<StreamLoad>(*workload, events_per_message, window, deadline, messages_max));
  }
  for (auto& stream : streams) stream->Start(*stubs_->ledger);
  uint64_t events = 0;
  absl::Status error;
  for (auto& stream : streams) {
    const absl::StatusOr<uint64_t> acknowledged = stream->Join();
    if (!acknowledged.ok() && error.ok()) error = acknowledged.status();
    events += acknowledged.value_or(0);
  }
  LEDGER_RETURN_IF_ERROR(error);
  return PerSecond(events, std::min(absl::Now(), deadline) - start);
}

absl::StatusOr<LoadClient::CatchUpResult> LoadClient::CatchUp(const std::string& ledger,
                                                              std::vector<pb::SubscribeResponse>* messages) {
  CatchUpResult result;
  grpc::ClientContext context;
  pb::SubscribeRequest request;
  request.set_ledger(ledger);
  const absl::Time start = absl::Now();
  const auto reader = stubs_->ledger->Subscribe(&context, request);
  pb::SubscribeResponse message;
  bool caught_up = false;
  while (!caught_up && reader->Read(&message)) {
    for (const std::string& record : message.batch().records()) result.bytes += record.size();
    result.events += static_cast<uint64_t>(message.batch().records_size());
    caught_up = message.has_caught_up();
    if (messages != nullptr) messages->push_back(message);
  }
  result.time = absl::Now() - start;
  context.TryCancel();
  const grpc::Status status = reader->Finish();
  if (!caught_up)
    return absl::UnavailableError(absl::StrCat("the log ended early: ", status.error_message()));
  return result;
}

absl::StatusOr<absl::Duration> LoadClient::Rebuild(const std::string& ledger) {
  const absl::Time start = absl::Now();
  std::vector<std::thread> threads;
  std::vector<absl::Status> outcomes(std::size(kProjections));
  for (size_t i = 0; i < std::size(kProjections); ++i) {
    threads.emplace_back([this, &ledger, i, outcome = &outcomes[i]] {
      grpc::ClientContext context;
      pb::RebuildProjectionRequest request;
      request.set_ledger(ledger);
      request.set_projection(kProjections[i]);
      const auto reader = stubs_->operations->RebuildProjection(&context, request);
      pb::RebuildProjectionResponse progress;
      while (reader->Read(&progress)) {
      }
      *outcome = ToAbsl(reader->Finish());
      if (outcome->ok() && progress.state() != pb::REBUILD_STATE_SWITCHED) {
        *outcome = absl::InternalError(absl::StrCat("no switch: ", progress.error()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& outcome : outcomes) LEDGER_RETURN_IF_ERROR(outcome);
  return absl::Now() - start;
}

absl::StatusOr<std::vector<double>> LoadClient::AskOwners(Workload& workload, int count,
                                                          pb::GetOwnerResponse* answer) {
  std::vector<double> micros;
  micros.reserve(static_cast<size_t>(count));
  pb::GetOwnerRequest request;
  request.mutable_query()->set_ledger(workload.ledger());
  pb::GetOwnerResponse response;
  for (int i = 0; i < count; ++i) {
    request.mutable_query()->set_customer_id(workload.RandomCustomer());
    grpc::ClientContext context;
    const absl::Time start = absl::Now();
    const grpc::Status status = stubs_->query->GetOwner(&context, request, &response);
    micros.push_back(absl::ToDoubleMicroseconds(absl::Now() - start));
    LEDGER_RETURN_IF_ERROR(ToAbsl(status));
  }
  if (answer != nullptr) *answer = response;
  return micros;
}

absl::StatusOr<uint64_t> LoadClient::ProjectionLag(const std::string& ledger) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  pb::GetStatusRequest request;
  request.set_ledger(ledger);
  pb::GetStatusResponse response;
  LEDGER_RETURN_IF_ERROR(ToAbsl(stubs_->operations->GetStatus(&context, request, &response)));
  uint64_t lag = 0;
  for (const pb::ProjectionStatus& projection : response.projections()) {
    lag = std::max(
        lag, projection.log_position() - std::min(projection.applied_position(), projection.log_position()));
  }
  return lag;
}

absl::Status LoadClient::WaitUntilProjected(const std::string& ledger) {
  while (true) {
    LEDGER_ASSIGN_OR_RETURN(const uint64_t lag, ProjectionLag(ledger));
    if (lag == 0) return absl::OkStatus();
    absl::SleepFor(absl::Milliseconds(50));  // asking costs the server something
  }
}

}  // namespace ledger::bench
