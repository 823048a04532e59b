#include "projections/runtime/answers.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"
#include "projections/rules/customer.h"
#include "projections/runtime/answers_list_view.h"
#include "projections/runtime/answers_reading.h"
#include "projections/runtime/customer_fold.h"
#include "projections/runtime/list_index.h"
#include "projections/runtime/page_token.h"
#include "projections/runtime/row_time.h"
#include "projections/runtime/view_keys.h"
#include "projections/runtime/view_row.pb.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;
using storage::LedgerIdentity;

constexpr uint32_t kDefaultPage = 100;
constexpr uint32_t kLargestPage = 1000;

uint32_t PageSize(uint32_t asked) { return asked == 0 ? kDefaultPage : std::min(asked, kLargestPage); }

absl::StatusOr<absl::Time> ToTime(const google::protobuf::Timestamp& time, absl::string_view field) {
  // What a Timestamp may hold: the years 1 to 9999.
  if (time.seconds() < -62135596800 || time.seconds() > 253402300799 || time.nanos() < 0 ||
      time.nanos() > 999999999) {
    return absl::InvalidArgumentError(absl::StrCat(
        "BAD_TIME: ", field, " must lie in the years 1 to 9999, with nanos from 0 to 999,999,999"));
  }
  return TimeOf(time);
}

absl::Status NotFound(absl::string_view customer_id, uint64_t known_position) {
  return absl::NotFoundError(absl::StrCat("CUSTOMER_NOT_FOUND: no event about customer '", customer_id,
                                          "' is known at position ", known_position,
                                          "; check the id, or search by phone or e-mail"));
}

absl::Status DamagedView() {
  return absl::DataLossError("VIEW_DAMAGED: a row of the view makes no sense; rebuild the projection");
}

// A ledger's present: on a simulated one nothing is later than its last recorded time.
absl::Time Present(const storage::LogReader& log, const LedgerIdentity& ledger, absl::Time now) {
  if (!ledger.simulated) return now;
  const absl::Time committed = log.CommittedTime(ledger.number);
  return committed == absl::InfinitePast() ? absl::UnixEpoch() : committed;
}

// Whatever tells one list's question from another's.
template <typename Request>
std::string QuestionOf(absl::string_view list, const LedgerIdentity& ledger, Request request) {
  request.clear_page_size();
  request.clear_page_token();
  request.clear_min_position();
  request.clear_ledger();
  return absl::StrCat(list, "/", ledger.number, "/", request.SerializeAsString());
}

// Moves `entry` to where it belongs among entries in business order.
void InsertInOrder(pb::HistoryEntry entry, std::vector<pb::HistoryEntry>* entries) {
  const absl::Time time = TimeOf(entry.business_time());
  const auto after = std::find_if(entries->begin(), entries->end(), [&](const pb::HistoryEntry& other) {
    const absl::Time other_time = TimeOf(other.business_time());
    return other_time > time || (other_time == time && other.position() > entry.position());
  });
  entries->insert(after, std::move(entry));
}

pb::HistoryEntry CorrectedEntry(const policy::Timeline& timeline, const pb::Record& record) {
  const pb::RecordHeader& header = record.header();
  pb::HistoryEntry entry;
  entry.set_position(header.position());
  const absl::string_view name = policy::EventName(header.event_type());
  entry.set_event_name(name.empty() ? absl::StrCat("event ", header.event_type()) : std::string(name));
  SetTimestamp(rules::BusinessTimeOf(timeline, record), entry.mutable_business_time());
  *entry.mutable_recorded_time() = header.recorded_time();
  *entry.mutable_who() = header.who();
  entry.set_derived(header.derived());
  entry.set_corrected(true);
  return entry;
}

