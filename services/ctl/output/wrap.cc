#include "services/ctl/output/wrap.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/ctl/output/table.h"

namespace ledger::ctl {
namespace {

// How many bytes of `word` fit into `columns`, in whole characters and at least one.
size_t BytesThatFit(absl::string_view word, size_t columns) {
  size_t fit = 0;
  for (size_t end = 1; end <= word.size(); ++end) {
    const bool whole = end == word.size() || (static_cast<unsigned char>(word[end]) & 0xC0) != 0x80;
    if (!whole) continue;
    if (fit > 0 && DisplayWidth(word.substr(0, end)) > columns) break;
    fit = end;
  }
  return fit;
}

}  // namespace

std::string Wrapped(absl::string_view first, absl::string_view text, size_t columns) {
  const std::string printable = Printable(text);
  const size_t indent = DisplayWidth(first);
  std::string out(first);
  size_t at = indent;
  const auto new_line = [&] {
    absl::StrAppend(&out, "\n", std::string(indent, ' '));
    at = indent;
  };
  for (absl::string_view word : absl::StrSplit(printable, ' ', absl::SkipEmpty())) {
    const size_t space = at > indent ? 1 : 0;
    if (space > 0 && at + space + DisplayWidth(word) > columns) {
      new_line();
    } else {
      out.append(space, ' ');
      at += space;
    }
    while (DisplayWidth(word) > columns - indent) {
      const size_t fit = BytesThatFit(word, columns - indent);
      absl::StrAppend(&out, word.substr(0, fit));
      word.remove_prefix(fit);
      new_line();
    }
    absl::StrAppend(&out, word);
    at += DisplayWidth(word);
  }
  out += '\n';
  return out;
}

}  // namespace ledger::ctl
