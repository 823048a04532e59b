#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace ledger::ctl {

// `text` in lines of at most `columns` columns of a terminal, each ending in '\n', broken at spaces. The first line
// begins with `first`, the others with as many spaces. A word that fits on no line is broken within. Control
// characters are made visible. Requires: `columns` leaves room for `first` and two columns more.
std::string Wrapped(absl::string_view first, absl::string_view text, size_t columns);

}  // namespace ledger::ctl
