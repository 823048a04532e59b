#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/ctl/import/byte_source.h"

namespace ledger::ctl {

// One line of a file, without its end (LF or CRLF).
struct Line {
  uint64_t number = 0;    // counts from 1
  std::string text;       // empty where `too_long`
  bool too_long = false;  // longer than kLineBytesMax; its bytes were passed over
};

// Splits bytes into lines; passes over a UTF-8 byte order mark at the start. Not thread-safe.
class LineReader {
 public:
  // `source` must outlive the reader.
  explicit LineReader(ByteSource* source);

  // Replaces `*line` by the next line; the last one needs no line end. False at the end.
  // Errors: those of the source; whole lines before were returned. A last line that an error cuts off is not
  // returned, since nobody knows how it went on.
  absl::StatusOr<bool> Next(Line* line);

 private:
  ByteSource* source_;
  std::vector<char> buffer_;
  size_t next_ = 0;
  size_t end_ = 0;
  uint64_t lines_ = 0;
};

}  // namespace ledger::ctl
