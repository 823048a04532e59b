#pragma once

#include "absl/strings/string_view.h"

namespace ledger::ctl {

// True if `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(absl::string_view text);

// True if `text` contains a control character: U+0000 to U+001F or U+007F.
bool HasControlCharacter(absl::string_view text);

}  // namespace ledger::ctl
