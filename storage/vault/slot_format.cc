#include "storage/vault/slot_format.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/merkle/hash.h"
#include "storage/status_macros.h"

namespace ledger::vault {
namespace {

constexpr absl::string_view kMagic("CLVAULT1", 8);
constexpr char kStateKey = 1;
constexpr char kStateErased = 2;
constexpr size_t kSectorBytes = 512;
constexpr size_t kHeaderHashOffset = 60;
constexpr size_t kHashBytes = 32;
constexpr size_t kSlotHashOffset = 96;
constexpr size_t kNonceOffset = 16;
constexpr size_t kWrappedOffset = kNonceOffset + kNonceBytes;

std::string BigEndian32(uint32_t number) { return BigEndian64(number).substr(4); }

uint64_t ParseBigEndian(absl::string_view bytes) {
  uint64_t number = 0;
  for (char byte : bytes) number = (number << 8) | static_cast<uint8_t>(byte);
  return number;
}

std::string Sha256String(std::initializer_list<absl::string_view> parts) {
  const merkle::Hash hash = merkle::Sha256(parts);
  return std::string(merkle::AsBytes(hash));
}

std::string HeaderHash(absl::string_view sector) {
  return Sha256String({sector.substr(0, kHeaderHashOffset), sector.substr(kHeaderHashOffset + kHashBytes)});
}

std::string SlotAad(absl::string_view vault_id, uint64_t slot) {
  return absl::StrCat(vault_id, BigEndian64(slot));
}

// The bytes of a slot before its hash, without the wrapped key.
std::string SlotHead(char state, uint64_t slot) {
  std::string bytes(1, state);
  bytes.push_back(kFormat);
  bytes.resize(8, '\0');
  return bytes + BigEndian64(slot);
}

std::string WithHash(std::string bytes) {
  bytes.resize(kSlotHashOffset, '\0');
  return bytes + Sha256String({bytes});
}

bool AllZero(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

absl::Status DamagedSlot(uint64_t slot, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("vault slot ", slot, " is damaged (", what,
                   "): its personal data cannot be read; restore the slot's 128 bytes from a "
                   "backup of the vault, or erase the slot"));
}

absl::Status NewerFormat(absl::string_view what, uint64_t format) {
  return absl::FailedPreconditionError(absl::StrCat(what, " has format ", format, ", this release knows ",
                                                    kFormat,
                                                    ": use the release that wrote it or a newer one"));
}

absl::Status DamagedHeader(absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat("the vault's header is damaged (", what,
                   "): restore the first 4,096 bytes of the file slots from a backup of this "
                   "vault, with a slot count that is not smaller than the one in use"));
}

}  // namespace

std::string BigEndian64(uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

std::string EncodeHeader(const Header& header) {
  std::string sector = absl::StrCat(kMagic, BigEndian32(kFormat), header.vault_id, header.master_key_check);
  sector.resize(kSectorBytes, '\0');
  sector.replace(kHeaderHashOffset, kHashBytes, HeaderHash(sector));
  std::string page = sector + EncodeSlotCount(header.vault_id, header.slot_count);
  page.resize(kHeaderBytes, '\0');
  return page;
}

std::string EncodeSlotCount(absl::string_view vault_id, uint64_t slot_count) {
  const std::string count = BigEndian64(slot_count);
  return count + Sha256String({vault_id, count});
}

absl::StatusOr<Header> DecodeHeader(absl::string_view page) {
  const absl::string_view sector = page.substr(0, kSectorBytes);
  if (page.size() != kHeaderBytes) return DamagedHeader("cut short");
  if (sector.substr(0, kMagic.size()) != kMagic) return DamagedHeader("it does not begin with CLVAULT1");
  // Magic, format and hash stay where they are in every format, so that a flipped bit is not taken for a newer one.
  if (sector.substr(kHeaderHashOffset, kHashBytes) != HeaderHash(sector))
    return DamagedHeader("wrong checksum");
  const uint64_t format = ParseBigEndian(sector.substr(8, 4));
  if (format != kFormat) return NewerFormat("the vault", format);

  Header header;
  header.vault_id = std::string(sector.substr(12, kVaultIdBytes));
  header.master_key_check = std::string(sector.substr(28, 32));
  header.slot_count = ParseBigEndian(page.substr(kCountOffset, 8));
  const std::string count = EncodeSlotCount(header.vault_id, header.slot_count);
  if (page.substr(kCountOffset, count.size()) != count)
    return DamagedHeader("wrong checksum of the slot count");
  if (!AllZero(page.substr(kCountOffset + count.size())))
    return DamagedHeader("bytes that must be 0 are not");
  return header;
}

std::string MasterKeyCheck(const Key& master_key, absl::string_view vault_id) {
  return HmacSha256(AsBytes(master_key), absl::StrCat("customerledger vault master key", vault_id));
}

absl::StatusOr<std::string> EncodeKeySlot(const Key& master_key, absl::string_view vault_id, uint64_t slot,
                                          const Key& key) {
  LEDGER_ASSIGN_OR_RETURN(std::string nonce, RandomBytes(kNonceBytes));
  LEDGER_ASSIGN_OR_RETURN(std::string wrapped,
                          AesGcmSeal(master_key, nonce, SlotAad(vault_id, slot), AsBytes(key)));
  return WithHash(SlotHead(kStateKey, slot) + nonce + wrapped);
}

std::string EncodeErasedSlot(uint64_t slot) { return WithHash(SlotHead(kStateErased, slot)); }

absl::StatusOr<bool> SlotIsErased(uint64_t slot, absl::string_view bytes) {
  if (bytes.size() != kSlotBytes) return DamagedSlot(slot, "cut short");
  if (bytes.substr(kSlotHashOffset) != Sha256String({bytes.substr(0, kSlotHashOffset)})) {
    return DamagedSlot(slot, "wrong checksum");
  }
  if (bytes[1] != static_cast<char>(kFormat)) {
    return NewerFormat(absl::StrCat("vault slot ", slot), static_cast<uint8_t>(bytes[1]));
  }
  const bool erased = bytes[0] == kStateErased;
  if (!erased && bytes[0] != kStateKey) return DamagedSlot(slot, "unknown state");
  if (ParseBigEndian(bytes.substr(8, 8)) != slot) return DamagedSlot(slot, "it holds another slot's bytes");
  return erased;
}

absl::Status DecodeKeySlot(const Key& master_key, absl::string_view vault_id, uint64_t slot,
                           absl::string_view bytes, Key* key) {
  LEDGER_ASSIGN_OR_RETURN(const bool erased, SlotIsErased(slot, bytes));
  if (erased) {
    return absl::NotFoundError(
        absl::StrCat("ERASED: vault slot ", slot, " was erased; its data cannot be read again"));
  }
  absl::StatusOr<std::string> unwrapped =
      AesGcmOpen(master_key, bytes.substr(kNonceOffset, kNonceBytes), SlotAad(vault_id, slot),
                 bytes.substr(kWrappedOffset, kKeyBytes + kTagBytes));
  if (!unwrapped.ok()) return DamagedSlot(slot, "the key does not unwrap");
  std::copy(unwrapped->begin(), unwrapped->end(), key->begin());
  Wipe(&*unwrapped);
  return absl::OkStatus();
}

}  // namespace ledger::vault
