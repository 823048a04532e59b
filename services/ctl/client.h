#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/operations_service.pb.h"
#include "customerledger/v1/query_service.pb.h"

namespace grpc {
class Channel;
}

namespace ledger::ctl {

// ledgerd's three services as plain calls. Errors carry the server's ErrorInfo and RetryInfo as payloads (see
// errors.h). Thread-safe.
class Client {
 public:
  // `timeout` bounds each call that answers once, and, if `bound_streams`, the streams too. Connects with the
  // first call.
  Client(const std::string& server, absl::Duration timeout, bool bound_streams);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const std::string& server() const { return server_; }
  std::shared_ptr<grpc::Channel> channel() const;

  // Waits until the server can be reached; kUnavailable if it cannot within `wait`.
  absl::Status WaitUntilReachable(absl::Duration wait);

  template <typename Response>
  using OnResponse = std::function<bool(const Response&)>;

  // LedgerService.
  absl::StatusOr<customerledger::v1::AppendResponse> Append(const customerledger::v1::AppendRequest& request);
  absl::StatusOr<customerledger::v1::ReadLogResponse> ReadLog(
      const customerledger::v1::ReadLogRequest& request);
  // Calls `next` for each message to send, from a thread of its own, until it returns nothing; calls
  // `on_response` for each answer. `next` may block; what it returns after the stream broke is not sent.
  absl::Status AppendStream(
      const std::function<std::optional<customerledger::v1::AppendStreamRequest>()>& next,
      const OnResponse<customerledger::v1::AppendStreamResponse>& on_response);
  // Streams end when `on_response` returns false (OK), when the server ends them, or with InterruptedError when
  // the user presses Ctrl-C.
  absl::Status Subscribe(const customerledger::v1::SubscribeRequest& request,
                         const OnResponse<customerledger::v1::SubscribeResponse>& on_response);

  // QueryService.
  absl::StatusOr<customerledger::v1::GetOwnerResponse> GetOwner(
      const customerledger::v1::GetOwnerRequest& request);
  absl::StatusOr<customerledger::v1::GetTierResponse> GetTier(
      const customerledger::v1::GetTierRequest& request);
  absl::StatusOr<customerledger::v1::GetNextCallbackResponse> GetNextCallback(
      const customerledger::v1::GetNextCallbackRequest& request);
  absl::StatusOr<customerledger::v1::GetRegistrationResponse> GetRegistration(
      const customerledger::v1::GetRegistrationRequest& request);
  absl::StatusOr<customerledger::v1::GetDutiesResponse> GetDuties(
      const customerledger::v1::GetDutiesRequest& request);
  absl::StatusOr<customerledger::v1::GetHistoryResponse> GetHistory(
      const customerledger::v1::GetHistoryRequest& request);
  absl::StatusOr<customerledger::v1::ListDueCallbacksResponse> ListDueCallbacks(
      const customerledger::v1::ListDueCallbacksRequest& request);
  absl::StatusOr<customerledger::v1::ListCustomersResponse> ListCustomers(
      const customerledger::v1::ListCustomersRequest& request);
  absl::StatusOr<customerledger::v1::ListPoolResponse> ListPool(
      const customerledger::v1::ListPoolRequest& request);
  absl::StatusOr<customerledger::v1::SearchCustomersResponse> SearchCustomers(
      const customerledger::v1::SearchCustomersRequest& request);
  absl::StatusOr<customerledger::v1::GetStatsResponse> GetStats(
      const customerledger::v1::GetStatsRequest& request);
  absl::StatusOr<customerledger::v1::GetCreditResponse> GetCredit(
      const customerledger::v1::GetCreditRequest& request);
  absl::StatusOr<customerledger::v1::ListDealQueueResponse> ListDealQueue(
      const customerledger::v1::ListDealQueueRequest& request);
  absl::StatusOr<customerledger::v1::GetReceptionResponse> GetReception(
      const customerledger::v1::GetReceptionRequest& request);

  // OperationsService.
  absl::StatusOr<customerledger::v1::CreateLedgerResponse> CreateLedger(
      const customerledger::v1::CreateLedgerRequest& request);
  absl::StatusOr<customerledger::v1::ListLedgersResponse> ListLedgers(
      const customerledger::v1::ListLedgersRequest& request);
  absl::StatusOr<customerledger::v1::GetLedgerResponse> GetLedger(
      const customerledger::v1::GetLedgerRequest& request);
  absl::StatusOr<customerledger::v1::RollBackProjectionResponse> RollBackProjection(
      const customerledger::v1::RollBackProjectionRequest& request);
  absl::StatusOr<customerledger::v1::GetStatusResponse> GetStatus(
      const customerledger::v1::GetStatusRequest& request);
  absl::Status RebuildProjection(
      const customerledger::v1::RebuildProjectionRequest& request,
      const OnResponse<customerledger::v1::RebuildProjectionResponse>& on_response);
  absl::Status Verify(const customerledger::v1::VerifyRequest& request,
                      const OnResponse<customerledger::v1::VerifyResponse>& on_response);
  absl::Status Backup(const customerledger::v1::BackupRequest& request,
                      const OnResponse<customerledger::v1::BackupResponse>& on_response);

 private:
  struct Stubs;

  const std::string server_;
  const absl::Duration timeout_;
  const bool bound_streams_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace ledger::ctl
