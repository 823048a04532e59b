#include "tests/projections/runtime/fake_log.h"

#include <algorithm>

#include "projections/policy/event_names.h"

namespace ledger::runtime::testing {

namespace pb = ::customerledger::v1;
using storage::LedgerNumber;
using storage::Order;

LedgerNumber FakeLog::AddLedger(const std::string& name, bool simulated) {
  MutexLock lock(mutex_);
  const auto number = static_cast<LedgerNumber>(books_.size() + 1);
  storage::LedgerIdentity& identity = books_[number].identity;
  identity.number = number;
  identity.name = name;
  identity.ledger_id = "ledger-id-000000";
  identity.simulated = simulated;
  return number;
}

uint64_t FakeLog::Append(LedgerNumber ledger, const pb::Event& event, absl::Time recorded_time,
                         uint32_t event_type) {
  MutexLock lock(mutex_);
  Book& book = books_.at(ledger);
  pb::Record record;
  pb::RecordHeader& header = *record.mutable_header();
  header.set_format_version(1);
  header.set_position(book.records.size() + 1);
  header.set_event_type(event_type != 0 ? event_type : policy::EventTypeOf(event));
  book.last_time = std::max(book.last_time, recorded_time);
  header.mutable_recorded_time()->set_seconds(absl::ToUnixSeconds(book.last_time));
  for (const pb::Subject& subject : policy::SubjectsOf(event)) {
    std::vector<uint64_t>& positions = book.subjects[{subject.kind(), subject.id()}];
    pb::SubjectVersion& version = *header.add_subjects();
    *version.mutable_subject() = subject;
    version.set_previous_position(positions.empty() ? 0 : positions.back());
    positions.push_back(header.position());
    version.set_version(positions.size());
  }
  *record.mutable_event() = event;
  // An event of a later release: its number is known, its body is not.
  if (event_type != 0) record.mutable_event()->clear_body();
  book.records.push_back(record.SerializeAsString());
  return header.position();
}

void FakeLog::Restore(LedgerNumber ledger, uint64_t position, const std::string& lineage) {
  MutexLock lock(mutex_);
  Book& book = books_.at(ledger);
  book.records.resize(position);
  for (auto& [subject, positions] : book.subjects) {
    while (!positions.empty() && positions.back() > position) positions.pop_back();
  }
  lineage_ = lineage;
}

std::vector<storage::LedgerIdentity> FakeLog::Ledgers() const {
  MutexLock lock(mutex_);
  std::vector<storage::LedgerIdentity> result;
  for (const auto& [number, book] : books_) result.push_back(book.identity);
  return result;
}

absl::StatusOr<storage::LedgerIdentity> FakeLog::FindLedger(absl::string_view name) const {
  for (storage::LedgerIdentity& identity : Ledgers()) {
    if (absl::string_view(identity.name) == name) return identity;
  }
  return absl::NotFoundError("LEDGER_NOT_FOUND: no such ledger");
}

uint64_t FakeLog::CommittedPosition(LedgerNumber ledger) const {
  MutexLock lock(mutex_);
  const auto book = books_.find(ledger);
  return book == books_.end() ? 0 : book->second.records.size();
}

absl::Time FakeLog::CommittedTime(LedgerNumber ledger) const {
  MutexLock lock(mutex_);
  const auto book = books_.find(ledger);
  return book == books_.end() ? absl::InfinitePast() : book->second.last_time;
}

absl::Status FakeLog::Scan(LedgerNumber ledger, uint64_t from, Order order,
                           const std::function<bool(uint64_t, absl::string_view)>& visit) const {
  std::vector<std::string> records;
  {
    MutexLock lock(mutex_);
    records = books_.at(ledger).records;
  }
  for (uint64_t position = from; position >= 1 && position <= records.size();
       order == Order::kForward ? ++position : --position) {
    if (!visit(position, records[position - 1])) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeLog::Read(LedgerNumber ledger, uint64_t position) const {
  MutexLock lock(mutex_);
  const Book& book = books_.at(ledger);
  if (position == 0 || position > book.records.size())
    return absl::NotFoundError("NO_SUCH_POSITION: not committed");
  return book.records[position - 1];
}

absl::StatusOr<storage::SubjectHead> FakeLog::Head(LedgerNumber ledger,
                                                   const storage::SubjectKey& subject) const {
  MutexLock lock(mutex_);
  const Book& book = books_.at(ledger);
  const auto found = book.subjects.find(subject);
  storage::SubjectHead head;
  if (found == book.subjects.end() || found->second.empty()) return head;
  head.version = found->second.size();
  head.last_position = found->second.back();
  return head;
}

absl::Status FakeLog::ScanSubject(LedgerNumber ledger, const storage::SubjectKey& subject,
                                  uint64_t from_version, Order order,
                                  const std::function<bool(uint64_t, uint64_t)>& visit) const {
  std::vector<uint64_t> positions;
  {
    MutexLock lock(mutex_);
    const Book& book = books_.at(ledger);
    const auto found = book.subjects.find(subject);
    if (found != book.subjects.end()) positions = found->second;
  }
  for (uint64_t version = from_version; version >= 1 && version <= positions.size();
       order == Order::kForward ? ++version : --version) {
    if (!visit(version, positions[version - 1])) break;
  }
  return absl::OkStatus();
}

absl::Status FakeLog::ScanSubjects(
    LedgerNumber ledger, pb::SubjectKind kind, absl::string_view after_id,
    const std::function<bool(absl::string_view, const storage::SubjectHead&)>& visit) const {
  std::vector<std::pair<std::string, storage::SubjectHead>> heads;
  {
    MutexLock lock(mutex_);
    for (const auto& [subject, positions] : books_.at(ledger).subjects) {
      if (subject.kind != kind || absl::string_view(subject.id) <= after_id || positions.empty()) continue;
      storage::SubjectHead head;
      head.version = positions.size();
      head.last_position = positions.back();
      heads.emplace_back(subject.id, head);
    }
  }
  for (const auto& [id, head] : heads) {
    if (!visit(id, head)) break;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeLog::ReadCiphertext(LedgerNumber, uint64_t) const {
  return absl::NotFoundError("NO_PERSONAL_DATA: this log keeps none");
}

absl::StatusOr<std::string> FakeLog::Root(LedgerNumber) const {
  return absl::UnimplementedError("NO_TREE: this log keeps none");
}

absl::StatusOr<std::pair<uint64_t, uint64_t>> FakeLog::Producer(LedgerNumber, absl::string_view) const {
  return std::make_pair(uint64_t{0}, uint64_t{0});
}

}  // namespace ledger::runtime::testing
