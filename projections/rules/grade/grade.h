#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "projections/rules/grade/measured_grade.h"
#include "projections/rules/mechanism.h"

// Mechanism 6, grade: classes by scheme; letters of different schemes never mix. A class is decided, measured, or read
// off what happens.
namespace ledger::rules {

void ApplyGradeChanged(const Step& step, CustomerState* state);
void ApplyGradeProposed(const Step& step, CustomerState* state);
void ApplyAuthority(const Step& step, CustomerState* state);
// What any event says about a grade: a class by event or fact, an expected purchase, a visit that counts. After
// ApplyFacts and what the event itself does.
void ApplyGradeSigns(const Step& step, CustomerState* state);

// What was given in `scheme`, or nullptr. The class of an answer is CurrentGrade's.
const GradeState* FindGrade(const CustomerState& state, absl::string_view scheme);

// A class at an instant, and why.
struct GradeReading {
  std::string class_name;  // empty: none
  absl::Time since;
  std::vector<uint64_t> positions;  // the deciding events; empty: nobody ever gave one
  std::string rule_id;
  std::string arithmetic;
  const policy::PolicyVersion* policy = nullptr;  // the version it was read under
  bool is_initial = false;                        // the class of a customer that nobody graded
  bool is_late = false;                           // back late
  std::string late_rule_id;
};
// The class in `scheme` at `at`. Requires: `at` is not before the state's last event.
GradeReading CurrentGrade(const policy::Timeline& timeline, const CustomerState& state,
                          absl::string_view scheme, absl::Time at);

// The first instant after `after` at which time alone may change a class; InfiniteFuture: none.
absl::Time NextGradeChange(const policy::Timeline& timeline, const CustomerState& state, absl::Time after);

// The schemes of the policy at `at` in its order, then those that only the state knows.
std::vector<customerledger::v1::Tier> ReadGrades(const policy::Timeline& timeline, const CustomerState& state,
                                                 absl::Time at);

absl::StatusOr<Decision> DecideGradeChanged(const Proposal& proposal,
                                            const customerledger::v1::GradeChanged& changed);
absl::StatusOr<Decision> DecideGradeProposed(const Proposal& proposal,
                                             const customerledger::v1::GradeProposed& proposed);
// Refuses an owner of another level than the customer's class is looked after at, where the class asks for a letter of
// authority and there is none.
absl::Status CheckResponsible(const Proposal& proposal, const customerledger::v1::Owner& owner);

// Who must decide `class_name` of `scheme` for a customer that has a class already, or not; and by which rule.
struct Deciders {
  const google::protobuf::RepeatedPtrField<customerledger::v1::Decider>* who = nullptr;
  std::string rule_id;
};
Deciders DecidersOf(const customerledger::v1::GradeScheme& scheme, absl::string_view class_name,
                    bool is_first);
// True if `name` is `decider` at `at`: its role, its unit, or a staff member who holds the one and works in the other.
bool IsDecider(const policy::Timeline& timeline, const customerledger::v1::Decider& decider,
               const std::string& name, absl::Time at);
// "role, unit", for people.
std::string DeciderText(const customerledger::v1::Decider& decider);

const customerledger::v1::GradeScheme* FindScheme(const policy::PolicyVersion& policy,
                                                  absl::string_view name);
const customerledger::v1::GradeClass* FindClass(const customerledger::v1::GradeScheme* scheme,
                                                absl::string_view name);

}  // namespace ledger::rules
