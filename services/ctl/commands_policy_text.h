#pragma once

#include "services/ctl/cli.h"

namespace ledger::ctl {

// policy show, policy diff: below the group `policy`.
void AddPolicyShowCommand(const Command& group);
void AddPolicyDiffCommand(const Command& group);

}  // namespace ledger::ctl
