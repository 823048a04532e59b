#pragma once

#include "absl/status/status.h"
#include "customerledger/v1/error.pb.h"
#include "grpcpp/support/status.h"

// The only door from absl::Status to grpc::Status. Any thread.
//
// A message of ours reads "REASON: sentence". The reason becomes ErrorInfo.reason, every payload of the status an entry
// of ErrorInfo.metadata; where waiting helps, a RetryInfo is added.
namespace ledger::services {

// As it travels: the message without its reason, and the details.
customerledger::v1::ErrorStatus ToErrorStatus(const absl::Status& status);
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace ledger::services
