#include "storage/rocksdb/rocksdb_event_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "google/protobuf/util/time_util.h"
#include "openssl/rand.h"
#include "rocksdb/db.h"
#include "rocksdb/write_batch.h"
#include "storage/merkle/hash.h"
#include "storage/record_codec.h"
#include "storage/rocksdb/flush_tracker.h"
#include "storage/rocksdb/keys.h"
#include "storage/rocksdb/log_database.h"
#include "storage/rocksdb/open_check.h"
#include "storage/status_macros.h"

namespace ledger::storage {

namespace pb = ::customerledger::v1;

namespace {

// Beyond this many cached subject heads, those that no open or waiting commit needs are dropped.
constexpr size_t kCachedHeadsMax = 200'000;

// What one compaction may write at most, as the options of log_database.cc have it.
constexpr uint64_t kCompactionBytesMax = uint64_t{2} << 30;

// What opening writes besides the tables: manifest, options, an empty write-ahead log.
constexpr uint64_t kOpenBytes = 128 << 10;

std::unique_ptr<rocksdb::WriteBatch> NewBatch() {
  return std::make_unique<rocksdb::WriteBatch>(/*reserved_bytes=*/64 << 10, /*max_bytes=*/0,
                                               /*protection_bytes_per_key=*/8, /*default_cf_ts_sz=*/0);
}

void Put(rocksdb::WriteBatch& batch, absl::string_view key, absl::string_view value) {
  // A batch in memory refuses nothing but a size limit, and there is none.
  batch.Put(AsSlice(key), AsSlice(value)).PermitUncheckedError();
}

std::string RandomBytes(size_t count) {
  std::string bytes(count, '\0');
  RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count));
  return bytes;
}

struct FileBytes {
  uint64_t logs = 0;
  uint64_t tables = 0;
};

// What the files of a RocksDB directory hold; of a missing one, nothing.
FileBytes CountFileBytes(const std::string& directory) {
  FileBytes bytes;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string extension = entry.path().extension();
    const uint64_t size = entry.file_size(error);
    if (error) continue;
    if (extension == ".log") bytes.logs += size;
    if (extension == ".sst") bytes.tables += size;
  }
  return bytes;
}

bool Exists(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

LedgerIdentity IdentityOf(LedgerNumber number, const LedgerRow& row) {
  LedgerIdentity identity;
  identity.number = number;
  identity.name = row.name();
  identity.ledger_id = row.ledger_id();
  identity.simulated = row.simulated();
  identity.create_time = absl::FromUnixMicros(row.create_time_micros());
  return identity;
}

absl::StatusOr<SubjectHead> ReadHead(rocksdb::DB& database, LedgerNumber ledger, const SubjectKey& subject) {
  absl::StatusOr<SubjectRow> row = GetMessage<SubjectRow>(database, keys::Subject(ledger, subject));
  if (absl::IsNotFound(row.status())) return SubjectHead();
  LEDGER_RETURN_IF_ERROR(row.status());
  return SubjectHead{row->version(), row->last_position(), std::move(*row->mutable_state())};
}

absl::StatusOr<std::string> ReadRecord(rocksdb::DB& database, LedgerNumber ledger, uint64_t position) {
  LEDGER_ASSIGN_OR_RETURN(const std::string row, GetRow(database, keys::Record(ledger, position)));
  LEDGER_ASSIGN_OR_RETURN(const absl::string_view record, DecodeRecordRow(row));
  return std::string(record);
}

// Whatever does not end within one commit is made of whole rows of one prefix; this walks them.
absl::Status Walk(
    rocksdb::DB& database, absl::string_view from, absl::string_view prefix, Order order,
    const std::function<absl::StatusOr<bool>(absl::string_view key, absl::string_view value)>& visit) {
  std::unique_ptr<rocksdb::Iterator> it(database.NewIterator(rocksdb::ReadOptions()));
  if (order == Order::kForward) {
    it->Seek(AsSlice(from));
  } else {
    it->SeekForPrev(AsSlice(from));
  }
  for (; it->Valid() && it->key().starts_with(AsSlice(prefix));
       order == Order::kForward ? it->Next() : it->Prev()) {
    LEDGER_ASSIGN_OR_RETURN(const bool go_on, visit(AsView(it->key()), AsView(it->value())));
    if (!go_on) return absl::OkStatus();
  }
  return FromRocks(it->status(), "cannot walk the log");
}

}  // namespace

