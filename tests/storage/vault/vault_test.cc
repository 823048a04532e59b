#include "storage/vault/vault.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "storage/merkle/hash.h"
#include "storage/vault/slot_format.h"
#include "tests/storage/vault/temp_dir.h"

namespace ledger::vault {
namespace {

class VaultTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Vault>> vault = Vault::Create(dir());
    ASSERT_TRUE(vault.ok()) << vault.status();
    vault_ = *std::move(vault);
  }
  std::string dir() const { return temp_.path() + "/vault"; }
  std::string slots() const { return dir() + "/slots"; }
  void Close() { vault_.reset(); }
  absl::Status Reopen() {
    Close();
    absl::StatusOr<std::unique_ptr<Vault>> vault = Vault::Open(dir());
    if (!vault.ok()) return vault.status();
    vault_ = *std::move(vault);
    return absl::OkStatus();
  }
  std::string Seal(uint64_t slot, absl::string_view text) {
    absl::StatusOr<std::string> sealed = vault_->Seal(slot, "aad", text);
    EXPECT_TRUE(sealed.ok()) << sealed.status();
    return sealed.ok() ? *sealed : "";
  }
  absl::StatusCode OpenCode(uint64_t slot, absl::string_view ciphertext) {
    return vault_->Open(slot, "aad", ciphertext).status().code();
  }
  std::set<uint64_t> Damaged() {
    std::set<uint64_t> damaged;
    const absl::Status verified = vault_->VerifyAll([&](uint64_t slot, const absl::Status& damage) {
      EXPECT_FALSE(damage.ok());
      damaged.insert(slot);
    });
    EXPECT_EQ(verified.ok(), damaged.empty()) << verified;
    return damaged;
  }

  TempDir temp_;
  std::unique_ptr<Vault> vault_;
};

TEST_F(VaultTest, SealedDataOpensAlsoAfterReopening) {
  const std::string sealed = Seal(5, "planted text");
  EXPECT_EQ(sealed.size(), 1 + 12 + 12 + 16);
  EXPECT_EQ(sealed[0], 1);
  EXPECT_EQ(vault_->Open(5, "aad", sealed).value(), "planted text");
  const std::string id = vault_->id();
  const std::string contact_key = vault_->ContactKey("acme");
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(vault_->Open(5, "aad", sealed).value(), "planted text");
  EXPECT_EQ(vault_->id(), id);
  EXPECT_EQ(vault_->ContactKey("acme"), contact_key);
  EXPECT_EQ(ReadAll(slots()).find("planted"), std::string::npos);
}

