#include "projections/policy/policy_file.h"

#include <google/protobuf/util/message_differencer.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "projections/policy/policy_check.h"

// Whatever the bytes: no crash; a text that is refused says where; one that is accepted can be checked, reads
// the same a second time, and its findings have places.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<ledger::policy::PolicyFileError> errors;
  const auto policy = ledger::policy::ParsePolicyText(text, &errors);
  if (!policy.ok()) {
    if (errors.empty() || errors[0].line < 1 || errors[0].column < 1 || errors[0].message.empty())
      std::abort();
    return 0;
  }
  const auto again = ledger::policy::ParsePolicyText(text, &errors);
  if (!again.ok() || !google::protobuf::util::MessageDifferencer::Equals(*policy, *again)) std::abort();
  const auto findings = ledger::policy::CheckPolicy(*policy);
  if (ledger::policy::LocateFindings(text, findings).size() != findings.size()) std::abort();
  return 0;
}
