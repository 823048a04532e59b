#include "services/common/grpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "services/common/status_metadata.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr int kRetrySeconds = 1;

}  // namespace

pb::ErrorStatus ToErrorStatus(const absl::Status& status) {
  pb::ErrorStatus result;
  result.set_code(static_cast<int>(status.code()));
  result.set_message(std::string(SentenceOf(status)));
  pb::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain("customerledger");
  status.ForEachPayload([&info](absl::string_view key, const absl::Cord& value) {
    (*info.mutable_metadata())[std::string(key)] = std::string(value);
  });
  google::protobuf::Any& any = *result.add_details();
  any.set_type_url(kInfoUrl);
  any.set_value(info.SerializeAsString());
  if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status)) {
    pb::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(kRetrySeconds);
    google::protobuf::Any& hint = *result.add_details();
    hint.set_type_url(kRetryUrl);
    hint.set_value(retry.SerializeAsString());
  }
  return result;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const pb::ErrorStatus details = ToErrorStatus(status);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), details.message(),
                      details.SerializeAsString());
}

}  // namespace ledger::services