// Explains a history until `true_at`. Returns the position of the record that could not be applied, or 0.
absl::StatusOr<uint64_t> ExplainAll(const policy::Timeline& timeline, const rules::History& history,
                                    absl::Time true_at, std::vector<pb::HistoryEntry>* entries,
                                    std::string* reason) {
  rules::CustomerState state;
  entries->clear();
  for (const rules::HistoryEvent& event : history.events) {
    if (event.business_time > true_at) break;
    auto explained = rules::Explain(timeline, event, &state);
    if (absl::IsDataLoss(explained.status())) {
      *reason = std::string(explained.status().message());
      return SaidAt(history, event);
    }
    LEDGER_RETURN_IF_ERROR(explained.status());
    entries->insert(entries->end(), explained->begin(), explained->end());
  }
  for (pb::HistoryEntry& entry : rules::ExplainUntil(timeline, state, true_at)) {
    entries->push_back(std::move(entry));
  }
  for (const uint64_t position : history.corrected_positions) {
    const auto record = std::lower_bound(
        history.records.begin(), history.records.end(), position,
        [](const pb::Record& candidate, uint64_t wanted) { return candidate.header().position() < wanted; });
    if (record == history.records.end() || record->header().position() != position) continue;
    pb::HistoryEntry entry = CorrectedEntry(timeline, *record);
    if (TimeOf(entry.business_time()) <= true_at) InsertInOrder(std::move(entry), entries);
  }
  return 0;
}

}  // namespace

Answers::Answers(const storage::LogReader& log, const views::ViewStore& store, TimelineStore& timelines,
                 const Projector& projector)
    : log_(log), store_(store), timelines_(timelines), projector_(projector) {}

absl::Status Answers::CheckToken(const LedgerIdentity& ledger, const pb::PositionToken& token) const {
  if (!token.lineage().empty() && token.lineage() != log_.lineage()) {
    return absl::FailedPreconditionError(
        "LINEAGE_CHANGED: the position was handed out before the server's data was restored from a backup, "
        "and may "
        "name events that are gone; read the present position and go on from there");
  }
  const uint64_t committed = log_.CommittedPosition(ledger.number);
  if (token.position() > committed) {
    return absl::OutOfRangeError(absl::StrCat("POSITION_NOT_REACHED: position ", token.position(),
                                              " lies beyond the log's end at ", committed));
  }
  return absl::OkStatus();
}

absl::StatusOr<CustomerIdentity> Answers::Canonical(const LedgerIdentity& ledger,
                                                    absl::string_view customer_id) const {
  LogSubjectSource source(log_, ledger.number);
  return LoadIdentity(source, customer_id, log_.CommittedPosition(ledger.number));
}

// The last position recorded at or before `known_time`; recorded times never decrease along the log.
absl::StatusOr<uint64_t> Answers::PositionAtTime(storage::LedgerNumber ledger, absl::Time known_time) const {
  uint64_t known = 0;  // recorded in time
  uint64_t later = log_.CommittedPosition(ledger) + 1;
  if (log_.CommittedTime(ledger) <= known_time) return later - 1;
  while (later - known > 1) {
    const uint64_t middle = known + (later - known) / 2;
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes, log_.Read(ledger, middle));
    LEDGER_ASSIGN_OR_RETURN(const pb::Record record, storage::ParseRecord(bytes));
    (TimeOf(record.header().recorded_time()) <= known_time ? known : later) = middle;
  }
  return known;
}

absl::StatusOr<Answers::Question> Answers::Resolve(const LedgerIdentity& ledger,
                                                   const pb::CustomerQuery& query, absl::Time now) const {
  if (query.customer_id().empty()) {
    return absl::InvalidArgumentError("NO_CUSTOMER_ID: customer_id is required: 1 to 128 bytes");
  }
  return ResolveClocks(ledger, query, now);
}

