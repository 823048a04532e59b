#pragma once

#include "absl/status/status.h"

namespace ledger::services {

inline constexpr int kExitClean = 0;
inline constexpr int kExitUsage = 2;        // bad usage, configuration or address
inline constexpr int kExitCannotServe = 3;  // e.g. the directory is locked, the disk refuses
inline constexpr int kExitDataLoss = 4;     // the data is damaged or incomplete; nothing was changed

// The exit code that says why a server could not start or had to stop.
inline int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kExitClean;
  if (absl::IsInvalidArgument(status)) return kExitUsage;
  if (absl::IsDataLoss(status)) return kExitDataLoss;
  return kExitCannotServe;
}

}  // namespace ledger::services
