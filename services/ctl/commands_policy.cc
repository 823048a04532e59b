#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/commands_policy_text.h"
#include "services/ctl/output/table.h"
#include "services/ctl/paging.h"
#include "services/ctl/policy_source.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/status_macros.h"

// policy: checks and adopts a company's rules; shows and compares them in commands_policy_text.cc.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

std::string Count(int number, absl::string_view what) {
  return absl::StrCat(number, " ", what, number == 1 ? "" : "s");
}

absl::Status PrintReports(Session& session, const pb::PolicyFileReports& reports) {
  if (!session.table()) {
    if (session.options().output == Output::kJsonl) return PrintJsonLines(session, reports.files());
    return session.PrintJson(reports);
  }
  for (const pb::PolicyFileReport& report : reports.files()) {
    for (const pb::PolicyFileFinding& finding : report.findings()) {
      session.out() << Printable(FindingLine(report.file(), finding)) << '\n';
    }
    if (!report.findings().empty()) continue;
    session.out() << Printable(report.file()) << ": nothing is wrong with policy '"
                  << Printable(report.policy_id()) << "'\n";
  }
  return absl::OkStatus();
}

absl::Status Check(Session& session, const std::vector<std::string>& files) {
  pb::PolicyFileReports reports;
  FindingCounts counts;
  for (const std::string& file : files) {
    LEDGER_ASSIGN_OR_RETURN(pb::PolicyFileReport report, CheckPolicyFile(session, file));
    const FindingCounts found = CountFindings(report);
    counts.errors += found.errors;
    counts.warnings += found.warnings;
    *reports.add_files() = std::move(report);
  }
  LEDGER_RETURN_IF_ERROR(PrintReports(session, reports));
  if (counts.errors == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("POLICY_ERRORS: ", Count(counts.errors, "error"), " and ",
                                                    Count(counts.warnings, "warning"),
                                                    "; a policy with errors is not adopted"));
}

struct AdoptOptions {
  std::string file;
  std::optional<std::string> from;
  Expectation expectation;
};

absl::Status Adopt(Session& session, const AdoptOptions& options) {
  pb::NewEvent event;
  pb::PolicyAdopted* body = event.mutable_event()->mutable_policy_adopted();
  LEDGER_ASSIGN_OR_RETURN(*body->mutable_policy(), ReadPolicy(session, options.file));
  if (options.from) {
    LEDGER_ASSIGN_OR_RETURN(*body->mutable_effective_time(), session.Zoned("--from", *options.from));
  }
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

}  // namespace

void AddPolicyCommands(const Command& root) {
  const Command group = root.Group("policy", "Checks, explains, compares and adopts a company's rules");
  auto files = std::make_shared<std::vector<std::string>>();
  const Command check =
      group.Sub("check", "Says what is wrong with policy files; needs no server, exits with 3 on errors",
                "ledgerctl policy check deploy/policies/*.textproto");
  check.Explain(
      "Errors stop a policy from being adopted; warnings are only said, and leave the exit code 0. Each "
      "names\n"
      "file, line, column and field, and says what it would do.");
  check.Several("FILE", files.get(), "A policy file, or - for standard input");
  check.Run([files](Session& session) { return Check(session, *files); });

  auto options = std::make_shared<AdoptOptions>();
  const Command adopt = group.Sub("adopt", "Puts a policy into force",
                                  "ledgerctl policy adopt mine.textproto\n"
                                  "ledgerctl policy adopt mine.textproto --from 2027-01-01");
  adopt.Text("FILE", &options->file, "The policy file, or - for standard input", Need::kRequired);
  adopt.Text("--from", &options->from, "From when; never earlier than now (default: now)");
  options->expectation.AddOptions(adopt);
  adopt.Run([options](Session& session) { return Adopt(session, *options); });

  AddPolicyShowCommand(group);
  AddPolicyDiffCommand(group);
}

}  // namespace ledger::ctl
