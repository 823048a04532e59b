#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ledger::policy {

// The name in `names` that `written` was probably meant to be: the one that takes the fewest letters inserted, removed,
// replaced or swapped with their neighbour, the first of several; "" where even that takes more than a third of the
// letters.
std::string NearestName(absl::string_view written, const std::vector<std::string>& names);

}  // namespace ledger::policy
