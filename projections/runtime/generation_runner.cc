#include "projections/runtime/generation_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "projections/rules/customer.h"
#include "projections/runtime/list_index.h"
#include "projections/runtime/row_time.h"
#include "projections/runtime/view_keys.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;

// Customers folded again in one step after a policy or calendar.
constexpr size_t kSweepRows = 500;

// True if the event makes rows of customers that it does not name mean something else.
bool Sweeps(const pb::Record& record, const policy::Timeline& timeline) {
  if (record.event().has_policy_adopted() || record.event().has_calendar_published()) return true;
  return record.event().has_staff_status_changed() && !timeline.empty() &&
         rules::FoldsReadStaff(timeline.Latest().policy);
}

// True if the event may change which events are a customer's, or what they say.
bool Rewrites(const pb::Record& record) {
  if (rules::ReachesBack(record.event())) return true;
  switch (record.event().body_case()) {
    case pb::Event::kCustomersMerged:
    case pb::Event::kCustomersUnmerged:
    case pb::Event::kClaimJoined:
      return true;
    default:
      return false;
  }
}

std::vector<std::string> CustomersOf(const pb::Record& record) {
  std::vector<std::string> ids;
  for (const pb::SubjectVersion& subject : record.header().subjects()) {
    if (subject.subject().kind() == pb::SUBJECT_KIND_CUSTOMER) ids.push_back(subject.subject().id());
  }
  return ids;
}

absl::Status DamagedRow(absl::string_view id) {
  return absl::DataLossError(absl::StrCat("VIEW_DAMAGED: the row of customer ", id, " makes no sense"));
}

void SetLast(absl::Time time, uint64_t position, ViewRow* row) {
  if (position == 0) time = absl::UnixEpoch();
  row->set_last_seconds(SecondsOf(time));
  row->set_last_nanos(NanosOf(time));
  row->set_last_position(position);
}

void SetNoted(uint64_t position, absl::Time time, ViewRow* row) {
  row->set_noted_position(position);
  row->set_noted_seconds(SecondsOf(time));
  row->set_noted_nanos(NanosOf(time));
}

}  // namespace

absl::Status GenerationRunner::Open() {
  timeline_.reset();
  own_.reset();
  checkpoint_.Clear();
  LEDGER_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                          store_.Get(CheckpointKey(name_.ledger, name_.kind, name_.generation)));
  if (!bytes.has_value()) {
    checkpoint_.set_lineage(log_.lineage());
    checkpoint_.set_rule_version(rule_version_);
    return absl::OkStatus();
  }
  if (!checkpoint_.ParseFromString(*bytes)) {
    return absl::DataLossError(absl::StrCat("VIEW_DAMAGED: a checkpoint of projection ",
                                            ProjectionName(name_.kind), " makes no sense"));
  }
  return absl::OkStatus();
}

absl::Status GenerationRunner::LoadTimeline() {
  if (timeline_ != nullptr) return absl::OkStatus();
  const uint64_t known = sweeping() ? checkpoint_.sweep_position() : checkpoint_.position();
  LEDGER_ASSIGN_OR_RETURN(timeline_, timelines_.TimelineAt(name_.ledger, known));
  return absl::OkStatus();
}

void GenerationRunner::TakeReference(const pb::Record& record) {
  if (own_ == nullptr) own_ = std::make_shared<policy::Timeline>(*timeline_);
  own_->Apply(record);
  timeline_ = own_;
}

