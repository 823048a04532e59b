#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/vault/crypto.h"

// The bytes of the file `slots`. Numbers are big-endian; bytes not named are 0 and are checked.
//
//   Header page, 4,096 bytes, in sectors of 512:
//     sector 0, written once
//         0   8  "CLVAULT1"
//         8   4  format, 1
//        12  16  vault id, random
//        28  32  HMAC-SHA256(master key, "customerledger vault master key" || vault id): is it the right key?
//        60  32  SHA-256 of bytes 0 to 59, and of this sector's bytes after this field
//     sector 1, overwritten whenever slots were added and synced
//       512   8  number of slots
//       520  32  SHA-256 of vault id || bytes 512 to 519
//     the rest is 0
//   Slot n, 128 bytes, at 4,096 + 128 n:
//         0   1  state: 1 key, 2 erased
//         1   1  format, 1
//         8   8  n
//        16  12  nonce                 | of an erased slot: 0
//        28  32  wrapped key           | under the master key by AES-256-GCM,
//        60  16  tag                   | with vault id || n (8 bytes) as associated data
//        96  32  SHA-256 of bytes 0 to 95
//   What lies behind the last slot is left over from an addition that was cut off, and is overwritten by the next.
namespace ledger::vault {

inline constexpr uint32_t kFormat = 1;
inline constexpr size_t kHeaderBytes = 4096;
inline constexpr size_t kSlotBytes = 128;
inline constexpr size_t kCountOffset = 512;
inline constexpr size_t kVaultIdBytes = 16;
inline constexpr uint64_t kRootSlot = 0;  // holds the key of ContactKey

inline uint64_t SlotOffset(uint64_t slot) { return kHeaderBytes + slot * kSlotBytes; }

// 8 bytes.
std::string BigEndian64(uint64_t number);

struct Header {
  std::string vault_id;
  std::string master_key_check;  // 32 bytes
  uint64_t slot_count = 0;
};

std::string EncodeHeader(const Header& header);
// What is written at kCountOffset; less than a sector.
std::string EncodeSlotCount(absl::string_view vault_id, uint64_t slot_count);
// kDataLoss: damaged. kFailedPrecondition: the format is of a newer release.
absl::StatusOr<Header> DecodeHeader(absl::string_view page);

std::string MasterKeyCheck(const Key& master_key, absl::string_view vault_id);

absl::StatusOr<std::string> EncodeKeySlot(const Key& master_key, absl::string_view vault_id, uint64_t slot,
                                          const Key& key);
std::string EncodeErasedSlot(uint64_t slot);

// Whether `bytes`, which stand at `slot`, say that it was erased. kDataLoss: damaged.
// kFailedPrecondition: the format is of a newer release.
absl::StatusOr<bool> SlotIsErased(uint64_t slot, absl::string_view bytes);
// Also kNotFound, "ERASED: ...".
absl::Status DecodeKeySlot(const Key& master_key, absl::string_view vault_id, uint64_t slot,
                           absl::string_view bytes, Key* key);

}  // namespace ledger::vault
