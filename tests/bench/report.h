#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace ledger::bench {

// The middle value; of an even number, the mean of the two in the middle. 0 of none.
double Median(std::vector<double> values);
// The value that `share` (0 to 1) of the values do not exceed. 0 of none.
double Quantile(std::vector<double> values, double share);

// The figures of one part, in the order they were set. Not thread-safe.
class PartReport {
 public:
  void Set(absl::string_view name, double value);
  void SetText(absl::string_view name, absl::string_view value);
  // `ledger`, `limit` and `ratio` (ledger / limit); `better` is "higher" or "lower".
  void SetRatio(double ledger, double limit, absl::string_view unit, absl::string_view better);

  // A JSON object.
  std::string Json() const;
  // Lines "  name  value".
  std::string Table() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;  // name, JSON value
};

// The machine as far as figures depend on it: cores, CPU, memory, kernel, the file system of `directory`, the build.
PartReport DescribeMachine(const std::string& directory);

// `text` as a JSON string, quotes included.
std::string JsonString(absl::string_view text);

}  // namespace ledger::bench
