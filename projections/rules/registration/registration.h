#pragma once

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/personal.pb.h"
#include "customerledger/v1/query_registration.pb.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Mechanism 1, registration: what it must bring, and how far it has come. The states and their order:
// customerledger.v1.RegistrationState.
namespace ledger::rules {

// Takes in the step's event: registrations, changes of profile, submissions, reviews, filings. After ownership.
void ApplyRegistration(const Step& step, CustomerState* state);

// When a registration that is not complete is deleted: its ownership ends with it.
struct DueDeletion {
  absl::Time at;
  customerledger::v1::Basis basis;
};
// nullopt: it is complete, deleted already, or the policy in force at its creation deletes nothing. It waits while a
// dispute or a hand-over of that scope is open.
std::optional<DueDeletion> NextDeletion(const policy::Timeline& timeline, const CustomerState& state,
                                        absl::string_view scope);

// True if the registration counts at `at`, which is not before the state's last event. True where the policy asks neither
// for parts nor for a review.
bool IsApproved(const policy::Timeline& timeline, const CustomerState& state, absl::string_view scope,
                absl::Time at);

// One entry a scope, by scope.
std::vector<customerledger::v1::RegistrationEntry> ReadRegistrations(const policy::Timeline& timeline,
                                                                     const CustomerState& state,
                                                                     absl::Time at);

// Whether a registration, a change of profile, a submission or a review may happen. `personal`: what comes with the event
// in the clear; nullptr: nothing. Other events pass. kFailedPrecondition: FIELDS_MISSING, FIELD_INVALID, STAFF_EXCLUDED,
// STAGE_INCOMPLETE, REGISTRATION_DELETED. kInvalidArgument: STAGE_UNKNOWN. kPermissionDenied: NOT_A_REVIEWER.
absl::Status CheckRegistration(const Proposal& proposal, const customerledger::v1::PersonalData* personal,
                               const customerledger::v1::Event& event);

}  // namespace ledger::rules
