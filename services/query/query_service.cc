#include "services/query/query_service.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/event_names.h"
#include "services/common/grpc_status.h"
#include "services/query/check_question.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"
#include "storage/vault/contact_point.h"
#include "storage/vault/personal.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using runtime::ProjectionKind;

// The answer that a view is behind must reach the caller before the caller gives up.
constexpr absl::Duration kAnswerTime = absl::Milliseconds(50);

// A contact point that more events than this name is a switchboard, not a person.
constexpr size_t kContactPointEventsMax = 1'000;

template <typename Request>
const std::string& LedgerOf(const Request& request) {
  if constexpr (requires { request.query(); }) {
    return request.query().ledger();
  } else {
    return request.ledger();
  }
}

template <typename Request>
const pb::PositionToken& MinPositionOf(const Request& request) {
  if constexpr (requires { request.query(); }) {
    return request.query().min_position();
  } else if constexpr (requires { request.min_position(); }) {
    return request.min_position();
  } else {
    return pb::PositionToken::default_instance();
  }
}

// Adds to `latest` what newer records did not say. True once nothing older can add anything.
bool AddOlder(const pb::PersonalData& older, std::set<pb::ContactPointKind>* seen, pb::PersonalData* latest) {
  if (latest->name().empty()) latest->set_name(older.name());
  if (latest->address().empty()) latest->set_address(older.address());
  if (latest->note().empty()) latest->set_note(older.note());
  std::set<pb::ContactPointKind> added;
  for (const pb::ContactPoint& point : older.contact_points()) {
    if (seen->count(point.kind()) > 0) continue;
    *latest->add_contact_points() = point;
    added.insert(point.kind());
  }
  seen->insert(added.begin(), added.end());
  return !latest->name().empty() && !latest->address().empty() && !latest->note().empty() &&
         seen->count(pb::CONTACT_POINT_KIND_PHONE) > 0 && seen->count(pb::CONTACT_POINT_KIND_EMAIL) > 0;
}

}  // namespace

QueryServiceImpl::QueryServiceImpl(const storage::LogReader& log, const runtime::Answers& answers,
                                   runtime::Projector& projector, runtime::TimelineStore& timelines,
                                   vault::Vault& vault, WorkerPool& pool, std::function<absl::Time()> clock)
    : log_(log),
      answers_(answers),
      projector_(projector),
      timelines_(timelines),
      vault_(vault),
      pool_(pool),
      clock_(std::move(clock)) {}

