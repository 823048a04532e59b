#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ledger::ctl {

// How ledgerctl ends; part of its contract with scripts.
enum ExitCode : int {
  kExitOk = 0,
  kExitInternal = 1,     // something that should not happen
  kExitUsage = 2,        // the command or the request is malformed
  kExitRefused = 3,      // a rule, a check or a policy's findings say no
  kExitNotFound = 4,     // no such ledger, customer, transfer, file
  kExitUnavailable = 5,  // not reachable, too busy, too late: try again
  kExitDataLoss = 6,     // stored bytes make no sense; findings of verify
  kExitInterrupted = 130,
};

// The lines of --help about exit codes.
extern const char kExitCodesHelp[];

int ExitCodeOf(const absl::Status& status);

// The payload that holds a serialised customerledger.v1.ErrorInfo (wire-compatible with google.rpc.ErrorInfo).
extern const char kErrorInfoUrl[];
extern const char kRetryInfoUrl[];

// The reason of the ErrorInfo that came with `status`; empty if none did.
std::string ReasonOf(const absl::Status& status);

// `status` with a sentence that says what to do next, printed by PrintError; an OK status stays as it is.
absl::Status WithNextStep(absl::Status status, absl::string_view next_step);

// The user pressed Ctrl-C while a stream ran.
absl::Status InterruptedError();
bool IsInterrupted(const absl::Status& status);

// Prints reason, message, metadata and what to do next. `server` is where the caller tried to reach ledgerd.
void PrintError(std::ostream& err, const absl::Status& status, absl::string_view server);

}  // namespace ledger::ctl
