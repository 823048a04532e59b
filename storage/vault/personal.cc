#include "storage/vault/personal.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "storage/merkle/hash.h"
#include "storage/status_macros.h"
#include "storage/vault/crypto.h"
#include "storage/vault/slot_format.h"

namespace ledger::vault {

namespace pb = ::customerledger::v1;

namespace {

constexpr size_t kSaltBytes = 32;
// SealedField.number.
constexpr uint32_t kName = 1;
constexpr uint32_t kContactPoint = 2;
constexpr uint32_t kAddress = 3;
constexpr uint32_t kNote = 4;

std::string Aad(absl::string_view ledger_id, absl::string_view customer_id, uint64_t slot) {
  return absl::StrCat(ledger_id, absl::string_view("\0", 1), customer_id, BigEndian64(slot));
}

std::string HashOf(absl::string_view ciphertext) {
  const merkle::Hash hash = merkle::Sha256(ciphertext);
  return std::string(merkle::AsBytes(hash));
}

absl::Status AddField(uint32_t number, std::string value, pb::SealedFields* fields,
                      pb::SealedPersonalData* header) {
  if (value.empty()) return absl::OkStatus();
  LEDGER_ASSIGN_OR_RETURN(std::string salt, RandomBytes(kSaltBytes));
  pb::FieldCommitment& commitment = *header->add_commitments();
  commitment.set_number(number);
  commitment.set_commitment(FieldCommitmentOf(number, salt, value));
  pb::SealedField& field = *fields->add_fields();
  field.set_number(number);
  field.set_salt(std::move(salt));
  field.set_value(std::move(value));
  return absl::OkStatus();
}

absl::Status Disagrees(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the personal data is not what the record promises: ", what));
}

absl::Status SetField(const pb::SealedField& field, pb::PersonalData* data) {
  switch (field.number()) {
    case kName:
      data->set_name(field.value());
      return absl::OkStatus();
    case kContactPoint:
      if (data->add_contact_points()->ParseFromString(field.value())) return absl::OkStatus();
      return Disagrees("a contact point cannot be read");
    case kAddress:
      data->set_address(field.value());
      return absl::OkStatus();
    case kNote:
      data->set_note(field.value());
      return absl::OkStatus();
  }
  return Disagrees(absl::StrCat("it has a field ", field.number(), ", which this release does not know"));
}

}  // namespace

std::string FieldCommitmentOf(uint32_t number, absl::string_view salt, absl::string_view value) {
  const merkle::Hash hash = merkle::Sha256(
      {"customerledger.v1.field", absl::string_view("\0", 1), BigEndian64(number).substr(4), salt, value});
  return std::string(merkle::AsBytes(hash));
}

absl::StatusOr<SealedPersonal> SealPersonal(Vault& vault, uint64_t slot, absl::string_view ledger_id,
                                            absl::string_view customer_id, const pb::PersonalData& data) {
  SealedPersonal sealed;
  pb::SealedFields fields;
  LEDGER_RETURN_IF_ERROR(AddField(kName, data.name(), &fields, &sealed.header));
  for (const pb::ContactPoint& point : data.contact_points()) {
    LEDGER_RETURN_IF_ERROR(AddField(kContactPoint, point.SerializeAsString(), &fields, &sealed.header));
  }
  LEDGER_RETURN_IF_ERROR(AddField(kAddress, data.address(), &fields, &sealed.header));
  LEDGER_RETURN_IF_ERROR(AddField(kNote, data.note(), &fields, &sealed.header));

  std::string plaintext = fields.SerializeAsString();
  absl::StatusOr<std::string> ciphertext = vault.Seal(slot, Aad(ledger_id, customer_id, slot), plaintext);
  Wipe(&plaintext);
  if (!ciphertext.ok()) return ciphertext.status();
  sealed.ciphertext = *std::move(ciphertext);
  sealed.header.set_vault_slot(slot);
  sealed.header.set_ciphertext_sha256(HashOf(sealed.ciphertext));
  return sealed;
}

absl::StatusOr<pb::PersonalData> OpenPersonal(Vault& vault, const pb::SealedPersonalData& header,
                                              absl::string_view ledger_id, absl::string_view customer_id,
                                              absl::string_view ciphertext) {
  const uint64_t slot = header.vault_slot();
  if (HashOf(ciphertext) != header.ciphertext_sha256()) {
    // The ciphertext of an erased person may be gone, too; the answer is still that it was erased.
    const absl::StatusOr<bool> erased = vault.IsErased(slot);
    if (erased.ok() && *erased) return absl::NotFoundError("ERASED: the person's data was erased");
    return Disagrees("the ciphertext has another hash");
  }
  LEDGER_ASSIGN_OR_RETURN(std::string plaintext,
                          vault.Open(slot, Aad(ledger_id, customer_id, slot), ciphertext));
  pb::SealedFields fields;
  const bool parsed = fields.ParseFromString(plaintext);
  Wipe(&plaintext);
  if (!parsed) return Disagrees("its contents cannot be read");
  if (fields.fields_size() != header.commitments_size()) return Disagrees("the number of fields differs");
  pb::PersonalData data;
  for (int i = 0; i < fields.fields_size(); ++i) {
    const pb::SealedField& field = fields.fields(i);
    const pb::FieldCommitment& promised = header.commitments(i);
    if (promised.number() != field.number() ||
        promised.commitment() != FieldCommitmentOf(field.number(), field.salt(), field.value())) {
      return Disagrees(absl::StrCat("field ", i + 1, " of ", fields.fields_size(), " fails its commitment"));
    }
    LEDGER_RETURN_IF_ERROR(SetField(field, &data));
  }
  return data;
}

}  // namespace ledger::vault
