#include "storage/vault/crypto.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace ledger::vault {
namespace {

const std::string kNonce(kNonceBytes, 'n');

// RFC 4231, test case 2.
TEST(CryptoTest, HmacKnownValue) {
  EXPECT_EQ(absl::BytesToHexString(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// The GCM specification's test cases 13 and 14: a zero key, a zero nonce.
TEST(CryptoTest, GcmKnownValues) {
  const Key key{};
  const std::string nonce(kNonceBytes, '\0');
  EXPECT_EQ(absl::BytesToHexString(AesGcmSeal(key, nonce, "", "").value()),
            "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(absl::BytesToHexString(AesGcmSeal(key, nonce, "", std::string(16, '\0')).value()),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(CryptoTest, GcmOpensOnlyWhatWasSealed) {
  Key key{};
  key[0] = 7;
  for (const std::string plaintext : {"", "x", "the quick brown fox jumps over the lazy dog"}) {
    const std::string sealed = AesGcmSeal(key, kNonce, "aad", plaintext).value();
    EXPECT_EQ(AesGcmOpen(key, kNonce, "aad", sealed).value(), plaintext);
    EXPECT_EQ(AesGcmOpen(key, kNonce, "aae", sealed).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(AesGcmOpen(key, kNonce, "", sealed).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(AesGcmOpen(Key{}, kNonce, "aad", sealed).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(AesGcmOpen(key, std::string(kNonceBytes, 'm'), "aad", sealed).status().code(),
              absl::StatusCode::kDataLoss);
    for (size_t i = 0; i < sealed.size(); ++i) {
      std::string flipped = sealed;
      flipped[i] ^= 1;
      EXPECT_EQ(AesGcmOpen(key, kNonce, "aad", flipped).status().code(), absl::StatusCode::kDataLoss) << i;
      EXPECT_EQ(AesGcmOpen(key, kNonce, "aad", sealed.substr(0, i)).status().code(),
                absl::StatusCode::kDataLoss);
    }
  }
}

TEST(CryptoTest, RandomBytesDiffer) {
  const std::string a = RandomBytes(32).value();
  EXPECT_EQ(a.size(), 32u);
  EXPECT_NE(a, RandomBytes(32).value());
}

TEST(CryptoTest, WipeLeavesNothing) {
  std::string text = "secret";
  Wipe(&text);
  EXPECT_EQ(text, std::string(6, '\0'));
}

}  // namespace
}  // namespace ledger::vault
