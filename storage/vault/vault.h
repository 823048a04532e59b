#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/mutex.h"
#include "storage/vault/crypto.h"
#include "storage/vault/file.h"

namespace ledger::vault {

// Slots are made this many at a time, with one sync for all.
inline constexpr uint64_t kSlotsPerChunk = 1024;

// At most this many unwrapped keys are kept in memory.
inline constexpr size_t kCachedKeysMax = 16384;

// Keys of personal data, one for each slot, in a file that is overwritten in place: to erase a person's data
// is to overwrite its key. A slot is 128 bytes and lies within one 512-byte sector, which disks write as a
// whole.
//
// Erasing reaches this file alone. A copy made before (CopyTo, a file system's snapshot, a flash disk's spare
// blocks) still holds the wrapped key, so erasing for good also means to let old copies expire, and to keep
// the master key off the disk that holds the slots.
//
// The directory holds
//   master.key  32 random bytes as 64 hex digits and a line feed, mode 0600. Create makes it unless it is
//   there
//               already. In production keep it elsewhere (a secret store that mounts it here): without it the
//               vault cannot be read, and with it and the slots everything can.
//   slots       the header page and the slots; byte by byte in slot_format.h.
//
// Thread-safe. One process at a time: the file is locked while it is open.
class Vault {
 public:
  // Makes a vault in `dir`, which is created if missing, with the first chunk of slots, and opens it.
  // kAlreadyExists: there is a vault; open it.
  // kUnavailable: the disk refused; what was written is completed by calling again.
  static absl::StatusOr<std::unique_ptr<Vault>> Create(absl::string_view dir);

  // kNotFound: no vault there.
  // kDataLoss: the header, the root key, the master key or the file's length is damaged; the message says
  // what and
  //   what to do. Nothing was changed.
  // kFailedPrecondition: the format is of a newer release.
  // kUnavailable: another process has the vault open, or the disk refused.
  static absl::StatusOr<std::unique_ptr<Vault>> Open(absl::string_view dir);

  ~Vault();
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;

  // 32 hex digits, random, made by Create and kept in copies: who names slots should remember whose.
  const std::string& id() const { return id_hex_; }

  // Slots [0, SlotCount()) exist on disk. Slot 0 is the vault's own.
  uint64_t SlotCount() const { return slot_count_.load(std::memory_order_acquire); }

  // Makes slots up to and including `through`, rounded up to a chunk, and syncs them. Returns at once if they
  // exist. Call it before an event names the slot: a key that is used must be on disk. kInvalidArgument:
  // `through` is absurd (past 2^40). kUnavailable: the disk refused; no slot was added, and the call may be
  // repeated.
  absl::Status EnsureSlots(uint64_t through) ABSL_LOCKS_EXCLUDED(grow_mutex_);

  // Encrypts under the slot's key: format byte (1) || 12 random bytes || AES-256-GCM ciphertext || 16-byte
  // tag. `aad` is bound to it, not stored. kNotFound, "ERASED: ...": the slot was erased; assign another.
  // kInvalidArgument: slot 0, or more than 1 GiB.
  // kOutOfRange: there is no such slot yet; EnsureSlots.
  // kDataLoss: the slot is damaged.
  absl::StatusOr<std::string> Seal(uint64_t slot, absl::string_view aad, absl::string_view plaintext);

  // The plaintext that Seal was given with the same slot and `aad`.
  // kNotFound, "ERASED: ...": the slot was erased, the data is gone for good.
  // kDataLoss: the slot or the ciphertext is damaged, or `aad` is another, or there is no such slot.
  // kFailedPrecondition: the ciphertext's format is of a newer release.
  absl::StatusOr<std::string> Open(uint64_t slot, absl::string_view aad, absl::string_view ciphertext);

  // Overwrites the slot, whatever it holds, and syncs. Once this returns OK the key is gone; again is
  // harmless. kInvalidArgument: slot 0. kOutOfRange: no such slot. kUnavailable: the disk refused: this vault
  // no longer reads the key but it may come back after a crash; call again.
  absl::Status Erase(uint64_t slot) ABSL_LOCKS_EXCLUDED(mutex_);

  // kOutOfRange: no such slot. kDataLoss: the slot is damaged.
  absl::StatusOr<bool> IsErased(uint64_t slot) ABSL_LOCKS_EXCLUDED(mutex_);

  // The key of a ledger's contact point ids: HMAC-SHA256(root key, "contact" || ledger_id); 32 bytes. The
  // same for the life of the vault.
  std::string ContactKey(absl::string_view ledger_id) const;

  // Reads every slot back from disk, unwraps its key, and calls `on_damage` for each that is damaged, without
  // a lock held. kDataLoss: at least one was.
  absl::Status VerifyAll(const std::function<void(uint64_t slot, const absl::Status& damage)>& on_damage)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes a vault that is equal to this one as of some instant of the call to `dir`, which is created if
  // missing, master key included, and syncs it. Back up the log first, then the vault: then every slot that
  // the log names is in the copy. kAlreadyExists: `dir` holds a vault. kUnavailable: the disk refused; remove
  // `dir` and call again.
  absl::Status CopyTo(absl::string_view dir) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using KeyList = std::list<std::pair<uint64_t, Key>>;  // the latest used first

  Vault(std::string dir, File file);

  absl::Status Load();
  absl::Status AddSlots(uint64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(grow_mutex_);
  absl::Status FetchKey(uint64_t slot, ScopedKey* key) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remember(uint64_t slot, const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(uint64_t slot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string dir_;
  const File file_;
  ScopedKey master_key_;
  ScopedKey root_key_;
  std::string id_;  // 16 bytes
  std::string id_hex_;
  std::atomic<uint64_t> slot_count_{0};

  Mutex grow_mutex_
      ABSL_ACQUIRED_BEFORE(mutex_);  // one growth or copy at a time; held across the syncs of a growth
  // Also held while a slot is read or overwritten, so that no reader brings back a key that was just erased;
  // never across a sync.
  Mutex mutex_;
  KeyList keys_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, KeyList::iterator> key_index_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::vault
