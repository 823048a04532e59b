#include "tests/services/ctl/fake_server.h"

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/error.pb.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "customerledger/v1/query_service.grpc.pb.h"
#include "services/ctl/run.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

grpc::Status ToStatus(const FakeError& error) {
  if (error.code == 0) return grpc::Status::OK;
  pb::ErrorStatus details;
  details.set_code(error.code);
  details.set_message(error.message);
  if (!error.reason.empty()) {
    pb::ErrorInfo info;
    info.set_reason(error.reason);
    info.set_domain("customerledger");
    auto* any = details.add_details();
    any->set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
    any->set_value(info.SerializeAsString());
  }
  return grpc::Status(static_cast<grpc::StatusCode>(error.code), error.message, details.SerializeAsString());
}

template <typename Request, typename Response>
grpc::Status Answer(const FakeLedger* fake, const Request* request, Request* seen, const Response& answer,
                    Response* response) {
  *seen = *request;
  *response = answer;
  return ToStatus(fake->error);
}

// Pages are numbered by their tokens: "" is page 0.
template <typename Request, typename Response>
grpc::Status Page(const FakeLedger* fake, const Request* request, std::vector<Request>* seen,
                  const std::vector<Response>& pages, Response* response) {
  seen->push_back(*request);
  const size_t page = request->page_token().empty() ? 0 : std::stoul(request->page_token());
  if (page < pages.size()) *response = pages[page];
  if (page + 1 < pages.size()) response->set_next_page_token(absl::StrCat(page + 1));
  return ToStatus(fake->error);
}

template <typename Response>
grpc::Status Send(const FakeLedger* fake, const std::vector<Response>& responses,
                  grpc::ServerWriter<Response>* writer) {
  for (const Response& response : responses) writer->Write(response);
  return ToStatus(fake->error);
}

class FakeLedgerService final : public pb::LedgerService::Service {
 public:
  explicit FakeLedgerService(FakeLedger* fake) : fake_(fake) {}

  grpc::Status Append(grpc::ServerContext*, const pb::AppendRequest* request,
                      pb::AppendResponse* response) override {
    fake_->appends.push_back(*request);
    *response = fake_->appended;
    return ToStatus(fake_->error);
  }
  grpc::Status AppendStream(
      grpc::ServerContext*,
      grpc::ServerReaderWriter<pb::AppendStreamResponse, pb::AppendStreamRequest>* stream) override {
    pb::AppendStreamRequest request;
    uint64_t position = 0;
    while (stream->Read(&request)) {
      fake_->streamed.push_back(request);
      pb::AppendStreamResponse response;
      response.set_correlation(request.correlation());
      const auto refused = fake_->refused.find(request.append().request_id());
      if (refused != fake_->refused.end()) {
        *response.mutable_refused() = refused->second;
      } else {
        for (int i = 0; i < request.append().events_size(); ++i) {
          response.mutable_appended()->add_events()->set_position(++position);
        }
        response.mutable_appended()->mutable_position()->set_position(position);
      }
      stream->Write(response);
    }
    return ToStatus(fake_->error);
  }
  grpc::Status ReadLog(grpc::ServerContext*, const pb::ReadLogRequest* request,
                       pb::ReadLogResponse* response) override {
    return Page(fake_, request, &fake_->log_reads, fake_->log_pages, response);
  }
  grpc::Status GetProducer(grpc::ServerContext*, const pb::GetProducerRequest*,
                           pb::GetProducerResponse*) override {
    return ToStatus(fake_->error);  // nobody imported anything yet
  }
  grpc::Status Subscribe(grpc::ServerContext* context, const pb::SubscribeRequest* request,
                         grpc::ServerWriter<pb::SubscribeResponse>* writer) override {
    fake_->subscribe = *request;
    const grpc::Status status = Send(fake_, fake_->subscription, writer);
    if (fake_->on_subscribed) fake_->on_subscribed();
    // A write to a caller that went away fails: that ends a subscription that stays open.
    while (fake_->subscription_stays_open && !context->IsCancelled()) {
      pb::SubscribeResponse heartbeat;
      heartbeat.mutable_heartbeat();
      if (!writer->Write(heartbeat)) break;
    }
    return status;
  }

