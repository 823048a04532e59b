#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "customerledger/v1/operations_service.pb.h"
#include "customerledger/v1/terms.pb.h"

namespace ledger::policy {

// Names that others refer to: schemes, classes, duties.
inline constexpr int kMaxNameBytes = 64;

// Collects what is wrong with a policy. Field paths are those of CheckPolicy; a message says what is wrong, what it
// would do, and what is allowed. Not thread-safe.
class Findings {
 public:
  // Must be mended before the policy may be adopted: what it says cannot be meant, or could not be run.
  void Error(absl::string_view field, absl::string_view message);
  // Worth saying, but the policy may be adopted as it is.
  void Warning(absl::string_view field, absl::string_view message);

  // An error where `name` is empty or longer than kMaxNameBytes.
  void CheckName(const std::string& path, const std::string& name);
  // An error where a period that a block cannot do without is not set. Its bounds are checked for every period of
  // a policy, wherever it stands; no mechanism need ask.
  void CheckPeriod(const std::string& path, bool is_set);

  // What was found, in the order of the policy's fields; of one field, as found. Leaves nothing behind.
  std::vector<customerledger::v1::PolicyFinding> Take();

 private:
  void Add(customerledger::v1::PolicyFindingSeverity severity, absl::string_view field,
           absl::string_view message);

  std::vector<customerledger::v1::PolicyFinding> findings_;
};

}  // namespace ledger::policy
