#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/personal.pb.h"
#include "customerledger/v1/query_service.pb.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/state.pb.h"

// One customer under all mechanisms: what an event changes (Apply), what the state says at an instant
// (Read...), and whether an event may happen (Decide). Pure: no I/O, no clock, no lock; every function may
// run on any thread.
namespace ledger::rules {

// An event in its place in a customer's corrected history.
struct HistoryEvent {
  uint64_t position = 0;  // of the record; for a corrected event, of the wrong one, whose place it takes
  absl::Time business_time;
  absl::Time recorded_time;
  uint32_t event_type = 0;
  const customerledger::v1::Event* event = nullptr;          // what it says after corrections; borrowed
  const customerledger::v1::RecordHeader* header = nullptr;  // of the record at `position`; borrowed
  // True for what a decision says of a time before itself: it stands in the history a second time, there, and
  // `business_time` is that time. Not counted as an event.
  bool decided_later = false;
};

// The order of a history: (business time, position).
bool Before(const HistoryEvent& a, const HistoryEvent& b);

// A history built from records, and what owns the memory its events point into: it moves and is not copied.
struct History {
  History() = default;
  History(History&&) = default;
  History& operator=(History&&) = default;

  std::vector<customerledger::v1::Record> records;  // ascending positions, no duplicates
  std::vector<HistoryEvent> events;                 // in business order; corrected-away events are left out
  std::vector<uint64_t> corrected_positions;        // ascending; wrong events that were replaced or withdrawn
};

// When `record` counts: at its recording where the policy in force then says so, else when it occurred; to the whole
// second.
absl::Time BusinessTimeOf(const policy::Timeline& timeline, const customerledger::v1::Record& record);

// True if `event` changes what is so before its own business time: who folds it into a state that ends there has to fold
// the history anew.
bool ReachesBack(const customerledger::v1::Event& event);

// Orders and corrects one customer's records (its own and those of its aliases). `records` in any order.
History BuildHistory(const policy::Timeline& timeline, std::vector<customerledger::v1::Record> records);

// The other customer ids that `customer_id` is one with, as far as `records` (that customer's own) tell: by
// merges and joined claims that were not undone or corrected away. Each with the direction: true if the other
// goes on and `customer_id` is its alias, by id. Callers repeat this for every id found until nothing is new. The
// two customers of a merge both carry it and its unmerging, so their own records suffice; Decide refuses to
// correct a merge, which only one of them would know.
struct IdentityLink {
  std::string other_customer_id;
  bool other_goes_on = false;
};
std::vector<IdentityLink> IdentityLinks(absl::string_view customer_id,
                                        const std::vector<customerledger::v1::Record>& records);

// Applies one event. Requires: the state's last event is not after it. Never refuses what may have happened.
// kDataLoss: the event cannot be true, e.g. a body this release does not know whose number is below x50.
absl::Status Apply(const policy::Timeline& timeline, const HistoryEvent& event, CustomerState* state);

// Applies all events with business time <= `true_at` to an empty state.
absl::StatusOr<CustomerState> Fold(const policy::Timeline& timeline, const History& history,
                                   absl::Time true_at = absl::InfiniteFuture());

// What the state says at `true_at`. Requires: `true_at` is not before the state's last event. Only the fields
// of the answers that rules know are set (no AnswerContext, no customer_id).
std::vector<customerledger::v1::Ownership> ReadOwnerships(const policy::Timeline& timeline,
                                                          const CustomerState& state, absl::Time true_at);
std::vector<customerledger::v1::Tier> ReadTiers(const policy::Timeline& timeline, const CustomerState& state,
                                                absl::Time true_at);
std::vector<customerledger::v1::Callback> ReadCallbacks(const policy::Timeline& timeline,
                                                        const CustomerState& state, absl::Time true_at);

// A stretch of time during which, without further events, a customer stands on a list.
struct CustodyInterval {
  std::string scope;
  bool pooled = false;  // true: in the public pool, and `owner` is not set
  customerledger::v1::Owner owner;
  absl::Time from;
  absl::Time until;  // not included; InfiniteFuture: for ever
};
// All intervals from the state's last event on, without overlap within a scope. The first reaches back to when
// this custody began. None while a hand-over leaves nobody as owner.
std::vector<CustodyInterval> CustodyIntervals(const policy::Timeline& timeline, const CustomerState& state);

// A call-back that the state implies: owed by `owner` while it owns, `due` included in what is in time, standing
// while from <= t < until. `has_owner` is always true: a customer that nobody owns has no call-back.
struct CallbackInterval {
  std::string scope;
  bool has_owner = false;
  customerledger::v1::Owner owner;
  absl::Time due;
  absl::Time from;
  absl::Time until;
};
std::vector<CallbackInterval> CallbackIntervals(const policy::Timeline& timeline, const CustomerState& state);

// One line for each thing that `event` changed, e.g. "owner: none -> liu"; what time brought about between
// the two comes as entries of its own before it. `state` is advanced. For GetHistory.
absl::StatusOr<std::vector<customerledger::v1::HistoryEntry>> Explain(const policy::Timeline& timeline,
                                                                      const HistoryEvent& event,
                                                                      CustomerState* state);
// What time brings about after the last event and until `true_at`, as entries. For GetHistory.
std::vector<customerledger::v1::HistoryEntry> ExplainUntil(const policy::Timeline& timeline,
                                                           const CustomerState& state, absl::Time true_at);

// True if a fold or a reading under `policy` asks the timeline for staff: a change of a staff member may then change
// states whose own events it is not.
bool FoldsReadStaff(const customerledger::v1::Policy& policy);

// What a decision looks at.
struct DecisionContext {
  const policy::Timeline* timeline = nullptr;
  const CustomerState* customer =
      nullptr;               // the fold of the customer's whole history (with aliases) up to now
  absl::Time recorded_time;  // the time this event will be recorded with
  // The registration met this customer through a contact point; empty: it did not. `customer` is then that
  // customer's.
  std::string joined_customer_id;
  std::string contact_point;
  // The personal data that comes with the event, in the clear; nullptr: none.
  const customerledger::v1::PersonalData* personal = nullptr;
  // The fold of the other customer that the event names (RelatedCustomerId); nullptr: it names none, or nothing is known.
  const CustomerState* related = nullptr;
  // How many customers the registrar took from the pool so far, on the local day of `recorded_time`.
  uint64_t pool_claims_today = 0;
  // The state of the site that a visit names, where its policy assigns receptions; nullptr: there is none.
  const SiteState* site = nullptr;
};

// The other customer that deciding `event` looks at under the policy in force: who referred a new customer, or is of one
// family with this one. Empty: none.
std::string RelatedCustomerId(const policy::Timeline& timeline, absl::Time recorded_time,
                              const customerledger::v1::Event& event);

// The staff member whose claims from the pool are counted for `event` under the policy in force; empty: nobody's are.
std::string CappedStaffId(const policy::Timeline& timeline, absl::Time recorded_time,
                          const customerledger::v1::Event& event);

// An accepted event.
struct Decision {
  std::string rule_id;  // the rule that accepted it; empty for plain facts
  // What follows from it, in order, to be recorded right after it, e.g. a ClaimJoined.
  // `registration_position` and the like are left 0 for the caller, who knows positions.
  std::vector<customerledger::v1::Event> derived;
  bool claim_owns = false;  // a registration: whether its claim owns the customer afterwards
  bool from_pool = false;   // a registration that takes a public customer: it counts against a daily cap
};

// Accepts or refuses `proposed`. Events with ImportEvidence are accepted without a workflow. A refusal's
// message begins with an UPPER_SNAKE reason, a colon and a sentence that says what to do; the rule id is
// attached as the payload "rule_id" (see RefusalRuleId). kFailedPrecondition: a business rule says no.
// kPermissionDenied: this person may not. kNotFound: e.g. no such open transfer. kInvalidArgument: e.g. a
// grade that the scheme does not have.
absl::StatusOr<Decision> Decide(const DecisionContext& context, const customerledger::v1::Event& proposed);

// The rule id attached to a refusal; empty if none.
std::string RefusalRuleId(const absl::Status& refusal);

}  // namespace ledger::rules
