#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/common.pb.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/record.pb.h"

namespace ledger::storage {

// A server's own number for one of its ledgers; from 1, never reused. 0: none.
using LedgerNumber = uint32_t;

// What is fixed about a ledger when it is created.
struct LedgerIdentity {
  LedgerNumber number = 0;
  std::string name;
  std::string ledger_id;  // 16 bytes
  bool simulated = false;
  absl::Time create_time;
};

// A subject as storage sees it.
struct SubjectKey {
  customerledger::v1::SubjectKind kind = customerledger::v1::SUBJECT_KIND_UNSPECIFIED;
  std::string id;

  friend bool operator==(const SubjectKey&, const SubjectKey&) = default;
  friend bool operator<(const SubjectKey& a, const SubjectKey& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.id < b.id;
  }
  template <typename H>
  friend H AbslHashValue(H h, const SubjectKey& key) {
    return H::combine(std::move(h), static_cast<int>(key.kind), key.id);
  }
};

// Where a subject's history stands.
struct SubjectHead {
  uint64_t version = 0;        // 0: no event about the subject yet
  uint64_t last_position = 0;  // of the subject's last event
  std::string state;           // what the writer of the events keeps about the subject; opaque to storage
};

// A record as stored: `bytes` is the serialised Record, what is hashed and delivered.
struct StoredRecord {
  uint64_t position = 0;
  std::string bytes;
};

enum class Order { kForward, kBackward };

// The committed events of every ledger: what survives a crash, and nothing else. Thread-safe.
//
// kDataLoss from any of these: stored bytes make no sense; stop and call an operator.
class LogReader {
 public:
  virtual ~LogReader() = default;

  // 16 bytes; fixed while the log is open.
  virtual const std::string& lineage() const = 0;

  virtual std::vector<LedgerIdentity> Ledgers() const = 0;
  // kNotFound: no ledger of that name.
  virtual absl::StatusOr<LedgerIdentity> FindLedger(absl::string_view name) const = 0;

  // How far a ledger's log reaches; 0 for an empty or unknown one.
  virtual uint64_t CommittedPosition(LedgerNumber ledger) const = 0;
  // The recorded time at that position; InfinitePast for an empty one.
  virtual absl::Time CommittedTime(LedgerNumber ledger) const = 0;

  // Calls `visit` with records from position `from` (included) on, until it returns false or the log ends.
  // The view passed is valid during the call only.
  virtual absl::Status Scan(
      LedgerNumber ledger, uint64_t from, Order order,
      const std::function<bool(uint64_t position, absl::string_view record)>& visit) const = 0;
  // kNotFound: the position is not committed.
  virtual absl::StatusOr<std::string> Read(LedgerNumber ledger, uint64_t position) const = 0;

  // As committed, or up to one commit ahead of CommittedPosition.
  virtual absl::StatusOr<SubjectHead> Head(LedgerNumber ledger, const SubjectKey& subject) const = 0;
  // Calls `visit` with a subject's versions and positions from `from_version` (included) on, until it returns
  // false.
  virtual absl::Status ScanSubject(
      LedgerNumber ledger, const SubjectKey& subject, uint64_t from_version, Order order,
      const std::function<bool(uint64_t version, uint64_t position)>& visit) const = 0;
  // Every subject of a kind that has events, by id, beginning after `after_id`, until `visit` returns false.
  virtual absl::Status ScanSubjects(
      LedgerNumber ledger, customerledger::v1::SubjectKind kind, absl::string_view after_id,
      const std::function<bool(absl::string_view id, const SubjectHead&)>& visit) const = 0;

  // The encrypted personal data that a record stands for. kNotFound: it has none.
  virtual absl::StatusOr<std::string> ReadCiphertext(LedgerNumber ledger, uint64_t position) const = 0;

  // The Merkle tree's root over all committed records; 32 bytes.
  virtual absl::StatusOr<std::string> Root(LedgerNumber ledger) const = 0;

