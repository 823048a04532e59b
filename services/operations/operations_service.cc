#include "services/operations/operations_service.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "projections/policy/policy_check.h"
#include "services/common/grpc_status.h"
#include "services/common/identity.h"
#include "services/common/page_token.h"
#include "services/common/status_metadata.h"
#include "services/ledger/validate.h"
#include "services/operations/progress_stream.h"
#include "storage/rocksdb/maintenance.h"
#include "storage/status_macros.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr uint32_t kPageSizeDefault = 100;
constexpr uint32_t kPageSizeMax = 1'000;
constexpr uint64_t kFindingsMax = 1'000;
constexpr int kPolicyFindingsTold = 20;

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

pb::RebuildState ToProto(runtime::RebuildState state) {
  switch (state) {
    case runtime::RebuildState::kNone:
      return pb::REBUILD_STATE_UNSPECIFIED;
    case runtime::RebuildState::kBuilding:
      return pb::REBUILD_STATE_BUILDING;
    case runtime::RebuildState::kSwitched:
      return pb::REBUILD_STATE_SWITCHED;
    case runtime::RebuildState::kFailed:
      return pb::REBUILD_STATE_FAILED;
  }
  return pb::REBUILD_STATE_UNSPECIFIED;
}

pb::RebuildProjectionResponse ToProto(const runtime::RebuildProgress& progress) {
  pb::RebuildProjectionResponse response;
  response.set_state(ToProto(progress.state));
  response.set_applied_position(progress.applied_position);
  response.set_log_position(progress.log_position);
  response.set_generation(progress.generation);
  response.set_differing_customers(progress.differing_customers);
  response.set_error(progress.error);
  return response;
}

absl::StatusOr<runtime::ProjectionKind> FindProjection(absl::string_view name) {
  const std::optional<runtime::ProjectionKind> kind = runtime::ProjectionByName(name);
  if (kind.has_value()) return *kind;
  return absl::InvalidArgumentError(absl::StrCat("BAD_PROJECTION: there is no projection '",
                                                 name.substr(0, 64), "'; owner, tier and callback are"));
}

absl::Status CheckCreation(const pb::CreateLedgerRequest& request) {
  LEDGER_RETURN_IF_ERROR(ValidateLedgerName(request.name()));
  LEDGER_RETURN_IF_ERROR(ValidateId(request.request_id(), "request_id"));
  if (!request.has_policy()) {
    return absl::InvalidArgumentError("POLICY_MISSING: a ledger is created with its first policy");
  }
  if (request.has_recorded_time()) {
    if (!request.simulated()) {
      return absl::InvalidArgumentError(
          "RECORDED_TIME_REFUSED: only a simulated ledger is given its recorded time");
    }
    constexpr int64_t kYear1900 = -2'208'988'800;
    constexpr int64_t kYear2201 = 7'289'654'400;
    const google::protobuf::Timestamp& time = request.recorded_time();
    if (time.seconds() < kYear1900 || time.seconds() >= kYear2201 || time.nanos() < 0 ||
        time.nanos() > 999'999'999) {
      return absl::InvalidArgumentError("BAD_TIME: recorded_time must lie in the years 1900 to 2200");
    }
  }
  const std::vector<pb::PolicyFinding> findings = policy::PolicyErrors(request.policy());
  if (findings.empty()) return absl::OkStatus();
  std::string text = "POLICY_REFUSED: the policy cannot be adopted:";
  for (size_t i = 0; i < findings.size() && i < kPolicyFindingsTold; ++i) {
    absl::StrAppend(&text, "\n", findings[i].field(), ": ", findings[i].message());
  }
  return WithMetadata(absl::InvalidArgumentError(text), "findings", absl::StrCat(findings.size()));
}

}  // namespace

OperationsServiceImpl::OperationsServiceImpl(storage::RocksEventLog& log, const views::ViewStore& views,
                                             vault::Vault& vault, runtime::TimelineStore& timelines,
                                             runtime::Projector& projector, Sequencer& sequencer,
                                             WorkerPool& pool, OperationsOptions options)
    : log_(log),
      views_(views),
      vault_(vault),
      timelines_(timelines),
      projector_(projector),
      sequencer_(sequencer),
      pool_(pool),
      options_(std::move(options)) {}

void OperationsServiceImpl::Stop() {
  stopping_.store(true);
  check_.Stop();
  backup_.Stop();
}

