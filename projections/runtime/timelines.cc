#include "projections/runtime/timelines.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;

// Earlier moments than these are folded again when somebody asks about them.
constexpr size_t kSnapshotsKept = 8;

constexpr pb::SubjectKind kReferenceKinds[] = {pb::SUBJECT_KIND_LEDGER, pb::SUBJECT_KIND_POLICY,
                                               pb::SUBJECT_KIND_CALENDAR, pb::SUBJECT_KIND_STAFF};

// Takes the records at `positions` into `timeline`.
absl::Status ApplyPositions(const storage::LogReader& log, storage::LedgerNumber ledger,
                            const std::vector<uint64_t>& positions, policy::Timeline* timeline) {
  for (const uint64_t position : positions) {
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes, log.Read(ledger, position));
    LEDGER_ASSIGN_OR_RETURN(const pb::Record record, storage::ParseRecord(bytes));
    timeline->Apply(record);
  }
  return absl::OkStatus();
}

// Positions of reference subjects' events in (after, until], ascending.
absl::StatusOr<std::vector<uint64_t>> FindReferences(const storage::LogReader& log,
                                                     storage::LedgerNumber ledger, uint64_t after,
                                                     uint64_t until) {
  std::vector<uint64_t> positions;
  for (const pb::SubjectKind kind : kReferenceKinds) {
    std::vector<std::pair<std::string, uint64_t>> changed;  // id, version of its last event
    LEDGER_RETURN_IF_ERROR(
        log.ScanSubjects(ledger, kind, "", [&](absl::string_view id, const storage::SubjectHead& head) {
          if (head.last_position > after) {
            changed.emplace_back(std::string(id), head.version);
          }
          return true;
        }));
    for (const auto& [id, version] : changed) {
      LEDGER_RETURN_IF_ERROR(log.ScanSubject(ledger, {kind, id}, version, storage::Order::kBackward,
                                             [&](uint64_t /*version*/, uint64_t position) {
                                               if (position <= after) return false;
                                               if (position <= until) positions.push_back(position);
                                               return true;
                                             }));
    }
  }
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  return positions;
}

}  // namespace

std::shared_ptr<TimelineStore::Entry> TimelineStore::Find(storage::LedgerNumber ledger) {
  MutexLock lock(mutex_);
  std::shared_ptr<Entry>& entry = entries_[ledger];
  if (entry == nullptr) entry = std::make_shared<Entry>();
  return entry;
}

absl::Status TimelineStore::CatchUp(storage::LedgerNumber ledger, uint64_t position, Entry& entry) {
  if (entry.snapshots.empty()) entry.snapshots[0] = std::make_shared<policy::Timeline>();
  if (position <= entry.complete_until) return absl::OkStatus();
  LEDGER_ASSIGN_OR_RETURN(const std::vector<uint64_t> positions,
                          FindReferences(log_, ledger, entry.complete_until, position));
  if (!positions.empty()) {
    auto next = std::make_shared<policy::Timeline>(*entry.snapshots.rbegin()->second);
    LEDGER_RETURN_IF_ERROR(ApplyPositions(log_, ledger, positions, next.get()));
    entry.positions.insert(entry.positions.end(), positions.begin(), positions.end());
    entry.snapshots[positions.back()] = std::move(next);
  }
  entry.complete_until = position;
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const policy::Timeline>> TimelineStore::TimelineAt(
    storage::LedgerNumber ledger, uint64_t known_position) {
  const uint64_t known = std::min(known_position, log_.CommittedPosition(ledger));
  const std::shared_ptr<Entry> entry = Find(ledger);
  MutexLock lock(entry->mutex);
  LEDGER_RETURN_IF_ERROR(CatchUp(ledger, known, *entry));
  // The moment asked for is named by the last reference event it knows.
  const auto end = std::upper_bound(entry->positions.begin(), entry->positions.end(), known);
  const uint64_t last = end == entry->positions.begin() ? 0 : *(end - 1);
  auto after = entry->snapshots.upper_bound(last);
  const bool has_base = after != entry->snapshots.begin();
  if (has_base && std::prev(after)->first == last) return std::prev(after)->second;
  const uint64_t base = has_base ? std::prev(after)->first : 0;
  auto timeline = has_base ? std::make_shared<policy::Timeline>(*std::prev(after)->second)
                           : std::make_shared<policy::Timeline>();
  const std::vector<uint64_t> missing(
      std::upper_bound(entry->positions.begin(), entry->positions.end(), base), end);
  LEDGER_RETURN_IF_ERROR(ApplyPositions(log_, ledger, missing, timeline.get()));
  entry->snapshots[last] = timeline;
  // The latest one is what everybody asks for; the least of the others goes first.
  if (entry->snapshots.size() > kSnapshotsKept) entry->snapshots.erase(entry->snapshots.begin());
  return std::shared_ptr<const policy::Timeline>(std::move(timeline));
}

void TimelineStore::Advance(storage::LedgerNumber ledger, uint64_t from, uint64_t to,
                            const std::vector<const pb::Record*>& references) {
  const std::shared_ptr<Entry> entry = Find(ledger);
  MutexLock lock(entry->mutex);
  // With a gap before `from` the store looks for itself when it is asked next.
  if (to <= entry->complete_until || from > entry->complete_until + 1) return;
  if (entry->snapshots.empty()) entry->snapshots[0] = std::make_shared<policy::Timeline>();
  std::shared_ptr<policy::Timeline> next;
  for (const pb::Record* record : references) {
    const uint64_t position = record->header().position();
    if (position <= entry->complete_until) continue;
    if (next == nullptr) next = std::make_shared<policy::Timeline>(*entry->snapshots.rbegin()->second);
    next->Apply(*record);
    entry->positions.push_back(position);
  }
  if (next != nullptr) {
    entry->snapshots[entry->positions.back()] = std::move(next);
    if (entry->snapshots.size() > kSnapshotsKept) entry->snapshots.erase(entry->snapshots.begin());
  }
  entry->complete_until = to;
}

}  // namespace ledger::runtime
