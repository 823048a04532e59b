#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/error.pb.h"
#include "grpcpp/support/status.h"

// The only door from absl::Status to grpc::Status. Any thread.
//
// A message of ours reads "REASON: sentence". The reason becomes ErrorInfo.reason, every payload of the status an entry
// of ErrorInfo.metadata; where waiting helps, a RetryInfo is added.
namespace ledger::services {

// Adds a number or a name for ErrorInfo.metadata, e.g. WithMetadata(status, "actual_version", "7").
absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value);

// The UPPER_SNAKE reason a message begins with; "INTERNAL" if it begins with none.
std::string ReasonOf(const absl::Status& status);

// As it travels: the message without its reason, and the details.
customerledger::v1::ErrorStatus ToErrorStatus(const absl::Status& status);
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace ledger::services
