#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ledger::runtime {

// Where a list goes on, and the instant it is about.
struct PagePlace {
  std::string after_key;  // empty: at the beginning
  absl::Time instant;
};

// Tokens are opaque to callers. `question` is whatever tells one question from another, e.g. the serialised
// request without its page fields.
std::string MakePageToken(absl::string_view question, const PagePlace& place);
// kInvalidArgument "BAD_PAGE_TOKEN": no token, or one of another question.
absl::StatusOr<PagePlace> ParsePageToken(absl::string_view question, absl::string_view token);

}  // namespace ledger::runtime