absl::StatusOr<Answers::Question> Answers::ResolveClocks(const LedgerIdentity& ledger,
                                                         const pb::CustomerQuery& query,
                                                         absl::Time now) const {
  LEDGER_RETURN_IF_ERROR(CheckToken(ledger, query.min_position()));
  Question question;
  const pb::AsOf& as_of = query.as_of();
  question.true_at = Present(log_, ledger, now);
  if (as_of.has_true_at()) {
    LEDGER_ASSIGN_OR_RETURN(question.true_at, ToTime(as_of.true_at(), "true_at"));
  }
  switch (as_of.known_at_case()) {
    case pb::AsOf::KNOWN_AT_NOT_SET:
      break;
    case pb::AsOf::kKnownPosition: {
      const uint64_t committed = log_.CommittedPosition(ledger.number);
      if (as_of.known_position() > committed) {
        return absl::OutOfRangeError(absl::StrCat("POSITION_NOT_REACHED: known_position ",
                                                  as_of.known_position(), " lies beyond the log's end at ",
                                                  committed));
      }
      question.known_position = as_of.known_position();
      break;
    }
    case pb::AsOf::kKnownTime: {
      LEDGER_ASSIGN_OR_RETURN(const absl::Time known_time, ToTime(as_of.known_time(), "known_time"));
      LEDGER_ASSIGN_OR_RETURN(question.known_position, PositionAtTime(ledger.number, known_time));
      break;
    }
  }
  return question;
}

absl::StatusOr<Answers::Reading> Answers::FoldCustomer(const LedgerIdentity& ledger,
                                                       const std::string& customer_id,
                                                       uint64_t known_position, absl::Time true_at) const {
  Reading reading;
  LEDGER_ASSIGN_OR_RETURN(reading.timeline, timelines_.TimelineAt(ledger.number, known_position));
  LogSubjectSource source(log_, ledger.number);
  LEDGER_ASSIGN_OR_RETURN(FoldedCustomer folded, runtime::FoldCustomer(source, *reading.timeline, customer_id,
                                                                       known_position, true_at));
  if (!folded.known) return NotFound(customer_id, known_position);
  reading.state = std::move(folded.state);
  reading.true_at = true_at;
  pb::AnswerContext& context = reading.context;
  context.set_customer_id(folded.identity.customer_id);
  context.mutable_position()->set_lineage(log_.lineage());
  context.mutable_position()->set_position(known_position);
  SetTimestamp(true_at, context.mutable_true_at());
  context.set_simulated(ledger.simulated);
  context.set_parked_at_position(folded.parked_position);
  if (folded.parked_position != 0) context.set_parked_reason(folded.parked_reason);
  for (const std::string& alias : folded.identity.aliases) context.add_aliases(alias);
  return reading;
}

absl::StatusOr<Answers::ListView> Answers::OpenList(const LedgerIdentity& ledger, ProjectionKind kind) const {
  LEDGER_RETURN_IF_ERROR(projector_.Usable(ledger.number, kind));
  ListView view;
  view.moment = store_.Snapshot();
  ProjectionMeta meta;
  meta.set_live(1);
  LEDGER_ASSIGN_OR_RETURN(const auto meta_bytes, store_.Get(MetaKey(ledger.number, kind), view.moment.get()));
  if (meta_bytes.has_value() && !meta.ParseFromString(*meta_bytes)) return DamagedView();
  LEDGER_ASSIGN_OR_RETURN(const auto checkpoint_bytes,
                          store_.Get(CheckpointKey(ledger.number, kind, meta.live()), view.moment.get()));
  if (checkpoint_bytes.has_value() && !view.checkpoint.ParseFromString(*checkpoint_bytes))
    return DamagedView();
  view.prefix = RowPrefix(ledger.number, kind, meta.live());
  LEDGER_ASSIGN_OR_RETURN(view.timeline, timelines_.TimelineAt(ledger.number, view.checkpoint.position()));
  view.token.set_lineage(log_.lineage());
  view.token.set_position(view.checkpoint.position());
  return view;
}

