#include "services/common/grpc_status.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr int kRetrySeconds = 1;

// The length of the reason in front of ": "; 0 if there is none.
size_t ReasonLength(absl::string_view message) {
  const size_t colon = message.find(": ");
  if (colon == absl::string_view::npos || colon == 0) return 0;
  for (char c : message.substr(0, colon)) {
    if (!absl::ascii_isupper(c) && !absl::ascii_isdigit(c) && c != '_') return 0;
  }
  return colon;
}

}  // namespace

absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value) {
  status.SetPayload(key, absl::Cord(value));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const size_t length = ReasonLength(status.message());
  return length == 0 ? "INTERNAL" : std::string(status.message().substr(0, length));
}

pb::ErrorStatus ToErrorStatus(const absl::Status& status) {
  pb::ErrorStatus result;
  result.set_code(static_cast<int>(status.code()));
  const size_t length = ReasonLength(status.message());
  result.set_message(std::string(length == 0 ? status.message() : status.message().substr(length + 2)));
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
