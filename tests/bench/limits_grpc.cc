#include "tests/bench/limits_grpc.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/query_service.grpc.pb.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

namespace ledger::bench {
namespace {

namespace pb = ::customerledger::v1;

// Writes the same messages, one after the other.
class Replay : public grpc::ServerWriteReactor<pb::SubscribeResponse> {
 public:
  explicit Replay(const std::vector<pb::SubscribeResponse>& messages) : messages_(messages) { Next(); }
  void OnWriteDone(bool ok) override {
    if (ok) {
      Next();
    } else {
      Finish(grpc::Status::CANCELLED);
    }
  }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (next_ == messages_.size()) {
      Finish(grpc::Status::OK);
    } else {
      StartWrite(&messages_[next_++]);
    }
  }

  const std::vector<pb::SubscribeResponse>& messages_;
  size_t next_ = 0;
};

class BareLedgerService : public pb::LedgerService::CallbackService {
 public:
  BareLedgerService(const BareAnswers& answers, GroupCommitter* committer)
      : answers_(answers), committer_(committer) {}

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context, const pb::AppendRequest*,
                                   pb::AppendResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    *response = answers_.append;
    if (committer_ == nullptr) {
      reactor->Finish(grpc::Status::OK);
    } else {
      committer_->Submit([reactor](const absl::Status& status) {
        reactor->Finish(status.ok()
                            ? grpc::Status::OK
                            : grpc::Status(grpc::StatusCode::UNAVAILABLE, std::string(status.message())));
      });
    }
    return reactor;
  }

  grpc::ServerWriteReactor<pb::SubscribeResponse>* Subscribe(grpc::CallbackServerContext*,
                                                             const pb::SubscribeRequest*) override {
    return new Replay(answers_.log);
  }

 private:
  const BareAnswers& answers_;
  GroupCommitter* const committer_;
};

class BareQueryService : public pb::QueryService::CallbackService {
 public:
  explicit BareQueryService(const BareAnswers& answers) : answers_(answers) {}

  grpc::ServerUnaryReactor* GetOwner(grpc::CallbackServerContext* context, const pb::GetOwnerRequest*,
                                     pb::GetOwnerResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    *response = answers_.owner;
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  const BareAnswers& answers_;
};

}  // namespace

struct BareServer::Rep {
  Rep(BareAnswers given, GroupCommitter* committer)
      : answers(std::move(given)), ledger(answers, committer), query(answers) {}
  const BareAnswers answers;
  BareLedgerService ledger;
  BareQueryService query;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

BareServer::BareServer(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}

BareServer::~BareServer() {
  rep_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
}

const std::string& BareServer::address() const { return rep_->address; }

absl::StatusOr<std::unique_ptr<BareServer>> BareServer::Start(BareAnswers answers,
                                                              GroupCommitter* committer) {
  auto rep = std::make_unique<Rep>(std::move(answers), committer);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&rep->ledger);
  builder.RegisterService(&rep->query);
  rep->server = builder.BuildAndStart();
  if (rep->server == nullptr || port == 0) return absl::UnavailableError("cannot listen on 127.0.0.1");
  rep->address = absl::StrCat("127.0.0.1:", port);
  return std::unique_ptr<BareServer>(new BareServer(std::move(rep)));
}

}  // namespace ledger::bench
