#include "services/ctl/policy_source.h"

#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/policy_check.h"
#include "projections/policy/policy_file.h"
#include "services/ctl/paging.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

absl::Status FindingsError(const pb::PolicyFileReport& report) {
  std::string text = absl::StrCat("the policy is not one that may be adopted:");
  for (const pb::PolicyFileFinding& finding : report.findings()) {
    absl::StrAppend(&text, "\n", FindingLine(report.file(), finding));
  }
  return absl::FailedPreconditionError(text);
}

// The policy; not set where the file is none, and then `report` says why.
absl::StatusOr<std::optional<pb::Policy>> ParseFile(Session& session, const std::string& path,
                                                    std::string* text, pb::PolicyFileReport* report) {
  LEDGER_ASSIGN_OR_RETURN(*text, ReadWholeFile(session, path, policy::kMaxPolicyFileBytes));
  report->set_file(path);
  std::vector<policy::PolicyFileError> errors;
  absl::StatusOr<pb::Policy> parsed = policy::ParsePolicyText(*text, &errors);
  if (parsed.ok()) {
    report->set_policy_id(parsed->id());
    return *std::move(parsed);
  }
  if (errors.empty()) return parsed.status();
  for (policy::PolicyFileError& error : errors) {
    pb::PolicyFileFinding* finding = report->add_findings();
    finding->set_line(error.line);
    finding->set_column(error.column);
    finding->mutable_finding()->set_message(std::move(error.message));
    finding->mutable_finding()->set_severity(pb::POLICY_FINDING_SEVERITY_ERROR);
  }
  return std::nullopt;
}

void AddFindings(const std::string& text, const std::vector<pb::PolicyFinding>& findings,
                 pb::PolicyFileReport* report) {
  for (policy::LocatedFinding& located : policy::LocateFindings(text, findings)) {
    pb::PolicyFileFinding* finding = report->add_findings();
    finding->set_line(located.line);
    finding->set_column(located.column);
    *finding->mutable_finding() = std::move(located.finding);
  }
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

absl::StatusOr<pb::Policy> ReadPolicyForm(Session& session, const std::string& path) {
  std::string text;
  pb::PolicyFileReport report;
  LEDGER_ASSIGN_OR_RETURN(std::optional<pb::Policy> parsed, ParseFile(session, path, &text, &report));
  if (!parsed) return FindingsError(report);
  return *std::move(parsed);
}

absl::StatusOr<pb::Policy> ReadPolicy(Session& session, const std::string& path) {
  std::string text;
  pb::PolicyFileReport report;
  LEDGER_ASSIGN_OR_RETURN(std::optional<pb::Policy> parsed, ParseFile(session, path, &text, &report));
  if (parsed) AddFindings(text, policy::PolicyErrors(*parsed), &report);
  if (!report.findings().empty()) return FindingsError(report);
  return *std::move(parsed);
}

absl::StatusOr<pb::PolicyFileReport> CheckPolicyFile(Session& session, const std::string& path) {
  std::string text;
  pb::PolicyFileReport report;
  LEDGER_ASSIGN_OR_RETURN(const std::optional<pb::Policy> parsed, ParseFile(session, path, &text, &report));
  if (parsed) AddFindings(text, policy::CheckPolicy(*parsed), &report);
  return report;
}

FindingCounts CountFindings(const pb::PolicyFileReport& report) {
  FindingCounts counts;
  for (const pb::PolicyFileFinding& finding : report.findings()) {
    ++(finding.finding().severity() == pb::POLICY_FINDING_SEVERITY_WARNING ? counts.warnings : counts.errors);
  }
  return counts;
}

std::string FindingLine(const std::string& file, const pb::PolicyFileFinding& finding) {
  const pb::PolicyFinding& what = finding.finding();
  const bool warning = what.severity() == pb::POLICY_FINDING_SEVERITY_WARNING;
  return absl::StrCat(file, ":", finding.line(), ":", finding.column(), ": ", warning ? "warning" : "error",
                      ": ", what.field(), what.field().empty() ? "" : ": ", what.message());
}

absl::StatusOr<pb::Policy> ReadPolicyVersion(Session& session, uint32_t number) {
  pb::ReadLogRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  request.mutable_filter()->add_event_types(pb::Event::kPolicyAdopted);
  // Versions count adoptions, in the order of the log.
  uint32_t count = 0;
  std::optional<pb::Policy> found;
  LEDGER_ASSIGN_OR_RETURN(
      const bool more,
      ForEachPage(
          request, number, [&](const pb::ReadLogRequest& next) { return session.client().ReadLog(next); },
          [&](const pb::ReadLogResponse& page) -> absl::StatusOr<uint64_t> {
            for (const std::string& bytes : page.records()) {
              pb::Record record;
              if (!record.ParseFromString(bytes)) {
                return absl::DataLossError("the server sent a record that cannot be read");
              }
              if (++count == number) found = record.event().policy_adopted().policy();
            }
            return page.records_size();
          }));
  static_cast<void>(more);
  if (found) return *std::move(found);
  return absl::NotFoundError(absl::StrCat("ledger '", request.ledger(), "' has no policy version ", number,
                                          "; its versions are 1 to ", count));
}

}  // namespace ledger::ctl
