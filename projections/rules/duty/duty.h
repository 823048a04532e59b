#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/query_duty.pb.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 8 and deadlines: acts that are due, once after an event or so many times in a stretch of the calendar.
// open -> fulfilled, late or ended; a stretch of a quota -> kept or missed. What time brings about is computed, never
// written as an event.
namespace ledger::rules {

// Whose duties: a customer's people's, or one staff member's own.
struct DutyHolder {
  std::string staff_id;  // empty: the customer's

  bool is_staff() const { return !staff_id.empty(); }
};

// Brings about what time does until `at`, included. Requires: `at` is not before the state's last event. The result does
// not depend on in how many steps time is advanced.
void AdvanceDuties(const policy::Timeline& timeline, const DutyHolder& holder, absl::Time at,
                   CustomerState* state);

// Takes in the step's event, after AdvanceDuties and before it is remembered.
void ApplyDuties(const Step& step, const DutyHolder& holder, CustomerState* state);

// What is and was due at `at`, in the order of the policy in force then, each duty by time.
std::vector<customerledger::v1::DutyEntry> ReadDuties(const policy::Timeline& timeline,
                                                      const DutyHolder& holder, const CustomerState& state,
                                                      absl::Time at);

// The staff members whose own duties an event concerns: those it names where a staff duty of `version` looks. Sorted, none
// twice; empty where no staff duty names events of that kind.
std::vector<std::string> StaffConcerned(const policy::PolicyVersion& version,
                                        const customerledger::v1::Event& event);

// Folds a staff member's own events; `history` is theirs alone, or what was found under their name. Requires: in
// business order. Only events until `true_at`.
CustomerState FoldStaff(const policy::Timeline& timeline, const std::string& staff_id, const History& history,
                        absl::Time true_at);

}  // namespace ledger::rules
