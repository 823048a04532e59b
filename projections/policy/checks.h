#pragma once

#include "customerledger/v1/policy.pb.h"
#include "projections/policy/findings.h"

// The parts of CheckPolicy, each in its own file. Pure; each says what is wrong in its own block, and with what its
// block names elsewhere.
namespace ledger::policy {

// What holds for every message, whatever it means: no fields of a later release, texts that are UTF-8 and bounded,
// enum values that have a name.
void CheckForm(const customerledger::v1::Policy& policy, Findings* findings);
// What holds for the words of terms.proto wherever they stand: lengths of time, times of day, events that are meant.
void CheckTerms(const customerledger::v1::Policy& policy, Findings* findings);
// What holds for every rule that is cited, and for every text of a rule: ids have a form, a text is told once and of a
// rule that is cited. A parameter that decides something and cites nothing is a gap, and a warning.
void CheckRules(const customerledger::v1::Policy& policy, Findings* findings);
// Id, time zone, region, and which clock counts.
void CheckHead(const customerledger::v1::Policy& policy, Findings* findings);

void CheckRegistration(const customerledger::v1::Policy& policy, Findings* findings);
void CheckOwnership(const customerledger::v1::Policy& policy, Findings* findings);
void CheckLapse(const customerledger::v1::Policy& policy, Findings* findings);
void CheckPool(const customerledger::v1::Policy& policy, Findings* findings);
void CheckHandOver(const customerledger::v1::Policy& policy, Findings* findings);
// Facts, and whatever names one.
void CheckFacts(const customerledger::v1::Policy& policy, Findings* findings);
void CheckGrade(const customerledger::v1::Policy& policy, Findings* findings);
void CheckCallBack(const customerledger::v1::Policy& policy, Findings* findings);
void CheckDispute(const customerledger::v1::Policy& policy, Findings* findings);
void CheckCredit(const customerledger::v1::Policy& policy, Findings* findings);
void CheckReception(const customerledger::v1::Policy& policy, Findings* findings);
void CheckDuty(const customerledger::v1::Policy& policy, Findings* findings);

}  // namespace ledger::policy