absl::StatusOr<Answers::Reading> Answers::ReadCustomer(const LedgerIdentity& ledger,
                                                       const pb::CustomerQuery& query, ProjectionKind kind,
                                                       absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(const Question question, Resolve(ledger, query, now));
  if (question.known_position.has_value()) {
    return FoldCustomer(ledger, query.customer_id(), *question.known_position, question.true_at);
  }
  LEDGER_ASSIGN_OR_RETURN(ListView view, OpenList(ledger, kind));
  const uint64_t position = view.checkpoint.position();
  ViewRow row;
  std::string customer_id = query.customer_id();
  for (int hop = 0; hop < 2; ++hop) {
    LEDGER_ASSIGN_OR_RETURN(
        const auto bytes,
        store_.Get(absl::StrCat(view.prefix, CustomerSuffix(customer_id)), view.moment.get()));
    if (!bytes.has_value()) return NotFound(query.customer_id(), position);
    if (!row.ParseFromString(*bytes)) return DamagedView();
    if (row.merged_into().empty()) break;
    customer_id = row.merged_into();
  }
  // The row answers for the time since the customer's last event; the log for what was before.
  const bool row_answers =
      row.last_position() == 0 || question.true_at >= TimeOf(row.last_seconds(), row.last_nanos());
  if (!row_answers || view.checkpoint.sweep_position() != 0) {
    return FoldCustomer(ledger, query.customer_id(), position, question.true_at);
  }
  Reading reading;
  reading.timeline = std::move(view.timeline);
  if (!reading.state.ParseFromString(row.state())) return DamagedView();
  reading.true_at = question.true_at;
  pb::AnswerContext& context = reading.context;
  context.set_customer_id(customer_id);
  *context.mutable_position() = view.token;
  SetTimestamp(question.true_at, context.mutable_true_at());
  context.set_simulated(ledger.simulated);
  context.set_parked_at_position(row.parked_position());
  context.set_parked_reason(row.parked_reason());
  *context.mutable_aliases() = row.aliases();
  return reading;
}

absl::StatusOr<pb::GetOwnerResponse> Answers::GetOwner(const LedgerIdentity& ledger,
                                                       const pb::GetOwnerRequest& request,
                                                       absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(Reading reading,
                          ReadCustomer(ledger, request.query(), ProjectionKind::kOwner, now));
  pb::GetOwnerResponse response;
  *response.mutable_context() = std::move(reading.context);
  for (pb::Ownership& ownership : rules::ReadOwnerships(*reading.timeline, reading.state, reading.true_at)) {
    if (request.has_scope() && ownership.scope() != request.scope()) continue;
    *response.add_ownerships() = std::move(ownership);
  }
  return response;
}

absl::StatusOr<pb::GetTierResponse> Answers::GetTier(const LedgerIdentity& ledger,
                                                     const pb::GetTierRequest& request,
                                                     absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(Reading reading, ReadCustomer(ledger, request.query(), ProjectionKind::kTier, now));
  pb::GetTierResponse response;
  *response.mutable_context() = std::move(reading.context);
  for (pb::Tier& tier : rules::ReadTiers(*reading.timeline, reading.state, reading.true_at)) {
    if (request.for_customer() && tier.hidden_from_customer()) continue;
    *response.add_tiers() = std::move(tier);
  }
  return response;
}

absl::StatusOr<pb::GetNextCallbackResponse> Answers::GetNextCallback(
    const LedgerIdentity& ledger, const pb::GetNextCallbackRequest& request, absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(Reading reading,
                          ReadCustomer(ledger, request.query(), ProjectionKind::kCallback, now));
  pb::GetNextCallbackResponse response;
  *response.mutable_context() = std::move(reading.context);
  for (pb::Callback& callback : rules::ReadCallbacks(*reading.timeline, reading.state, reading.true_at)) {
    callback.set_customer_id(response.context().customer_id());
    *response.add_callbacks() = std::move(callback);
  }
  return response;
}

