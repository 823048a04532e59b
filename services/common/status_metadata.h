#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What our statuses carry beside a code: a message "REASON: sentence" and payloads with numbers and names. Any thread.
namespace ledger::services {

// Adds a number or a name for ErrorInfo.metadata, e.g. WithMetadata(status, "actual_version", "7").
absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value);

// The UPPER_SNAKE reason the message begins with; the code's name if it begins with none.
std::string ReasonOf(const absl::Status& status);

// The message without its reason; points into `status`.
absl::string_view SentenceOf(const absl::Status& status);

}  // namespace ledger::services
