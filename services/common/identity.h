#pragma once

#include "customerledger/v1/common.pb.h"
#include "grpcpp/server_context.h"

namespace ledger::services {

// Metadata in which a client that proves nothing may still name itself; recorded as a claim.
inline constexpr char kPrincipalMetadata[] = "customerledger-principal";

// Who is calling, and how far that can be believed. `on_behalf_of` is left empty.
customerledger::v1::Who CallerOf(const grpc::ServerContextBase& context);

}  // namespace ledger::services
