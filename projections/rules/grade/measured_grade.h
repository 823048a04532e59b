#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "projections/rules/mechanism.h"

// Grades that follow from figures (MetricRecorded). Exact: no floating point.
namespace ledger::rules {

void ApplyMetric(const Step& step, CustomerState* state);

// What the figures of a customer come to in one scheme.
struct MeasuredGrade {
  std::string class_name;  // empty: no class fits, or something is missing
  std::string rule_id;
  bool has_value = false;
  int64_t value_milli = 0;
  absl::Time since;
  std::vector<uint64_t> positions;
  std::string arithmetic;
  const policy::PolicyVersion* policy = nullptr;
  std::vector<customerledger::v1::FactNeeded> missing;  // what keeps the customer from being graded
  std::string managed_as;                               // empty: by the rules of its own class
  std::string managed_as_rule_id;
};
// nullopt: the scheme is not measured at `at`. `class_name` is then the most demanding one that the figures or the facts
// give.
std::optional<MeasuredGrade> Measure(const policy::Timeline& timeline, const CustomerState& state,
                                     absl::string_view scheme, absl::Time at);
// By whose rules a customer of `class_name` is managed.
void SetManagedAs(const customerledger::v1::GradeScheme& scheme, const CustomerState& state,
                  absl::string_view class_name, MeasuredGrade* measured);

// The first instant after `after` at which the window of a measure moves on to other figures; InfiniteFuture: never.
absl::Time NextWindow(const policy::PolicyVersion& policy, const customerledger::v1::GradeScheme& scheme,
                      const CustomerState& state, absl::Time after);

// Appends those of `needs` that do not hold.
void AddMissing(const google::protobuf::RepeatedPtrField<customerledger::v1::FactNeeded>& needs,
                const CustomerState& state, std::vector<customerledger::v1::FactNeeded>* missing);

// "4999999.99" for 4,999,999,990 thousandths.
std::string MilliText(int64_t value_milli);

}  // namespace ledger::rules
