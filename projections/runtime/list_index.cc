#include "projections/runtime/list_index.h"

#include "projections/runtime/row_time.h"
#include "projections/runtime/view_keys.h"

namespace ledger::runtime {
namespace {

std::string SerializeInterval(absl::Time from, absl::Time until) {
  IntervalRow row;
  if (from == absl::InfinitePast()) {
    row.set_from_ever(true);
  } else {
    row.set_from_seconds(SecondsOf(from));
    row.set_from_nanos(NanosOf(from));
  }
  if (until == absl::InfiniteFuture()) {
    row.set_for_ever(true);
  } else {
    row.set_until_seconds(SecondsOf(until));
    row.set_until_nanos(NanosOf(until));
  }
  return row.SerializeAsString();
}

void AddCustody(const policy::Timeline& timeline, absl::string_view customer_id,
                const rules::CustomerState& state, std::map<std::string, std::string>* rows) {
  for (const rules::CustodyInterval& interval : rules::CustodyIntervals(timeline, state)) {
    std::string key = interval.pooled ? std::string(1, kPoolTable) : OwnerSuffix(kOwnerTable, interval.owner);
    AppendId(customer_id, &key);
    AppendId(interval.scope, &key);
    AppendTime(interval.from, &key);
    (*rows)[key] = SerializeInterval(interval.from, interval.until);
  }
}

void AddCallbacks(const policy::Timeline& timeline, absl::string_view customer_id,
                  const rules::CustomerState& state, std::map<std::string, std::string>* rows) {
  for (const rules::CallbackInterval& interval : rules::CallbackIntervals(timeline, state)) {
    customerledger::v1::Owner owner;
    if (interval.has_owner) owner = interval.owner;
    std::string rest;
    AppendId(customer_id, &rest);
    AppendId(interval.scope, &rest);
    AppendTime(interval.from, &rest);
    const std::string value = SerializeInterval(interval.from, interval.until);
    std::string by_time(1, kDueTable);
    AppendTime(interval.due, &by_time);
    AppendOwner(owner, &by_time);
    (*rows)[by_time + rest] = value;
    std::string by_owner = OwnerSuffix(kOwnerDueTable, owner);
    AppendTime(interval.due, &by_owner);
    (*rows)[by_owner + rest] = value;
  }
}

}  // namespace

std::map<std::string, std::string> ListRows(ProjectionKind kind, const policy::Timeline& timeline,
                                            absl::string_view customer_id,
                                            const rules::CustomerState& state) {
  std::map<std::string, std::string> rows;
  switch (kind) {
    case ProjectionKind::kOwner:
      AddCustody(timeline, customer_id, state, &rows);
      break;
    case ProjectionKind::kTier:
      break;
    case ProjectionKind::kCallback:
      AddCallbacks(timeline, customer_id, state, &rows);
      break;
  }
  return rows;
}

absl::Time FromOf(const IntervalRow& row) {
  return row.from_ever() ? absl::InfinitePast() : TimeOf(row.from_seconds(), row.from_nanos());
}

absl::Time UntilOf(const IntervalRow& row) {
  return row.for_ever() ? absl::InfiniteFuture() : TimeOf(row.until_seconds(), row.until_nanos());
}

}  // namespace ledger::runtime
