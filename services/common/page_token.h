#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ledger::services {

// A page token that leads on from `place`, good for the question whose identifying text is `question` only.
std::string MakePageToken(absl::string_view question, absl::string_view place);
// The place. kInvalidArgument: not a token, or another question's.
absl::StatusOr<std::string> ReadPageToken(absl::string_view question, absl::string_view token);

}  // namespace ledger::services