absl::Status GenerationRunner::Step(const std::vector<pb::Record>& records) {
  LEDGER_RETURN_IF_ERROR(LoadTimeline());
  if (sweeping()) {
    LEDGER_RETURN_IF_ERROR(SweepStep());
    if (sweeping()) return absl::OkStatus();
  }
  size_t begin = 0;
  while (begin < records.size() && records[begin].header().position() <= position()) ++begin;
  while (begin < records.size()) {
    size_t end = begin;
    while (end < records.size() && !Sweeps(records[end], *timeline_)) ++end;
    if (end > begin) LEDGER_RETURN_IF_ERROR(ApplyStretch(records, begin, end));
    if (end == records.size()) break;
    TakeReference(records[end]);
    checkpoint_.set_sweep_position(records[end].header().position());
    checkpoint_.clear_sweep_staff_id();
    if (records[end].event().has_staff_status_changed()) {
      checkpoint_.set_sweep_staff_id(records[end].event().staff_status_changed().staff_id());
      checkpoint_.set_sweep_staff_seconds(records[end].event().occurred_time().time().seconds());
    }
    LEDGER_RETURN_IF_ERROR(SweepStep());
    if (sweeping()) return absl::OkStatus();
    begin = end + 1;
  }
  return absl::OkStatus();
}

void GenerationRunner::Rest() {
  own_.reset();
  timeline_.reset();
}

absl::Status GenerationRunner::ApplyStretch(const std::vector<pb::Record>& records, size_t begin,
                                            size_t end) {
  std::set<std::string> ids;
  for (size_t i = begin; i < end; ++i) {
    for (std::string& id : CustomersOf(records[i])) ids.insert(std::move(id));
  }
  WorkSet work;
  LEDGER_RETURN_IF_ERROR(LoadWork(ids, &work));
  std::set<std::string> stale;
  for (size_t i = begin; i < end; ++i) {
    if (policy::Timeline::IsReference(records[i].header().event_type())) TakeReference(records[i]);
    LEDGER_RETURN_IF_ERROR(ApplyRecord(records[i], &work, &stale));
  }
  const uint64_t last = records[end - 1].header().position();
  LEDGER_RETURN_IF_ERROR(Refold(last, std::move(stale), &work));
  Checkpoint next = checkpoint_;
  next.set_position(last);
  return WriteWork(&work, next);
}

absl::Status GenerationRunner::LoadWork(const std::set<std::string>& ids, WorkSet* work) const {
  const std::string prefix = RowPrefix(name_.ledger, name_.kind, name_.generation);
  std::set<std::string> wanted;
  for (const std::string& id : ids) {
    if (!work->contains(id)) wanted.insert(id);
  }
  while (!wanted.empty()) {
    std::vector<std::string> keys;
    for (const std::string& id : wanted) keys.push_back(absl::StrCat(prefix, CustomerSuffix(id)));
    LEDGER_ASSIGN_OR_RETURN(const auto values, store_.MultiGet(keys));
    std::set<std::string> followed;
    size_t i = 0;
    for (const std::string& id : wanted) {
      Work& entry = (*work)[id];
      const std::optional<std::string>& value = values[i++];
      if (!value.has_value()) continue;
      if (!entry.row.ParseFromString(*value)) return DamagedRow(id);
      entry.exists = true;
      entry.was_parked = entry.row.parked_position() != 0;
      entry.old_index_keys.assign(entry.row.index_keys().begin(), entry.row.index_keys().end());
      if (!entry.row.merged_into().empty()) followed.insert(entry.row.merged_into());
    }
    wanted.clear();
    for (const std::string& id : followed) {
      if (!work->contains(id)) wanted.insert(id);
    }
  }
  return absl::OkStatus();
}

