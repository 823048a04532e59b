#include "services/common/identity.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "grpcpp/security/auth_context.h"
#include "projections/policy/utf8.h"
#include "storage/status_macros.h"

namespace ledger::services {

namespace pb = ::customerledger::v1;

namespace {

constexpr size_t kPrincipalBytesMax = 128;

}  // namespace

absl::Status ValidatePrincipal(absl::string_view principal) {
  const bool has_control =
      std::any_of(principal.begin(), principal.end(), [](char c) { return absl::ascii_iscntrl(c); });
  if (principal.empty() || principal.size() > kPrincipalBytesMax || has_control ||
      policy::FirstInvalidUtf8(principal) != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        "BAD_PRINCIPAL: the caller's name must be 1 to 128 bytes of UTF-8 without control characters");
  }
  return absl::OkStatus();
}

absl::StatusOr<pb::Who> CallerOf(const grpc::ServerContextBase& context) {
  pb::Who who;
  const auto auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const auto names = auth->GetPeerIdentity();
    if (!names.empty()) {
      const std::string name(names[0].data(), names[0].size());
      LEDGER_RETURN_IF_ERROR(ValidatePrincipal(name));
      who.set_principal(name);
      who.set_authentication(pb::AUTHENTICATION_MUTUAL_TLS);
      return who;
    }
  }
  if (absl::StartsWith(context.peer(), "unix:")) who.set_authentication(pb::AUTHENTICATION_LOCAL);
  const auto claimed = context.client_metadata().find(kPrincipalMetadata);
  if (claimed != context.client_metadata().end()) {
    const std::string name(claimed->second.data(), claimed->second.size());
    LEDGER_RETURN_IF_ERROR(ValidatePrincipal(name));
    who.set_principal(name);
  }
  return who;
}

}  // namespace ledger::services
