#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/personal.pb.h"
#include "storage/vault/vault.h"

// Personal data on its way to disk and back. Every function may run on any thread.
namespace ledger::vault {

struct SealedPersonal {
  customerledger::v1::SealedPersonalData header;  // goes into the record
  std::string ciphertext;                         // is stored apart; whoever erases may delete it, too
};

// Encrypts `data` under the key of `slot`, which must exist. The ciphertext is bound to ledger, customer and
// slot: it does not open anywhere else. Empty fields count as not given. Errors are those of Vault::Seal.
absl::StatusOr<SealedPersonal> SealPersonal(Vault& vault, uint64_t slot, absl::string_view ledger_id,
                                            absl::string_view customer_id,
                                            const customerledger::v1::PersonalData& data);

// The data that SealPersonal was given, after checking the ciphertext's hash and every field's commitment.
// kNotFound, "ERASED: ...": the person's data was erased.
// kDataLoss: hash, commitment or contents disagree with `header`, or the vault is damaged.
absl::StatusOr<customerledger::v1::PersonalData> OpenPersonal(
    Vault& vault, const customerledger::v1::SealedPersonalData& header, absl::string_view ledger_id,
    absl::string_view customer_id, absl::string_view ciphertext);

// SHA-256("customerledger.v1.field" || 0x00 || number as 4 bytes big-endian || salt || value); 32 bytes.
std::string FieldCommitmentOf(uint32_t number, absl::string_view salt, absl::string_view value);

}  // namespace ledger::vault
