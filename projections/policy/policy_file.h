#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/operations_service.pb.h"
#include "customerledger/v1/policy.pb.h"

// Policies as files: the protobuf text format of Policy. Pure; any thread.
namespace ledger::policy {

// Larger files are refused unread.
inline constexpr size_t kMaxPolicyFileBytes = 1 << 20;
// Messages nested deeper are refused.
inline constexpr int kMaxPolicyFileDepth = 16;

// What is wrong where; both count from 1, columns in bytes.
struct PolicyFileError {
  int line = 0;
  int column = 0;
  std::string message;
};

// Reads a policy's form. kInvalidArgument: not the text format of a Policy; `errors` (not null) then says what
// is wrong where, and the message repeats the first. Whether the policy makes sense is CheckPolicy's question.
absl::StatusOr<customerledger::v1::Policy> ParsePolicyText(absl::string_view text,
                                                           std::vector<PolicyFileError>* errors);

// A finding, and where its field stands.
struct LocatedFinding {
  int line = 0;
  int column = 0;
  customerledger::v1::PolicyFinding finding;
};

// Where in `text` the fields of `findings` stand: one place for each finding, in the text's order. A field that is
// missing is placed at the message that lacks it, or at 1:1. Requires: ParsePolicyText accepted `text`.
std::vector<LocatedFinding> LocateFindings(absl::string_view text,
                                           const std::vector<customerledger::v1::PolicyFinding>& findings);

}  // namespace ledger::policy
