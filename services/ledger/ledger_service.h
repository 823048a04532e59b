#pragma once

#include <memory>

#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "services/common/worker_pool.h"
#include "services/ledger/append_stream.h"
#include "services/ledger/commit_notifier.h"
#include "services/ledger/prepare.h"
#include "services/ledger/sequencer.h"
#include "services/ledger/subscription.h"
#include "storage/event_log.h"
#include "storage/vault/vault.h"

namespace ledger::services {

// LedgerService over gRPC's callback API. Thread-safe. Borrows everything it is given, until every call has ended.
class LedgerServiceImpl final : public customerledger::v1::LedgerService::CallbackService {
 public:
  LedgerServiceImpl(const storage::LogReader& log, Preparer& preparer, Sequencer& sequencer,
                    CommitNotifier& notifier, vault::Vault& vault, WorkerPool& workers);
  ~LedgerServiceImpl() override;

  // Ends all streams with UNAVAILABLE "SHUTTING_DOWN"; new ones are refused. Call before the gRPC server's Shutdown.
  void Stop();

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context,
                                   const customerledger::v1::AppendRequest* request,
                                   customerledger::v1::AppendResponse* response) override;
  grpc::ServerBidiReactor<customerledger::v1::AppendStreamRequest, customerledger::v1::AppendStreamResponse>*
  AppendStream(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ReadLog(grpc::CallbackServerContext* context,
                                    const customerledger::v1::ReadLogRequest* request,
                                    customerledger::v1::ReadLogResponse* response) override;
  grpc::ServerUnaryReactor* ReadSubject(grpc::CallbackServerContext* context,
                                        const customerledger::v1::ReadSubjectRequest* request,
                                        customerledger::v1::ReadSubjectResponse* response) override;
  grpc::ServerWriteReactor<customerledger::v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext* context, const customerledger::v1::SubscribeRequest* request) override;
  grpc::ServerUnaryReactor* GetProducer(grpc::CallbackServerContext* context,
                                        const customerledger::v1::GetProducerRequest* request,
                                        customerledger::v1::GetProducerResponse* response) override;

 private:
  const storage::LogReader& log_;
  Preparer& preparer_;
  Sequencer& sequencer_;
  vault::Vault& vault_;
  WorkerPool& workers_;
  AppendStreams append_streams_;
  Subscriptions subscriptions_;
};

}  // namespace ledger::services
