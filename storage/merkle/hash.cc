#include "storage/merkle/hash.h"

// The one-shot SHA256() and EVP_Digest() of OpenSSL 3 look the algorithm up again at every call, which costs more than
// hashing an inner node. These functions are deprecated there, and do nothing but hash.
#include <openssl/sha.h>

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ledger::merkle {
namespace {

constexpr char kLeafPrefix = 0;
constexpr char kInnerPrefix = 1;

}  // namespace

Hash Sha256(std::initializer_list<absl::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (absl::string_view part : parts) SHA256_Update(&context, part.data(), part.size());
  Hash hash;
  SHA256_Final(hash.data(), &context);
  return hash;
}

Hash Sha256(absl::string_view bytes) { return Sha256({bytes}); }

Hash LeafHash(absl::string_view record) { return Sha256({absl::string_view(&kLeafPrefix, 1), record}); }

Hash InnerHash(const Hash& left, const Hash& right) {
  std::array<uint8_t, 1 + 2 * kHashBytes> node;
  node[0] = kInnerPrefix;
  std::copy(left.begin(), left.end(), node.begin() + 1);
  std::copy(right.begin(), right.end(), node.begin() + 1 + kHashBytes);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, node.data(), node.size());
  Hash hash;
  SHA256_Final(hash.data(), &context);
  return hash;
}

Hash EmptyRoot() { return Sha256(absl::string_view()); }

absl::StatusOr<Hash> HashFromBytes(absl::string_view bytes) {
  if (bytes.size() != kHashBytes) {
    return absl::DataLossError(absl::StrCat("a hash has 32 bytes, not ", bytes.size()));
  }
  Hash hash;
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

std::string ToHex(const Hash& hash) { return absl::BytesToHexString(AsBytes(hash)); }

absl::StatusOr<Hash> HashFromHex(absl::string_view hex) {
  if (hex.size() != 2 * kHashBytes || !std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit)) {
    return absl::InvalidArgumentError("a hash is written as 64 hex digits");
  }
  return HashFromBytes(absl::HexStringToBytes(hex));
}

}  // namespace ledger::merkle
