#include "services/common/grpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "services/common/status_metadata.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr int kRetrySeconds = 1;
// The message travels twice: as such, percent-encoded, and in the details, base64.
constexpr size_t kMessageBytesMax = 1'500;
constexpr size_t kMetadataBytesMax = 1'500;

// The first `bytes` of `text`, cut between characters, with a word about the rest.
std::string Shortened(absl::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return absl::StrCat(text.substr(0, bytes), "... (and ", text.size() - bytes, " bytes more)");
}

}  // namespace

pb::ErrorStatus ToErrorStatus(const absl::Status& status) {
  pb::ErrorStatus result;
  result.set_code(static_cast<int>(status.code()));
  // All of it travels in the trailers, which clients limit to 8 KiB.
  result.set_message(Shortened(SentenceOf(status), kMessageBytesMax));
  pb::ErrorInfo info;
  info.set_reason(ReasonOf(status));
  info.set_domain("customerledger");
  size_t bytes = 0;
  status.ForEachPayload([&info, &bytes](absl::string_view key, const absl::Cord& value) {
    bytes += key.size() + value.size();
    if (bytes <= kMetadataBytesMax) (*info.mutable_metadata())[std::string(key)] = std::string(value);
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
