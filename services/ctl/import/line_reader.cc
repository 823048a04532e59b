#include "services/ctl/import/line_reader.h"

#include <cstring>

#include "absl/strings/match.h"
#include "services/ctl/import/limits.h"

namespace ledger::ctl {

LineReader::LineReader(ByteSource* source) : source_(source), buffer_(64 << 10) {}

absl::StatusOr<bool> LineReader::Next(Line* line) {
  line->text.clear();
  line->too_long = false;
  bool any = false;
  bool ended = false;
  while (!ended) {
    if (next_ == end_) {
      absl::StatusOr<size_t> got = source_->Read(buffer_.data(), buffer_.size());
      if (!got.ok()) return got.status();
      next_ = 0;
      end_ = *got;
      if (end_ == 0) break;
    }
    any = true;
    const char* start = buffer_.data() + next_;
    const auto* newline = static_cast<const char*>(std::memchr(start, '\n', end_ - next_));
    const size_t piece = newline == nullptr ? end_ - next_ : static_cast<size_t>(newline - start);
    ended = newline != nullptr;
    next_ += piece + (ended ? 1 : 0);
    if (line->too_long) continue;
    // One byte more than the limit, for the CR of a CRLF.
    if (line->text.size() + piece > kLineBytesMax + 1) {
      line->too_long = true;
      line->text.clear();
    } else {
      line->text.append(start, piece);
    }
  }
  if (!any) return false;
  line->number = ++lines_;
  if (!line->text.empty() && line->text.back() == '\r') line->text.pop_back();
  if (lines_ == 1 && absl::StartsWith(line->text, "\xEF\xBB\xBF")) line->text.erase(0, 3);
  if (line->text.size() > kLineBytesMax) {
    line->too_long = true;
    line->text.clear();
  }
  return true;
}

}  // namespace ledger::ctl