TEST_F(VaultTest, FilesAreForTheOwnerAlone) {
  for (const char* name : {"/master.key", "/slots"}) {
    struct stat status;
    ASSERT_EQ(stat((dir() + name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
  EXPECT_EQ(ReadAll(dir() + "/master.key").size(), 65u);
}

TEST_F(VaultTest, AnotherSlotAadOrBitDoesNotOpen) {
  const std::string sealed = Seal(5, "text");
  EXPECT_EQ(OpenCode(6, sealed), absl::StatusCode::kDataLoss) << "two slots have one key";
  EXPECT_EQ(vault_->Open(5, "aaa", sealed).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenCode(0, sealed), absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenCode(1024, sealed), absl::StatusCode::kDataLoss);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string flipped = sealed;
    flipped[i] ^= 2;
    EXPECT_EQ(OpenCode(5, flipped),
              i == 0 ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kDataLoss);
    EXPECT_EQ(OpenCode(5, sealed.substr(0, i)), absl::StatusCode::kDataLoss);
  }
  EXPECT_NE(Seal(5, "text"), sealed) << "a nonce came twice";
}

TEST_F(VaultTest, ContactKeysDifferByLedgerAndVault) {
  EXPECT_EQ(vault_->ContactKey("acme").size(), 32u);
  EXPECT_NE(vault_->ContactKey("acme"), vault_->ContactKey("emca"));
  TempDir other;
  EXPECT_NE(vault_->ContactKey("acme"), Vault::Create(other.path()).value()->ContactKey("acme"));
}

TEST_F(VaultTest, SlotsGrowByChunksAndStay) {
  EXPECT_EQ(vault_->SlotCount(), 1024u);
  EXPECT_EQ(vault_->Seal(1024, "", "").status().code(), absl::StatusCode::kOutOfRange);
  const std::string first = Seal(1023, "first");
  ASSERT_TRUE(vault_->EnsureSlots(1023).ok());
  EXPECT_EQ(vault_->SlotCount(), 1024u);
  ASSERT_TRUE(vault_->EnsureSlots(2500).ok());
  EXPECT_EQ(vault_->SlotCount(), 3072u);
  const std::string last = Seal(3071, "last");
  EXPECT_EQ(vault_->EnsureSlots(uint64_t{1} << 40).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(vault_->SlotCount(), 3072u);
  EXPECT_EQ(vault_->Open(1023, "aad", first).value(), "first");
  EXPECT_EQ(vault_->Open(3071, "aad", last).value(), "last");
  EXPECT_TRUE(Damaged().empty());
}

TEST_F(VaultTest, AGrowthThatWasCutOffIsDoneAgain) {
  const std::string sealed = Seal(1023, "kept");
  for (size_t leftover : {1, 128, 5000, 131'072}) {
    Close();
    WriteAll(slots(), ReadAll(slots()).substr(0, SlotOffset(1024)) + std::string(leftover, 'x'));
    ASSERT_TRUE(Reopen().ok());
    ASSERT_EQ(vault_->SlotCount(), 1024u);
    EXPECT_TRUE(Damaged().empty());
  }
  ASSERT_TRUE(vault_->EnsureSlots(1024).ok());
  const std::string grown = Seal(2047, "grown");
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(vault_->SlotCount(), 2048u);
  EXPECT_EQ(vault_->Open(1023, "aad", sealed).value(), "kept");
  EXPECT_EQ(vault_->Open(2047, "aad", grown).value(), "grown");
  EXPECT_TRUE(Damaged().empty());
}

// The system refuses to let the file grow half-way through a chunk, as a full disk would.
TEST_F(VaultTest, AGrowthThatTheDiskRefusesAddsNothingAndMayBeRepeated) {
  const std::string kept = Seal(1023, "kept");
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit small = before;
  small.rlim_cur = SlotOffset(1500) + 1;
  std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status refused = vault_->EnsureSlots(1024);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  EXPECT_EQ(vault_->SlotCount(), 1024u);
  EXPECT_EQ(vault_->Seal(1024, "", "").status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(vault_->Open(1023, "aad", kept).value(), "kept");
  ASSERT_TRUE(vault_->EnsureSlots(1024).ok());
  EXPECT_EQ(vault_->SlotCount(), 2048u);
  EXPECT_TRUE(Damaged().empty());
}

TEST_F(VaultTest, ErasedIsGoneForGood) {
  const std::string sealed = Seal(5, "text");
  const std::string neighbour = Seal(6, "neighbour");
  const std::string before = ReadAll(slots());
  EXPECT_FALSE(vault_->IsErased(5).value());
  ASSERT_TRUE(vault_->Erase(5).ok());
  for (int round = 0; round < 2; ++round) {
    const absl::Status refused = vault_->Open(5, "aad", sealed).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(std::string(refused.message()).rfind("ERASED", 0), 0u) << refused;
    EXPECT_EQ(vault_->Seal(5, "aad", "more").status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(vault_->IsErased(5).value());
    EXPECT_EQ(vault_->Open(6, "aad", neighbour).value(), "neighbour");
    EXPECT_TRUE(Damaged().empty()) << "an erased slot is not damage";
    ASSERT_TRUE(Reopen().ok());
  }
  ASSERT_TRUE(vault_->Erase(5).ok());
  EXPECT_TRUE(vault_->IsErased(5).value());

  std::string expected = before;
  expected.replace(SlotOffset(5), kSlotBytes, EncodeErasedSlot(5));
  EXPECT_EQ(ReadAll(slots()), expected) << "erasing changes its slot, in place, and nothing else";
  EXPECT_EQ(ReadAll(slots()).find(before.substr(SlotOffset(5) + 28, 32)), std::string::npos);
}

TEST_F(VaultTest, WhatCannotBeErased) {
  EXPECT_EQ(vault_->Erase(0).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(vault_->Seal(0, "", "").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(vault_->Erase(1024).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(vault_->IsErased(1024).status().code(), absl::StatusCode::kOutOfRange);
}

// Every bit of the header and of slot 0: the vault does not open, and the file is left as it is.
TEST_F(VaultTest, EveryFlippedBitThatConcernsAllIsRefusedAtOpen) {
  Close();
  for (size_t offset = 0; offset < SlotOffset(1); ++offset) {
    const int bit = static_cast<int>(offset % 8);
    FlipBit(slots(), offset, bit);
    EXPECT_EQ(Vault::Open(dir()).status().code(), absl::StatusCode::kDataLoss) << offset;
    FlipBit(slots(), offset, bit);
  }
  EXPECT_TRUE(Reopen().ok());
}

// Every bit of one slot, with a key or erased: what it held is refused, the check names it, others are unharmed.
TEST_F(VaultTest, EveryFlippedBitOfASlotIsNamed) {
  const std::string sealed = Seal(5, "text");
  const std::string neighbour = Seal(6, "neighbour");
  for (bool erased : {false, true}) {
    if (erased) {
      ASSERT_TRUE(vault_->Erase(5).ok());
    }
    ASSERT_TRUE(Reopen().ok());  // without cached keys
    for (size_t offset = SlotOffset(5); offset < SlotOffset(6); ++offset) {
      for (int bit = 0; bit < 8; ++bit) {
        FlipBit(slots(), offset, bit);
        ASSERT_EQ(OpenCode(5, sealed), absl::StatusCode::kDataLoss) << offset << "." << bit;
        ASSERT_EQ(vault_->IsErased(5).status().code(), absl::StatusCode::kDataLoss);
        if (bit == static_cast<int>(offset % 8)) {
          ASSERT_EQ(Damaged(), std::set<uint64_t>{5});
        }
        FlipBit(slots(), offset, bit);
      }
    }
    EXPECT_EQ(vault_->Open(6, "aad", neighbour).value(), "neighbour");
    EXPECT_TRUE(Damaged().empty());
  }
}

TEST_F(VaultTest, ADamagedSlotCanStillBeErased) {
  Close();
  FlipBit(slots(), SlotOffset(5) + 40, 0);
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(Damaged(), std::set<uint64_t>{5});
  ASSERT_TRUE(vault_->Erase(5).ok());
  EXPECT_TRUE(vault_->IsErased(5).value());
  EXPECT_TRUE(Damaged().empty());
}

TEST_F(VaultTest, SwappedSlotsAreNoticed) {
  const std::string sealed = Seal(5, "text");
  Close();
  std::string bytes = ReadAll(slots());
  const std::string five = bytes.substr(SlotOffset(5), kSlotBytes);
  bytes.replace(SlotOffset(5), kSlotBytes, bytes.substr(SlotOffset(6), kSlotBytes));
  bytes.replace(SlotOffset(6), kSlotBytes, five);
  WriteAll(slots(), bytes);
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(OpenCode(5, sealed), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Damaged(), (std::set<uint64_t>{5, 6}));
}

TEST_F(VaultTest, AShortenedFileIsRefusedAndLeftAlone) {
  Close();
  const std::string whole = ReadAll(slots());
  for (size_t size : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{4096 + 127}, whole.size() / 2,
                      whole.size() - 1}) {
    WriteAll(slots(), whole.substr(0, size));
    EXPECT_EQ(Vault::Open(dir()).status().code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_EQ(Vault::Create(dir()).status().code(), absl::StatusCode::kAlreadyExists) << size;
    EXPECT_EQ(ReadAll(slots()), whole.substr(0, size));
  }
  WriteAll(slots(), whole.substr(0, whole.size() - 1));
  EXPECT_NE(std::string(Vault::Open(dir()).status().message()).find("slots 1023 to 1023"), std::string::npos);
}

TEST_F(VaultTest, ANewerFormatIsRefusedByName) {
  Close();
  std::string bytes = ReadAll(slots());
  bytes[11] = 2;
  const std::string rest = bytes.substr(92, 512 - 92);
  const merkle::Hash hash = merkle::Sha256({bytes.substr(0, 60), rest});
  bytes.replace(60, 32, std::string(merkle::AsBytes(hash)));
  WriteAll(slots(), bytes);
  const absl::Status refused = Vault::Open(dir()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(refused.message()).find("format 2"), std::string::npos) << refused;
}

TEST_F(VaultTest, TheMasterKeyMustBeThisVaults) {
  const std::string sealed = Seal(5, "text");
  Close();
  const std::string path = dir() + "/master.key";
  const std::string line = ReadAll(path);
  for (size_t offset = 0; offset < 64; ++offset) {
    std::string other = line;
    other[offset] = other[offset] == '0' ? '1' : '0';
    WriteAll(path, other);
    EXPECT_EQ(Vault::Open(dir()).status().code(), absl::StatusCode::kDataLoss) << offset;
  }
  WriteAll(path, line.substr(0, 63));
  EXPECT_EQ(Vault::Open(dir()).status().code(), absl::StatusCode::kDataLoss);
  std::filesystem::remove(path);
  EXPECT_EQ(Vault::Open(dir()).status().code(), absl::StatusCode::kDataLoss);
  WriteAll(path, line);
  ASSERT_TRUE(Reopen().ok());
  EXPECT_EQ(vault_->Open(5, "aad", sealed).value(), "text");
}

TEST_F(VaultTest, OneAtATime) {
  EXPECT_EQ(Vault::Open(dir()).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Vault::Create(dir()).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Vault::Open(temp_.path() + "/none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(VaultTest, ACreationThatWasCutOffIsDoneAgainWithTheKeyThatIsThere) {
  Close();
  const std::string line = ReadAll(dir() + "/master.key");
  std::filesystem::remove(slots());
  WriteAll(slots() + ".new", "half");
  absl::StatusOr<std::unique_ptr<Vault>> vault = Vault::Create(dir());
  ASSERT_TRUE(vault.ok()) << vault.status();
  EXPECT_EQ(ReadAll(dir() + "/master.key"), line);
  EXPECT_FALSE(std::filesystem::exists(slots() + ".new"));
}

TEST_F(VaultTest, ACopyIsAVaultOfItsOwn) {
  ASSERT_TRUE(vault_->EnsureSlots(1500).ok());
  const std::string kept = Seal(1500, "kept");
  const std::string erased_before = Seal(7, "before");
  const std::string erased_after = Seal(8, "after");
  ASSERT_TRUE(vault_->Erase(7).ok());
  const std::string copy_dir = temp_.path() + "/backup/vault";
  ASSERT_TRUE(vault_->CopyTo(copy_dir).ok());
  EXPECT_EQ(ReadAll(copy_dir + "/slots"), ReadAll(slots()));
  EXPECT_EQ(vault_->CopyTo(copy_dir).code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(vault_->Erase(8).ok());

  std::unique_ptr<Vault> copy = Vault::Open(copy_dir).value();
  EXPECT_EQ(copy->id(), vault_->id());
  EXPECT_EQ(copy->SlotCount(), 2048u);
  EXPECT_EQ(copy->ContactKey("acme"), vault_->ContactKey("acme"));
  EXPECT_EQ(copy->Open(1500, "aad", kept).value(), "kept");
  EXPECT_EQ(copy->Open(7, "aad", erased_before).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(copy->Open(8, "aad", erased_after).value(), "after") << "an older copy still holds the key";
  EXPECT_EQ(OpenCode(8, erased_after), absl::StatusCode::kNotFound);
}

TEST_F(VaultTest, MoreKeysThanAreKeptInMemory) {
  ASSERT_TRUE(vault_->EnsureSlots(kCachedKeysMax + 100).ok());
  const std::string first = Seal(1, "first");
  for (uint64_t slot = 2; slot < kCachedKeysMax + 100; ++slot) ASSERT_TRUE(vault_->Seal(slot, "", "").ok());
  EXPECT_EQ(vault_->Open(1, "aad", first).value(), "first");
}

TEST_F(VaultTest, ThreadsSealGrowAndEraseTogether) {
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t, &failed] {
      for (uint64_t i = 1; i <= 300; ++i) {
        const uint64_t slot = i * 8 + static_cast<uint64_t>(t);
        const std::string text = std::to_string(slot);
        if (!vault_->EnsureSlots(slot).ok()) failed = true;
        absl::StatusOr<std::string> sealed = vault_->Seal(slot, "aad", text);
        if (!sealed.ok() || vault_->Open(slot, "aad", *sealed).value_or("") != text) failed = true;
        if (i % 30 != 0) continue;
        if (!vault_->Erase(slot).ok()) failed = true;
        if (vault_->Open(slot, "aad", *sealed).status().code() != absl::StatusCode::kNotFound) failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(failed);
  ASSERT_TRUE(Reopen().ok());
  EXPECT_TRUE(Damaged().empty());
  EXPECT_TRUE(vault_->IsErased(240).value());
  EXPECT_FALSE(vault_->IsErased(8).value());
}

}  // namespace
}  // namespace ledger::vault
