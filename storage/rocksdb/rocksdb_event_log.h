#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "storage/event_log.h"
#include "storage/merkle/frontier.h"
#include "storage/merkle/tiles.h"
#include "storage/mutex.h"
#include "storage/rocksdb/disk_guard.h"
#include "storage/rocksdb/head_file.h"

namespace rocksdb {
class DB;
class FileSystem;
class WriteBatch;
}  // namespace rocksdb

namespace ledger::storage {

class FlushTracker;
class RocksCommitGroup;

struct LogOptions {
  std::string directory;  // the data directory; the log lives in log/ and head below it
  bool create_if_missing = false;
  bool finish_restore = false;  // true: opens what a restore has not finished; only the restore itself does
  uint64_t write_buffer_bytes = 64 << 20;
  uint64_t block_cache_bytes = 128 << 20;
  uint64_t disk_low_water_bytes = 0;                 // 0: see DiskGuard
  std::shared_ptr<rocksdb::FileSystem> file_system;  // nullptr: the machine's own; tests inject faults
  // Bytes that somebody else on the same file system still holds in memory (the views); asked before each append.
  std::function<uint64_t()> other_pending_bytes;
};

// The log on RocksDB: one database for all ledgers, one column family, the head file beside it. See keys.h for the
// rows and head_file.h for the head. Threads as EventLog says.
class RocksEventLog final : public EventLog {
 public:
  // Opens a data directory, after checking that the log reaches its head, that what the write-ahead log brought back is
  // whole, and that the trees' roots agree; the check changes nothing.
  // kDataLoss: it is not whole; the message names what is missing. kUnavailable: another process has the directory.
  // kFailedPrecondition: a newer format, or an unfinished restore. kNotFound: nothing there, and not to be created.
  // kResourceExhausted: the disk is so full that not even what the write-ahead log holds could be put into tables.
  static absl::StatusOr<std::unique_ptr<RocksEventLog>> Open(LogOptions options);
  ~RocksEventLog() override;

  const std::string& lineage() const override { return lineage_; }
  std::vector<LedgerIdentity> Ledgers() const override;
  absl::StatusOr<LedgerIdentity> FindLedger(absl::string_view name) const override;
  uint64_t CommittedPosition(LedgerNumber ledger) const override;
  absl::Time CommittedTime(LedgerNumber ledger) const override;
  absl::Status Scan(LedgerNumber ledger, uint64_t from, Order order,
                    const std::function<bool(uint64_t, absl::string_view)>& visit) const override;
  absl::StatusOr<std::string> Read(LedgerNumber ledger, uint64_t position) const override;
  absl::StatusOr<SubjectHead> Head(LedgerNumber ledger, const SubjectKey& subject) const override;
  absl::Status ScanSubject(LedgerNumber ledger, const SubjectKey& subject, uint64_t from_version, Order order,
                           const std::function<bool(uint64_t, uint64_t)>& visit) const override;
  absl::Status ScanSubjects(
      LedgerNumber ledger, customerledger::v1::SubjectKind kind, absl::string_view after_id,
      const std::function<bool(absl::string_view, const SubjectHead&)>& visit) const override;
  absl::StatusOr<std::string> ReadCiphertext(LedgerNumber ledger, uint64_t position) const override;
  absl::StatusOr<std::string> Root(LedgerNumber ledger) const override;
  absl::StatusOr<std::pair<uint64_t, uint64_t>> Producer(LedgerNumber ledger,
                                                         absl::string_view producer) const override;

  absl::StatusOr<std::vector<StagedEvent>> Stage(Transaction transaction) override;
  void StageRequest(LedgerNumber ledger, absl::string_view key, absl::string_view value) override;
  void StageProducer(LedgerNumber ledger, absl::string_view producer, uint64_t sequence,
                     uint64_t position) override;
  absl::StatusOr<LedgerNumber> StageLedger(absl::string_view name, absl::string_view ledger_id,
                                           bool simulated, absl::Time create_time) override;
  void StageVaultSlot(uint64_t slot) override;
  // Gives the data directory another lineage with the open group. For a restore.
  void StageLineage(absl::string_view lineage);

  uint64_t StagedPosition(LedgerNumber ledger) const override;
  absl::Time StagedTime(LedgerNumber ledger) const override;
  absl::StatusOr<SubjectHead> StagedHead(LedgerNumber ledger, const SubjectKey& subject) const override;
  absl::StatusOr<std::string> StagedRead(LedgerNumber ledger, uint64_t position) const override;
  absl::StatusOr<std::optional<std::string>> StagedRequest(LedgerNumber ledger,
                                                           absl::string_view key) const override;
  absl::StatusOr<std::pair<uint64_t, uint64_t>> StagedProducer(LedgerNumber ledger,
                                                               absl::string_view producer) const override;
  uint64_t StagedVaultSlot() const override;
  size_t OpenBytes() const override;
  std::unique_ptr<CommitGroup> Seal() override;

