#pragma once

#include <string>

#include "absl/status/status.h"
#include "services/ctl/cli.h"

namespace ledger::ctl {

// Each declares one group of commands, with what they do. Options live in the handlers, which Cli keeps.
void AddLedgerCommands(const Command& root);      // ledger
void AddPolicyCommands(const Command& root);      // policy
void AddStaffCommands(const Command& root);       // staff
void AddWriteCommands(const Command& root);       // register, contact, visit, grade, deal
void AddTransferCommands(const Command& root);    // transfer
void AddAppendCommand(const Command& root);       // append
void AddImportCommand(const Command& root);       // import
void AddLogCommand(const Command& root);          // log
void AddCustomerCommands(const Command& root);    // owner, tier, callback, history
void AddDutyCommands(const Command& root);        // registration, duty
void AddListCommands(const Command& root);        // callbacks, customers, pool, search
void AddStatsCommand(const Command& root);        // stats
void AddCreditCommands(const Command& root);      // credit, reception
void AddProjectionCommands(const Command& root);  // rebuild, rollback
void AddOperationCommands(const Command& root);   // status, verify, backup
void AddRestoreCommand(const Command& root);      // restore

// Checks the data directory `directory` of a server that does not run. kDataLoss: there are findings, and
// they were printed.
absl::Status VerifyOffline(Session& session, const std::string& directory);

}  // namespace ledger::ctl