class RocksCommitGroup : public CommitGroup {
 public:
  struct End {
    LedgerIdentity identity;
    uint64_t position = 0;
    absl::Time time;
    std::string root;
  };
  std::unique_ptr<rocksdb::WriteBatch> batch;
  uint64_t number = 0;
  std::string hash;
  std::string lineage;  // empty: unchanged
  std::vector<End> ends;
};

// Reads what the tree needs of events that may not be committed yet.
class RocksEventLog::StagedTiles : public merkle::TileSource {
 public:
  StagedTiles(const RocksEventLog& log, LedgerNumber ledger) : log_(log), ledger_(ledger) {}

  // Tiles of below the size the builder resumed from are in the database: it resumed from committed rows.
  absl::StatusOr<std::string> ReadTile(uint32_t level, uint64_t index) override {
    return GetRow(*log_.database_, keys::Tile(ledger_, level, index));
  }
  absl::StatusOr<merkle::Hash> ReadLeaf(uint64_t index) override {
    LEDGER_ASSIGN_OR_RETURN(const std::string record, log_.StagedRead(ledger_, index + 1));
    return merkle::LeafHash(record);
  }

 private:
  const RocksEventLog& log_;
  const LedgerNumber ledger_;
};

RocksEventLog::RocksEventLog(LogOptions options, std::unique_ptr<HeadFile> head)
    : options_(std::move(options)),
      disk_(options_.directory, options_.disk_low_water_bytes),
      head_(std::move(head)),
      flush_tracker_(std::make_shared<FlushTracker>()),
      open_batch_(NewBatch()) {}

RocksEventLog::~RocksEventLog() {
  // After a clean stop nothing is left for the check at open. A failed log keeps its write-ahead log as it is.
  // Neither does one that finds the disk full: RocksDB would abort, and opening does the same work later.
  const bool has_room = disk_.FreeBytes() >= flush_tracker_->unflushed_bytes() + kOpenBytes;
  if (database_ != nullptr && !failed_.load() && has_room) {
    database_->Flush(rocksdb::FlushOptions()).PermitUncheckedError();
    // Waits for the listener too, which hears of a flush a little later than who asked for it.
    database_->Close().PermitUncheckedError();
    if (head_ != nullptr && flush_tracker_->flushed() > head_->commit().flushed) {
      HeadCommit commit = head_->commit();
      commit.flushed = flush_tracker_->flushed();
      head_->Write(commit, {}).IgnoreError();
    }
  }
}

absl::StatusOr<std::unique_ptr<RocksEventLog>> RocksEventLog::Open(LogOptions options) {
  const std::string log_directory = options.directory + "/log";
  const std::string head_path = options.directory + "/head";
  if (Exists(options.directory + "/RESTORING") && !options.finish_restore) {
    return absl::FailedPreconditionError(absl::StrCat("RESTORE_UNFINISHED: a restore into ",
                                                      options.directory,
                                                      " did not finish. Empty it and restore again."));
  }
  const bool is_new = !Exists(head_path) && !Exists(log_directory);
  if (is_new) {
    if (!options.create_if_missing) {
      return absl::NotFoundError(absl::StrCat("NO_DATA: ", options.directory, " holds no ledgers"));
    }
    std::error_code error;
    std::filesystem::create_directories(options.directory, error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("DISK_REFUSED: cannot make ", options.directory, ": ", error.message()));
    }
    LEDGER_RETURN_IF_ERROR(HeadFile::Create(head_path, RandomBytes(16)));
  }
  LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<HeadFile> head, HeadFile::Open(head_path, /*writable=*/true));
  LogDatabaseOptions database_options;
  database_options.write_buffer_bytes = options.write_buffer_bytes;
  database_options.block_cache_bytes = options.block_cache_bytes;
  database_options.file_system = options.file_system;

  // The head is made first, so a head at commit 0 without a log is a creation that was cut short.
  const bool create = head->commit().number == 0 && !Exists(log_directory + "/CURRENT");
  if (!create) {
    if (!Exists(log_directory)) {
      return absl::DataLossError(absl::StrCat("LOG_MISSING: ", log_directory,
                                              " is not there and the head counts ", head->commit().number,
                                              " commits. Restore a backup, or bring the directory back."));
    }
    // Opening for writing would replay, and so destroy, the evidence: look first.
    LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<rocksdb::DB> database,
                            OpenLogDatabase(log_directory, OpenMode::kReadOnly, database_options));
    if (head->commit().number > 0 || GetGlobalRow(*database).ok()) {
      LEDGER_RETURN_IF_ERROR(CheckOpen(*database, *head));
    }
  }

  std::unique_ptr<RocksEventLog> log(new RocksEventLog(std::move(options), std::move(head)));
  log->disk_.FreeBallastIfNeeded();
  const FileBytes bytes = CountFileBytes(log_directory);
  if (const uint64_t free = log->disk_.FreeBytes(); free < bytes.logs + kOpenBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("DISK_FULL: ", free, " bytes are free and opening needs ", bytes.logs + kOpenBytes,
                     "; nothing is lost. Free space on the data directory's file system and start again."));
  }
  log->compaction_off_.store(log->TooFullToCompact(bytes.tables));
  database_options.compact = !log->compaction_off_.load();
  database_options.listener = log->flush_tracker_;
  LEDGER_ASSIGN_OR_RETURN(
      log->database_,
      OpenLogDatabase(log_directory, create ? OpenMode::kCreate : OpenMode::kReadWrite, database_options));
  LEDGER_RETURN_IF_ERROR(log->LoadLedgers());
  log->disk_.LayBallast();
  return log;
}

