#include "projections/policy/nearest_name.h"

#include <algorithm>

namespace ledger::policy {
namespace {

// Longer ones are no slips of the pen, and the comparison is quadratic.
constexpr size_t kMaxBytes = 100;

// Letters inserted, removed, replaced, or swapped with their neighbour, between `a` and `b`.
size_t Distance(absl::string_view a, absl::string_view b) {
  // Rows of the table for the last two prefixes of `a` and for the present one.
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestName(absl::string_view written, const std::vector<std::string>& names) {
  if (written.size() > kMaxBytes) return "";
  size_t best = std::max<size_t>(written.size() / 3, 1) + 1;
  std::string nearest;
  for (const std::string& name : names) {
    if (name.size() > kMaxBytes) continue;
    const size_t distance = Distance(written, name);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace ledger::policy
