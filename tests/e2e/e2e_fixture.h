#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "customerledger/v1/query_service.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"
#include "services/server/server.h"

namespace ledger::e2e {

namespace pb = ::customerledger::v1;

// The reason in a status's ErrorInfo; empty if it has none.
std::string ReasonOf(const grpc::Status& status);

// The policies that the repository ships: "default" or "recorded".
pb::Policy ShippedPolicy(const std::string& name);

// A client's context that gives up after half a minute.
class Context : public grpc::ClientContext {
 public:
  Context();
};

pb::NewEvent Registration(const std::string& customer, const std::string& staff);
pb::NewEvent Contact(const std::string& customer, const std::string& staff);

// One call of any method with bytes in and bytes out; for services whose messages are not generated here.
grpc::Status RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const std::string& request, std::string* response);

// A server of its own on a free port with a data directory of its own, and clients.
class E2eTest : public ::testing::Test {
 protected:
  E2eTest();
  ~E2eTest() override;

  void Start() { StartOn(data_); }
  void StartOn(const std::string& data);
  void Stop();
  void Restart() {
    Stop();
    Start();
  }

  pb::LedgerSummary CreateLedger(const std::string& name, const std::string& policy = "default");
  // Appends without requiring anything of the subjects. A failure fails the test.
  pb::AppendResponse Append(const std::string& ledger, const std::vector<pb::NewEvent>& events);
  grpc::Status TryAppend(const pb::AppendRequest& request, pb::AppendResponse* response);
  pb::AppendRequest Request(const std::string& ledger, const std::vector<pb::NewEvent>& events);

  grpc::Status TryGetOwner(const std::string& ledger, const std::string& customer,
                           const pb::PositionToken& min_position, pb::GetOwnerResponse* response);
  // The company-wide owner's staff id, as of `min_position` or later; "" if there is none.
  std::string OwnerOf(const std::string& ledger, const std::string& customer,
                      const pb::PositionToken& min_position);
  pb::GetHistoryResponse History(const std::string& ledger, const std::string& customer, bool personal);
  pb::LedgerSummary Summary(const std::string& ledger);

  std::string scratch_;  // removed at the end
  std::string data_;     // in it
  std::unique_ptr<services::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<pb::LedgerService::Stub> ledger_;
  std::unique_ptr<pb::QueryService::Stub> query_;
  std::unique_ptr<pb::OperationsService::Stub> operations_;

 private:
  std::atomic<uint64_t> requests_{0};
};

}  // namespace ledger::e2e
