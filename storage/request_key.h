#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "storage/merkle/hash.h"

namespace ledger::storage {

// The 32-byte key under which an answer to `request_id` of `principal` is remembered:
// SHA-256(principal || 00 || request_id). A principal holds no zero byte.
inline std::string RequestKey(absl::string_view principal, absl::string_view request_id) {
  const merkle::Hash hash = merkle::Sha256({principal, absl::string_view("\0", 1), request_id});
  return std::string(merkle::AsBytes(hash));
}

}  // namespace ledger::storage
