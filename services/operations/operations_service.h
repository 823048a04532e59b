#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "projections/runtime/projector.h"
#include "projections/runtime/timelines.h"
#include "services/common/worker_pool.h"
#include "services/ledger/sequencer.h"
#include "services/operations/background_task.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/vault/vault.h"
#include "storage/views/view_store.h"

namespace ledger::services {

struct OperationsOptions {
  std::string version;         // the server's release
  std::string data_directory;  // absolute
  absl::Time start_time;
};

// What operators do. Unary handlers leave gRPC's thread at once and answer from the pool; a check and a
// backup have a thread of their own each, one at a time. Thread-safe. Borrows everything it is given.
class OperationsServiceImpl final : public customerledger::v1::OperationsService::CallbackService {
 public:
  OperationsServiceImpl(storage::RocksEventLog& log, const views::ViewStore& views, vault::Vault& vault,
                        runtime::TimelineStore& timelines, runtime::Projector& projector,
                        Sequencer& sequencer, WorkerPool& pool, OperationsOptions options);
  ~OperationsServiceImpl() override { Stop(); }

  // Cuts a check short and waits for the end of a backup. Idempotent.
  void Stop();

  grpc::ServerUnaryReactor* CreateLedger(grpc::CallbackServerContext* context,
                                         const customerledger::v1::CreateLedgerRequest* request,
                                         customerledger::v1::CreateLedgerResponse* response) override;
  grpc::ServerUnaryReactor* ListLedgers(grpc::CallbackServerContext* context,
                                        const customerledger::v1::ListLedgersRequest* request,
                                        customerledger::v1::ListLedgersResponse* response) override;
  grpc::ServerUnaryReactor* GetLedger(grpc::CallbackServerContext* context,
                                      const customerledger::v1::GetLedgerRequest* request,
                                      customerledger::v1::GetLedgerResponse* response) override;
  grpc::ServerUnaryReactor* CheckPolicy(grpc::CallbackServerContext* context,
                                        const customerledger::v1::CheckPolicyRequest* request,
                                        customerledger::v1::CheckPolicyResponse* response) override;
  grpc::ServerWriteReactor<customerledger::v1::RebuildProjectionResponse>* RebuildProjection(
      grpc::CallbackServerContext* context,
      const customerledger::v1::RebuildProjectionRequest* request) override;
  grpc::ServerUnaryReactor* RollBackProjection(
      grpc::CallbackServerContext* context, const customerledger::v1::RollBackProjectionRequest* request,
      customerledger::v1::RollBackProjectionResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const customerledger::v1::GetStatusRequest* request,
                                      customerledger::v1::GetStatusResponse* response) override;
  grpc::ServerWriteReactor<customerledger::v1::VerifyResponse>* Verify(
      grpc::CallbackServerContext* context, const customerledger::v1::VerifyRequest* request) override;
  grpc::ServerWriteReactor<customerledger::v1::BackupResponse>* Backup(
      grpc::CallbackServerContext* context, const customerledger::v1::BackupRequest* request) override;

 private:
  class Check;

  absl::StatusOr<customerledger::v1::LedgerSummary> Summarize(const storage::LedgerIdentity& ledger);
  absl::Status FillLedgers(const customerledger::v1::ListLedgersRequest& request,
                           customerledger::v1::ListLedgersResponse* response);
  absl::Status FillLedger(const customerledger::v1::GetLedgerRequest& request,
                          customerledger::v1::GetLedgerResponse* response);
  absl::Status FillStatus(const customerledger::v1::GetStatusRequest& request,
                          customerledger::v1::GetStatusResponse* response);

  storage::RocksEventLog& log_;
  const views::ViewStore& views_;
  vault::Vault& vault_;
  runtime::TimelineStore& timelines_;
  runtime::Projector& projector_;
  Sequencer& sequencer_;
  WorkerPool& pool_;
  const OperationsOptions options_;
  std::atomic<bool> stopping_{false};
  BackgroundTask check_;
  BackgroundTask backup_;
};

}  // namespace ledger::services
