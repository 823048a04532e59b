#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The hashes of a ledger's tree, as RFC 6962 defines them. Every function may run on any thread.
namespace ledger::merkle {

inline constexpr size_t kHashBytes = 32;

// A SHA-256 value.
using Hash = std::array<uint8_t, kHashBytes>;

Hash Sha256(absl::string_view bytes);

// SHA-256 of the parts one after another, without copying them together first.
Hash Sha256(std::initializer_list<absl::string_view> parts);

// H(00 || record): `record` is the stored bytes, exactly.
Hash LeafHash(absl::string_view record);

// H(01 || left || right).
Hash InnerHash(const Hash& left, const Hash& right);

// The root of a tree without leaves: H("").
Hash EmptyRoot();

// The 32 bytes of `hash`; the view borrows it.
inline absl::string_view AsBytes(const Hash& hash) {
  return absl::string_view(reinterpret_cast<const char*>(hash.data()), hash.size());
}
absl::string_view AsBytes(Hash&&) = delete;

// kDataLoss: not exactly 32 bytes.
absl::StatusOr<Hash> HashFromBytes(absl::string_view bytes);

// 64 lower-case hex digits.
std::string ToHex(const Hash& hash);

// kInvalidArgument: not exactly 64 hex digits, of either case.
absl::StatusOr<Hash> HashFromHex(absl::string_view hex);

}  // namespace ledger::merkle
