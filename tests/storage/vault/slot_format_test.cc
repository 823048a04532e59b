#include "storage/vault/slot_format.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "storage/merkle/hash.h"

namespace ledger::vault {
namespace {

const std::string kVaultId(kVaultIdBytes, 'v');

Header SomeHeader() { return {kVaultId, std::string(32, 'c'), 2048}; }

TEST(SlotFormatTest, HeaderComesBack) {
  const std::string page = EncodeHeader(SomeHeader());
  ASSERT_EQ(page.size(), kHeaderBytes);
  EXPECT_EQ(page.substr(0, 8), "CLVAULT1");
  absl::StatusOr<Header> header = DecodeHeader(page);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->vault_id, kVaultId);
  EXPECT_EQ(header->master_key_check, std::string(32, 'c'));
  EXPECT_EQ(header->slot_count, 2048u);
}

TEST(SlotFormatTest, EveryFlippedBitOfTheHeaderIsDamage) {
  const std::string page = EncodeHeader(SomeHeader());
  for (size_t i = 0; i < page.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = page;
      flipped[i] ^= static_cast<char>(1 << bit);
      ASSERT_EQ(DecodeHeader(flipped).status().code(), absl::StatusCode::kDataLoss) << i << "." << bit;
    }
  }
  EXPECT_EQ(DecodeHeader(page.substr(1)).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeHeader("").status().code(), absl::StatusCode::kDataLoss);
}

TEST(SlotFormatTest, ANewerHeaderIsRefusedByName) {
  std::string page = EncodeHeader(SomeHeader());
  page[11] = 2;
  const merkle::Hash hash = merkle::Sha256({page.substr(0, 60), page.substr(92, 512 - 92)});
  page.replace(60, 32, std::string(merkle::AsBytes(hash)));
  const absl::Status refused = DecodeHeader(page).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(refused.message()).find("format 2"), std::string::npos) << refused;
}

TEST(SlotFormatTest, EveryFlippedBitOfASlotIsDamage) {
  Key key{};
  key[31] = 9;
  const Key master{};
  const std::string with_key = EncodeKeySlot(master, kVaultId, 7, key).value();
  const std::string erased = EncodeErasedSlot(7);
  for (const std::string& slot : {with_key, erased}) {
    ASSERT_EQ(slot.size(), kSlotBytes);
    for (size_t i = 0; i < slot.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = slot;
        flipped[i] ^= static_cast<char>(1 << bit);
        Key read{};
        ASSERT_EQ(DecodeKeySlot(master, kVaultId, 7, flipped, &read).code(), absl::StatusCode::kDataLoss)
            << i << "." << bit;
        ASSERT_EQ(SlotIsErased(7, flipped).status().code(), absl::StatusCode::kDataLoss);
      }
    }
  }
  Key read{};
  ASSERT_TRUE(DecodeKeySlot(master, kVaultId, 7, with_key, &read).ok());
  EXPECT_EQ(read, key);
}

TEST(SlotFormatTest, ASlotOpensOnlyInItsPlaceUnderItsKey) {
  const Key master{};
  Key other_master{};
  other_master[0] = 1;
  Key read{};
  const std::string slot = EncodeKeySlot(master, kVaultId, 7, Key{}).value();
  EXPECT_EQ(DecodeKeySlot(master, kVaultId, 8, slot, &read).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeKeySlot(master, std::string(16, 'w'), 7, slot, &read).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeKeySlot(other_master, kVaultId, 7, slot, &read).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(slot.find(std::string(AsBytes(Key{}))), std::string::npos) << "the key stands there in the clear";
}

TEST(SlotFormatTest, AnErasedSlotHoldsNothing) {
  const std::string slot = EncodeErasedSlot(7);
  EXPECT_EQ(slot.substr(16, 80), std::string(80, '\0'));
  EXPECT_TRUE(SlotIsErased(7, slot).value());
  Key read{};
  const absl::Status refused = DecodeKeySlot(Key{}, kVaultId, 7, slot, &read);
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(refused.message()).rfind("ERASED", 0), 0u);
}

TEST(SlotFormatTest, ANewerSlotIsRefusedByName) {
  std::string slot = EncodeErasedSlot(7);
  slot[1] = 2;
  const merkle::Hash hash = merkle::Sha256(slot.substr(0, 96));
  slot.replace(96, 32, std::string(merkle::AsBytes(hash)));
  EXPECT_EQ(SlotIsErased(7, slot).status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace ledger::vault
