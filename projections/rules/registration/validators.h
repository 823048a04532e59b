#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "customerledger/v1/policy_registration.pb.h"

// How fields of a registration are checked. Pure; any thread. Texts are UTF-8; names and addresses are judged as Chinese
// writes them, and names in Latin letters by the number of their words.
namespace ledger::rules {

// What is wrong with `value`, as a sentence that says what to write instead; empty: nothing, or `value` is empty.
std::string ValidatorError(const customerledger::v1::FieldValidator& validator, absl::string_view value);

}  // namespace ledger::rules