absl::StatusOr<HistoryAnswer> Answers::GetHistory(const LedgerIdentity& ledger,
                                                  const pb::GetHistoryRequest& request,
                                                  absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(const Question question, Resolve(ledger, request.query(), now));
  const uint64_t known = question.known_position.value_or(log_.CommittedPosition(ledger.number));
  LEDGER_ASSIGN_OR_RETURN(const auto timeline, timelines_.TimelineAt(ledger.number, known));
  LogSubjectSource source(log_, ledger.number);
  LEDGER_ASSIGN_OR_RETURN(CustomerHistory loaded,
                          LoadHistory(source, *timeline, request.query().customer_id(), known));
  if (loaded.empty()) return NotFound(request.query().customer_id(), known);

  HistoryAnswer answer;
  for (const pb::Record& record : loaded.history.records) {
    if (record.header().has_personal()) answer.personal_positions.push_back(record.header().position());
  }
  const CustomerIdentity identity = loaded.identity;
  pb::AnswerContext& context = *answer.response.mutable_context();
  context.set_customer_id(identity.customer_id);
  context.mutable_position()->set_lineage(log_.lineage());
  context.mutable_position()->set_position(known);
  SetTimestamp(question.true_at, context.mutable_true_at());
  context.set_simulated(ledger.simulated);
  for (const std::string& alias : identity.aliases) context.add_aliases(alias);

  std::vector<pb::HistoryEntry> entries;
  while (true) {
    std::string reason;
    LEDGER_ASSIGN_OR_RETURN(const uint64_t failed,
                            ExplainAll(*timeline, loaded.history, question.true_at, &entries, &reason));
    if (failed == 0) break;
    // As the views have it: what was known before the event that cannot be applied.
    context.set_parked_at_position(failed);
    context.set_parked_reason(reason);
    LEDGER_ASSIGN_OR_RETURN(loaded, LoadHistory(source, *timeline, identity.customer_id, failed - 1));
  }
  for (pb::HistoryEntry& entry : entries) *answer.response.add_entries() = std::move(entry);
  return answer;
}

// --- Lists.