 private:
  FakeLedger* const fake_;
};

class FakeQueryService final : public pb::QueryService::Service {
 public:
  explicit FakeQueryService(FakeLedger* fake) : fake_(fake) {}

  grpc::Status GetOwner(grpc::ServerContext*, const pb::GetOwnerRequest* request,
                        pb::GetOwnerResponse* response) override {
    return Answer(fake_, request, &fake_->get_owner, fake_->owner, response);
  }
  grpc::Status GetTier(grpc::ServerContext*, const pb::GetTierRequest* request,
                       pb::GetTierResponse* response) override {
    return Answer(fake_, request, &fake_->get_tier, fake_->tier, response);
  }
  grpc::Status GetRegistration(grpc::ServerContext*, const pb::GetRegistrationRequest* request,
                               pb::GetRegistrationResponse* response) override {
    return Answer(fake_, request, &fake_->get_registration, fake_->registration, response);
  }
  grpc::Status GetDuties(grpc::ServerContext*, const pb::GetDutiesRequest* request,
                         pb::GetDutiesResponse* response) override {
    return Answer(fake_, request, &fake_->get_duties, fake_->duties, response);
  }
  grpc::Status GetNextCallback(grpc::ServerContext*, const pb::GetNextCallbackRequest* request,
                               pb::GetNextCallbackResponse* response) override {
    return Answer(fake_, request, &fake_->get_callback, fake_->callback, response);
  }
  grpc::Status GetHistory(grpc::ServerContext*, const pb::GetHistoryRequest* request,
                          pb::GetHistoryResponse* response) override {
    return Answer(fake_, request, &fake_->get_history, fake_->history, response);
  }
  grpc::Status ListDueCallbacks(grpc::ServerContext*, const pb::ListDueCallbacksRequest* request,
                                pb::ListDueCallbacksResponse* response) override {
    return Page(fake_, request, &fake_->list_callbacks, fake_->callback_pages, response);
  }
  grpc::Status ListCustomers(grpc::ServerContext*, const pb::ListCustomersRequest* request,
                             pb::ListCustomersResponse* response) override {
    return Page(fake_, request, &fake_->list_customers, fake_->customer_pages, response);
  }
  grpc::Status ListPool(grpc::ServerContext*, const pb::ListPoolRequest* request,
                        pb::ListPoolResponse* response) override {
    return Answer(fake_, request, &fake_->list_pool, fake_->pool, response);
  }
  grpc::Status SearchCustomers(grpc::ServerContext*, const pb::SearchCustomersRequest* request,
                               pb::SearchCustomersResponse* response) override {
    return Answer(fake_, request, &fake_->search, fake_->found, response);
  }
  grpc::Status GetStats(grpc::ServerContext*, const pb::GetStatsRequest* request,
                        pb::GetStatsResponse* response) override {
    return Answer(fake_, request, &fake_->get_stats, fake_->stats, response);
  }
  grpc::Status GetCredit(grpc::ServerContext*, const pb::GetCreditRequest* request,
                         pb::GetCreditResponse* response) override {
    return Answer(fake_, request, &fake_->get_credit, fake_->credit, response);
  }
  grpc::Status ListDealQueue(grpc::ServerContext*, const pb::ListDealQueueRequest* request,
                             pb::ListDealQueueResponse* response) override {
    return Answer(fake_, request, &fake_->list_queue, fake_->queue, response);
  }
  grpc::Status GetReception(grpc::ServerContext*, const pb::GetReceptionRequest* request,
                            pb::GetReceptionResponse* response) override {
    return Answer(fake_, request, &fake_->get_reception, fake_->reception, response);
  }

 private:
  FakeLedger* const fake_;
};

class FakeOperationsService final : public pb::OperationsService::Service {
 public:
  explicit FakeOperationsService(FakeLedger* fake) : fake_(fake) {}

