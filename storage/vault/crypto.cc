#include "storage/vault/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace ledger::vault {
namespace {

// OpenSSL counts in int; nothing here comes near.
constexpr size_t kPlaintextBytesMax = size_t{1} << 30;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

// Looked up once: a look-up at every use costs as much as a small encryption. Never freed.
const EVP_CIPHER* Aes256Gcm() {
  static const EVP_CIPHER* const kCipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return kCipher;
}

const uint8_t* Bytes(absl::string_view view) { return reinterpret_cast<const uint8_t*>(view.data()); }
uint8_t* Bytes(std::string* text) { return reinterpret_cast<uint8_t*>(text->data()); }

}  // namespace

ScopedKey::~ScopedKey() { Wipe(key_.data(), key_.size()); }

void Wipe(void* memory, size_t bytes) { OPENSSL_cleanse(memory, bytes); }
void Wipe(std::string* text) { OPENSSL_cleanse(text->data(), text->size()); }

absl::StatusOr<std::string> RandomBytes(size_t bytes) {
  std::string random(bytes, '\0');
  if (RAND_bytes(Bytes(&random), static_cast<int>(bytes)) != 1) {
    return absl::UnavailableError("the system's random number generator failed");
  }
  return random;
}

std::string HmacSha256(absl::string_view key, absl::string_view message) {
  std::string mac(32, '\0');
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Bytes(message), message.size(), Bytes(&mac),
       &length);
  return mac;
}

absl::string_view AsBytes(const Key& key) {
  return absl::string_view(reinterpret_cast<const char*>(key.data()), key.size());
}

absl::StatusOr<std::string> AesGcmSeal(const Key& key, absl::string_view nonce, absl::string_view aad,
                                       absl::string_view plaintext) {
  if (plaintext.size() > kPlaintextBytesMax || aad.size() > kPlaintextBytesMax) {
    return absl::InvalidArgumentError("more than 1 GiB to encrypt");
  }
  Context context(EVP_CIPHER_CTX_new());
  std::string sealed(plaintext.size() + kTagBytes, '\0');
  int length = 0;
  // Empty parts are left out: with no input, or no output, an update means something else.
  const bool done =
      context != nullptr && nonce.size() == kNonceBytes &&
      EVP_EncryptInit_ex2(context.get(), Aes256Gcm(), key.data(), Bytes(nonce), nullptr) == 1 &&
      (aad.empty() ||
       EVP_EncryptUpdate(context.get(), nullptr, &length, Bytes(aad), static_cast<int>(aad.size())) == 1) &&
      (plaintext.empty() || EVP_EncryptUpdate(context.get(), Bytes(&sealed), &length, Bytes(plaintext),
                                              static_cast<int>(plaintext.size())) == 1) &&
      EVP_EncryptFinal_ex(context.get(), Bytes(&sealed) + plaintext.size(), &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes,
                          Bytes(&sealed) + plaintext.size()) == 1;
  if (!done) return absl::InternalError("AES-256-GCM failed");
  return sealed;
}

absl::StatusOr<std::string> AesGcmOpen(const Key& key, absl::string_view nonce, absl::string_view aad,
                                       absl::string_view ciphertext_and_tag) {
  if (ciphertext_and_tag.size() < kTagBytes || ciphertext_and_tag.size() > kPlaintextBytesMax + kTagBytes ||
      nonce.size() != kNonceBytes) {
    return absl::DataLossError("not a ciphertext: its length is wrong");
  }
  const absl::string_view ciphertext = ciphertext_and_tag.substr(0, ciphertext_and_tag.size() - kTagBytes);
  std::string tag(ciphertext_and_tag.substr(ciphertext.size()));
  Context context(EVP_CIPHER_CTX_new());
  std::string plaintext(ciphertext.size() + kTagBytes, '\0');  // the final step wants a place to write to
  int length = 0;
  const bool ready =
      context != nullptr &&
      EVP_DecryptInit_ex2(context.get(), Aes256Gcm(), key.data(), Bytes(nonce), nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
      (aad.empty() ||
       EVP_DecryptUpdate(context.get(), nullptr, &length, Bytes(aad), static_cast<int>(aad.size())) == 1) &&
      (ciphertext.empty() || EVP_DecryptUpdate(context.get(), Bytes(&plaintext), &length, Bytes(ciphertext),
                                               static_cast<int>(ciphertext.size())) == 1);
  if (!ready || EVP_DecryptFinal_ex(context.get(), Bytes(&plaintext) + ciphertext.size(), &length) != 1) {
    Wipe(&plaintext);
    return absl::DataLossError("the ciphertext is damaged, or belongs to something else");
  }
  plaintext.resize(ciphertext.size());
  return plaintext;
}

}  // namespace ledger::vault
