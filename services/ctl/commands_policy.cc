#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/table.h"
#include "services/ctl/policy_source.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/status_macros.h"

// policy: checks, adopts and shows a company's rules.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

absl::Status Check(Session& session, const std::string& file) {
  LEDGER_ASSIGN_OR_RETURN(const pb::Policy policy, ReadPolicy(session, file));
  if (!session.table()) return session.PrintJson(policy);
  session.out() << Printable(file) << ": nothing is wrong with policy '" << Printable(policy.id()) << "'\n";
  return absl::OkStatus();
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

absl::Status Show(Session& session) {
  pb::GetLedgerRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_name(), session.Ledger());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetLedgerResponse response, session.client().GetLedger(request));
  if (!session.table()) return session.PrintJson(response.policy());
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  if (!printer.PrintToString(response.policy(), &text)) return absl::InternalError("cannot print the policy");
  session.out() << "# version " << response.ledger().policy_version() << " of ledger "
                << Printable(response.ledger().name()) << '\n'
                << text;
  return absl::OkStatus();
}

}  // namespace

void AddPolicyCommands(const Command& root) {
  const Command group = root.Group("policy", "Checks, adopts and shows a company's rules");
  auto file = std::make_shared<std::string>();
  const Command check =
      group.Sub("check", "Says what is wrong with a policy file; needs no server, exits with 3 on findings",
                "ledgerctl policy check deploy/policies/default.textproto");
  check.Text("FILE", file.get(), "The policy file, or - for standard input", Need::kRequired);
  check.Run([file](Session& session) { return Check(session, *file); });

  auto options = std::make_shared<AdoptOptions>();
  const Command adopt = group.Sub("adopt", "Puts a policy into force",
                                  "ledgerctl policy adopt mine.textproto\n"
                                  "ledgerctl policy adopt mine.textproto --from 2027-01-01");
  adopt.Text("FILE", &options->file, "The policy file, or - for standard input", Need::kRequired);
  adopt.Text("--from", &options->from, "From when; never earlier than now (default: now)");
  options->expectation.AddOptions(adopt);
  adopt.Run([options](Session& session) { return Adopt(session, *options); });

  group.Sub("show", "Shows the policy in force, as a policy file", "ledgerctl policy show").Run(Show);
}

}  // namespace ledger::ctl