  grpc::Status CreateLedger(grpc::ServerContext*, const pb::CreateLedgerRequest* request,
                            pb::CreateLedgerResponse* response) override {
    fake_->create = *request;
    response->mutable_ledger()->set_name(request->name());
    return ToStatus(fake_->error);
  }
  grpc::Status ListLedgers(grpc::ServerContext*, const pb::ListLedgersRequest*,
                           pb::ListLedgersResponse* response) override {
    *response = fake_->ledgers;
    return ToStatus(fake_->error);
  }
  grpc::Status GetLedger(grpc::ServerContext*, const pb::GetLedgerRequest* request,
                         pb::GetLedgerResponse* response) override {
    if (request->name() != "demo") {
      return ToStatus({grpc::StatusCode::NOT_FOUND, "no such ledger", "LEDGER_NOT_FOUND"});
    }
    *response = fake_->ledger;
    return grpc::Status::OK;
  }
  grpc::Status RebuildProjection(grpc::ServerContext*, const pb::RebuildProjectionRequest* request,
                                 grpc::ServerWriter<pb::RebuildProjectionResponse>* writer) override {
    fake_->rebuild_request = *request;
    return Send(fake_, fake_->rebuild, writer);
  }
  grpc::Status RollBackProjection(grpc::ServerContext*, const pb::RollBackProjectionRequest* request,
                                  pb::RollBackProjectionResponse* response) override {
    fake_->roll_back = *request;
    response->set_generation(4);
    return ToStatus(fake_->error);
  }
  grpc::Status GetStatus(grpc::ServerContext*, const pb::GetStatusRequest* request,
                         pb::GetStatusResponse* response) override {
    return Answer(fake_, request, &fake_->get_status, fake_->status, response);
  }
  grpc::Status Verify(grpc::ServerContext*, const pb::VerifyRequest* request,
                      grpc::ServerWriter<pb::VerifyResponse>* writer) override {
    fake_->verify_request = *request;
    return Send(fake_, fake_->verify, writer);
  }
  grpc::Status Backup(grpc::ServerContext*, const pb::BackupRequest* request,
                      grpc::ServerWriter<pb::BackupResponse>* writer) override {
    fake_->backup_request = *request;
    return Send(fake_, fake_->backup, writer);
  }

 private:
  FakeLedger* const fake_;
};

}  // namespace

struct FakeServer::Services {
  explicit Services(FakeLedger* fake) : ledger(fake), query(fake), operations(fake) {}

  FakeLedgerService ledger;
  FakeQueryService query;
  FakeOperationsService operations;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

FakeServer::FakeServer(FakeLedger* fake) : services_(std::make_unique<Services>(fake)) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &services_->port);
  builder.RegisterService(&services_->ledger);
  builder.RegisterService(&services_->query);
  builder.RegisterService(&services_->operations);
  services_->server = builder.BuildAndStart();
}

FakeServer::~FakeServer() {
  if (services_->server) services_->server->Shutdown(std::chrono::system_clock::now());
}

std::string FakeServer::address() const { return absl::StrCat("127.0.0.1:", services_->port); }

CtlHarness::CtlHarness() : server_(&fake) {
  fake.ledger.mutable_ledger()->set_name("demo");
  fake.ledger.mutable_policy()->set_id("default");
  fake.ledger.mutable_policy()->set_utc_offset_seconds(8 * 3600);
}

Outcome CtlHarness::Run(std::vector<std::string> args, const std::string& input) {
  const std::vector<std::string> global = {"--server", server_.address(), "--ledger", "demo"};
  args.insert(args.begin(), global.begin(), global.end());
  return RunAlone(args, input);
}

Outcome CtlHarness::RunAlone(const std::vector<std::string>& args, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  Environment environment{&in, &out, &err};
  environment.clock = [] { return absl::FromUnixSeconds(1'772'337'600); };
  const int exit_code = RunLedgerctl(args, environment);
  return {exit_code, out.str(), err.str()};
}

}  // namespace ledger::ctl
