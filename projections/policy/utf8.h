#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace ledger::policy {

// Where `text` stops being well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF);
// npos: nowhere.
size_t FirstInvalidUtf8(absl::string_view text);

}  // namespace ledger::policy
