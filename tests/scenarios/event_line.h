#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/policy.pb.h"
#include "tests/scenarios/fields.h"
#include "tests/scenarios/scenario.h"

// What an event line means. Pure; any thread.
namespace ledger::scenarios {

// The event of `line` with its personal data. A policy_adopted adopts the policy in force with the changes that its
// "set.PATH=VALUE" words make. Everything that makes no sense is appended to `problems`, with its
// place; the event is then incomplete.
customerledger::v1::NewEvent BuildEvent(const EventLine& line, Reading reading,
                                        std::vector<Problem>* problems);

// The event type, e.g. "customer_registered"; null and a problem if there is none.
const google::protobuf::FieldDescriptor* FindEventType(const Word& type, std::vector<Problem>* problems);

// When an event is delivered where everything that can be late is late.
enum class Lateness {
  kOnTime,      // at its own time: reference data, and steps that count when they are recorded
  kLate,        // after everything else, in any order
  kCorrection,  // after what it corrects
};

// A fact that only happened (a contact, a visit, a deal, a payment) can be late. Reference data and the steps of a
// workflow, whose recording is the act itself, cannot, whatever the policy says; nor what `policy` counts when
// recorded.
Lateness LatenessOf(const EventLine& line, const customerledger::v1::Policy& policy);

}  // namespace ledger::scenarios
