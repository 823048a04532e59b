#include "services/ctl/client.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <thread>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "customerledger/v1/error.pb.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "customerledger/v1/query_service.grpc.pb.h"
#include "services/ctl/errors.h"
#include "services/ctl/interrupt.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

// Log pages end at 1 MiB, batches likewise; a single record may be larger, an append 4 MiB.
constexpr int kMessageBytesMax = 16 << 20;

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  // gRPC and Abseil number their codes alike.
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  pb::ErrorStatus details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details())) {
    for (const auto& detail : details.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

std::chrono::system_clock::time_point DeadlineIn(absl::Duration timeout) {
  return std::chrono::system_clock::now() + absl::ToChronoMilliseconds(timeout);
}

template <typename Response, typename Stub, typename Request>
absl::StatusOr<Response> Unary(absl::Duration timeout, Stub& stub,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                               const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(timeout));
  Response response;
  const absl::Status status = FromGrpc((stub.*method)(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

// `open` starts the stream on the context it is given.
template <typename Response, typename Open>
absl::Status ReadStream(std::optional<absl::Duration> timeout, const Open& open,
                        const std::function<bool(const Response&)>& on_response) {
  grpc::ClientContext context;
  if (timeout) context.set_deadline(DeadlineIn(*timeout));
  InterruptScope interrupt([&context] { context.TryCancel(); });
  auto reader = open(&context);
  Response response;
  bool wanted = true;
  while (wanted && reader->Read(&response)) wanted = on_response(response);
  if (!wanted) {
    context.TryCancel();
    while (reader->Read(&response)) {
    }
  }
  const grpc::Status status = reader->Finish();
  if (!wanted) return absl::OkStatus();
  return interrupt.interrupted() ? InterruptedError() : FromGrpc(status);
}

}  // namespace

struct Client::Stubs {
  explicit Stubs(std::shared_ptr<grpc::Channel> to)
      : channel(std::move(to)), ledger(channel), query(channel), operations(channel) {}

  std::shared_ptr<grpc::Channel> channel;
  pb::LedgerService::Stub ledger;
  pb::QueryService::Stub query;
  pb::OperationsService::Stub operations;
};

namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  // A ledgerd that is just starting is found soon.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

Client::Client(const std::string& server, absl::Duration timeout, bool bound_streams)
    : server_(server),
      timeout_(timeout),
      bound_streams_(bound_streams),
      stubs_(std::make_unique<Stubs>(Connect(server))) {}

Client::~Client() = default;

std::shared_ptr<grpc::Channel> Client::channel() const { return stubs_->channel; }

absl::Status Client::WaitUntilReachable(absl::Duration wait) {
  if (stubs_->channel->WaitForConnected(DeadlineIn(wait))) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("nobody answered at ", server_, " within ", absl::FormatDuration(wait)));
}

#define LEDGER_CTL_UNARY(service, Service, Method)                                          \
  absl::StatusOr<pb::Method##Response> Client::Method(const pb::Method##Request& request) { \
    return Unary(timeout_, stubs_->service, &pb::Service::Stub::Method, request);           \
  }

LEDGER_CTL_UNARY(ledger, LedgerService, Append)
LEDGER_CTL_UNARY(ledger, LedgerService, ReadLog)
LEDGER_CTL_UNARY(query, QueryService, GetOwner)
LEDGER_CTL_UNARY(query, QueryService, GetTier)
LEDGER_CTL_UNARY(query, QueryService, GetNextCallback)
LEDGER_CTL_UNARY(query, QueryService, GetHistory)
LEDGER_CTL_UNARY(query, QueryService, GetRegistration)
LEDGER_CTL_UNARY(query, QueryService, GetDuties)
LEDGER_CTL_UNARY(query, QueryService, ListDueCallbacks)
LEDGER_CTL_UNARY(query, QueryService, ListCustomers)
LEDGER_CTL_UNARY(query, QueryService, ListPool)
LEDGER_CTL_UNARY(query, QueryService, SearchCustomers)
LEDGER_CTL_UNARY(query, QueryService, GetStats)
LEDGER_CTL_UNARY(query, QueryService, GetCredit)
LEDGER_CTL_UNARY(query, QueryService, ListDealQueue)
LEDGER_CTL_UNARY(query, QueryService, GetReception)
LEDGER_CTL_UNARY(operations, OperationsService, CreateLedger)
LEDGER_CTL_UNARY(operations, OperationsService, ListLedgers)
LEDGER_CTL_UNARY(operations, OperationsService, GetLedger)
LEDGER_CTL_UNARY(operations, OperationsService, RollBackProjection)
LEDGER_CTL_UNARY(operations, OperationsService, GetStatus)

#define LEDGER_CTL_STREAM(service, Method)                                                      \
  absl::Status Client::Method(const pb::Method##Request& request,                               \
                              const OnResponse<pb::Method##Response>& on_response) {            \
    return ReadStream<pb::Method##Response>(                                                    \
        bound_streams_ ? std::optional(timeout_) : std::nullopt,                                \
        [&](grpc::ClientContext* context) { return stubs_->service.Method(context, request); }, \
        on_response);                                                                           \
  }

LEDGER_CTL_STREAM(ledger, Subscribe)
LEDGER_CTL_STREAM(operations, RebuildProjection)
LEDGER_CTL_STREAM(operations, Verify)
LEDGER_CTL_STREAM(operations, Backup)

absl::Status Client::AppendStream(const std::function<std::optional<pb::AppendStreamRequest>()>& next,
                                  const OnResponse<pb::AppendStreamResponse>& on_response) {
  grpc::ClientContext context;
  if (bound_streams_) context.set_deadline(DeadlineIn(timeout_));
  InterruptScope interrupt([&context] { context.TryCancel(); });
  auto stream = stubs_->ledger.AppendStream(&context);
  // Sending blocks when the server is busy, so reading must go on beside it.
  std::thread sender([&] {
    while (auto request = next()) {
      if (!stream->Write(*request)) return;
    }
    stream->WritesDone();
  });
  pb::AppendStreamResponse response;
  bool wanted = true;
  while (wanted && stream->Read(&response)) wanted = on_response(response);
  if (!wanted) context.TryCancel();
  sender.join();
  const grpc::Status status = stream->Finish();
  if (interrupt.interrupted()) return InterruptedError();
  return wanted ? FromGrpc(status) : absl::OkStatus();
}

}  // namespace ledger::ctl
