#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/query_service.grpc.pb.h"
#include "projections/runtime/answers.h"
#include "projections/runtime/projector.h"
#include "projections/runtime/timelines.h"
#include "services/common/worker_pool.h"
#include "storage/event_log.h"
#include "storage/vault/vault.h"

namespace ledger::services {

// Answers questions about customers. Every handler leaves gRPC's thread at once and answers from the pool.
// Thread-safe. Borrows everything it is given; calls end at the latest when the projector stops, because it
// is all they wait for.
class QueryServiceImpl final : public customerledger::v1::QueryService::CallbackService {
 public:
  // No question waits longer for its view, whatever its deadline.
  static constexpr absl::Duration kWaitMax = absl::Seconds(30);

  // `clock` says what the present is.
  QueryServiceImpl(const storage::LogReader& log, const runtime::Answers& answers,
                   runtime::Projector& projector, runtime::TimelineStore& timelines, vault::Vault& vault,
                   WorkerPool& pool, std::function<absl::Time()> clock);

  grpc::ServerUnaryReactor* GetOwner(grpc::CallbackServerContext* context,
                                     const customerledger::v1::GetOwnerRequest* request,
                                     customerledger::v1::GetOwnerResponse* response) override;
  grpc::ServerUnaryReactor* GetTier(grpc::CallbackServerContext* context,
                                    const customerledger::v1::GetTierRequest* request,
                                    customerledger::v1::GetTierResponse* response) override;
  grpc::ServerUnaryReactor* GetNextCallback(grpc::CallbackServerContext* context,
                                            const customerledger::v1::GetNextCallbackRequest* request,
                                            customerledger::v1::GetNextCallbackResponse* response) override;
  grpc::ServerUnaryReactor* GetHistory(grpc::CallbackServerContext* context,
                                       const customerledger::v1::GetHistoryRequest* request,
                                       customerledger::v1::GetHistoryResponse* response) override;
  grpc::ServerUnaryReactor* GetRegistration(grpc::CallbackServerContext* context,
                                            const customerledger::v1::GetRegistrationRequest* request,
                                            customerledger::v1::GetRegistrationResponse* response) override;
  grpc::ServerUnaryReactor* GetDuties(grpc::CallbackServerContext* context,
                                      const customerledger::v1::GetDutiesRequest* request,
                                      customerledger::v1::GetDutiesResponse* response) override;
  grpc::ServerUnaryReactor* ListDueCallbacks(grpc::CallbackServerContext* context,
                                             const customerledger::v1::ListDueCallbacksRequest* request,
                                             customerledger::v1::ListDueCallbacksResponse* response) override;
  grpc::ServerUnaryReactor* ListCustomers(grpc::CallbackServerContext* context,
                                          const customerledger::v1::ListCustomersRequest* request,
                                          customerledger::v1::ListCustomersResponse* response) override;
  grpc::ServerUnaryReactor* ListPool(grpc::CallbackServerContext* context,
                                     const customerledger::v1::ListPoolRequest* request,
                                     customerledger::v1::ListPoolResponse* response) override;
  grpc::ServerUnaryReactor* SearchCustomers(grpc::CallbackServerContext* context,
                                            const customerledger::v1::SearchCustomersRequest* request,
                                            customerledger::v1::SearchCustomersResponse* response) override;
  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context,
                                     const customerledger::v1::GetStatsRequest* request,
                                     customerledger::v1::GetStatsResponse* response) override;
  grpc::ServerUnaryReactor* GetCredit(grpc::CallbackServerContext* context,
                                      const customerledger::v1::GetCreditRequest* request,
                                      customerledger::v1::GetCreditResponse* response) override;
  grpc::ServerUnaryReactor* ListDealQueue(grpc::CallbackServerContext* context,
                                          const customerledger::v1::ListDealQueueRequest* request,
                                          customerledger::v1::ListDealQueueResponse* response) override;
  grpc::ServerUnaryReactor* GetReception(grpc::CallbackServerContext* context,
                                         const customerledger::v1::GetReceptionRequest* request,
                                         customerledger::v1::GetReceptionResponse* response) override;

 private:
  // Finds the ledger, waits until `view` (nullopt: none) has applied the request's min_position, and lets
  // `answer` answer.
  template <typename Request, typename Response, typename Answer>
  grpc::ServerUnaryReactor* Handle(grpc::CallbackServerContext* context, const Request* request,
                                   Response* response, std::optional<runtime::ProjectionKind> view,
                                   Answer answer);

  absl::StatusOr<customerledger::v1::GetHistoryResponse> History(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetHistoryRequest& request);
  absl::StatusOr<customerledger::v1::SearchCustomersResponse> Search(
      const storage::LedgerIdentity& ledger, const customerledger::v1::SearchCustomersRequest& request);

  const storage::LogReader& log_;
  const runtime::Answers& answers_;
  runtime::Projector& projector_;
  runtime::TimelineStore& timelines_;
  vault::Vault& vault_;
  WorkerPool& pool_;
  const std::function<absl::Time()> clock_;
};

}  // namespace ledger::services
