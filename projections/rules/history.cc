#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "customerledger/v1/event.pb.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/customer.h"
#include "projections/rules/dispute/dispute.h"
#include "projections/rules/mechanism.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// What a corrected position says now; no event: it never happened.
using Corrections = std::map<uint64_t, const pb::Event*>;

bool CountsWhenRecorded(const policy::PolicyVersion& policy, uint32_t event_type) {
  const absl::string_view name = policy::EventName(event_type);
  if (name.empty()) return false;
  for (const std::string& listed : policy.policy.business_time().counted_when_recorded()) {
    if (absl::string_view(listed) == name) return true;
  }
  return false;
}

absl::Time BusinessTime(const policy::Timeline& timeline, const pb::RecordHeader& header,
                        const pb::Event& event) {
  const absl::Time recorded = ToTime(header.recorded_time());
  const bool filed = CountsWhenRecorded(PolicyInForce(timeline, recorded), header.event_type());
  const absl::Time counts = filed ? recorded : ToTime(event.occurred_time().time());
  // The resolution is one second (conv.local-time): an act that its author stamped with the whole second stands
  // behind what the ledger recorded earlier within that second, and not before it.
  return absl::FromUnixSeconds(absl::ToUnixSeconds(counts));
}

std::vector<const pb::Record*> ByPosition(const std::vector<pb::Record>& records) {
  std::vector<const pb::Record*> sorted;
  sorted.reserve(records.size());
  for (const pb::Record& record : records) sorted.push_back(&record);
  std::sort(sorted.begin(), sorted.end(), [](const pb::Record* a, const pb::Record* b) {
    return a->header().position() < b->header().position();
  });
  sorted.erase(std::unique(sorted.begin(), sorted.end(),
                           [](const pb::Record* a, const pb::Record* b) {
                             return a->header().position() == b->header().position();
                           }),
               sorted.end());
  return sorted;
}

// Which positions are corrected, and to what. Goes from the last record to the first: whether a correction is
// itself corrected is then known when it is reached, and the first found for a target is the last recorded.
Corrections Resolve(const std::vector<const pb::Record*>& sorted) {
  Corrections corrections;
  for (auto record = sorted.rbegin(); record != sorted.rend(); ++record) {
    const pb::RecordHeader& header = (*record)->header();
    const pb::Event* says = &(*record)->event();
    const auto corrected = corrections.find(header.position());
    if (corrected != corrections.end()) says = corrected->second;
    if (says == nullptr || !says->has_event_corrected()) continue;

    const pb::EventCorrected& correction = says->event_corrected();
    if (correction.target_position() >= header.position()) continue;
    if (corrections.contains(correction.target_position())) continue;
    const auto target = std::lower_bound(sorted.begin(), sorted.end(), correction.target_position(),
                                         [](const pb::Record* candidate, uint64_t position) {
                                           return candidate->header().position() < position;
                                         });
    if (target == sorted.end() || (*target)->header().position() != correction.target_position()) continue;
    const pb::Event* right = correction.has_right_event() ? &correction.right_event() : nullptr;
    // A right event of another type says nothing that could stand in the wrong one's place.
    if (right != nullptr && policy::EventTypeOf(*right) != (*target)->header().event_type()) continue;
    corrections[correction.target_position()] = right;
  }
  return corrections;
}

}  // namespace

bool Before(const HistoryEvent& a, const HistoryEvent& b) {
  if (a.business_time != b.business_time) return a.business_time < b.business_time;
  return a.position < b.position;
}

absl::Time BusinessTimeOf(const policy::Timeline& timeline, const pb::Record& record) {
  return BusinessTime(timeline, record.header(), record.event());
}

bool ReachesBack(const pb::Event& event) {
  return event.has_event_corrected() || DecidesFrom(event).has_value();
}

History BuildHistory(const policy::Timeline& timeline, std::vector<pb::Record> records) {
  History history;
  std::sort(records.begin(), records.end(), [](const pb::Record& a, const pb::Record& b) {
    return a.header().position() < b.header().position();
  });
  records.erase(std::unique(records.begin(), records.end(),
                            [](const pb::Record& a, const pb::Record& b) {
                              return a.header().position() == b.header().position();
                            }),
                records.end());
  history.records = std::move(records);
  const Corrections corrections = Resolve(ByPosition(history.records));
  for (const pb::Record& record : history.records) {
    const pb::RecordHeader& header = record.header();
    const pb::Event* says = &record.event();
    const auto corrected = corrections.find(header.position());
    if (corrected != corrections.end()) {
      history.corrected_positions.push_back(header.position());
      says = corrected->second;
    }
    if (says == nullptr) continue;
    HistoryEvent event;
    event.position = header.position();
    event.business_time = BusinessTime(timeline, header, *says);
    event.recorded_time = ToTime(header.recorded_time());
    event.event_type = header.event_type();
    event.event = says;
    event.header = &header;
    history.events.push_back(event);
    const std::optional<absl::Time> from = DecidesFrom(*says);
    if (!from.has_value() || *from >= event.business_time) continue;
    event.business_time = *from;
    event.decided_later = true;
    history.events.push_back(event);
  }
  std::sort(history.events.begin(), history.events.end(), Before);
  return history;
}

std::vector<IdentityLink> IdentityLinks(absl::string_view customer_id,
                                        const std::vector<pb::Record>& records) {
  const std::vector<const pb::Record*> sorted = ByPosition(records);
  const Corrections corrections = Resolve(sorted);
  std::map<std::string, bool> others;  // the other id -> whether it goes on
  const auto join = [&](const std::string& goes_on, const std::string& alias) {
    if (goes_on == alias) return;
    if (absl::string_view(goes_on) == customer_id) others[alias] = false;
    if (absl::string_view(alias) == customer_id) others[goes_on] = true;
  };
  for (const pb::Record* record : sorted) {
    const pb::Event* says = &record->event();
    const auto corrected = corrections.find(record->header().position());
    if (corrected != corrections.end()) says = corrected->second;
    if (says == nullptr) continue;
    if (says->has_customers_merged()) {
      join(says->customers_merged().customer_id(), says->customers_merged().absorbed_customer_id());
    } else if (says->has_claim_joined()) {
      join(says->claim_joined().customer_id(), says->claim_joined().claimant_customer_id());
    } else if (says->has_customers_unmerged()) {
      const pb::CustomersUnmerged& unmerged = says->customers_unmerged();
      if (absl::string_view(unmerged.customer_id()) == customer_id) {
        others.erase(unmerged.absorbed_customer_id());
      } else if (absl::string_view(unmerged.absorbed_customer_id()) == customer_id) {
        others.erase(unmerged.customer_id());
      }
    }
  }
  std::vector<IdentityLink> links;
  links.reserve(others.size());
  for (const auto& [other, goes_on] : others) links.push_back({other, goes_on});
  return links;
}

}  // namespace ledger::rules
