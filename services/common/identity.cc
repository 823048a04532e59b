#include "services/common/identity.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "grpcpp/security/auth_context.h"

namespace ledger::services {

namespace pb = ::customerledger::v1;

pb::Who CallerOf(const grpc::ServerContextBase& context) {
  pb::Who who;
  const auto auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const auto names = auth->GetPeerIdentity();
    if (!names.empty()) {
      who.set_principal(std::string(names[0].data(), names[0].size()));
      who.set_authentication(pb::AUTHENTICATION_MUTUAL_TLS);
      return who;
    }
  }
  if (absl::StartsWith(context.peer(), "unix:")) who.set_authentication(pb::AUTHENTICATION_LOCAL);
  const auto claimed = context.client_metadata().find(kPrincipalMetadata);
  if (claimed != context.client_metadata().end()) {
    constexpr size_t kPrincipalBytesMax = 128;
    who.set_principal(
        std::string(claimed->second.data(), std::min(claimed->second.size(), kPrincipalBytesMax)));
  }
  return who;
}

}  // namespace ledger::services
