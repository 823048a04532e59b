#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "customerledger/v1/policy.pb.h"
#include "services/ctl/session.h"

namespace ledger::ctl {

// The whole of a file, or of standard input where `path` is "-". kNotFound, or kInvalidArgument if it is
// larger than `bytes_max`.
absl::StatusOr<std::string> ReadWholeFile(Session& session, const std::string& path, size_t bytes_max);

// Reads a policy from a file and checks it, without a server. kNotFound: no such file. kFailedPrecondition:
// there are findings; the message has one to a line, with file, line and column where they have one.
absl::StatusOr<customerledger::v1::Policy> ReadPolicy(Session& session, const std::string& path);

}  // namespace ledger::ctl
