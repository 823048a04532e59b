#include "projections/runtime/customer_fold.h"

#include <algorithm>

#include "projections/runtime/row_time.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;

// Applies a history in its order. Returns the position of the record that could not be applied, or 0: all
// were.
absl::StatusOr<uint64_t> ApplyAll(const policy::Timeline& timeline, const rules::History& history,
                                  absl::Time true_at, FoldedCustomer* folded) {
  for (const rules::HistoryEvent& event : history.events) {
    if (event.business_time > true_at) break;
    const absl::Status applied = rules::Apply(timeline, event, &folded->state);
    if (absl::IsDataLoss(applied)) {
      folded->parked_reason = std::string(applied.message());
      return SaidAt(history, event);
    }
    LEDGER_RETURN_IF_ERROR(applied);
    folded->last_time = event.business_time;
    folded->last_position = event.position;
  }
  return 0;
}

}  // namespace

uint64_t SaidAt(const rules::History& history, const rules::HistoryEvent& event) {
  for (const pb::Record& record : history.records) {
    if (record.event().has_event_corrected() &&
        &record.event().event_corrected().right_event() == event.event) {
      return record.header().position();
    }
  }
  return event.position;
}

absl::StatusOr<FoldedCustomer> FoldCustomer(SubjectSource& source, const policy::Timeline& timeline,
                                            absl::string_view customer_id, uint64_t known_position,
                                            absl::Time true_at) {
  FoldedCustomer folded;
  LEDGER_ASSIGN_OR_RETURN(CustomerHistory loaded, LoadHistory(source, timeline, customer_id, known_position));
  folded.identity = loaded.identity;
  folded.known = !loaded.empty();
  if (folded.known) {
    const auto& last = loaded.history.records.back().header();
    folded.noted_position = last.position();
    folded.noted_time = TimeOf(last.recorded_time());
  }
  while (true) {
    folded.state.Clear();
    folded.last_time = absl::InfinitePast();
    folded.last_position = 0;
    LEDGER_ASSIGN_OR_RETURN(const uint64_t failed, ApplyAll(timeline, loaded.history, true_at, &folded));
    if (failed == 0) return folded;
    folded.parked_position = failed;
    LEDGER_ASSIGN_OR_RETURN(
        loaded, LoadHistory(source, timeline, folded.identity.customer_id, folded.parked_position - 1));
  }
}

}  // namespace ledger::runtime