absl::StatusOr<std::vector<pb::CustomerEntry>> Answers::ListCustody(const ListView& view,
                                                                    const std::string& table_prefix,
                                                                    absl::Time true_at, uint32_t page_size,
                                                                    const std::string& after_key,
                                                                    std::string* last_key) const {
  struct Hit {
    std::string key;
    IntervalRow interval;
    pb::CustomerEntry entry;
  };
  std::vector<Hit> hits;
  bool more = false;
  bool damaged = false;
  const std::string begin = absl::StrCat(view.prefix, after_key.empty() ? table_prefix : after_key + '\0');
  LEDGER_RETURN_IF_ERROR(store_.Scan(
      begin, views::PrefixEnd(absl::StrCat(view.prefix, table_prefix)),
      [&](absl::string_view key, absl::string_view value) {
        Hit hit;
        damaged = !hit.interval.ParseFromArray(value.data(), static_cast<int>(value.size()));
        if (damaged) return false;
        if (!Holds(hit.interval, true_at)) return true;
        if (hits.size() == page_size) {
          more = true;
          return false;
        }
        hit.key = std::string(key.substr(view.prefix.size()));
        absl::string_view rest = absl::string_view(hit.key).substr(table_prefix.size());
        damaged = !ConsumeId(&rest, hit.entry.mutable_customer_id()) ||
                  !ConsumeId(&rest, hit.entry.mutable_scope());
        hits.push_back(std::move(hit));
        return !damaged;
      },
      view.moment.get()));
  if (damaged) return DamagedView();
  last_key->clear();
  if (more) *last_key = hits.back().key;

  // The index tells since when nothing else happened; the row tells since when the customer is owned or
  // pooled.
  std::vector<std::string> keys;
  keys.reserve(hits.size());
  for (const Hit& hit : hits)
    keys.push_back(absl::StrCat(view.prefix, CustomerSuffix(hit.entry.customer_id())));
  LEDGER_ASSIGN_OR_RETURN(const auto rows, store_.MultiGet(keys, view.moment.get()));
  std::vector<pb::CustomerEntry> entries;
  for (size_t i = 0; i < hits.size(); ++i) {
    pb::CustomerEntry& entry = hits[i].entry;
    ViewRow row;
    rules::CustomerState state;
    if (!rows[i].has_value() || !row.ParseFromString(*rows[i]) || !state.ParseFromString(row.state())) {
      return DamagedView();
    }
    if (FromOf(hits[i].interval) != absl::InfinitePast()) {
      SetTimestamp(FromOf(hits[i].interval), entry.mutable_since_time());
    }
    const bool readable = true_at >= TimeOf(row.last_seconds(), row.last_nanos());
    if (readable) {
      for (const pb::Ownership& ownership : rules::ReadOwnerships(*view.timeline, state, true_at)) {
        if (ownership.scope() == entry.scope() && ownership.basis().has_since_time()) {
          *entry.mutable_since_time() = ownership.basis().since_time();
        }
      }
    }
    if (UntilOf(hits[i].interval) != absl::InfiniteFuture()) {
      SetTimestamp(UntilOf(hits[i].interval), entry.mutable_until_time());
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<pb::ListCustomersResponse> Answers::ListCustomers(const LedgerIdentity& ledger,
                                                                 const pb::ListCustomersRequest& request,
                                                                 absl::Time now) const {
  if (request.owner().owner_case() == pb::Owner::OWNER_NOT_SET) {
    return absl::InvalidArgumentError("NO_OWNER: owner is required: a staff_id or a unit_id");
  }
  LEDGER_RETURN_IF_ERROR(CheckToken(ledger, request.min_position()));
  const std::string question = QuestionOf("customers", ledger, request);
  PagePlace place;
  place.instant = Present(log_, ledger, now);
  if (request.has_true_at()) {
    LEDGER_ASSIGN_OR_RETURN(place.instant, ToTime(request.true_at(), "true_at"));
  }
  if (!request.page_token().empty()) {
    LEDGER_ASSIGN_OR_RETURN(place, ParsePageToken(question, request.page_token()));
  }
  LEDGER_ASSIGN_OR_RETURN(const ListView view, OpenList(ledger, ProjectionKind::kOwner));
  std::string last_key;
  LEDGER_ASSIGN_OR_RETURN(auto entries,
                          ListCustody(view, OwnerSuffix(kOwnerTable, request.owner()), place.instant,
                                      PageSize(request.page_size()), place.after_key, &last_key));
  pb::ListCustomersResponse response;
  for (pb::CustomerEntry& entry : entries) *response.add_customers() = std::move(entry);
  if (!last_key.empty()) response.set_next_page_token(MakePageToken(question, {last_key, place.instant}));
  *response.mutable_position() = view.token;
  response.set_simulated(ledger.simulated);
  return response;
}

absl::StatusOr<pb::ListPoolResponse> Answers::ListPool(const LedgerIdentity& ledger,
                                                       const pb::ListPoolRequest& request,
                                                       absl::Time now) const {
  LEDGER_RETURN_IF_ERROR(CheckToken(ledger, request.min_position()));
  const std::string question = QuestionOf("pool", ledger, request);
  PagePlace place;
  place.instant = Present(log_, ledger, now);
  if (request.has_true_at()) {
    LEDGER_ASSIGN_OR_RETURN(place.instant, ToTime(request.true_at(), "true_at"));
  }
  if (!request.page_token().empty()) {
    LEDGER_ASSIGN_OR_RETURN(place, ParsePageToken(question, request.page_token()));
  }
  LEDGER_ASSIGN_OR_RETURN(const ListView view, OpenList(ledger, ProjectionKind::kOwner));
  std::string last_key;
  LEDGER_ASSIGN_OR_RETURN(auto entries,
                          ListCustody(view, std::string(1, kPoolTable), place.instant,
                                      PageSize(request.page_size()), place.after_key, &last_key));
  pb::ListPoolResponse response;
  for (pb::CustomerEntry& entry : entries) *response.add_customers() = std::move(entry);
  if (!last_key.empty()) response.set_next_page_token(MakePageToken(question, {last_key, place.instant}));
  *response.mutable_position() = view.token;
  response.set_simulated(ledger.simulated);
  return response;
}

absl::StatusOr<pb::ListDueCallbacksResponse> Answers::ListDueCallbacks(
    const LedgerIdentity& ledger, const pb::ListDueCallbacksRequest& request, absl::Time now) const {
  LEDGER_RETURN_IF_ERROR(CheckToken(ledger, request.min_position()));
  const std::string question = QuestionOf("callbacks", ledger, request);
  PagePlace place;
  place.instant = Present(log_, ledger, now);
  if (!request.page_token().empty()) {
    LEDGER_ASSIGN_OR_RETURN(place, ParsePageToken(question, request.page_token()));
  }
  absl::Time until = place.instant;
  if (request.has_until_time()) {
    LEDGER_ASSIGN_OR_RETURN(until, ToTime(request.until_time(), "until_time"));
  }
  const absl::Time standing = std::min(place.instant, until);
  const bool by_owner = request.owner().owner_case() != pb::Owner::OWNER_NOT_SET;
  const std::string table =
      by_owner ? OwnerSuffix(kOwnerDueTable, request.owner()) : std::string(1, kDueTable);
  LEDGER_ASSIGN_OR_RETURN(const ListView view, OpenList(ledger, ProjectionKind::kCallback));
  std::vector<DueHit> hits;
  std::string last_key;
  LEDGER_RETURN_IF_ERROR(FindDue(view, table, until, standing, PageSize(request.page_size()), place.after_key,
                                 &hits, &last_key));

  std::vector<std::string> keys;
  keys.reserve(hits.size());
  for (const DueHit& hit : hits) keys.push_back(absl::StrCat(view.prefix, CustomerSuffix(hit.customer_id)));
  LEDGER_ASSIGN_OR_RETURN(const auto rows, store_.MultiGet(keys, view.moment.get()));
  pb::ListDueCallbacksResponse response;
  for (size_t i = 0; i < hits.size(); ++i) {
    ViewRow row;
    rules::CustomerState state;
    if (!rows[i].has_value() || !row.ParseFromString(*rows[i]) || !state.ParseFromString(row.state())) {
      return DamagedView();
    }
    // The index says which call-backs they are, the state says why.
    for (pb::Callback& callback : rules::ReadCallbacks(*view.timeline, state, standing)) {
      if (callback.scope() != hits[i].scope || TimeOf(callback.due_time()) != hits[i].due) continue;
      callback.set_customer_id(hits[i].customer_id);
      *response.add_callbacks() = std::move(callback);
    }
  }
  if (!last_key.empty()) response.set_next_page_token(MakePageToken(question, {last_key, place.instant}));
  *response.mutable_position() = view.token;
  response.set_simulated(ledger.simulated);
  return response;
}

absl::Status Answers::FindDue(const ListView& view, const std::string& table, absl::Time until,
                              absl::Time standing, uint32_t page_size, const std::string& after_key,
                              std::vector<DueHit>* hits, std::string* last_key) const {
  std::string end = absl::StrCat(view.prefix, table);
  AppendTime(until, &end);  // included
  bool more = false;
  bool damaged = false;
  const std::string begin = absl::StrCat(view.prefix, after_key.empty() ? table : after_key + '\0');
  LEDGER_RETURN_IF_ERROR(store_.Scan(
      begin, views::PrefixEnd(end),
      [&](absl::string_view key, absl::string_view value) {
        IntervalRow interval;
        damaged = !interval.ParseFromArray(value.data(), static_cast<int>(value.size()));
        if (damaged) return false;
        if (!Holds(interval, standing)) return true;
        if (hits->size() == page_size) {
          more = true;
          return false;
        }
        DueHit hit;
        hit.key = std::string(key.substr(view.prefix.size()));
        absl::string_view rest = absl::string_view(hit.key).substr(table.size());
        pb::Owner owner;
        damaged = !ConsumeTime(&rest, &hit.due) || (table[0] == kDueTable && !ConsumeOwner(&rest, &owner)) ||
                  !ConsumeId(&rest, &hit.customer_id) || !ConsumeId(&rest, &hit.scope);
        hits->push_back(std::move(hit));
        return !damaged;
      },
      view.moment.get()));
  if (damaged) return DamagedView();
  if (more) *last_key = hits->back().key;
  return absl::OkStatus();
}

absl::StatusOr<pb::GetStatsResponse> Answers::GetStats(const LedgerIdentity& ledger, absl::Time now) const {
  const absl::Time at = Present(log_, ledger, now);
  LEDGER_ASSIGN_OR_RETURN(const ListView view, OpenList(ledger, ProjectionKind::kOwner));
  pb::GetStatsResponse response;
  bool damaged = false;
  LEDGER_RETURN_IF_ERROR(store_.ScanPrefix(
      absl::StrCat(view.prefix, std::string(1, kCustomerTable)),
      [&](absl::string_view /*key*/, absl::string_view value) {
        ViewRow row;
        rules::CustomerState state;
        damaged = !row.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
                  !state.ParseFromString(row.state());
        if (damaged) return false;
        if (!row.merged_into().empty()) return true;
        response.set_customers(response.customers() + 1);
        response.set_source_events(response.source_events() + state.source_events());
        response.set_owner_changes(response.owner_changes() + state.owner_changes());
        response.set_returning_customers(response.returning_customers() + (state.returned() ? 1 : 0));
        return true;
      },
      view.moment.get()));
  if (damaged) return DamagedView();

  // A customer with several scopes stands several times in a row on an owner's list, and counts once.
  const auto count = [&](char table, const std::function<void(const pb::Owner&)>& add) -> absl::Status {
    std::string last;
    LEDGER_RETURN_IF_ERROR(store_.ScanPrefix(
        absl::StrCat(view.prefix, std::string(1, table)),
        [&](absl::string_view key, absl::string_view value) {
          IntervalRow interval;
          damaged = !interval.ParseFromArray(value.data(), static_cast<int>(value.size()));
          if (damaged) return false;
          if (!Holds(interval, at)) return true;
          absl::string_view rest = key.substr(view.prefix.size() + 1);
          pb::Owner owner;
          std::string customer_id;
          damaged = (table == kOwnerTable && !ConsumeOwner(&rest, &owner)) || !ConsumeId(&rest, &customer_id);
          const absl::string_view named = key.substr(0, key.size() - rest.size());
          if (damaged || named == absl::string_view(last)) return !damaged;
          last = std::string(named);
          add(owner);
          return true;
        },
        view.moment.get()));
    return damaged ? DamagedView() : absl::OkStatus();
  };
  std::vector<pb::OwnerCount> owners;
  LEDGER_RETURN_IF_ERROR(count(kOwnerTable, [&](const pb::Owner& owner) {
    // Owners come in order, so that the one counted is the last.
    if (owners.empty() || OwnerSuffix('o', owners.back().owner()) != OwnerSuffix('o', owner)) {
      *owners.emplace_back().mutable_owner() = owner;
    }
    owners.back().set_customers(owners.back().customers() + 1);
  }));
  LEDGER_RETURN_IF_ERROR(count(
      kPoolTable, [&](const pb::Owner&) { response.set_pooled_customers(response.pooled_customers() + 1); }));
  std::stable_sort(owners.begin(), owners.end(), [](const pb::OwnerCount& a, const pb::OwnerCount& b) {
    return a.customers() > b.customers();
  });
  for (pb::OwnerCount& owner : owners) *response.add_owners() = std::move(owner);
  response.set_events(view.checkpoint.position());
  response.set_parked_customers(view.checkpoint.parked_customers());
  *response.mutable_position() = view.token;
  response.set_simulated(ledger.simulated);
  return response;
}

}  // namespace ledger::runtime
