#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "projections/rules/mechanism.h"

// Mechanism 6, grade: classes by scheme; letters of different schemes never mix.
namespace ledger::rules {

void ApplyGradeChanged(const Step& step, CustomerState* state);

// The grade given in `scheme`, or nullptr.
const GradeState* FindGrade(const CustomerState& state, absl::string_view scheme);

// The schemes of the policy at `at` in its order, then those that only the state knows.
std::vector<customerledger::v1::Tier> ReadGrades(const policy::Timeline& timeline, const CustomerState& state,
                                                 absl::Time at);

absl::StatusOr<Decision> DecideGradeChanged(const Proposal& proposal,
                                            const customerledger::v1::GradeChanged& changed);

}  // namespace ledger::rules
