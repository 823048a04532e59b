#pragma once

#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/operations_service.pb.h"
#include "customerledger/v1/query_service.pb.h"

namespace ledger::ctl {

// How a fake call ends: the code is a grpc::StatusCode; a reason becomes an ErrorInfo.
struct FakeError {
  int code = 0;
  std::string message;
  std::string reason;
};

// What the fake services answer and what arrived. Set before the call; read after it.
struct FakeLedger {
  FakeError error;  // not 0: every call except GetLedger ends so

  // Answers.
  customerledger::v1::GetLedgerResponse ledger;
  customerledger::v1::AppendResponse appended;
  std::vector<customerledger::v1::ReadLogResponse> log_pages;
  std::vector<customerledger::v1::SubscribeResponse> subscription;
  bool subscription_stays_open = false;  // until the caller goes away
  std::function<void()> on_subscribed;   // runs once the answers above were sent; may be empty
  customerledger::v1::GetOwnerResponse owner;
  customerledger::v1::GetTierResponse tier;
  customerledger::v1::GetNextCallbackResponse callback;
  customerledger::v1::GetHistoryResponse history;
  customerledger::v1::GetRegistrationResponse registration;
  customerledger::v1::GetDutiesResponse duties;
  std::vector<customerledger::v1::ListDueCallbacksResponse> callback_pages;
  std::vector<customerledger::v1::ListCustomersResponse> customer_pages;
  customerledger::v1::ListPoolResponse pool;
  customerledger::v1::SearchCustomersResponse found;
  customerledger::v1::GetStatsResponse stats;
  customerledger::v1::GetCreditResponse credit;
  customerledger::v1::ListDealQueueResponse queue;
  customerledger::v1::GetReceptionResponse reception;
  customerledger::v1::ListLedgersResponse ledgers;
  customerledger::v1::GetStatusResponse status;
  std::vector<customerledger::v1::RebuildProjectionResponse> rebuild;
  std::vector<customerledger::v1::VerifyResponse> verify;
  std::vector<customerledger::v1::BackupResponse> backup;
  // Refuses messages of AppendStream whose request_id is listed.
  std::map<std::string, customerledger::v1::ErrorStatus> refused;

  // What arrived.
  std::vector<customerledger::v1::AppendRequest> appends;
  std::vector<customerledger::v1::AppendStreamRequest> streamed;
  std::vector<customerledger::v1::ReadLogRequest> log_reads;
  customerledger::v1::SubscribeRequest subscribe;
  customerledger::v1::GetOwnerRequest get_owner;
  customerledger::v1::GetTierRequest get_tier;
  customerledger::v1::GetNextCallbackRequest get_callback;
  customerledger::v1::GetHistoryRequest get_history;
  customerledger::v1::GetRegistrationRequest get_registration;
  customerledger::v1::GetDutiesRequest get_duties;
  std::vector<customerledger::v1::ListDueCallbacksRequest> list_callbacks;
  std::vector<customerledger::v1::ListCustomersRequest> list_customers;
  customerledger::v1::ListPoolRequest list_pool;
  customerledger::v1::SearchCustomersRequest search;
  customerledger::v1::GetStatsRequest get_stats;
  customerledger::v1::GetCreditRequest get_credit;
  customerledger::v1::ListDealQueueRequest list_queue;
  customerledger::v1::GetReceptionRequest get_reception;
  customerledger::v1::CreateLedgerRequest create;
  customerledger::v1::GetStatusRequest get_status;
  customerledger::v1::RebuildProjectionRequest rebuild_request;
  customerledger::v1::RollBackProjectionRequest roll_back;
  customerledger::v1::VerifyRequest verify_request;
  customerledger::v1::BackupRequest backup_request;
};

// The three services on a port of this machine. `fake` must outlive it.
class FakeServer {
 public:
  explicit FakeServer(FakeLedger* fake);
  ~FakeServer();
  std::string address() const;

 private:
  struct Services;
  std::unique_ptr<Services> services_;
};

// What one run of ledgerctl left behind.
struct Outcome {
  int exit_code;
  std::string out;
  std::string err;
};

// Runs ledgerctl against a fake server, with the ledger "demo" in a zone eight hours east of UTC, at noon
// there on 1 March 2026.
class CtlHarness {
 public:
  CtlHarness();
  Outcome Run(std::vector<std::string> args, const std::string& input = "");
  // As Run, without a server to talk to.
  static Outcome RunAlone(const std::vector<std::string>& args, const std::string& input = "");

  FakeLedger fake;

 private:
  FakeServer server_;
};

}  // namespace ledger::ctl
