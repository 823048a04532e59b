#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "projections/rules/mechanism.h"

// Mechanism 7, call-back: when the owner must be in touch next.
namespace ledger::rules {

// A contact or visit by the owner.
void ApplyContact(const Step& step, CustomerState* state);
void ApplyContactPlanned(const Step& step, CustomerState* state);
// A contact that a review found false no longer counts.
void ApplyContactReviewed(const Step& step, CustomerState* state);
void ApplyTrackingEnded(const Step& step, CustomerState* state);
// What any event says about call-backs: what ends or resumes them, what begins or ends a follow-up, an occasion. After
// what the event itself does.
void ApplyCallBackSigns(const Step& step, CustomerState* state);

// A call-back that is owed unless something happens.
struct DueCallBack {
  bool has_date = true;
  absl::Time due;  // the last instant in time
  customerledger::v1::Basis basis;
  bool has_hard_limit = false;
  absl::Time hard_due;  // the last instant before it is overdue
  customerledger::v1::Basis hard_basis;
  std::string occasion;  // empty: by cadence
  customerledger::v1::ContactChannel channel =
      customerledger::v1::CONTACT_CHANNEL_UNSPECIFIED;  // of an occasion; not said: any
  absl::Time stands_from = absl::InfinitePast();        // an occasion is owed on its day and on no other
  absl::Time stands_until = absl::InfiniteFuture();     // not included

  // The last instant that is not overdue: what answers, days left and lists all count by.
  absl::Time LastInstant() const { return has_hard_limit ? hard_due : due; }
};
// What the owner of `scope` owes at `at` beside occasions. Empty: nobody owns at present, nobody follows the customer any
// longer, or the policy asks for none. Of several the earliest counts; one without a date only where none has one.
// Requires: `at` is not before the state's last event.
std::optional<DueCallBack> NextCallBack(const policy::Timeline& timeline, const CustomerState& state,
                                        const ScopeState& scope, absl::Time at);

// A contact, tried or made; refuses what the policy forbids at the event's own time.
absl::StatusOr<Decision> DecideContact(const Proposal& proposal, const customerledger::v1::Event& event);
absl::StatusOr<Decision> DecideNotified(const Proposal& proposal, const customerledger::v1::Event& event);
absl::StatusOr<Decision> DecideTrackingEnded(const Proposal& proposal,
                                             const customerledger::v1::TrackingEnded& ended);

}  // namespace ledger::rules
