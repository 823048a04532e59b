#include "services/ledger/ledger_service.h"

#include <utility>

#include "services/common/grpc_status.h"
#include "services/common/identity.h"
#include "services/ledger/log_reading.h"
#include "services/ledger/validate.h"
#include "storage/status_macros.h"

namespace ledger::services {

namespace pb = ::customerledger::v1;

namespace {

// Puts an outcome where gRPC sends it from.
template <typename Response>
grpc::Status Answer(absl::StatusOr<Response> outcome, Response* response) {
  if (!outcome.ok()) return ToGrpcStatus(outcome.status());
  *response = *std::move(outcome);
  return grpc::Status::OK;
}

}  // namespace

LedgerServiceImpl::LedgerServiceImpl(const storage::LogReader& log, Preparer& preparer, Sequencer& sequencer,
                                     CommitNotifier& notifier, vault::Vault& vault, WorkerPool& workers)
    : log_(log),
      preparer_(preparer),
      sequencer_(sequencer),
      vault_(vault),
      workers_(workers),
      append_streams_(preparer, sequencer),
      subscriptions_(log, notifier, workers) {}

LedgerServiceImpl::~LedgerServiceImpl() { Stop(); }

void LedgerServiceImpl::Stop() {
  append_streams_.Stop();
  subscriptions_.Stop();
}

grpc::ServerUnaryReactor* LedgerServiceImpl::Append(grpc::CallbackServerContext* context,
                                                    const pb::AppendRequest* request,
                                                    pb::AppendResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  // Preparing reads at most a row or two that are nearly always in memory.
  absl::StatusOr<pb::Who> who = CallerOf(*context);
  absl::StatusOr<AppendJob> job =
      who.ok() ? preparer_.Prepare(*request, *std::move(who), /*producer=*/"", 0) : who.status();
  if (!job.ok()) {
    reactor->Finish(ToGrpcStatus(job.status()));
    return reactor;
  }
  job->done = [reactor, response](absl::StatusOr<pb::AppendResponse> outcome) {
    reactor->Finish(Answer(std::move(outcome), response));
  };
  if (const absl::Status status = sequencer_.Submit(*std::move(job)); !status.ok()) {
    reactor->Finish(ToGrpcStatus(status));
  }
  return reactor;
}

grpc::ServerBidiReactor<pb::AppendStreamRequest, pb::AppendStreamResponse>* LedgerServiceImpl::AppendStream(
    grpc::CallbackServerContext* context) {
  return append_streams_.Open(context);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::ReadLog(grpc::CallbackServerContext* context,
                                                     const pb::ReadLogRequest* request,
                                                     pb::ReadLogResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  workers_.Run([this, reactor, request, response] {
    absl::StatusOr<pb::ReadLogResponse> page = ReadLogPage(log_, vault_, *request);
    reactor->Finish(Answer(std::move(page), response));
  });
  return reactor;
}

grpc::ServerUnaryReactor* LedgerServiceImpl::ReadSubject(grpc::CallbackServerContext* context,
                                                         const pb::ReadSubjectRequest* request,
                                                         pb::ReadSubjectResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  workers_.Run([this, reactor, request, response] {
    absl::StatusOr<pb::ReadSubjectResponse> page = ReadSubjectPage(log_, vault_, *request);
    reactor->Finish(Answer(std::move(page), response));
  });
  return reactor;
}

grpc::ServerWriteReactor<pb::SubscribeResponse>* LedgerServiceImpl::Subscribe(
    grpc::CallbackServerContext*, const pb::SubscribeRequest* request) {
  return subscriptions_.Open(*request);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::GetProducer(grpc::CallbackServerContext* context,
                                                         const pb::GetProducerRequest* request,
                                                         pb::GetProducerResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto answer = [&]() -> absl::Status {
    LEDGER_RETURN_IF_ERROR(ValidateId(request->producer(), "producer"));
    LEDGER_ASSIGN_OR_RETURN(const storage::LedgerIdentity ledger, log_.FindLedger(request->ledger()));
    LEDGER_ASSIGN_OR_RETURN(const auto last, log_.Producer(ledger.number, request->producer()));
    response->set_producer_sequence(last.first);
    response->mutable_position()->set_lineage(log_.lineage());
    response->mutable_position()->set_position(last.second);
    return absl::OkStatus();
  };
  reactor->Finish(ToGrpcStatus(answer()));
  return reactor;
}

}  // namespace ledger::services
