#pragma once

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "storage/mutex.h"

namespace ledger::ctl {

// A LedgerService in this process that keeps what imports append, by producer and sequence as the contract
// says, and misbehaves on demand. Thread-safe, apart from what is set before the first call.
class FakeLedger : public customerledger::v1::LedgerService::Service {
 public:
  // What becomes of a message that is received.
  enum class Act {
    kAppend,
    kAppendAndBreak,  // it is on disk, but the answer is lost with the connection
    kBreak,           // the connection is lost before anything happened
    kEnd,             // the stream ends cleanly and early
    kRefuse,          // a rule refuses it
    kFail,            // the call fails for good
  };

  FakeLedger() {
    grpc::ServerBuilder builder;
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    stub_ = customerledger::v1::LedgerService::NewStub(server_->InProcessChannel(grpc::ChannelArguments()));
  }
  ~FakeLedger() override { server_->Shutdown(); }

  customerledger::v1::LedgerService::StubInterface* stub() { return stub_.get(); }

  // Set before the first call. `message` counts all messages received from 1. Empty: everything is appended.
  std::function<Act(int message, const customerledger::v1::AppendStreamRequest&)> act;
  // Set before the first call. Above 0: answers are held back until so many messages wait for one, or
  // `messages_expected` have come.
  int answers_held = 0;
  int messages_expected = 0;
  // Set before the first call. GetProducer fails so often before it answers, after its first answer.
  int get_producer_failures = 0;
  // Set before the first call. Above 0: a broken connection leaves the producer's sequence at this number.
  uint64_t sequence_after_break = 0;

  std::vector<customerledger::v1::NewEvent> events() const {
    MutexLock lock(mutex_);
    return events_;
  }
  std::vector<customerledger::v1::AppendStreamRequest> appended() const {
    MutexLock lock(mutex_);
    return appended_;
  }
  int unanswered_most() const {
    MutexLock lock(mutex_);
    return unanswered_most_;
  }
  int streams() const {
    MutexLock lock(mutex_);
    return streams_;
  }

  grpc::Status GetProducer(grpc::ServerContext*, const customerledger::v1::GetProducerRequest* request,
                           customerledger::v1::GetProducerResponse* response) override {
    MutexLock lock(mutex_);
    if (request->ledger() != "book") return {grpc::StatusCode::NOT_FOUND, "no such ledger"};
    if (asked_++ > 0 && get_producer_failures-- > 0) return {grpc::StatusCode::UNAVAILABLE, "starting"};
    response->set_producer_sequence(sequences_[request->producer()]);
    return grpc::Status::OK;
  }

  grpc::Status AppendStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<customerledger::v1::AppendStreamResponse,
                               customerledger::v1::AppendStreamRequest>* stream) override {
    {
      MutexLock lock(mutex_);
      ++streams_;
    }
    std::vector<customerledger::v1::AppendStreamResponse> held;
    customerledger::v1::AppendStreamRequest request;
    while (stream->Read(&request)) {
      customerledger::v1::AppendStreamResponse answer;
      Act what = Act::kAppend;
      size_t send = 0;
      {
        MutexLock lock(mutex_);
        ++messages_;
        if (act) what = act(messages_, request);
        if (what == Act::kAppend || what == Act::kAppendAndBreak) Keep(request, &answer);
        if (what == Act::kBreak && sequence_after_break > 0) {
          sequences_[request.producer()] = sequence_after_break;
        }
        if (what == Act::kRefuse) {
          answer.mutable_refused()->set_code(static_cast<int>(grpc::StatusCode::FAILED_PRECONDITION));
          answer.mutable_refused()->set_message("not like this");
        }
        answer.set_correlation(request.correlation());
        held.push_back(answer);
        unanswered_most_ = std::max(unanswered_most_, static_cast<int>(held.size()));
        if (messages_ >= messages_expected || static_cast<int>(held.size()) >= answers_held) {
          send = held.size();
        }
      }
      if (what == Act::kAppendAndBreak || what == Act::kBreak) {
        return {grpc::StatusCode::UNAVAILABLE, "the connection is lost"};
      }
      if (what == Act::kEnd) return grpc::Status::OK;
      if (what == Act::kFail) return {grpc::StatusCode::DATA_LOSS, "stored bytes make no sense"};
      for (size_t i = 0; i < send; ++i) stream->Write(held[i]);
      held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(send));
    }
    return grpc::Status::OK;
  }

 private:
  void Keep(const customerledger::v1::AppendStreamRequest& request,
            customerledger::v1::AppendStreamResponse* answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    uint64_t& sequence = sequences_[request.producer()];
    answer->mutable_appended()->set_replayed(request.producer_sequence() <= sequence);
    if (answer->appended().replayed()) return;
    sequence = request.producer_sequence();
    appended_.push_back(request);
    for (const auto& event : request.append().events()) events_.push_back(event);
  }

  mutable Mutex mutex_;
  std::map<std::string, uint64_t> sequences_ ABSL_GUARDED_BY(mutex_);
  std::vector<customerledger::v1::NewEvent> events_ ABSL_GUARDED_BY(mutex_);
  std::vector<customerledger::v1::AppendStreamRequest> appended_ ABSL_GUARDED_BY(mutex_);
  int messages_ ABSL_GUARDED_BY(mutex_) = 0;
  int unanswered_most_ ABSL_GUARDED_BY(mutex_) = 0;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  int asked_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<customerledger::v1::LedgerService::Stub> stub_;
};

}  // namespace ledger::ctl