  absl::Status Commit(std::unique_ptr<CommitGroup> group) override;

  absl::Status AcceptsAppends() const override;
  uint64_t CommitNumber() const override;

  // Reads every row of every ledger back (or of one, where `ledger` is not 0) and every file, and compares; `finding` is
  // called for each thing that is wrong, `progress` now and then. Appends and reads go on. The error is about the
  // check itself, not about findings.
  absl::Status Verify(
      LedgerNumber ledger, const std::function<void(const std::string&)>& finding,
      const std::function<bool(absl::string_view step, uint64_t done, uint64_t total)>& progress);

  const DiskGuard& disk() const { return disk_; }
  // The database, for the other parts of storage/rocksdb.
  rocksdb::DB& database() const { return *database_; }
  // The bytes of the head file; captured before a backup of the database.
  absl::StatusOr<std::string> HeadImage() const ABSL_LOCKS_EXCLUDED(head_mutex_);
  // While true, no commit row is deleted: a copy of the database must hold those that an earlier head asks for.
  void KeepCommitRows(bool keep) { keep_commit_rows_.store(keep); }

 private:
  // Where a ledger's log ends. The staged half belongs to the sequencer.
  struct LedgerEnd {
    LedgerIdentity identity;
    uint64_t staged_position = 0;
    absl::Time staged_time = absl::InfinitePast();
    merkle::Frontier frontier;
    merkle::TileBuilder tiles;
    uint64_t group_first_position = 0;  // of the open group; 0: untouched in it
  };
  struct CommittedEnd {
    LedgerIdentity identity;
    uint64_t position = 0;
    absl::Time time = absl::InfinitePast();
    std::string root;
  };
  // Something staged that readers cannot see yet: kept until `group` is committed.
  template <typename T>
  struct Overlay {
    T value;
    uint64_t group = 0;
  };
  using SubjectId = std::pair<LedgerNumber, SubjectKey>;
  using PositionId = std::pair<LedgerNumber, uint64_t>;
  using NameId = std::pair<LedgerNumber, std::string>;
  class StagedTiles;

  RocksEventLog(LogOptions options, std::unique_ptr<HeadFile> head);
  absl::Status LoadLedgers();
  void DropCommittedOverlays();
  // A compaction writes its output before it deletes its input: where that might not fit, none is started. Looks at
  // the disk at most once a second.
  void KeepCompactionWithinDisk() const;
  bool TooFullToCompact(uint64_t table_bytes) const;

  const LogOptions options_;
  const DiskGuard disk_;
  // Held across the head's sync, so that a backup reads no half-written slot; nobody else waits for it.
  mutable Mutex head_mutex_;
  std::unique_ptr<HeadFile> head_;  // the committer's, after Open
  std::shared_ptr<FlushTracker> flush_tracker_;
  std::unique_ptr<rocksdb::DB> database_;
  std::string lineage_;

  // The sequencer's.
  std::map<LedgerNumber, LedgerEnd> ends_;
  absl::flat_hash_map<std::string, LedgerNumber> staged_names_;
  mutable absl::flat_hash_map<SubjectId, Overlay<SubjectHead>> staged_heads_;  // also a cache of read ones
  absl::flat_hash_map<PositionId, Overlay<std::string>> staged_records_;
  absl::flat_hash_map<NameId, Overlay<std::string>> staged_requests_;
  absl::flat_hash_map<NameId, std::pair<uint64_t, uint64_t>> staged_producers_;
  std::deque<std::pair<uint64_t, PositionId>> staged_record_order_;
  std::deque<std::pair<uint64_t, NameId>> staged_request_order_;
  std::unique_ptr<rocksdb::WriteBatch> open_batch_;
  bool open_dirty_ = false;
  std::vector<LedgerNumber> open_ledgers_;  // touched by the open group
  uint32_t next_ledger_ = 1;
  uint64_t next_vault_slot_ = 1;
  uint64_t open_commit_ = 1;  // the number the open group gets
  std::string last_hash_;
  std::string staged_lineage_;
  uint64_t commit_rows_from_ = 0;  // commit rows up to here are deleted

  std::atomic<uint64_t> committed_group_{0};
  std::atomic<uint64_t> head_flushed_{0};
  std::atomic<bool> failed_{false};
  std::atomic<bool> keep_commit_rows_{false};
  mutable std::atomic<int64_t> last_space_check_{0};
  mutable std::atomic<bool> compaction_off_{false};

  mutable Mutex mutex_;
  std::map<LedgerNumber, CommittedEnd> committed_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, LedgerNumber> names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::storage
