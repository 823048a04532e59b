#pragma once

#include <string>
#include <vector>

#include "services/ctl/session.h"

namespace ledger::ctl {

// Runs ledgerctl with `args` (without the program's name) and returns its exit code.
int RunLedgerctl(const std::vector<std::string>& args, const Environment& environment);

}  // namespace ledger::ctl
