#include "storage/rocksdb/open_check.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/merkle/frontier.h"
#include "storage/merkle/hash.h"
#include "storage/merkle/tiles.h"
#include "storage/record_codec.h"
#include "storage/request_key.h"
#include "storage/rocksdb/keys.h"
#include "storage/rocksdb/log_database.h"
#include "storage/status_macros.h"

namespace ledger::storage {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kWhatToDo[] =
    " Nothing was changed and nothing is served. Keep the directory as evidence and restore a backup, or "
    "bring the "
    "missing files back.";

std::string NameOf(rocksdb::DB& database, LedgerNumber ledger) {
  absl::StatusOr<LedgerRow> row = GetMessage<LedgerRow>(database, keys::Ledger(ledger));
  return row.ok() ? absl::StrCat("'", row->name(), "'") : absl::StrCat("number ", ledger);
}

// The last position up to `position` that has a record; 0: none.
uint64_t LastRecordUpTo(rocksdb::DB& database, LedgerNumber ledger, uint64_t position) {
  std::unique_ptr<rocksdb::Iterator> it(database.NewIterator(rocksdb::ReadOptions()));
  const std::string key = keys::Record(ledger, position);
  it->SeekForPrev(AsSlice(key));
  if (!it->Valid() || !it->key().starts_with(rocksdb::Slice(key.data(), key.size() - 8))) return 0;
  return keys::TrailingNumber(AsView(it->key()));
}

// What the head's entries promise and the log does not hold, for people.
std::vector<std::string> MissingPositions(rocksdb::DB& database, const HeadFile& head) {
  std::vector<std::string> missing;
  for (const auto& [ledger, position] : head.positions()) {
    absl::StatusOr<TipRow> tip = GetMessage<TipRow>(database, keys::Tip(ledger));
    const uint64_t size = tip.ok() ? tip->size() : 0;
    if (size >= position) continue;
    missing.push_back(
        absl::StrCat("ledger ", NameOf(database, ledger), " positions ", size + 1, " to ", position));
  }
  // Where a middle part is gone, the commits behind it say where theirs begin.
  absl::StatusOr<GlobalRow> global = GetGlobalRow(database);
  if (!global.ok()) return missing;
  for (uint64_t number = head.commit().flushed + 1; number <= global->commit_number(); ++number) {
    absl::StatusOr<CommitRow> commit = GetMessage<CommitRow>(database, keys::Commit(number));
    if (!commit.ok()) continue;
    for (const CommitRange& range : commit->ranges()) {
      const uint64_t before = range.first_position() - 1;
      const uint64_t last = LastRecordUpTo(database, range.ledger(), before);
      if (last == before) continue;
      missing.push_back(
          absl::StrCat("ledger ", NameOf(database, range.ledger()), " positions ", last + 1, " to ", before));
    }
  }
  return missing;
}

absl::Status DataLoss(rocksdb::DB& database, const HeadFile& head, absl::string_view what) {
  const std::vector<std::string> missing = MissingPositions(database, head);
  return absl::DataLossError(absl::StrCat("ACKNOWLEDGED_EVENTS_MISSING: ", what,
                                          missing.empty() ? "" : ". Missing: ", absl::StrJoin(missing, "; "),
                                          ".", kWhatToDo));
}

std::string CommitHash(absl::string_view row) {
  const merkle::Hash hash = merkle::Sha256(row);
  return std::string(merkle::AsBytes(hash));
}

// The root of 2^k hashes.
merkle::Hash PerfectRoot(std::vector<merkle::Hash> hashes) {
  while (hashes.size() > 1) {
    for (size_t i = 0; i < hashes.size() / 2; ++i)
      hashes[i] = merkle::InnerHash(hashes[2 * i], hashes[2 * i + 1]);
    hashes.resize(hashes.size() / 2);
  }
  return hashes[0];
}

absl::StatusOr<merkle::Hash> EntryFromRows(rocksdb::DB& database, LedgerNumber ledger, uint32_t level,
                                           uint64_t index) {
  if (level == 0) {
    LEDGER_ASSIGN_OR_RETURN(const std::string row, GetRow(database, keys::Record(ledger, index + 1)));
    LEDGER_ASSIGN_OR_RETURN(const absl::string_view record, DecodeRecordRow(row));
    return merkle::LeafHash(record);
  }
  LEDGER_ASSIGN_OR_RETURN(const std::string tile, GetRow(database, keys::Tile(ledger, level - 1, index)));
  return merkle::TileRoot(tile);
}

// Reads the rows that a start reads, so that damage in them is found while nothing has been opened for writing.
absl::Status CheckLedgerRows(rocksdb::DB& database) {
  std::unique_ptr<rocksdb::Iterator> it(database.NewIterator(rocksdb::ReadOptions()));
  for (it->Seek("l"); it->Valid() && it->key().starts_with("l"); it->Next()) {
    LedgerRow row;
    if (!row.ParseFromArray(it->value().data(), static_cast<int>(it->value().size()))) {
      return absl::DataLossError("ROW_DAMAGED: a ledger's row does not parse");
    }
    const LedgerNumber number = keys::DecodeLedger(AsView(it->key()).substr(1));
    absl::StatusOr<TipRow> tip = GetMessage<TipRow>(database, keys::Tip(number));
    if (absl::IsNotFound(tip.status())) continue;
    LEDGER_RETURN_IF_ERROR(tip.status());
    LEDGER_RETURN_IF_ERROR(merkle::Frontier::Parse(tip->frontier()).status());
  }
  return FromRocks(it->status(), "cannot walk the log");
}

}  // namespace

