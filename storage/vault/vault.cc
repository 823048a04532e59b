#include "storage/vault/vault.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"
#include "storage/vault/slot_format.h"

namespace ledger::vault {
namespace {

constexpr uint64_t kSlotsMax = uint64_t{1} << 40;
constexpr char kCiphertextFormat = 1;
constexpr size_t kMasterKeyFileBytesMax = 4096;
// Read or copied at once, so that nobody waits for the lock longer than 64 KiB take.
constexpr uint64_t kSlotsPerRead = 512;

std::string MasterKeyPath(absl::string_view dir) { return absl::StrCat(dir, "/master.key"); }
std::string SlotsPath(absl::string_view dir) { return absl::StrCat(dir, "/slots"); }

// A file appears under its name only when it is whole and on disk.
absl::Status WriteWholeFile(const std::string& dir, const std::string& path, absl::string_view bytes) {
  const std::string unfinished = path + ".new";
  {
    LEDGER_ASSIGN_OR_RETURN(File file, File::CreateEmpty(unfinished));
    LEDGER_RETURN_IF_ERROR(file.WriteAt(0, bytes));
    LEDGER_RETURN_IF_ERROR(file.SyncData());
  }
  LEDGER_RETURN_IF_ERROR(RenameFile(unfinished, path));
  return SyncDirectory(dir);
}

absl::Status WriteMasterKey(const std::string& dir, const Key& key) {
  std::string line = absl::BytesToHexString(AsBytes(key)) + "\n";
  const absl::Status written = WriteWholeFile(dir, MasterKeyPath(dir), line);
  Wipe(&line);
  return written;
}

absl::Status ReadMasterKey(absl::string_view dir, Key* key) {
  const std::string path = MasterKeyPath(dir);
  absl::StatusOr<std::string> line = ReadFile(path, kMasterKeyFileBytesMax);
  if (absl::IsNotFound(line.status())) {
    return absl::DataLossError(
        absl::StrCat(path,
                     " is missing: put the vault's master key back, from where you keep "
                     "it apart; without it no personal data can be read"));
  }
  if (!line.ok()) return line.status();
  const absl::string_view hex = absl::StripAsciiWhitespace(*line);
  const bool valid = hex.size() == 2 * kKeyBytes && std::all_of(hex.begin(), hex.end(), absl::ascii_isxdigit);
  if (valid) {
    std::string bytes = absl::HexStringToBytes(hex);
    std::copy(bytes.begin(), bytes.end(), key->begin());
    Wipe(&bytes);
  }
  Wipe(&*line);
  if (valid) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, " is not 64 hex digits: put the vault's master key back"));
}

absl::Status RandomKey(Key* key) {
  LEDGER_ASSIGN_OR_RETURN(std::string random, RandomBytes(kKeyBytes));
  std::copy(random.begin(), random.end(), key->begin());
  Wipe(&random);
  return absl::OkStatus();
}

// The bytes of fresh slots [begin, end).
absl::StatusOr<std::string> MakeSlots(const Key& master_key, absl::string_view vault_id, uint64_t begin,
                                      uint64_t end) {
  std::string bytes;
  bytes.reserve((end - begin) * kSlotBytes);
  for (uint64_t slot = begin; slot < end; ++slot) {
    ScopedKey key;
    LEDGER_RETURN_IF_ERROR(RandomKey(&*key));
    LEDGER_ASSIGN_OR_RETURN(const std::string encoded, EncodeKeySlot(master_key, vault_id, slot, *key));
    bytes += encoded;
  }
  return bytes;
}

absl::Status NoSuchSlot(uint64_t slot, uint64_t count) {
  return absl::OutOfRangeError(absl::StrCat("there is no vault slot ", slot, ": the vault has ", count));
}

absl::Status OwnSlot() {
  return absl::InvalidArgumentError("slot 0 is the vault's own; data uses slots from 1");
}

}  // namespace

Vault::Vault(std::string dir, File file) : dir_(std::move(dir)), file_(std::move(file)) {}

Vault::~Vault() {
  for (auto& [slot, key] : keys_) Wipe(key.data(), key.size());
}