absl::Status RocksEventLog::LoadLedgers() {
  lineage_ = head_->lineage();
  last_hash_ = std::string(32, '\0');
  absl::StatusOr<GlobalRow> global = GetGlobalRow(*database_);
  if (global.ok()) {
    if (global->lineage() != lineage_) {
      return absl::DataLossError("LINEAGE_DIFFERS: the head and the log are not of one data directory");
    }
    next_ledger_ = global->next_ledger();
    next_vault_slot_ = global->next_vault_slot();
    open_commit_ = global->commit_number() + 1;
    last_hash_ = global->commit_hash();
    committed_group_.store(global->commit_number());
    flush_tracker_->SetFlushed(global->commit_number());
  } else if (!absl::IsNotFound(global.status())) {
    return global.status();
  }
  head_flushed_.store(head_->commit().flushed);

  MutexLock lock(mutex_);
  return Walk(*database_, "l", "l", Order::kForward,
              [&](absl::string_view key, absl::string_view value)
                  ABSL_NO_THREAD_SAFETY_ANALYSIS -> absl::StatusOr<bool> {
                    LedgerRow row;
                    if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                      return absl::DataLossError("ROW_DAMAGED: a ledger's row does not parse");
                    }
                    const LedgerNumber number = keys::DecodeLedger(key.substr(1));
                    const LedgerIdentity identity = IdentityOf(number, row);
                    LedgerEnd& end = ends_[number];
                    end.identity = identity;
                    CommittedEnd& committed = committed_[number];
                    committed.identity = identity;
                    names_[row.name()] = number;
                    staged_names_[row.name()] = number;
                    absl::StatusOr<TipRow> tip = GetMessage<TipRow>(*database_, keys::Tip(number));
                    if (absl::IsNotFound(tip.status())) return true;
                    LEDGER_RETURN_IF_ERROR(tip.status());
                    LEDGER_ASSIGN_OR_RETURN(end.frontier, merkle::Frontier::Parse(tip->frontier()));
                    end.tiles = merkle::TileBuilder(tip->size());
                    end.staged_position = tip->size();
                    if (tip->size() > 0) end.staged_time = absl::FromUnixMicros(tip->recorded_time_micros());
                    committed.position = tip->size();
                    committed.time = end.staged_time;
                    const merkle::Hash root = end.frontier.Root();
                    committed.root = std::string(merkle::AsBytes(root));
                    return true;
                  });
}

// --- Reading.

std::vector<LedgerIdentity> RocksEventLog::Ledgers() const {
  MutexLock lock(mutex_);
  std::vector<LedgerIdentity> ledgers;
  for (const auto& [number, end] : committed_) ledgers.push_back(end.identity);
  return ledgers;
}

absl::StatusOr<LedgerIdentity> RocksEventLog::FindLedger(absl::string_view name) const {
  MutexLock lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) {
    return absl::NotFoundError(absl::StrCat("LEDGER_NOT_FOUND: there is no ledger '", name,
                                            "'; list the ledgers, or create it first"));
  }
  return committed_.at(found->second).identity;
}