absl::StatusOr<std::string> FrontierFromRows(rocksdb::DB& database, LedgerNumber ledger, uint64_t size) {
  // Entries of a level beyond its last full tile, level by level; the largest subtrees come first.
  std::string bytes = keys::EncodeNumber(size);
  for (int level = 7; level >= 0; --level) {
    const uint64_t entries = size >> (8 * level);
    uint64_t index = entries & ~uint64_t{255};
    for (int bit = 7; bit >= 0; --bit) {
      if ((entries >> bit & 1) == 0) continue;
      std::vector<merkle::Hash> hashes;
      for (uint64_t i = 0; i < uint64_t{1} << bit; ++i) {
        LEDGER_ASSIGN_OR_RETURN(const merkle::Hash hash,
                                EntryFromRows(database, ledger, static_cast<uint32_t>(level), index + i));
        hashes.push_back(hash);
      }
      index += uint64_t{1} << bit;
      const merkle::Hash root = PerfectRoot(std::move(hashes));
      bytes.append(merkle::AsBytes(root).data(), merkle::kHashBytes);
    }
  }
  return bytes;
}

absl::Status CheckRecordRows(rocksdb::DB& database, LedgerNumber ledger, uint64_t position,
                             std::string* record) {
  absl::StatusOr<std::string> row = GetRow(database, keys::Record(ledger, position));
  if (absl::IsNotFound(row.status())) return absl::DataLossError("the record is missing");
  LEDGER_RETURN_IF_ERROR(row.status());
  LEDGER_ASSIGN_OR_RETURN(const absl::string_view bytes, DecodeRecordRow(*row));
  LEDGER_ASSIGN_OR_RETURN(const pb::Record parsed, ParseRecord(bytes));
  const pb::RecordHeader& header = parsed.header();
  if (header.position() != position) {
    return absl::DataLossError(absl::StrCat("the record says that it is at position ", header.position()));
  }
  for (const pb::SubjectVersion& subject : header.subjects()) {
    const SubjectKey key{subject.subject().kind(), subject.subject().id()};
    absl::StatusOr<std::string> index = GetRow(database, keys::SubjectIndex(ledger, key, subject.version()));
    if (!index.ok() || index->size() != 8 || keys::TrailingNumber(*index) != position) {
      return absl::DataLossError(absl::StrCat("the index of subject '", key.id, "' version ",
                                              subject.version(), " does not lead to it"));
    }
    absl::StatusOr<SubjectRow> head = GetMessage<SubjectRow>(database, keys::Subject(ledger, key));
    if (!head.ok() || head->version() < subject.version() || head->last_position() < position) {
      return absl::DataLossError(absl::StrCat("subject '", key.id, "' does not count it"));
    }
  }
  if (!header.request_id().empty() && !header.derived()) {
    const std::string key = RequestKey(header.who().principal(), header.request_id());
    if (!GetRow(database, keys::Request(ledger, key)).ok()) {
      return absl::DataLossError("its request is not remembered, so that a retry would double it");
    }
  }
  if (header.has_personal()) {
    absl::StatusOr<std::string> ciphertext = GetRow(database, keys::Ciphertext(ledger, position));
    if (!ciphertext.ok()) return absl::DataLossError("its personal data is missing");
    const merkle::Hash hash = merkle::Sha256(*ciphertext);
    if (merkle::AsBytes(hash) != absl::string_view(header.personal().ciphertext_sha256())) {
      return absl::DataLossError("its personal data is not what it was");
    }
  }
  record->assign(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status CheckOpen(rocksdb::DB& database, const HeadFile& head) {
  absl::StatusOr<GlobalRow> global = GetGlobalRow(database);
  if (absl::IsNotFound(global.status())) {
    return DataLoss(database, head,
                    absl::StrCat("the log is empty and the head counts ", head.commit().number, " commits"));
  }
  LEDGER_RETURN_IF_ERROR(global.status());
  if (global->commit_number() < head.commit().number) {
    return DataLoss(database, head,
                    absl::StrCat("the log ends at commit ", global->commit_number(),
                                 " and the head is at commit ", head.commit().number));
  }

  // The commits that may have come back from the write-ahead log: each there, each following the one before.
  std::map<LedgerNumber, std::pair<uint64_t, std::string>> ends;  // last position and root, by ledger
  std::string previous_hash;
  if (head.commit().flushed > 0) {
    // A flush that the manifest has forgotten took the last flushed commit's row with it.
    absl::StatusOr<std::string> bytes = GetRow(database, keys::Commit(head.commit().flushed));
    if (absl::IsNotFound(bytes.status())) {
      return DataLoss(
          database, head,
          absl::StrCat("the table files do not reach commit ", head.commit().flushed, ", which was in them"));
    }
    LEDGER_RETURN_IF_ERROR(bytes.status());
    previous_hash = CommitHash(*bytes);
    if (head.commit().flushed == head.commit().number && previous_hash != head.commit().hash) {
      return DataLoss(database, head,
                      absl::StrCat("commit ", head.commit().number, " is not the one that the head knows"));
    }
  }
  for (uint64_t number = head.commit().flushed + 1; number <= global->commit_number(); ++number) {
    absl::StatusOr<std::string> bytes = GetRow(database, keys::Commit(number));
    if (absl::IsNotFound(bytes.status())) {
      return DataLoss(database, head,
                      absl::StrCat("commit ", number, " is missing from the middle of the log"));
    }
    LEDGER_RETURN_IF_ERROR(bytes.status());
    CommitRow commit;
    if (!commit.ParseFromString(*bytes) || commit.number() != number ||
        (!previous_hash.empty() && commit.previous_hash() != previous_hash)) {
      return DataLoss(database, head, absl::StrCat("commit ", number, " does not follow the one before it"));
    }
    previous_hash = CommitHash(*bytes);
    if (number == head.commit().number && previous_hash != head.commit().hash) {
      return DataLoss(database, head, absl::StrCat("commit ", number, " is not the one that the head knows"));
    }
    for (const CommitRange& range : commit.ranges()) {
      const auto known = ends.find(range.ledger());
      if (known != ends.end() && known->second.first + 1 != range.first_position()) {
        return DataLoss(database, head,
                        absl::StrCat("ledger ", NameOf(database, range.ledger()), " has no positions ",
                                     known->second.first + 1, " to ", range.first_position() - 1));
      }
      for (uint64_t position = range.first_position(); position <= range.last_position(); ++position) {
        std::string record;
        absl::Status status = CheckRecordRows(database, range.ledger(), position, &record);
        if (absl::IsFailedPrecondition(status)) return status;
        if (!status.ok()) {
          return DataLoss(database, head,
                          absl::StrCat("ledger ", NameOf(database, range.ledger()), " position ", position,
                                       ": ", status.message()));
        }
      }
      ends[range.ledger()] = {range.last_position(), range.root()};
    }
  }
  if (!previous_hash.empty() && previous_hash != global->commit_hash()) {
    return DataLoss(database, head, "the last commit is not the one that the log's own row names");
  }
  for (const auto& [ledger, end] : ends) {
    absl::StatusOr<TipRow> tip = GetMessage<TipRow>(database, keys::Tip(ledger));
    absl::StatusOr<std::string> frontier = FrontierFromRows(database, ledger, end.first);
    for (const absl::Status& status : {tip.status(), frontier.status()}) {
      if (!status.ok() && !absl::IsNotFound(status)) return status;
    }
    if (!tip.ok() || !frontier.ok() || tip->size() != end.first || tip->frontier() != *frontier) {
      return DataLoss(
          database, head,
          absl::StrCat("the tree of ledger ", NameOf(database, ledger), " does not agree with its records"));
    }
  }
  // Ledgers that no unflushed commit touched must still reach what the head promised.
  if (!MissingPositions(database, head).empty())
    return DataLoss(database, head, "the log is shorter than its head");
  return CheckLedgerRows(database);
}

}  // namespace ledger::storage
