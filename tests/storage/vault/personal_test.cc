#include "storage/vault/personal.h"

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "storage/merkle/hash.h"
#include "tests/storage/vault/temp_dir.h"

namespace ledger::vault {
namespace {

namespace pb = ::customerledger::v1;

pb::PersonalData SomePerson() {
  pb::PersonalData data;
  data.set_name("Ann Lee-Planted");
  pb::ContactPoint* phone = data.add_contact_points();
  phone->set_kind(pb::CONTACT_POINT_KIND_PHONE);
  phone->set_value("+493012345678");
  pb::ContactPoint* email = data.add_contact_points();
  email->set_kind(pb::CONTACT_POINT_KIND_EMAIL);
  email->set_value("ann@planted.example");
  data.set_address("1 Planted Road");
  data.set_note("prefers planted calls");
  return data;
}

class PersonalTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Vault>> vault = Vault::Create(dir_.path());
    ASSERT_TRUE(vault.ok()) << vault.status();
    vault_ = *std::move(vault);
  }
  SealedPersonal Sealed(uint64_t slot = 1) {
    absl::StatusOr<SealedPersonal> sealed = SealPersonal(*vault_, slot, "acme", "c-1", SomePerson());
    EXPECT_TRUE(sealed.ok()) << sealed.status();
    return *std::move(sealed);
  }
  absl::StatusCode OpenCode(const SealedPersonal& sealed) {
    return OpenPersonal(*vault_, sealed.header, "acme", "c-1", sealed.ciphertext).status().code();
  }

  TempDir dir_;
  std::unique_ptr<Vault> vault_;
};

TEST_F(PersonalTest, ComesBack) {
  const SealedPersonal sealed = Sealed();
  EXPECT_EQ(sealed.header.vault_slot(), 1u);
  EXPECT_EQ(sealed.header.commitments_size(), 5);
  const merkle::Hash hash = merkle::Sha256(sealed.ciphertext);
  EXPECT_EQ(sealed.header.ciphertext_sha256(), std::string(merkle::AsBytes(hash)));
  absl::StatusOr<pb::PersonalData> opened =
      OpenPersonal(*vault_, sealed.header, "acme", "c-1", sealed.ciphertext);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(opened->SerializeAsString(), SomePerson().SerializeAsString());
}

TEST_F(PersonalTest, FieldsNotGivenAreNotSealed) {
  pb::PersonalData data;
  data.set_note("only a note");
  const SealedPersonal sealed = SealPersonal(*vault_, 1, "acme", "c-1", data).value();
  ASSERT_EQ(sealed.header.commitments_size(), 1);
  EXPECT_EQ(sealed.header.commitments(0).number(), 4u);
  EXPECT_EQ(OpenPersonal(*vault_, sealed.header, "acme", "c-1", sealed.ciphertext)->SerializeAsString(),
            data.SerializeAsString());
  const SealedPersonal nothing = SealPersonal(*vault_, 1, "acme", "c-1", pb::PersonalData()).value();
  EXPECT_EQ(nothing.header.commitments_size(), 0);
  EXPECT_TRUE(OpenPersonal(*vault_, nothing.header, "acme", "c-1", nothing.ciphertext).ok());
}

TEST_F(PersonalTest, CommitmentsFollowTheContractAndAreSalted) {
  EXPECT_EQ(FieldCommitmentOf(3, "salt", "value"),
            std::string(merkle::AsBytes(*std::make_unique<merkle::Hash>(
                merkle::Sha256(std::string("customerledger.v1.field\0\0\0\0\x03saltvalue", 24 + 4 + 9))))));
  const SealedPersonal a = Sealed();
  const SealedPersonal b = Sealed();
  for (int i = 0; i < a.header.commitments_size(); ++i) {
    EXPECT_NE(a.header.commitments(i).commitment(), b.header.commitments(i).commitment())
        << "equal values must not be recognised by their commitments";
  }
}

TEST_F(PersonalTest, OpensForItsCustomerInItsLedgerOnly) {
  const SealedPersonal sealed = Sealed();
  EXPECT_EQ(OpenPersonal(*vault_, sealed.header, "acme", "c-2", sealed.ciphertext).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenPersonal(*vault_, sealed.header, "emca", "c-1", sealed.ciphertext).status().code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenPersonal(*vault_, sealed.header, "acm", "ec-1", sealed.ciphertext).status().code(),
            absl::StatusCode::kDataLoss);
  SealedPersonal other_slot = sealed;
  other_slot.header.set_vault_slot(2);
  EXPECT_EQ(OpenCode(other_slot), absl::StatusCode::kDataLoss);
  other_slot.header.set_vault_slot(1'000'000);
  EXPECT_EQ(OpenCode(other_slot), absl::StatusCode::kDataLoss);
}

TEST_F(PersonalTest, EveryFlippedBitOfTheCiphertextIsNoticed) {
  const SealedPersonal sealed = Sealed();
  for (size_t i = 0; i < sealed.ciphertext.size(); ++i) {
    SealedPersonal flipped = sealed;
    flipped.ciphertext[i] ^= 4;
    ASSERT_EQ(OpenCode(flipped), absl::StatusCode::kDataLoss) << i;
  }
}

TEST_F(PersonalTest, EveryCommitmentIsVerified) {
  const SealedPersonal sealed = Sealed();
  for (int i = 0; i < sealed.header.commitments_size(); ++i) {
    SealedPersonal changed = sealed;
    (*changed.header.mutable_commitments(i)->mutable_commitment())[5] ^= 1;
    EXPECT_EQ(OpenCode(changed), absl::StatusCode::kDataLoss) << i;
    changed = sealed;
    changed.header.mutable_commitments(i)->set_number(9);
    EXPECT_EQ(OpenCode(changed), absl::StatusCode::kDataLoss) << i;
  }
  SealedPersonal fewer = sealed;
  fewer.header.mutable_commitments()->RemoveLast();
  EXPECT_EQ(OpenCode(fewer), absl::StatusCode::kDataLoss);
}

TEST_F(PersonalTest, ErasedStaysErasedWithAndWithoutTheCiphertext) {
  const SealedPersonal sealed = Sealed();
  ASSERT_TRUE(vault_->Erase(1).ok());
  EXPECT_EQ(OpenCode(sealed), absl::StatusCode::kNotFound);
  SealedPersonal deleted = sealed;
  deleted.ciphertext.clear();
  EXPECT_EQ(OpenCode(deleted), absl::StatusCode::kNotFound);
}

TEST_F(PersonalTest, NothingIsInTheClear) {
  const SealedPersonal sealed = Sealed();
  std::string all = sealed.ciphertext + sealed.header.SerializeAsString();
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) all += ReadAll(entry.path());
  EXPECT_GT(all.size(), 100'000u);
  EXPECT_EQ(all.find("lanted"), std::string::npos);
  EXPECT_EQ(all.find("3012345678"), std::string::npos);
}

}  // namespace
}  // namespace ledger::vault
