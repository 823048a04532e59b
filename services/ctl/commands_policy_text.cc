#include "services/ctl/commands_policy_text.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "customerledger/v1/policy.pb.h"
#include "google/protobuf/text_format.h"
#include "projections/policy/policy_diff.h"
#include "projections/policy/policy_text.h"
#include "services/ctl/errors.h"
#include "services/ctl/output/policy_print.h"
#include "services/ctl/output/table.h"
#include "services/ctl/policy_source.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// policy show, policy diff: policies in sentences.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct ShowOptions {
  std::string file;
  std::optional<uint64_t> version;
  bool as_file = false;
};

// A policy, and what to call it.
struct NamedPolicy {
  std::string name;
  pb::Policy policy;
};

absl::StatusOr<NamedPolicy> PolicyInForce(Session& session) {
  pb::GetLedgerRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_name(), session.Ledger());
  LEDGER_ASSIGN_OR_RETURN(pb::GetLedgerResponse response, session.client().GetLedger(request));
  return NamedPolicy{
      absl::StrCat("version ", response.ledger().policy_version(), " of ledger ", response.ledger().name()),
      std::move(*response.mutable_policy())};
}

absl::StatusOr<NamedPolicy> PolicyVersion(Session& session, uint64_t number) {
  if (number == 0 || number > UINT32_MAX) {
    return absl::InvalidArgumentError("policy versions count from 1");
  }
  LEDGER_ASSIGN_OR_RETURN(pb::Policy policy, ReadPolicyVersion(session, static_cast<uint32_t>(number)));
  LEDGER_ASSIGN_OR_RETURN(const std::string ledger, session.Ledger());
  return NamedPolicy{absl::StrCat("version ", number, " of ledger ", ledger), std::move(policy)};
}

// A file's name, or digits alone: a policy version of the ledger.
absl::StatusOr<NamedPolicy> FileOrVersion(Session& session, const std::string& what) {
  uint64_t number = 0;
  if (std::all_of(what.begin(), what.end(), absl::ascii_isdigit) && absl::SimpleAtoi(what, &number)) {
    return PolicyVersion(session, number);
  }
  LEDGER_ASSIGN_OR_RETURN(pb::Policy policy, ReadPolicyForm(session, what));
  return NamedPolicy{what, std::move(policy)};
}

absl::StatusOr<NamedPolicy> PolicyToShow(Session& session, const ShowOptions& options) {
  if (!options.file.empty() && options.version) {
    return absl::InvalidArgumentError("give a FILE or --version, not both: a file has one version");
  }
  if (options.version) return PolicyVersion(session, *options.version);
  if (options.file.empty()) return PolicyInForce(session);
  LEDGER_ASSIGN_OR_RETURN(pb::Policy policy, ReadPolicyForm(session, options.file));
  return NamedPolicy{options.file, std::move(policy)};
}

absl::Status PrintAsFile(Session& session, const NamedPolicy& shown) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  if (!printer.PrintToString(shown.policy, &text)) return absl::InternalError("cannot print the policy");
  session.out() << "# " << Printable(shown.name) << '\n' << text;
  return absl::OkStatus();
}

absl::Status Show(Session& session, const ShowOptions& options) {
  LEDGER_ASSIGN_OR_RETURN(const NamedPolicy shown, PolicyToShow(session, options));
  if (options.as_file) return session.table() ? PrintAsFile(session, shown) : session.PrintJson(shown.policy);
  const pb::PolicyText text = policy::ExplainPolicy(shown.policy);
  if (!session.table()) return session.PrintJson(text);
  PrintPolicyText(session.out(), text);
  return absl::OkStatus();
}

struct DiffOptions {
  std::string from;
  std::string to;
};

absl::Status Diff(Session& session, const DiffOptions& options) {
  LEDGER_ASSIGN_OR_RETURN(const NamedPolicy from, FileOrVersion(session, options.from));
  LEDGER_ASSIGN_OR_RETURN(const NamedPolicy to, FileOrVersion(session, options.to));
  const pb::PolicyDiff diff = policy::DiffPolicies(from.policy, to.policy);
  int changes = 0;
  for (const pb::PolicyDiffSection& section : diff.sections()) changes += section.changes_size();
  if (!session.table()) {
    LEDGER_RETURN_IF_ERROR(session.PrintJson(diff));
  } else if (changes == 0) {
    session.out() << Printable(from.name) << " and " << Printable(to.name) << " say the same\n";
  } else {
    PrintPolicyDiff(session.out(), diff);
  }
  if (changes == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("POLICIES_DIFFER: ", changes,
                                                    changes == 1 ? " change" : " changes", " from ",
                                                    from.name, " to ", to.name));
}

}  // namespace

void AddPolicyShowCommand(const Command& group) {
  auto options = std::make_shared<ShowOptions>();
  const Command show = group.Sub("show", "Explains a policy in sentences, with the rules it cites",
                                 "ledgerctl policy show deploy/policies/default.textproto\n"
                                 "ledgerctl --ledger demo policy show --version 1");
  show.Text("FILE", &options->file,
            "A policy file, or - for standard input; without it, the policy in force");
  show.Number("--version", &options->version, "This policy version of the ledger instead of the one in force",
              1);
  show.Flag("--as-file", &options->as_file, "As a policy file, which can be edited and adopted again");
  show.Run([options](Session& session) { return Show(session, *options); });
}

void AddPolicyDiffCommand(const Command& group) {
  auto options = std::make_shared<DiffOptions>();
  const Command diff =
      group.Sub("diff", "Says what changes from one policy to another; exits with 3 if anything does",
                "ledgerctl policy diff deploy/policies/default.textproto mine.textproto\n"
                "ledgerctl --ledger demo policy diff 1 2\n"
                "ledgerctl --ledger demo policy diff 2 mine.textproto");
  diff.Explain(
      "Each policy is a file, - for standard input, or the number of a policy version of the ledger\n"
      "(write ./2 for a file of that name). Exits with 0 if both say the same, with 3 if they differ.");
  diff.Text("FROM", &options->from, "The policy before", Need::kRequired);
  diff.Text("TO", &options->to, "The policy after", Need::kRequired);
  diff.Run([options](Session& session) { return Diff(session, *options); });
}

}  // namespace ledger::ctl