uint64_t RocksEventLog::CommittedPosition(LedgerNumber ledger) const {
  MutexLock lock(mutex_);
  const auto found = committed_.find(ledger);
  return found == committed_.end() ? 0 : found->second.position;
}

absl::Time RocksEventLog::CommittedTime(LedgerNumber ledger) const {
  MutexLock lock(mutex_);
  const auto found = committed_.find(ledger);
  return found == committed_.end() ? absl::InfinitePast() : found->second.time;
}

absl::StatusOr<std::string> RocksEventLog::Root(LedgerNumber ledger) const {
  MutexLock lock(mutex_);
  const auto found = committed_.find(ledger);
  if (found == committed_.end() || found->second.position == 0) {
    const merkle::Hash root = merkle::EmptyRoot();
    return std::string(merkle::AsBytes(root));
  }
  return found->second.root;
}

absl::Status RocksEventLog::Scan(LedgerNumber ledger, uint64_t from, Order order,
                                 const std::function<bool(uint64_t, absl::string_view)>& visit) const {
  const uint64_t last = CommittedPosition(ledger);
  if (order == Order::kBackward) from = std::min(from, last);
  if (from == 0 || from > last) return absl::OkStatus();
  uint64_t expected = from;
  bool stopped = false;
  LEDGER_RETURN_IF_ERROR(
      Walk(*database_, keys::Record(ledger, from), keys::Record(ledger, 0).substr(0, 5), order,
           [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
             const uint64_t position = keys::TrailingNumber(key);
             if (position > last) return false;
             if (position != expected) {
               return absl::DataLossError(
                   absl::StrCat("POSITION_MISSING: position ", expected, " is not in the log"));
             }
             LEDGER_ASSIGN_OR_RETURN(const absl::string_view record, DecodeRecordRow(value));
             order == Order::kForward ? ++expected : --expected;
             stopped = !visit(position, record);
             return !stopped && expected > 0;
           }));
  const bool complete = order == Order::kForward ? expected > last : expected == 0;
  if (!stopped && !complete) {
    return absl::DataLossError(absl::StrCat("POSITION_MISSING: position ", expected, " is not in the log"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> RocksEventLog::Read(LedgerNumber ledger, uint64_t position) const {
  if (position == 0 || position > CommittedPosition(ledger)) {
    return absl::NotFoundError(absl::StrCat("POSITION_NOT_FOUND: there is no position ", position, " yet"));
  }
  absl::StatusOr<std::string> record = ReadRecord(*database_, ledger, position);
  if (absl::IsNotFound(record.status())) {
    return absl::DataLossError(absl::StrCat("POSITION_MISSING: position ", position, " is not in the log"));
  }
  return record;
}

absl::StatusOr<SubjectHead> RocksEventLog::Head(LedgerNumber ledger, const SubjectKey& subject) const {
  return ReadHead(*database_, ledger, subject);
}

absl::Status RocksEventLog::ScanSubject(LedgerNumber ledger, const SubjectKey& subject, uint64_t from_version,
                                        Order order,
                                        const std::function<bool(uint64_t, uint64_t)>& visit) const {
  const uint64_t last = CommittedPosition(ledger);
  const std::string first_key = keys::SubjectIndex(ledger, subject, from_version);
  return Walk(*database_, first_key, first_key.substr(0, first_key.size() - 8), order,
              [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                if (value.size() != 8)
                  return absl::DataLossError("ROW_DAMAGED: an index row has a wrong length");
                const uint64_t position = keys::TrailingNumber(value);
                if (position > last) return order == Order::kBackward;
                return visit(keys::TrailingNumber(key), position);
              });
}

absl::Status RocksEventLog::ScanSubjects(
    LedgerNumber ledger, pb::SubjectKind kind, absl::string_view after_id,
    const std::function<bool(absl::string_view, const SubjectHead&)>& visit) const {
  const std::string prefix = keys::SubjectKindPrefix(ledger, kind);
  return Walk(*database_, absl::StrCat(prefix, after_id), prefix, Order::kForward,
              [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                const absl::string_view id = key.substr(prefix.size());
                if (!after_id.empty() && id == after_id) return true;
                SubjectRow row;
                if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                  return absl::DataLossError("ROW_DAMAGED: a subject's row does not parse");
                }
                return visit(id, SubjectHead{row.version(), row.last_position(), row.state()});
              });
}

absl::StatusOr<std::string> RocksEventLog::ReadCiphertext(LedgerNumber ledger, uint64_t position) const {
  return GetRow(*database_, keys::Ciphertext(ledger, position));
}

absl::StatusOr<std::pair<uint64_t, uint64_t>> RocksEventLog::Producer(LedgerNumber ledger,
                                                                      absl::string_view producer) const {
  absl::StatusOr<ProducerRow> row = GetMessage<ProducerRow>(*database_, keys::Producer(ledger, producer));
  if (absl::IsNotFound(row.status())) return std::make_pair(uint64_t{0}, uint64_t{0});
  LEDGER_RETURN_IF_ERROR(row.status());
  return std::make_pair(row->sequence(), row->position());
}

// --- Staging.

absl::StatusOr<std::vector<StagedEvent>> RocksEventLog::Stage(Transaction transaction) {
  const auto found = ends_.find(transaction.ledger);
  if (found == ends_.end()) return absl::NotFoundError("LEDGER_NOT_FOUND: there is no such ledger");
  LedgerEnd& end = found->second;
  for (const auto& [subject, version] : transaction.reads) {
    LEDGER_ASSIGN_OR_RETURN(const SubjectHead head, StagedHead(transaction.ledger, subject));
    if (head.version != version) {
      return absl::AbortedError(absl::StrCat("SUBJECT_MOVED: subject '", subject.id, "' is at version ",
                                             head.version, ", the decision was made at ", version,
                                             "; decide again"));
    }
  }
  // Everything that can fail comes before the first change, so that a transaction enters whole or not at all.
  for (const PendingEvent& event : transaction.events) {
    for (const SubjectKey& subject : event.subjects) {
      LEDGER_RETURN_IF_ERROR(StagedHead(transaction.ledger, subject).status());
    }
  }
  for (const auto& [subject, state] : transaction.states) {
    LEDGER_RETURN_IF_ERROR(StagedHead(transaction.ledger, subject).status());
  }
  const absl::Time recorded = std::max(transaction.recorded_time, end.staged_time);

  if (end.group_first_position == 0) {
    end.group_first_position = end.staged_position + 1;
    open_ledgers_.push_back(transaction.ledger);
  }
  open_dirty_ = true;
  StagedTiles tile_source(*this, transaction.ledger);
  std::vector<StagedEvent> staged;
  std::set<SubjectKey> touched;
  for (PendingEvent& event : transaction.events) {
    const uint64_t position = end.staged_position + 1;
    StagedEvent place;
    place.position = position;
    pb::Record record;
    record.mutable_header()->Swap(&event.header);
    record.mutable_event()->Swap(&event.event);
    pb::RecordHeader& header = *record.mutable_header();
    header.set_format_version(kRecordFormat);
    header.set_ledger_id(end.identity.ledger_id);
    header.set_position(position);
    header.set_event_type(static_cast<uint32_t>(record.event().body_case()));
    *header.mutable_recorded_time() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(recorded));
    header.clear_subjects();
    for (const SubjectKey& subject : event.subjects) {
      Overlay<SubjectHead>& head = staged_heads_[SubjectId(transaction.ledger, subject)];
      pb::SubjectVersion& version = *header.add_subjects();
      version.mutable_subject()->set_kind(subject.kind);
      version.mutable_subject()->set_id(subject.id);
      version.set_version(head.value.version + 1);
      version.set_previous_position(head.value.last_position);
      head.value.version += 1;
      head.value.last_position = position;
      head.group = open_commit_;
      place.versions.emplace_back(subject, head.value.version);
      Put(*open_batch_, keys::SubjectIndex(transaction.ledger, subject, head.value.version),
          keys::EncodeNumber(position));
      touched.insert(subject);
    }
    std::string bytes = record.SerializeAsString();
    const merkle::Hash leaf = merkle::LeafHash(bytes);
    std::vector<merkle::Tile> tiles;
    // A tile that cannot be read back is damage of committed rows: nothing of this group may become durable.
    if (const absl::Status status = end.tiles.Push(leaf, tile_source, &tiles); !status.ok()) {
      failed_.store(true);
      return absl::DataLossError(absl::StrCat("TREE_DAMAGED: ", status.message()));
    }
    end.frontier.Push(leaf);
    for (const merkle::Tile& tile : tiles) {
      Put(*open_batch_, keys::Tile(transaction.ledger, tile.level, tile.index), tile.bytes);
    }
    Put(*open_batch_, keys::Record(transaction.ledger, position), EncodeRecordRow(bytes));
    if (!event.ciphertext.empty()) {
      Put(*open_batch_, keys::Ciphertext(transaction.ledger, position), event.ciphertext);
    }
    staged_records_[PositionId(transaction.ledger, position)] = {std::move(bytes), open_commit_};
    staged_record_order_.emplace_back(open_commit_, PositionId(transaction.ledger, position));
    end.staged_position = position;
    staged.push_back(std::move(place));
  }
  for (auto& [subject, state] : transaction.states) {
    Overlay<SubjectHead>& head = staged_heads_[SubjectId(transaction.ledger, subject)];
    head.value.state = std::move(state);
    head.group = open_commit_;
    touched.insert(subject);
  }
  for (const SubjectKey& subject : touched) {
    const SubjectHead& head = staged_heads_[SubjectId(transaction.ledger, subject)].value;
    SubjectRow row;
    row.set_version(head.version);
    row.set_last_position(head.last_position);
    row.set_state(head.state);
    Put(*open_batch_, keys::Subject(transaction.ledger, subject), row.SerializeAsString());
  }
  end.staged_time = recorded;
  return staged;
}

void RocksEventLog::StageRequest(LedgerNumber ledger, absl::string_view key, absl::string_view value) {
  Put(*open_batch_, keys::Request(ledger, key), value);
  NameId id(ledger, std::string(key));
  staged_requests_[id] = {std::string(value), open_commit_};
  staged_request_order_.emplace_back(open_commit_, std::move(id));
  open_dirty_ = true;
}

void RocksEventLog::StageProducer(LedgerNumber ledger, absl::string_view producer, uint64_t sequence,
                                  uint64_t position) {
  ProducerRow row;
  row.set_sequence(sequence);
  row.set_position(position);
  Put(*open_batch_, keys::Producer(ledger, producer), row.SerializeAsString());
  staged_producers_[NameId(ledger, std::string(producer))] = {sequence, position};
  open_dirty_ = true;
}

absl::StatusOr<LedgerNumber> RocksEventLog::StageLedger(absl::string_view name, absl::string_view ledger_id,
                                                        bool simulated, absl::Time create_time) {
  if (staged_names_.contains(name)) {
    return absl::AlreadyExistsError(absl::StrCat("LEDGER_EXISTS: there is a ledger '", name, "' already"));
  }
  const LedgerNumber number = next_ledger_++;
  LedgerRow row;
  row.set_name(std::string(name));
  row.set_ledger_id(std::string(ledger_id));
  row.set_simulated(simulated);
  row.set_create_time_micros(absl::ToUnixMicros(create_time));
  Put(*open_batch_, keys::Ledger(number), row.SerializeAsString());
  Put(*open_batch_, keys::LedgerName(name), keys::EncodeLedger(number));
  LedgerEnd& end = ends_[number];
  end.identity = IdentityOf(number, row);
  // It appears with this group, also where its first event does not.
  end.group_first_position = 1;
  open_ledgers_.push_back(number);
  staged_names_[std::string(name)] = number;
  open_dirty_ = true;
  return number;
}

void RocksEventLog::StageVaultSlot(uint64_t slot) { next_vault_slot_ = std::max(next_vault_slot_, slot); }

void RocksEventLog::StageLineage(absl::string_view lineage) {
  staged_lineage_ = std::string(lineage);
  open_dirty_ = true;
}

uint64_t RocksEventLog::StagedPosition(LedgerNumber ledger) const {
  const auto found = ends_.find(ledger);
  return found == ends_.end() ? 0 : found->second.staged_position;
}

absl::Time RocksEventLog::StagedTime(LedgerNumber ledger) const {
  const auto found = ends_.find(ledger);
  return found == ends_.end() ? absl::InfinitePast() : found->second.staged_time;
}

absl::StatusOr<SubjectHead> RocksEventLog::StagedHead(LedgerNumber ledger, const SubjectKey& subject) const {
  const SubjectId id(ledger, subject);
  const auto found = staged_heads_.find(id);
  if (found != staged_heads_.end()) return found->second.value;
  LEDGER_ASSIGN_OR_RETURN(SubjectHead head, ReadHead(*database_, ledger, subject));
  staged_heads_[id] = {head, 0};
  return head;
}

absl::StatusOr<std::string> RocksEventLog::StagedRead(LedgerNumber ledger, uint64_t position) const {
  const auto found = staged_records_.find(PositionId(ledger, position));
  if (found != staged_records_.end()) return found->second.value;
  return ReadRecord(*database_, ledger, position);
}

absl::StatusOr<std::optional<std::string>> RocksEventLog::StagedRequest(LedgerNumber ledger,
                                                                        absl::string_view key) const {
  const auto found = staged_requests_.find(NameId(ledger, std::string(key)));
  if (found != staged_requests_.end()) return std::make_optional(found->second.value);
  absl::StatusOr<std::string> row = GetRow(*database_, keys::Request(ledger, key));
  if (absl::IsNotFound(row.status())) return std::optional<std::string>();
  LEDGER_RETURN_IF_ERROR(row.status());
  return std::make_optional(*std::move(row));
}

absl::StatusOr<std::pair<uint64_t, uint64_t>> RocksEventLog::StagedProducer(
    LedgerNumber ledger, absl::string_view producer) const {
  const auto found = staged_producers_.find(NameId(ledger, std::string(producer)));
  if (found != staged_producers_.end()) return found->second;
  return Producer(ledger, producer);
}

uint64_t RocksEventLog::StagedVaultSlot() const { return next_vault_slot_; }

size_t RocksEventLog::OpenBytes() const { return open_batch_->GetDataSize(); }

std::unique_ptr<CommitGroup> RocksEventLog::Seal() {
  if (!open_dirty_) return nullptr;
  auto group = std::make_unique<RocksCommitGroup>();
  group->number = open_commit_;
  group->lineage = staged_lineage_;
  CommitRow commit;
  commit.set_number(open_commit_);
  commit.set_previous_hash(last_hash_);
  std::sort(open_ledgers_.begin(), open_ledgers_.end());
  for (const LedgerNumber number : open_ledgers_) {
    LedgerEnd& end = ends_[number];
    TipRow tip;
    tip.set_size(end.staged_position);
    tip.set_recorded_time_micros(absl::ToUnixMicros(end.staged_time));
    tip.set_frontier(end.frontier.Serialize());
    Put(*open_batch_, keys::Tip(number), tip.SerializeAsString());
    const merkle::Hash root = end.frontier.Root();
    CommitRange& range = *commit.add_ranges();
    range.set_ledger(number);
    range.set_first_position(end.group_first_position);
    range.set_last_position(end.staged_position);
    range.set_root(std::string(merkle::AsBytes(root)));
    group->ends.push_back({end.identity, end.staged_position, end.staged_time, range.root()});
    end.group_first_position = 0;
  }
  const std::string commit_bytes = commit.SerializeAsString();
  const merkle::Hash hash = merkle::Sha256(commit_bytes);
  last_hash_ = std::string(merkle::AsBytes(hash));
  group->hash = last_hash_;
  Put(*open_batch_, keys::Commit(open_commit_), commit_bytes);
  // Rows of commits before the one that the head on disk calls flushed will never be read again. That one's own row
  // stays: it shows at open that the tables are those that the head knew.
  if (const uint64_t flushed = head_flushed_.load();
      flushed > commit_rows_from_ && !keep_commit_rows_.load()) {
    open_batch_->DeleteRange(AsSlice(keys::Commit(commit_rows_from_)), AsSlice(keys::Commit(flushed)))
        .PermitUncheckedError();
    commit_rows_from_ = flushed;
  }
  GlobalRow global;
  global.set_format_version(kLogFormat);
  global.set_lineage(staged_lineage_.empty() ? lineage_ : staged_lineage_);
  global.set_next_ledger(next_ledger_);
  global.set_next_vault_slot(next_vault_slot_);
  global.set_commit_number(open_commit_);
  global.set_commit_hash(last_hash_);
  Put(*open_batch_, keys::Global(), global.SerializeAsString());
  group->batch = std::move(open_batch_);

  open_batch_ = NewBatch();
  open_ledgers_.clear();
  open_dirty_ = false;
  ++open_commit_;
  DropCommittedOverlays();
  return group;
}

void RocksEventLog::DropCommittedOverlays() {
  const uint64_t committed = committed_group_.load();
  while (!staged_record_order_.empty() && staged_record_order_.front().first <= committed) {
    staged_records_.erase(staged_record_order_.front().second);
    staged_record_order_.pop_front();
  }
  while (!staged_request_order_.empty() && staged_request_order_.front().first <= committed) {
    staged_requests_.erase(staged_request_order_.front().second);
    staged_request_order_.pop_front();
  }
  if (staged_heads_.size() > kCachedHeadsMax) {
    absl::erase_if(staged_heads_, [committed](const auto& entry) { return entry.second.group <= committed; });
  }
}

// --- Committing.

absl::Status RocksEventLog::Commit(std::unique_ptr<CommitGroup> sealed) {
  auto* group = static_cast<RocksCommitGroup*>(sealed.get());
  if (failed_.load()) {
    return absl::UnavailableError(
        "LOG_STOPPED: an earlier write failed; restart the server and retry with the same request_id");
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  options.protection_bytes_per_key = 8;
  if (const rocksdb::Status status = database_->Write(options, group->batch.get()); !status.ok()) {
    failed_.store(true);
    return absl::UnavailableError(absl::StrCat("OUTCOME_UNKNOWN: the log refused a write (",
                                               status.ToString(),
                                               "); retry with the same request_id after the restart"));
  }
  flush_tracker_->NoteCommit(database_->GetLatestSequenceNumber(), group->number,
                             group->batch->GetDataSize());
  HeadCommit head;
  head.number = group->number;
  head.hash = group->hash;
  head.flushed = flush_tracker_->flushed();
  std::vector<std::pair<LedgerNumber, uint64_t>> positions;
  for (const RocksCommitGroup::End& end : group->ends)
    positions.emplace_back(end.identity.number, end.position);
  absl::Status status;
  {
    MutexLock lock(head_mutex_);
    status = head_->Write(head, positions);
    if (status.ok() && !group->lineage.empty()) status = head_->SetLineage(group->lineage);
  }
  if (!status.ok()) {
    failed_.store(true);
    return absl::UnavailableError(absl::StrCat("OUTCOME_UNKNOWN: the head refused a write (",
                                               status.message(),
                                               "); retry with the same request_id after the restart"));
  }
  head_flushed_.store(head.flushed);
  {
    MutexLock lock(mutex_);
    for (RocksCommitGroup::End& end : group->ends) {
      names_[end.identity.name] = end.identity.number;
      CommittedEnd& committed = committed_[end.identity.number];
      committed.identity = std::move(end.identity);
      committed.position = end.position;
      committed.time = end.time;
      committed.root = std::move(end.root);
    }
  }
  committed_group_.store(group->number);
  return absl::OkStatus();
}

absl::Status RocksEventLog::AcceptsAppends() const {
  if (failed_.load())
    return absl::UnavailableError("LOG_STOPPED: an earlier write failed; restart the server");
  uint64_t pending = flush_tracker_->unflushed_bytes();
  if (options_.other_pending_bytes) pending += options_.other_pending_bytes();
  KeepCompactionWithinDisk();
  return disk_.Check(pending);
}

bool RocksEventLog::TooFullToCompact(uint64_t table_bytes) const {
  return disk_.FreeBytes() < disk_.low_water_bytes() + std::min(table_bytes, kCompactionBytesMax);
}

void RocksEventLog::KeepCompactionWithinDisk() const {
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  if (last_space_check_.exchange(now) == now) return;
  uint64_t table_bytes = 0;
  database_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &table_bytes);
  const bool too_full = TooFullToCompact(table_bytes);
  // The change is itself written to a file, for which there must be room.
  if (disk_.FreeBytes() < kOpenBytes || compaction_off_.exchange(too_full) == too_full) return;
  database_->SetOptions({{"disable_auto_compactions", too_full ? "true" : "false"}}).PermitUncheckedError();
}

uint64_t RocksEventLog::CommitNumber() const { return committed_group_.load(); }

absl::StatusOr<std::string> RocksEventLog::HeadImage() const {
  MutexLock lock(head_mutex_);
  std::ifstream file(options_.directory + "/head", std::ios::binary);
  std::string image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.good() && !file.eof()) return absl::UnavailableError("DISK_REFUSED: cannot read the head");
  return image;
}

}  // namespace ledger::storage