absl::Status GenerationRunner::ApplyRecord(const pb::Record& record, WorkSet* work,
                                           std::set<std::string>* stale) {
  const pb::RecordHeader& header = record.header();
  std::set<std::string> owners;  // the ids that go on, of the customers named
  for (const std::string& id : CustomersOf(record)) {
    const std::string& into = work->at(id).row.merged_into();
    owners.insert(into.empty() ? id : into);
    // An id that stands for another may stand for itself afterwards.
    if (Rewrites(record)) stale->insert(id);
  }
  for (const std::string& id : owners) {
    Work& entry = work->at(id);
    if (stale->contains(id)) continue;
    rules::HistoryEvent event;
    event.position = header.position();
    event.business_time = rules::BusinessTimeOf(*timeline_, record);
    event.recorded_time = TimeOf(header.recorded_time());
    event.event_type = header.event_type();
    event.event = &record.event();
    event.header = &header;
    const bool sorts_last =
        !entry.exists ||
        std::make_pair(TimeOf(entry.row.last_seconds(), entry.row.last_nanos()), entry.row.last_position()) <
            std::make_pair(event.business_time, event.position);
    if (Rewrites(record) || !sorts_last || entry.row.parked_position() != 0) {
      stale->insert(id);
      continue;
    }
    if (!entry.state.has_value()) {
      entry.state.emplace();
      if (!entry.state->ParseFromString(entry.row.state())) return DamagedRow(id);
    }
    const absl::Status applied = rules::Apply(*timeline_, event, &*entry.state);
    if (absl::IsDataLoss(applied)) {
      // Folding again finds the state before it, whatever this call left behind.
      stale->insert(id);
      continue;
    }
    LEDGER_RETURN_IF_ERROR(applied);
    entry.exists = true;
    entry.changed = true;
    SetLast(event.business_time, event.position, &entry.row);
    SetNoted(header.position(), event.recorded_time, &entry.row);
  }
  return absl::OkStatus();
}

absl::Status GenerationRunner::Refold(uint64_t position, std::set<std::string> stale, WorkSet* work) {
  // Everybody who was one with a stale customer is stale too: they may be parted.
  std::set<std::string> group = stale;
  for (const std::string& id : stale) {
    const ViewRow& row = work->at(id).row;
    group.insert(row.aliases().begin(), row.aliases().end());
    if (row.merged_into().empty()) continue;
    group.insert(row.merged_into());
    const ViewRow& into = work->at(row.merged_into()).row;
    group.insert(into.aliases().begin(), into.aliases().end());
  }
  LogSubjectSource source(log_, name_.ledger);
  while (!group.empty()) {
    const std::string id = *group.begin();
    group.erase(group.begin());
    LEDGER_ASSIGN_OR_RETURN(const FoldedCustomer folded, FoldCustomer(source, *timeline_, id, position));
    std::set<std::string> named(folded.identity.aliases.begin(), folded.identity.aliases.end());
    named.insert(folded.identity.customer_id);
    named.insert(id);
    LEDGER_RETURN_IF_ERROR(LoadWork(named, work));
    if (folded.known) PutFolded(folded, work);
    for (const std::string& done : named) group.erase(done);
  }
  return absl::OkStatus();
}

void GenerationRunner::PutFolded(const FoldedCustomer& folded, WorkSet* work) {
  Work& entry = work->at(folded.identity.customer_id);
  entry.exists = true;
  entry.changed = true;
  entry.row.Clear();
  entry.state = folded.state;
  SetLast(folded.last_time, folded.last_position, &entry.row);
  SetNoted(folded.noted_position, folded.noted_time, &entry.row);
  for (const std::string& alias : folded.identity.aliases) entry.row.add_aliases(alias);
  entry.row.set_parked_position(folded.parked_position);
  if (folded.parked_position != 0) entry.row.set_parked_reason(folded.parked_reason);
  for (const std::string& alias : folded.identity.aliases) {
    Work& other = work->at(alias);
    other.exists = true;
    other.changed = true;
    other.row.Clear();
    other.state.reset();
    other.row.set_merged_into(folded.identity.customer_id);
  }
}