absl::StatusOr<std::unique_ptr<Vault>> Vault::Create(absl::string_view dir_view) {
  const std::string dir(dir_view);
  if (FileExists(SlotsPath(dir))) {
    return absl::AlreadyExistsError(absl::StrCat("there is a vault in ", dir, ": open it"));
  }
  LEDGER_RETURN_IF_ERROR(CreateDirectory(dir));
  // A key that is there was provided, or is left from a creation that was cut off; no slot can depend on it yet.
  ScopedKey master_key;
  if (FileExists(MasterKeyPath(dir))) {
    LEDGER_RETURN_IF_ERROR(ReadMasterKey(dir, &*master_key));
  } else {
    LEDGER_RETURN_IF_ERROR(RandomKey(&*master_key));
    LEDGER_RETURN_IF_ERROR(WriteMasterKey(dir, *master_key));
  }
  Header header;
  LEDGER_ASSIGN_OR_RETURN(header.vault_id, RandomBytes(kVaultIdBytes));
  header.master_key_check = MasterKeyCheck(*master_key, header.vault_id);
  header.slot_count = kSlotsPerChunk;
  LEDGER_ASSIGN_OR_RETURN(const std::string slots,
                          MakeSlots(*master_key, header.vault_id, 0, header.slot_count));
  LEDGER_RETURN_IF_ERROR(WriteWholeFile(dir, SlotsPath(dir), EncodeHeader(header) + slots));
  return Open(dir);
}

absl::StatusOr<std::unique_ptr<Vault>> Vault::Open(absl::string_view dir) {
  const std::string path = SlotsPath(dir);
  if (!FileExists(path)) return absl::NotFoundError(absl::StrCat("there is no vault in ", dir));
  LEDGER_ASSIGN_OR_RETURN(File file, File::Open(path));
  LEDGER_RETURN_IF_ERROR(file.Lock());
  std::unique_ptr<Vault> vault(new Vault(std::string(dir), std::move(file)));
  LEDGER_RETURN_IF_ERROR(vault->Load());
  return vault;
}

absl::Status Vault::Load() {
  LEDGER_ASSIGN_OR_RETURN(const uint64_t bytes, file_.Size());
  LEDGER_ASSIGN_OR_RETURN(const std::string page, file_.ReadAt(0, std::min<uint64_t>(bytes, kHeaderBytes)));
  LEDGER_ASSIGN_OR_RETURN(const Header header, DecodeHeader(page));
  id_ = header.vault_id;
  id_hex_ = absl::BytesToHexString(id_);

  LEDGER_RETURN_IF_ERROR(ReadMasterKey(dir_, &*master_key_));
  if (MasterKeyCheck(*master_key_, id_) != header.master_key_check) {
    return absl::DataLossError(absl::StrCat(MasterKeyPath(dir_),
                                            " is damaged or is another vault's key: put back the ",
                                            "master key of vault ", id_hex_));
  }
  const uint64_t slots_there = (bytes - kHeaderBytes) / kSlotBytes;
  if (slots_there < header.slot_count) {
    return absl::DataLossError(absl::StrCat(SlotsPath(dir_), " is cut short: slots ", slots_there, " to ",
                                            header.slot_count - 1,
                                            " are missing, and with them the personal data they open; "
                                            "restore the file from a backup of this vault"));
  }
  LEDGER_ASSIGN_OR_RETURN(const std::string root_slot, file_.ReadAt(SlotOffset(kRootSlot), kSlotBytes));
  const absl::Status root = DecodeKeySlot(*master_key_, id_, kRootSlot, root_slot, &*root_key_);
  if (absl::IsNotFound(root)) {
    return absl::DataLossError(
        "the vault's root key (slot 0) was erased, which no command does: restore the slot's "
        "128 bytes from a backup of this vault");
  }
  if (!root.ok()) return root;
  slot_count_.store(header.slot_count, std::memory_order_release);
  return absl::OkStatus();
}

