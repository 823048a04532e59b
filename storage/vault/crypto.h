#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The few cryptographic operations of the vault. Every function may run on any thread.
namespace ledger::vault {

inline constexpr size_t kKeyBytes = 32;
inline constexpr size_t kNonceBytes = 12;
inline constexpr size_t kTagBytes = 16;

using Key = std::array<uint8_t, kKeyBytes>;

// Holds a key for a scope and wipes it afterwards.
class ScopedKey {
 public:
  ScopedKey() = default;
  ~ScopedKey();
  ScopedKey(const ScopedKey&) = delete;
  ScopedKey& operator=(const ScopedKey&) = delete;
  Key& operator*() { return key_; }
  const Key& operator*() const { return key_; }

 private:
  Key key_{};
};

// Wipes memory in a way that the compiler keeps.
void Wipe(void* memory, size_t bytes);
void Wipe(std::string* text);

// `bytes` random bytes fit for keys. kUnavailable: the system's generator failed.
absl::StatusOr<std::string> RandomBytes(size_t bytes);

// 32 bytes.
std::string HmacSha256(absl::string_view key, absl::string_view message);

absl::string_view AsBytes(const Key& key);

// AES-256-GCM: ciphertext as long as the plaintext, then the 16-byte tag. A nonce of 12 bytes must never come twice
// under one key.
// kInvalidArgument: more than 1 GiB. kInternal: OpenSSL refused.
absl::StatusOr<std::string> AesGcmSeal(const Key& key, absl::string_view nonce, absl::string_view aad,
                                       absl::string_view plaintext);

// The plaintext of what AesGcmSeal returned. kDataLoss: key, nonce, `aad` or bytes are not those.
absl::StatusOr<std::string> AesGcmOpen(const Key& key, absl::string_view nonce, absl::string_view aad,
                                       absl::string_view ciphertext_and_tag);

}  // namespace ledger::vault