grpc::ServerUnaryReactor* OperationsServiceImpl::CreateLedger(grpc::CallbackServerContext* context,
                                                              const pb::CreateLedgerRequest* request,
                                                              pb::CreateLedgerResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([this, context, request, response, reactor] {
    if (const absl::Status status = CheckCreation(*request); !status.ok()) {
      return reactor->Finish(ToGrpcStatus(status));
    }
    absl::StatusOr<pb::Who> who = CallerOf(*context);
    if (!who.ok()) return reactor->Finish(ToGrpcStatus(who.status()));
    CreateLedgerJob job;
    job.name = request->name();
    job.policy = request->policy();
    job.simulated = request->simulated();
    job.request_id = request->request_id();
    job.who = *std::move(who);
    job.recorded_time = absl::FromUnixSeconds(request->recorded_time().seconds()) +
                        absl::Nanoseconds(request->recorded_time().nanos());
    job.done = [this, response, reactor](const absl::StatusOr<storage::LedgerIdentity>& created) {
      if (!created.ok()) return reactor->Finish(ToGrpcStatus(created.status()));
      pool_.Run([this, response, reactor, ledger = *created] {
        absl::StatusOr<pb::LedgerSummary> summary = Summarize(ledger);
        if (!summary.ok()) return reactor->Finish(ToGrpcStatus(summary.status()));
        *response->mutable_ledger() = *std::move(summary);
        reactor->Finish(grpc::Status::OK);
      });
    };
    if (const absl::Status status = sequencer_.Submit(std::move(job)); !status.ok()) {
      reactor->Finish(ToGrpcStatus(status));
    }
  });
  return reactor;
}

absl::StatusOr<pb::LedgerSummary> OperationsServiceImpl::Summarize(const storage::LedgerIdentity& ledger) {
  pb::LedgerSummary summary;
  summary.set_name(ledger.name);
  summary.set_ledger_id(ledger.ledger_id);
  summary.set_simulated(ledger.simulated);
  *summary.mutable_create_time() = ToProto(ledger.create_time);
  // An append may come between these; the root then covers more than the position says, so it is read again.
  uint64_t position = 0;
  do {
    position = log_.CommittedPosition(ledger.number);
    LEDGER_ASSIGN_OR_RETURN(*summary.mutable_root(), log_.Root(ledger.number));
  } while (position != log_.CommittedPosition(ledger.number));
  summary.mutable_position()->set_lineage(log_.lineage());
  summary.mutable_position()->set_position(position);
  LEDGER_ASSIGN_OR_RETURN(const std::shared_ptr<const policy::Timeline> timeline,
                          timelines_.TimelineAt(ledger.number, position));
  if (!timeline->empty()) {
    summary.set_policy_id(timeline->Latest().policy.id());
    summary.set_policy_version(timeline->Latest().number);
  }
  return summary;
}

grpc::ServerUnaryReactor* OperationsServiceImpl::ListLedgers(grpc::CallbackServerContext* context,
                                                             const pb::ListLedgersRequest* request,
                                                             pb::ListLedgersResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([=, this] { reactor->Finish(ToGrpcStatus(FillLedgers(*request, response))); });
  return reactor;
}

