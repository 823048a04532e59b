#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/policy_text.pb.h"
#include "services/ctl/session.h"

namespace ledger::ctl {

// The whole of a file, or of standard input where `path` is "-". kNotFound, or kInvalidArgument if it is
// larger than `bytes_max`.
absl::StatusOr<std::string> ReadWholeFile(Session& session, const std::string& path, size_t bytes_max);

// Reads a policy from a file and checks it, without a server. kNotFound: no such file. kFailedPrecondition:
// there are errors; the message has one to a line, with file, line and column where they have one. Warnings are passed
// over: CheckPolicyFile tells them.
absl::StatusOr<customerledger::v1::Policy> ReadPolicy(Session& session, const std::string& path);

// As ReadPolicy, for a policy that need not make sense: only its form is checked.
absl::StatusOr<customerledger::v1::Policy> ReadPolicyForm(Session& session, const std::string& path);

// Everything that is wrong with a policy file, errors and warnings. kNotFound: no such file.
absl::StatusOr<customerledger::v1::PolicyFileReport> CheckPolicyFile(Session& session,
                                                                     const std::string& path);

// "errors" and "warnings" of a report.
struct FindingCounts {
  int errors = 0;
  int warnings = 0;
};
FindingCounts CountFindings(const customerledger::v1::PolicyFileReport& report);

// One line for a finding: "FILE:LINE:COLUMN: error: FIELD: MESSAGE".
std::string FindingLine(const std::string& file, const customerledger::v1::PolicyFileFinding& finding);

// The policy that the session's ledger adopted as version `number`, counted from 1. kNotFound: it has no such version.
absl::StatusOr<customerledger::v1::Policy> ReadPolicyVersion(Session& session, uint32_t number);

}  // namespace ledger::ctl