  // How far an import came: its count and the position of its last event; zeros if it never sent anything.
  virtual absl::StatusOr<std::pair<uint64_t, uint64_t>> Producer(LedgerNumber ledger,
                                                                 absl::string_view producer) const = 0;
};

// An event without its place yet. The log fills in the header's position, ledger, format, event type,
// recorded time and the versions of its subjects.
struct PendingEvent {
  customerledger::v1::RecordHeader header;
  std::vector<SubjectKey> subjects;  // the principal one first; no duplicates
  customerledger::v1::Event event;
  std::string ciphertext;  // empty: no personal data
};

// Events that enter one ledger's log together.
struct Transaction {
  LedgerNumber ledger = 0;
  absl::Time recorded_time;  // not before the ledger's last one
  // What the decision was made on; checked again when the transaction is staged.
  std::vector<std::pair<SubjectKey, uint64_t>> reads;
  std::vector<PendingEvent> events;
  // New SubjectHead.state of subjects that the events name.
  std::vector<std::pair<SubjectKey, std::string>> states;
};

// Where a staged event will stand.
struct StagedEvent {
  uint64_t position = 0;
  std::vector<std::pair<SubjectKey, uint64_t>> versions;  // of its subjects, after it
};

// Transactions that become durable together. Opaque to everybody but the log that sealed it.
class CommitGroup {
 public:
  virtual ~CommitGroup() = default;
};

// The log with its writing side. Writing takes two threads: one that stages and seals (the sequencer), one
// that commits what was sealed, in that order (the committer); so the next group is decided while this one is
// synced.
class EventLog : public LogReader {
 public:
  // --- The sequencer thread only. What is staged is seen by the Staged... functions at once, by readers
  // never before it is committed.

  // Adds a transaction to the open group.
  // kAborted: a subject is not at the version that was read; decide again. kDataLoss: as above.
  virtual absl::StatusOr<std::vector<StagedEvent>> Stage(Transaction transaction) = 0;
  // Remembers an answer under `key` (32 bytes) in the open group, for ever.
  virtual void StageRequest(LedgerNumber ledger, absl::string_view key, absl::string_view value) = 0;
  // Moves an import's count in the open group.
  virtual void StageProducer(LedgerNumber ledger, absl::string_view producer, uint64_t sequence,
                             uint64_t position) = 0;
  // Adds a ledger in the open group; its number is returned and its events may follow in the same group.
  // kAlreadyExists: the name is taken.
  virtual absl::StatusOr<LedgerNumber> StageLedger(absl::string_view name, absl::string_view ledger_id,
                                                   bool simulated, absl::Time create_time) = 0;
  // Notes that vault slots below `slot` are in use.
  virtual void StageVaultSlot(uint64_t slot) = 0;

  virtual uint64_t StagedPosition(LedgerNumber ledger) const = 0;
  virtual absl::Time StagedTime(LedgerNumber ledger) const = 0;
  virtual absl::StatusOr<SubjectHead> StagedHead(LedgerNumber ledger, const SubjectKey& subject) const = 0;
  virtual absl::StatusOr<std::string> StagedRead(LedgerNumber ledger, uint64_t position) const = 0;
  // The value of StageRequest; nullopt: never seen.
  virtual absl::StatusOr<std::optional<std::string>> StagedRequest(LedgerNumber ledger,
                                                                   absl::string_view key) const = 0;
  virtual absl::StatusOr<std::pair<uint64_t, uint64_t>> StagedProducer(LedgerNumber ledger,
                                                                       absl::string_view producer) const = 0;
  // The first vault slot that nothing uses.
  virtual uint64_t StagedVaultSlot() const = 0;
  // Bytes in the open group.
  virtual size_t OpenBytes() const = 0;

  // Closes the open group. nullptr: nothing was staged.
  virtual std::unique_ptr<CommitGroup> Seal() = 0;

  // --- The committer thread only.

  // Makes a group durable: the write-ahead log is synced, then the head. Once this returns OK its events
  // survive a crash and every later read sees them. kUnavailable: the disk refused and the outcome is
  // unknown; the log takes nothing more until it is opened again.
  virtual absl::Status Commit(std::unique_ptr<CommitGroup> group) = 0;

  // --- Any thread.

  // OK, or why appends must wait: kResourceExhausted below the disk's low-water mark.
  virtual absl::Status AcceptsAppends() const = 0;
  // Commits since the data directory was created.
  virtual uint64_t CommitNumber() const = 0;
};

}  // namespace ledger::storage