template <typename Request, typename Response, typename Answer>
grpc::ServerUnaryReactor* QueryServiceImpl::Handle(grpc::CallbackServerContext* context,
                                                   const Request* request, Response* response,
                                                   std::optional<ProjectionKind> view, Answer answer) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  pool_.Run([this, context, request, response, view, answer, reactor] {
    if (const absl::Status status = CheckQuestion(*request); !status.ok()) {
      return reactor->Finish(ToGrpcStatus(status));
    }
    absl::StatusOr<storage::LedgerIdentity> found = log_.FindLedger(LedgerOf(*request));
    if (!found.ok()) return reactor->Finish(ToGrpcStatus(found.status()));
    const storage::LedgerIdentity ledger = *std::move(found);
    const pb::PositionToken& wanted = MinPositionOf(*request);
    if (const absl::Status status = answers_.CheckToken(ledger, wanted); !status.ok()) {
      return reactor->Finish(ToGrpcStatus(status));
    }
    const auto finish = [request, response, answer, reactor, ledger] {
      absl::StatusOr<Response> result = answer(ledger, *request);
      if (!result.ok()) return reactor->Finish(ToGrpcStatus(result.status()));
      *response = *std::move(result);
      reactor->Finish(grpc::Status::OK);
    };
    if (!view.has_value() || wanted.position() == 0) return finish();
    const absl::Time deadline =
        std::min(absl::FromChrono(context->deadline()) - kAnswerTime, absl::Now() + kWaitMax);
    projector_.WaitFor(ledger.number, *view, wanted.position(), deadline,
                       [this, reactor, finish](const absl::Status& status) {
                         if (!status.ok()) return reactor->Finish(ToGrpcStatus(status));
                         pool_.Run(finish);
                       });
  });
  return reactor;
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetOwner(grpc::CallbackServerContext* context,
                                                     const pb::GetOwnerRequest* request,
                                                     pb::GetOwnerResponse* response) {
  return Handle(
      context, request, response, ProjectionKind::kOwner,
      [this](const auto& ledger, const auto& asked) { return answers_.GetOwner(ledger, asked, clock_()); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetTier(grpc::CallbackServerContext* context,
                                                    const pb::GetTierRequest* request,
                                                    pb::GetTierResponse* response) {
  return Handle(
      context, request, response, ProjectionKind::kTier,
      [this](const auto& ledger, const auto& asked) { return answers_.GetTier(ledger, asked, clock_()); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetNextCallback(grpc::CallbackServerContext* context,
                                                            const pb::GetNextCallbackRequest* request,
                                                            pb::GetNextCallbackResponse* response) {
  return Handle(context, request, response, ProjectionKind::kCallback,
                [this](const auto& ledger, const auto& asked) {
                  return answers_.GetNextCallback(ledger, asked, clock_());
                });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetHistory(grpc::CallbackServerContext* context,
                                                       const pb::GetHistoryRequest* request,
                                                       pb::GetHistoryResponse* response) {
  return Handle(context, request, response, std::nullopt,
                [this](const auto& ledger, const auto& asked) { return History(ledger, asked); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetRegistration(grpc::CallbackServerContext* context,
                                                            const pb::GetRegistrationRequest* request,
                                                            pb::GetRegistrationResponse* response) {
  return Handle(context, request, response, ProjectionKind::kOwner,
                [this](const auto& ledger, const auto& asked) {
                  return answers_.GetRegistration(ledger, asked, clock_());
                });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetDuties(grpc::CallbackServerContext* context,
                                                      const pb::GetDutiesRequest* request,
                                                      pb::GetDutiesResponse* response) {
  return Handle(
      context, request, response, ProjectionKind::kOwner,
      [this](const auto& ledger, const auto& asked) { return answers_.GetDuties(ledger, asked, clock_()); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::ListDueCallbacks(grpc::CallbackServerContext* context,
                                                             const pb::ListDueCallbacksRequest* request,
                                                             pb::ListDueCallbacksResponse* response) {
  return Handle(context, request, response, ProjectionKind::kCallback,
                [this](const auto& ledger, const auto& asked) {
                  return answers_.ListDueCallbacks(ledger, asked, clock_());
                });
}

grpc::ServerUnaryReactor* QueryServiceImpl::ListCustomers(grpc::CallbackServerContext* context,
                                                          const pb::ListCustomersRequest* request,
                                                          pb::ListCustomersResponse* response) {
  return Handle(context, request, response, ProjectionKind::kOwner,
                [this](const auto& ledger, const auto& asked) {
                  return answers_.ListCustomers(ledger, asked, clock_());
                });
}

grpc::ServerUnaryReactor* QueryServiceImpl::ListPool(grpc::CallbackServerContext* context,
                                                     const pb::ListPoolRequest* request,
                                                     pb::ListPoolResponse* response) {
  return Handle(
      context, request, response, ProjectionKind::kOwner,
      [this](const auto& ledger, const auto& asked) { return answers_.ListPool(ledger, asked, clock_()); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::SearchCustomers(grpc::CallbackServerContext* context,
                                                            const pb::SearchCustomersRequest* request,
                                                            pb::SearchCustomersResponse* response) {
  return Handle(context, request, response, std::nullopt,
                [this](const auto& ledger, const auto& asked) { return Search(ledger, asked); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetStats(grpc::CallbackServerContext* context,
                                                     const pb::GetStatsRequest* request,
                                                     pb::GetStatsResponse* response) {
  return Handle(context, request, response, ProjectionKind::kOwner,
                [this](const auto& ledger, const auto&) { return answers_.GetStats(ledger, clock_()); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetCredit(grpc::CallbackServerContext* context,
                                                      const pb::GetCreditRequest* request,
                                                      pb::GetCreditResponse* response) {
  return Handle(
      context, request, response, ProjectionKind::kOwner,
      [this](const auto& ledger, const auto& asked) { return answers_.GetCredit(ledger, asked, clock_()); });
}

grpc::ServerUnaryReactor* QueryServiceImpl::ListDealQueue(grpc::CallbackServerContext* context,
                                                          const pb::ListDealQueueRequest* request,
                                                          pb::ListDealQueueResponse* response) {
  return Handle(context, request, response, ProjectionKind::kOwner,
                [this](const auto& ledger, const auto& asked) {
                  return answers_.ListDealQueue(ledger, asked, clock_());
                });
}

grpc::ServerUnaryReactor* QueryServiceImpl::GetReception(grpc::CallbackServerContext* context,
                                                         const pb::GetReceptionRequest* request,
                                                         pb::GetReceptionResponse* response) {
  return Handle(context, request, response, std::nullopt, [this](const auto& ledger, const auto& asked) {
    return answers_.GetReception(ledger, asked, clock_());
  });
}

absl::StatusOr<pb::GetHistoryResponse> QueryServiceImpl::History(const storage::LedgerIdentity& ledger,
                                                                 const pb::GetHistoryRequest& request) {
  LEDGER_ASSIGN_OR_RETURN(runtime::HistoryAnswer answer, answers_.GetHistory(ledger, request, clock_()));
  if (!request.include_personal_data()) return std::move(answer.response);
  pb::PersonalData latest;
  std::set<pb::ContactPointKind> seen;
  for (auto position = answer.personal_positions.rbegin(); position != answer.personal_positions.rend();
       ++position) {
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes, log_.Read(ledger.number, *position));
    pb::Record record;
    if (!record.ParseFromString(bytes)) {
      return absl::DataLossError(absl::StrCat("BAD_RECORD: position ", *position, " cannot be read"));
    }
    // Whoever erases may delete the ciphertext with the key: an empty one tells the same.
    absl::StatusOr<std::string> ciphertext = log_.ReadCiphertext(ledger.number, *position);
    if (!ciphertext.ok() && !absl::IsNotFound(ciphertext.status())) return ciphertext.status();
    const absl::StatusOr<pb::PersonalData> personal =
        vault::OpenPersonal(vault_, record.header().personal(), ledger.ledger_id,
                            policy::CustomerIdOf(record.event()), ciphertext.value_or(""));
    if (absl::IsNotFound(personal.status())) continue;  // erased
    LEDGER_RETURN_IF_ERROR(personal.status());
    if (AddOlder(*personal, &seen, &latest)) break;
  }
  *answer.response.mutable_personal() = std::move(latest);
  return std::move(answer.response);
}

absl::StatusOr<pb::SearchCustomersResponse> QueryServiceImpl::Search(
    const storage::LedgerIdentity& ledger, const pb::SearchCustomersRequest& request) {
  pb::SearchCustomersResponse response;
  response.mutable_position()->set_lineage(log_.lineage());
  response.mutable_position()->set_position(log_.CommittedPosition(ledger.number));
  LEDGER_ASSIGN_OR_RETURN(const std::shared_ptr<const policy::Timeline> timeline,
                          timelines_.Latest(ledger.number));
  const std::string region = timeline->empty() ? std::string() : timeline->Latest().policy.phone_region();
  const pb::ContactPoint& point = request.contact_point();
  const absl::StatusOr<std::string> normalized =
      vault::NormalizeContactPoint(point.kind(), point.value(), region);
  if (!normalized.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("BAD_CONTACT_POINT: ", normalized.status().message()));
  }
  const std::string id =
      vault::ContactPointId(vault_.ContactKey(ledger.ledger_id), point.kind(), *normalized);
  // Everybody who ever gave it: customers that were unmerged, or that came to share a phone, are several.
  std::vector<uint64_t> positions;
  LEDGER_RETURN_IF_ERROR(log_.ScanSubject(ledger.number, {pb::SUBJECT_KIND_CONTACT_POINT, id}, 1,
                                          storage::Order::kForward, [&](uint64_t, uint64_t position) {
                                            positions.push_back(position);
                                            return positions.size() < kContactPointEventsMax;
                                          }));
  std::set<std::string> seen;
  for (const uint64_t position : positions) {
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes, log_.Read(ledger.number, position));
    LEDGER_ASSIGN_OR_RETURN(const pb::Record record, storage::ParseRecord(bytes));
    const std::string customer_id = policy::CustomerIdOf(record.event());
    if (customer_id.empty() || !seen.insert(customer_id).second) continue;
    LEDGER_ASSIGN_OR_RETURN(const runtime::CustomerIdentity identity,
                            answers_.Canonical(ledger, customer_id));
    const auto& found = response.customer_ids();
    if (std::find(found.begin(), found.end(), identity.customer_id) == found.end()) {
      response.add_customer_ids(identity.customer_id);
    }
  }
  return response;
}

}  // namespace ledger::services