absl::Status GenerationRunner::WriteWork(WorkSet* work, const Checkpoint& checkpoint) {
  const std::string prefix = RowPrefix(name_.ledger, name_.kind, name_.generation);
  Checkpoint next = checkpoint;
  views::ViewBatch batch;
  for (auto& [id, entry] : *work) {
    if (!entry.changed) continue;
    std::map<std::string, std::string> lists;
    if (entry.row.merged_into().empty()) {
      if (!entry.state.has_value()) {
        entry.state.emplace();
        if (!entry.state->ParseFromString(entry.row.state())) return DamagedRow(id);
      }
      if (entry.row.last_position() != 0) lists = ListRows(name_.kind, *timeline_, id, *entry.state);
      entry.row.set_state(entry.state->SerializeAsString());
    }
    for (const std::string& key : entry.old_index_keys) {
      if (!lists.contains(key)) batch.Delete(absl::StrCat(prefix, key));
    }
    entry.row.clear_index_keys();
    for (const auto& [key, value] : lists) {
      batch.Put(absl::StrCat(prefix, key), value);
      entry.row.add_index_keys(key);
    }
    batch.Put(absl::StrCat(prefix, CustomerSuffix(id)), entry.row.SerializeAsString());
    const bool is_parked = entry.row.parked_position() != 0;
    next.set_parked_customers(next.parked_customers() + (is_parked ? 1 : 0) - (entry.was_parked ? 1 : 0));
  }
  batch.Put(CheckpointKey(name_.ledger, name_.kind, name_.generation), next.SerializeAsString());
  LEDGER_RETURN_IF_ERROR(store_.Write(std::move(batch)));
  checkpoint_ = std::move(next);
  return absl::OkStatus();
}

absl::Status GenerationRunner::SweepStep() {
  const std::string prefix =
      absl::StrCat(RowPrefix(name_.ledger, name_.kind, name_.generation), std::string(1, kCustomerTable));
  const std::string begin = checkpoint_.sweep_after().empty()
                                ? prefix
                                : absl::StrCat(prefix, checkpoint_.sweep_after(), std::string(1, '\0'));
  // From when on the new policy may have a say in what a state is; a calendar always may.
  const policy::PolicyVersion* adopted = nullptr;
  if (!timeline_->empty() && timeline_->Latest().position == checkpoint_.sweep_position()) {
    adopted = &timeline_->Latest();
    if (adopted->looks_back) adopted = nullptr;  // it asks for what no row remembers yet
  }
  // The days a policy names concern everybody, however long ago anything happened.
  const policy::PolicyVersion* before =
      adopted == nullptr || adopted->number == 1 ? nullptr : timeline_->Version(adopted->number - 1);
  const bool names_days = (adopted != nullptr && !adopted->policy.call_back().occasions().empty()) ||
                          (before != nullptr && !before->policy.call_back().occasions().empty());
  WorkSet work;
  std::set<std::string> stale;
  Checkpoint next = checkpoint_;
  size_t rows = 0;
  absl::Status status;
  LEDGER_RETURN_IF_ERROR(
      store_.Scan(begin, views::PrefixEnd(prefix), [&](absl::string_view key, absl::string_view value) {
        key.remove_prefix(prefix.size());
        next.set_sweep_after(std::string(key));
        std::string id;
        Work entry;
        if (!ConsumeId(&key, &id) ||
            !entry.row.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          status = DamagedRow(id);
          return false;
        }
        if (entry.row.merged_into().empty()) {
          entry.exists = true;
          entry.changed = true;
          entry.was_parked = entry.row.parked_position() != 0;
          entry.old_index_keys.assign(entry.row.index_keys().begin(), entry.row.index_keys().end());
          const absl::Time reach = std::max(TimeOf(entry.row.last_seconds(), entry.row.last_nanos()),
                                            TimeOf(entry.row.noted_seconds(), entry.row.noted_nanos()));
          const bool concerned = checkpoint_.sweep_staff_id().empty()
                                     ? adopted == nullptr || names_days || reach >= adopted->effective_from
                                     : reach >= absl::FromUnixSeconds(checkpoint_.sweep_staff_seconds()) ||
                                           absl::StrContains(entry.row.state(), checkpoint_.sweep_staff_id());
          if (concerned || entry.was_parked) stale.insert(id);
          work.emplace(std::move(id), std::move(entry));
        }
        return ++rows < kSweepRows;
      }));
  LEDGER_RETURN_IF_ERROR(status);
  LEDGER_RETURN_IF_ERROR(Refold(checkpoint_.sweep_position(), std::move(stale), &work));
  if (rows < kSweepRows) {
    next.set_position(next.sweep_position());
    next.clear_sweep_position();
    next.clear_sweep_after();
    next.clear_sweep_staff_id();
    next.clear_sweep_staff_seconds();
  }
  return WriteWork(&work, next);
}

}  // namespace ledger::runtime
