#include "services/ctl/run.h"

#include "services/ctl/cli.h"
#include "services/ctl/commands.h"
#include "services/ctl/errors.h"

namespace ledger::ctl {

int RunLedgerctl(const std::vector<std::string>& args, const Environment& environment) {
  Cli cli;
  const Command root = cli.root();
  AddLedgerCommands(root);
  AddPolicyCommands(root);
  AddStaffCommands(root);
  AddWriteCommands(root);
  AddTransferCommands(root);
  AddAppendCommand(root);
  AddImportCommand(root);
  AddLogCommand(root);
  AddCustomerCommands(root);
  AddDutyCommands(root);
  AddListCommands(root);
  AddStatsCommand(root);
  AddCreditCommands(root);
  AddProjectionCommands(root);
  AddOperationCommands(root);
  AddRestoreCommand(root);

  GlobalOptions options;
  Handler handler;
  if (const auto code = cli.Parse(args, *environment.out, *environment.err, &options, &handler)) return *code;
  Session session(options, environment);
  absl::Status status = handler(session);
  if (!environment.out->flush() && status.ok()) {
    status = absl::InternalError("the output could not be written; is the disk full?");
  }
  if (!status.ok()) PrintError(*environment.err, status, options.server);
  return ExitCodeOf(status);
}

}  // namespace ledger::ctl
