#include "services/ctl/policy_source.h"

#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "projections/policy/policy_check.h"
#include "projections/policy/policy_file.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

absl::Status FindingsError(const std::string& path, const std::vector<policy::PolicyFileError>& errors) {
  std::string text = absl::StrCat("the policy is not one that may be adopted:");
  for (const policy::PolicyFileError& error : errors) {
    absl::StrAppend(&text, "\n", path, ":", error.line, ":", error.column, ": ", error.message);
  }
  return absl::FailedPreconditionError(text);
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(Session& session, const std::string& path, size_t bytes_max) {
  std::ifstream opened;
  if (path != "-") {
    opened.open(path, std::ios::binary);
    if (!opened) return absl::NotFoundError(absl::StrCat("cannot open '", path, "'"));
  }
  std::istream& in = path == "-" ? *session.environment().in : opened;
  std::string text(bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (in.bad()) return absl::NotFoundError(absl::StrCat("cannot read '", path, "'"));
  if (text.size() > bytes_max) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is larger than ", bytes_max, " bytes"));
  }
  return text;
}

absl::StatusOr<pb::Policy> ReadPolicy(Session& session, const std::string& path) {
  LEDGER_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(session, path, policy::kMaxPolicyFileBytes));
  std::vector<policy::PolicyFileError> errors;
  absl::StatusOr<pb::Policy> parsed = policy::ParsePolicyText(text, &errors);
  if (!parsed.ok()) return errors.empty() ? parsed.status() : FindingsError(path, errors);
  const std::vector<pb::PolicyFinding> findings = policy::PolicyErrors(*parsed);
  if (!findings.empty()) return FindingsError(path, policy::LocateFindings(text, findings));
  return parsed;
}

}  // namespace ledger::ctl
