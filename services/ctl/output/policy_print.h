#pragma once

#include <ostream>

#include "customerledger/v1/policy_text.pb.h"

// Policies in sentences, for a terminal of 100 columns.
namespace ledger::ctl {

// Sections with their sentences, each followed by the rules it cites in brackets and their original phrases in 「」.
void PrintPolicyText(std::ostream& out, const customerledger::v1::PolicyText& text);

// What was added, removed and changed, by section, and what it means for running periods.
void PrintPolicyDiff(std::ostream& out, const customerledger::v1::PolicyDiff& diff);

}  // namespace ledger::ctl
