#include "services/common/status_metadata.h"

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"

namespace ledger::services {
namespace {

// The length of the reason in front of ": "; 0 if there is none.
size_t ReasonLength(absl::string_view message) {
  const size_t colon = message.find(": ");
  if (colon == absl::string_view::npos || colon == 0) return 0;
  for (char c : message.substr(0, colon)) {
    if (!absl::ascii_isupper(c) && !absl::ascii_isdigit(c) && c != '_') return 0;
  }
  return colon;
}

}  // namespace

absl::Status WithMetadata(absl::Status status, absl::string_view key, absl::string_view value) {
  status.SetPayload(key, absl::Cord(value));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const size_t length = ReasonLength(status.message());
  return length == 0 ? absl::StatusCodeToString(status.code())
                     : std::string(status.message().substr(0, length));
}

absl::string_view SentenceOf(const absl::Status& status) {
  const size_t length = ReasonLength(status.message());
  return length == 0 ? status.message() : status.message().substr(length + 2);
}

}  // namespace ledger::services
