#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/common.pb.h"
#include "grpcpp/server_context.h"

namespace ledger::services {

// Metadata in which a client that proves nothing may still name itself; recorded as a claim.
inline constexpr char kPrincipalMetadata[] = "customerledger-principal";

// Who is calling, and how far that can be believed. `on_behalf_of` is left empty.
// kInvalidArgument "BAD_PRINCIPAL": the name is not 1 to 128 bytes of UTF-8 without control characters. It would enter
// every record, and a record that does not parse can never be taken back.
absl::StatusOr<customerledger::v1::Who> CallerOf(const grpc::ServerContextBase& context);

// The check alone.
absl::Status ValidatePrincipal(absl::string_view principal);

}  // namespace ledger::services