absl::Status Vault::EnsureSlots(uint64_t through) {
  if (through < SlotCount()) return absl::OkStatus();
  if (through >= kSlotsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("vault slot ", through, " is past the limit of ", kSlotsMax));
  }
  MutexLock lock(grow_mutex_);
  if (through < SlotCount()) return absl::OkStatus();
  return AddSlots((through / kSlotsPerChunk + 1) * kSlotsPerChunk);
}

absl::Status Vault::AddSlots(uint64_t end) {
  const uint64_t old_count = SlotCount();
  for (uint64_t begin = old_count; begin < end;) {
    const uint64_t chunk_end = std::min(begin + kSlotsPerChunk, end);
    LEDGER_ASSIGN_OR_RETURN(const std::string slots, MakeSlots(*master_key_, id_, begin, chunk_end));
    LEDGER_RETURN_IF_ERROR(file_.WriteAt(SlotOffset(begin), slots));
    begin = chunk_end;
  }
  // First the keys, then the number that says they are there. A repeated call after a failure writes both again, so
  // it does not rely on pages that a failed sync may have dropped.
  LEDGER_RETURN_IF_ERROR(file_.SyncData());
  LEDGER_RETURN_IF_ERROR(file_.WriteAt(kCountOffset, EncodeSlotCount(id_, end)));
  LEDGER_RETURN_IF_ERROR(file_.SyncData());
  slot_count_.store(end, std::memory_order_release);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Vault::Seal(uint64_t slot, absl::string_view aad, absl::string_view plaintext) {
  if (slot == kRootSlot) return OwnSlot();
  ScopedKey key;
  LEDGER_RETURN_IF_ERROR(FetchKey(slot, &key));
  LEDGER_ASSIGN_OR_RETURN(const std::string nonce, RandomBytes(kNonceBytes));
  LEDGER_ASSIGN_OR_RETURN(const std::string sealed, AesGcmSeal(*key, nonce, aad, plaintext));
  return absl::StrCat(absl::string_view(&kCiphertextFormat, 1), nonce, sealed);
}

absl::StatusOr<std::string> Vault::Open(uint64_t slot, absl::string_view aad, absl::string_view ciphertext) {
  if (slot == kRootSlot) return absl::DataLossError("a ciphertext names slot 0, which holds no data");
  ScopedKey key;
  const absl::Status fetched = FetchKey(slot, &key);
  if (absl::IsOutOfRange(fetched)) {
    return absl::DataLossError(absl::StrCat(fetched.message(),
                                            "; this is not the vault that the data was sealed with, "
                                            "or an older copy of it: restore the newer one"));
  }
  if (!fetched.ok()) return fetched;
  if (ciphertext.size() < 1 + kNonceBytes + kTagBytes)
    return absl::DataLossError("a ciphertext is cut short");
  if (ciphertext[0] != kCiphertextFormat) {
    // A flipped bit looks the same. Callers that hold the ciphertext's hash compare it first.
    return absl::FailedPreconditionError(absl::StrCat(
        "the ciphertext has format ", static_cast<uint8_t>(ciphertext[0]), ", this release knows 1"));
  }
  return AesGcmOpen(*key, ciphertext.substr(1, kNonceBytes), aad, ciphertext.substr(1 + kNonceBytes));
}

absl::Status Vault::Erase(uint64_t slot) {
  if (slot == kRootSlot) return OwnSlot();
  if (slot >= SlotCount()) return NoSuchSlot(slot, SlotCount());
  {
    MutexLock lock(mutex_);
    // Forgotten first: a write that fails half-way must not leave a key that only memory still has.
    Forget(slot);
    // Written even if the slot is erased already: an earlier write may not have reached the disk.
    LEDGER_RETURN_IF_ERROR(file_.WriteAt(SlotOffset(slot), EncodeErasedSlot(slot)));
  }
  return file_.SyncData();
}

absl::StatusOr<bool> Vault::IsErased(uint64_t slot) {
  if (slot >= SlotCount()) return NoSuchSlot(slot, SlotCount());
  MutexLock lock(mutex_);
  LEDGER_ASSIGN_OR_RETURN(const std::string bytes, file_.ReadAt(SlotOffset(slot), kSlotBytes));
  return SlotIsErased(slot, bytes);
}

std::string Vault::ContactKey(absl::string_view ledger_id) const {
  return HmacSha256(AsBytes(*root_key_), absl::StrCat("contact", ledger_id));
}

absl::Status Vault::VerifyAll(
    const std::function<void(uint64_t slot, const absl::Status& damage)>& on_damage) {
  const uint64_t count = SlotCount();
  uint64_t damaged = 0;
  for (uint64_t begin = 0; begin < count; begin += kSlotsPerRead) {
    const uint64_t slots = std::min(kSlotsPerRead, count - begin);
    std::string bytes;
    {
      MutexLock lock(mutex_);
      LEDGER_ASSIGN_OR_RETURN(bytes, file_.ReadAt(SlotOffset(begin), slots * kSlotBytes));
    }
    for (uint64_t i = 0; i < slots; ++i) {
      ScopedKey key;
      const absl::Status read = DecodeKeySlot(
          *master_key_, id_, begin + i, absl::string_view(bytes).substr(i * kSlotBytes, kSlotBytes), &*key);
      if (read.ok() || absl::IsNotFound(read)) continue;
      ++damaged;
      on_damage(begin + i, read);
    }
  }
  if (damaged == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(damaged, " of ", count, " vault slots are damaged"));
}

absl::Status Vault::CopyTo(absl::string_view dir_view) {
  const std::string dir(dir_view);
  const std::string path = SlotsPath(dir);
  if (FileExists(path)) return absl::AlreadyExistsError(absl::StrCat("there is a vault in ", dir));
  LEDGER_RETURN_IF_ERROR(CreateDirectory(dir));
  LEDGER_RETURN_IF_ERROR(WriteMasterKey(dir, *master_key_));

  // Slots are only ever added behind these or erased, so what is copied was true at its own moment and all of it at
  // the last one, but for slots erased meanwhile: an erasure that returned before this call is in the copy.
  const Header header{id_, MasterKeyCheck(*master_key_, id_), SlotCount()};
  {
    LEDGER_ASSIGN_OR_RETURN(File copy, File::CreateEmpty(path + ".new"));
    LEDGER_RETURN_IF_ERROR(copy.WriteAt(0, EncodeHeader(header)));
    for (uint64_t begin = 0; begin < header.slot_count; begin += kSlotsPerRead) {
      const uint64_t slots = std::min(kSlotsPerRead, header.slot_count - begin);
      std::string bytes;
      {
        MutexLock lock(mutex_);
        LEDGER_ASSIGN_OR_RETURN(bytes, file_.ReadAt(SlotOffset(begin), slots * kSlotBytes));
      }
      LEDGER_RETURN_IF_ERROR(copy.WriteAt(SlotOffset(begin), bytes));
    }
    LEDGER_RETURN_IF_ERROR(copy.SyncData());
  }
  LEDGER_RETURN_IF_ERROR(RenameFile(path + ".new", path));
  return SyncDirectory(dir);
}

absl::Status Vault::FetchKey(uint64_t slot, ScopedKey* key) {
  if (slot >= SlotCount()) return NoSuchSlot(slot, SlotCount());
  MutexLock lock(mutex_);
  if (auto found = key_index_.find(slot); found != key_index_.end()) {
    keys_.splice(keys_.begin(), keys_, found->second);
    **key = found->second->second;
    return absl::OkStatus();
  }
  LEDGER_ASSIGN_OR_RETURN(const std::string bytes, file_.ReadAt(SlotOffset(slot), kSlotBytes));
  LEDGER_RETURN_IF_ERROR(DecodeKeySlot(*master_key_, id_, slot, bytes, &**key));
  Remember(slot, **key);
  return absl::OkStatus();
}

void Vault::Remember(uint64_t slot, const Key& key) {
  if (keys_.size() >= kCachedKeysMax) Forget(keys_.back().first);
  keys_.emplace_front(slot, key);
  key_index_[slot] = keys_.begin();
}

void Vault::Forget(uint64_t slot) {
  auto found = key_index_.find(slot);
  if (found == key_index_.end()) return;
  Wipe(found->second->second.data(), kKeyBytes);
  keys_.erase(found->second);
  key_index_.erase(found);
}

}  // namespace ledger::vault
