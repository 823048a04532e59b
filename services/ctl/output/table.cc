#include "services/ctl/output/table.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ledger::ctl {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Unicode's East Asian width W and F, in the blocks that names and notes come from.
constexpr Range kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
                           {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
                           {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                           {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr Range kNarrowless[] = {
    {0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};

template <size_t N>
bool IsIn(const Range (&ranges)[N], uint32_t code_point) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& r) { return r.first <= code_point && code_point <= r.last; });
}

// Takes one character off the front of `text`; false if the first byte does not begin one, and then takes
// that byte.
bool TakeCodePoint(absl::string_view* text, uint32_t* code_point) {
  const auto lead = static_cast<unsigned char>(text->front());
  const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  uint32_t value = length <= 1 ? lead : lead & (0x7F >> length);
  bool ok = length > 0 && length <= text->size();
  for (size_t i = 1; ok && i < length; ++i) {
    const auto next = static_cast<unsigned char>((*text)[i]);
    ok = (next & 0xC0) == 0x80;
    value = (value << 6) | (next & 0x3F);
  }
  text->remove_prefix(ok ? length : 1);
  *code_point = ok ? value : lead;
  return ok;
}

void PrintRow(std::ostream& out, const std::vector<std::string>& cells, const std::vector<size_t>& widths,
              size_t indent) {
  std::string line(indent, ' ');
  size_t pending = 0;  // spaces owed before the next cell that holds something
  for (size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] == 0) continue;
    const std::string& cell = i < cells.size() ? cells[i] : std::string();
    if (!cell.empty()) {
      absl::StrAppend(&line, std::string(pending, ' '), cell);
      pending = 0;
    }
    pending += widths[i] - DisplayWidth(cell) + 2;
  }
  out << line << '\n';
}

}  // namespace

size_t DisplayWidth(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    uint32_t code_point = 0;
    const bool valid = TakeCodePoint(&text, &code_point);
    if (!valid) {
      ++width;
    } else if (!IsIn(kNarrowless, code_point)) {
      width += IsIn(kWide, code_point) ? 2 : 1;
    }
  }
  return width;
}

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const absl::string_view before = text;
    uint32_t code_point = 0;
    const bool valid = TakeCodePoint(&text, &code_point);
    if (!valid) {
      absl::StrAppendFormat(&printable, "\\x%02x", code_point);
    } else if (code_point == '\n') {
      absl::StrAppend(&printable, "\\n");
    } else if (code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
               (code_point >= 0x202A && code_point <= 0x202E)) {
      absl::StrAppendFormat(&printable, "\\u%04x", code_point);
    } else {
      absl::StrAppend(&printable, before.substr(0, before.size() - text.size()));
    }
  }
  return printable;
}

Table::Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = Printable(cell);
  cells.resize(headings_.size());
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out, size_t indent) const {
  std::vector<size_t> widths(headings_.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  for (size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0 || rows_.empty()) widths[i] = std::max(widths[i], DisplayWidth(headings_[i]));
  }
  PrintRow(out, headings_, widths, indent);
  for (const auto& row : rows_) PrintRow(out, row, widths, indent);
}

void Fields::Add(std::string name, std::string value) {
  if (!value.empty()) lines_.push_back({std::move(name), Printable(value)});
}

void Fields::Print(std::ostream& out) const {
  std::vector<size_t> widths(2, 0);
  for (const auto& line : lines_) {
    widths[0] = std::max(widths[0], DisplayWidth(line[0]));
    widths[1] = std::max(widths[1], DisplayWidth(line[1]));
  }
  for (const auto& line : lines_) PrintRow(out, line, widths, 0);
}

}  // namespace ledger::ctl