absl::Status OperationsServiceImpl::FillLedgers(const pb::ListLedgersRequest& request,
                                                pb::ListLedgersResponse* response) {
  constexpr char kQuestion[] = "ledgers";
  std::string after;
  if (!request.page_token().empty()) {
    LEDGER_ASSIGN_OR_RETURN(after, ReadPageToken(kQuestion, request.page_token()));
  }
  const uint32_t page_size =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  std::vector<storage::LedgerIdentity> ledgers = log_.Ledgers();
  std::sort(ledgers.begin(), ledgers.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  auto next =
      std::upper_bound(ledgers.begin(), ledgers.end(), after,
                       [](const std::string& name, const auto& ledger) { return name < ledger.name; });
  for (; next != ledgers.end(); ++next) {
    if (static_cast<uint32_t>(response->ledgers_size()) == page_size) {
      response->set_next_page_token(MakePageToken(kQuestion, std::prev(next)->name));
      break;
    }
    LEDGER_ASSIGN_OR_RETURN(*response->add_ledgers(), Summarize(*next));
  }
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* OperationsServiceImpl::GetLedger(grpc::CallbackServerContext* context,
                                                           const pb::GetLedgerRequest* request,
                                                           pb::GetLedgerResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([=, this] { reactor->Finish(ToGrpcStatus(FillLedger(*request, response))); });
  return reactor;
}

absl::Status OperationsServiceImpl::FillLedger(const pb::GetLedgerRequest& request,
                                               pb::GetLedgerResponse* response) {
  LEDGER_ASSIGN_OR_RETURN(const storage::LedgerIdentity ledger, log_.FindLedger(request.name()));
  LEDGER_ASSIGN_OR_RETURN(*response->mutable_ledger(), Summarize(ledger));
  LEDGER_ASSIGN_OR_RETURN(const std::shared_ptr<const policy::Timeline> timeline,
                          timelines_.TimelineAt(ledger.number, response->ledger().position().position()));
  if (!timeline->empty()) *response->mutable_policy() = timeline->Latest().policy;
  return absl::OkStatus();
}

grpc::ServerUnaryReactor* OperationsServiceImpl::CheckPolicy(grpc::CallbackServerContext* context,
                                                             const pb::CheckPolicyRequest* request,
                                                             pb::CheckPolicyResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([=] {
    for (pb::PolicyFinding& finding : policy::CheckPolicy(request->policy())) {
      *response->add_findings() = std::move(finding);
    }
    reactor->Finish(grpc::Status::OK);
  });
  return reactor;
}

grpc::ServerWriteReactor<pb::RebuildProjectionResponse>* OperationsServiceImpl::RebuildProjection(
    grpc::CallbackServerContext*, const pb::RebuildProjectionRequest* request) {
  auto* stream = new ProgressStream<pb::RebuildProjectionResponse>;
  pool_.Run([this, stream, request] {
    const absl::StatusOr<runtime::ProjectionKind> kind = FindProjection(request->projection());
    if (!kind.ok()) return stream->End(kind.status());
    const absl::StatusOr<storage::LedgerIdentity> ledger = log_.FindLedger(request->ledger());
    if (!ledger.ok()) return stream->End(ledger.status());
    const absl::Status started =
        projector_.StartRebuild(ledger->number, *kind, [stream](const runtime::RebuildProgress& progress) {
          if (progress.state == runtime::RebuildState::kBuilding && !progress.error.empty()) {
            stream->End(absl::UnavailableError(
                "SHUTTING_DOWN: the server is shutting down; the rebuild goes on after its next start"));
            return false;
          }
          if (progress.state != runtime::RebuildState::kBuilding) {
            stream->End(absl::OkStatus(), ToProto(progress));
            return false;
          }
          if (stream->gone()) {  // the rebuild goes on without its observer
            stream->End(absl::CancelledError("CANCELLED: the caller went away"));
            return false;
          }
          stream->Offer(ToProto(progress));
          return true;
        });
    if (!started.ok()) stream->End(started);
  });
  return stream;
}

grpc::ServerUnaryReactor* OperationsServiceImpl::RollBackProjection(
    grpc::CallbackServerContext* context, const pb::RollBackProjectionRequest* request,
    pb::RollBackProjectionResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([this, request, response, reactor] {
    const absl::StatusOr<runtime::ProjectionKind> kind = FindProjection(request->projection());
    if (!kind.ok()) return reactor->Finish(ToGrpcStatus(kind.status()));
    const absl::StatusOr<storage::LedgerIdentity> ledger = log_.FindLedger(request->ledger());
    if (!ledger.ok()) return reactor->Finish(ToGrpcStatus(ledger.status()));
    projector_.RollBack(ledger->number, *kind,
                        [response, reactor](const absl::StatusOr<uint32_t>& generation) {
                          if (generation.ok()) response->set_generation(*generation);
                          reactor->Finish(ToGrpcStatus(generation.status()));
                        });
  });
  return reactor;
}

grpc::ServerUnaryReactor* OperationsServiceImpl::GetStatus(grpc::CallbackServerContext* context,
                                                           const pb::GetStatusRequest* request,
                                                           pb::GetStatusResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([=, this] { reactor->Finish(ToGrpcStatus(FillStatus(*request, response))); });
  return reactor;
}

absl::Status OperationsServiceImpl::FillStatus(const pb::GetStatusRequest& request,
                                               pb::GetStatusResponse* response) {
  std::vector<storage::LedgerIdentity> ledgers = log_.Ledgers();
  response->set_ledgers(ledgers.size());
  if (!request.ledger().empty()) {
    LEDGER_ASSIGN_OR_RETURN(storage::LedgerIdentity ledger, log_.FindLedger(request.ledger()));
    ledgers = {std::move(ledger)};
  }
  response->set_version(options_.version);
  response->set_lineage(log_.lineage());
  const absl::Status accepts = log_.AcceptsAppends();
  response->set_accepts_appends(accepts.ok());
  response->set_refusal_reason(std::string(accepts.message()));
  response->set_commit_number(log_.CommitNumber());
  response->set_disk_free_bytes(log_.disk().FreeBytes());
  response->set_disk_low_water_bytes(log_.disk().low_water_bytes());
  *response->mutable_start_time() = ToProto(options_.start_time);
  for (const storage::LedgerIdentity& ledger : ledgers) {
    for (const runtime::ProjectionKind kind : runtime::kProjectionKinds) {
      const runtime::ProjectionStatus status = projector_.Status(ledger.number, kind);
      const uint64_t log_position = log_.CommittedPosition(ledger.number);
      const bool worth_telling = status.applied_position < log_position || status.parked_customers > 0 ||
                                 status.is_newer || !status.error.ok() ||
                                 status.rebuild.state == runtime::RebuildState::kBuilding;
      if (request.ledger().empty() && !worth_telling) continue;
      pb::ProjectionStatus& told = *response->add_projections();
      told.set_ledger(ledger.name);
      told.set_projection(std::string(runtime::ProjectionName(kind)));
      told.set_generation(status.generation);
      told.set_applied_position(status.applied_position);
      told.set_log_position(log_position);
      told.set_parked_customers(status.parked_customers);
      told.set_rebuild(ToProto(status.rebuild.state));
      told.set_rebuild_position(status.rebuild.applied_position);
      told.set_is_newer(status.is_newer);
    }
  }
  return absl::OkStatus();
}

// A check under way: counts what it finds and stops when nobody wants to know any more.
class OperationsServiceImpl::Check {
 public:
  Check(ProgressStream<pb::VerifyResponse>* stream, const std::atomic<bool>& stopping)
      : stream_(stream), stopping_(stopping) {}

  bool Goes() const { return !stopping_.load() && !stream_->gone(); }

  bool Progress(absl::string_view step, uint64_t done, uint64_t total) {
    step_ = std::string(step);
    pb::VerifyResponse response;
    response.set_step(step_);
    response.set_done(done);
    response.set_total(total);
    stream_->Offer(std::move(response));
    return Goes();
  }

  void Find(const std::string& what) {
    if (++findings_ > kFindingsMax + 1) return;
    pb::VerifyResponse response;
    response.set_step(step_);
    response.set_finding(findings_ <= kFindingsMax ? what : "there is more; only so much is listed");
    stream_->Deliver(std::move(response));
  }

  // What ends the check's stream.
  BackgroundTask::End End(absl::Status status) {
    if (stopping_.load()) {
      status = absl::UnavailableError("SHUTTING_DOWN: the server is shutting down; check again later");
    }
    return [stream = stream_, status] {
      if (!status.ok()) return stream->End(status);
      pb::VerifyResponse last;
      last.set_step("done");
      last.set_done(1);
      last.set_total(1);
      stream->End(status, std::move(last));
    };
  }

 private:
  ProgressStream<pb::VerifyResponse>* const stream_;
  const std::atomic<bool>& stopping_;
  std::string step_;
  uint64_t findings_ = 0;
};

grpc::ServerWriteReactor<pb::VerifyResponse>* OperationsServiceImpl::Verify(
    grpc::CallbackServerContext*, const pb::VerifyRequest* request) {
  auto* stream = new ProgressStream<pb::VerifyResponse>;
  const auto work = [this, stream, request]() -> BackgroundTask::End {
    Check check(stream, stopping_);
    storage::LedgerNumber number = 0;
    if (!request->ledger().empty()) {
      const absl::StatusOr<storage::LedgerIdentity> ledger = log_.FindLedger(request->ledger());
      if (!ledger.ok()) return check.End(ledger.status());
      number = ledger->number;
    }
    absl::Status status = log_.Verify(
        number, [&check](const std::string& what) { check.Find(what); },
        [&check](absl::string_view step, uint64_t done, uint64_t total) {
          return check.Progress(step, done, total);
        });
    if (!status.ok() || number != 0 || !check.Progress("vault", 0, 1)) return check.End(status);
    status = vault_.VerifyAll([&check](uint64_t slot, const absl::Status& damage) {
      check.Find(absl::StrCat("vault slot ", slot, ": ", damage.message()));
    });
    if (!status.ok() && !absl::IsDataLoss(status)) return check.End(status);
    if (!check.Progress("views", 0, 1)) return check.End(absl::OkStatus());
    status = views_.VerifyChecksums();
    if (absl::IsDataLoss(status)) {
      check.Find(absl::StrCat("views: ", status.message(), " Rebuild the projections."));
      status = absl::OkStatus();
    }
    return check.End(status);
  };
  if (const absl::Status started = check_.Start(work); !started.ok()) stream->End(started);
  return stream;
}

grpc::ServerWriteReactor<pb::BackupResponse>* OperationsServiceImpl::Backup(
    grpc::CallbackServerContext*, const pb::BackupRequest* request) {
  auto* stream = new ProgressStream<pb::BackupResponse>;
  const auto work = [this, stream, request]() -> BackgroundTask::End {
    const absl::StatusOr<uint64_t> commit = storage::CreateBackup(
        log_, vault_, options_.data_directory, request->directory(), [stream](absl::string_view step) {
          pb::BackupResponse response;
          response.set_step(std::string(step));
          stream->Deliver(std::move(response));  // a caller who left does not stop a backup
        });
    return [stream, commit] {
      if (!commit.ok()) return stream->End(commit.status());
      pb::BackupResponse last;
      last.set_step("done");
      last.set_done(true);
      last.set_commit_number(*commit);
      stream->End(absl::OkStatus(), std::move(last));
    };
  };
  if (const absl::Status started = backup_.Start(work); !started.ok()) stream->End(started);
  return stream;
}

}  // namespace ledger::services
