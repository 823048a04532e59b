#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ledger::ctl {

// How many columns of a terminal `text` (UTF-8) takes: East Asian wide characters and emoji count two,
// combining marks none, a byte that is not UTF-8 one.
size_t DisplayWidth(absl::string_view text);

// `text` with control characters made visible, so that stored text cannot move a terminal's cursor or break
// a table's lines.
std::string Printable(absl::string_view text);

// Rows under headings, aligned for a terminal. Not thread-safe.
class Table {
 public:
  explicit Table(std::vector<std::string> headings);

  // Adds a row. Missing cells are empty; requires: no more cells than headings.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // Prints the headings and rows, two spaces between columns, every line preceded by `indent` spaces. A
  // column whose cells are all empty is left out; no line ends in spaces.
  void Print(std::ostream& out, size_t indent = 0) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// Prints "name   value" lines with the values aligned; lines with an empty value are left out.
class Fields {
 public:
  void Add(std::string name, std::string value);
  bool empty() const { return lines_.empty(); }
  void Print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> lines_;
};

}  // namespace ledger::ctl
