#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/policy_duty.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/state.pb.h"

// Whether what a requirement or a duty asks for holds.
namespace ledger::rules {

// What a need is asked of. Borrows everything.
struct NeedContext {
  const policy::Timeline& timeline;
  const policy::PolicyVersion& policy;
  const CustomerState& state;  // without the present event
  const customerledger::v1::Event*
      event;      // nullptr: there is no present event; needs about one then do not hold
  absl::Time at;  // when the present event counts, or now
};

bool Holds(const NeedContext& context, const customerledger::v1::Need& need);
bool AllHold(const NeedContext& context,
             const google::protobuf::RepeatedPtrField<customerledger::v1::Need>& needs);

// What is missing where `need` does not hold, for people: "not before 2026-05-01 00:00:00 (2016-04-30 + 120 months =
// 2026-04-30 24:00)".
std::string DescribeNeed(const NeedContext& context, const customerledger::v1::Need& need);

}  // namespace ledger::rules
