#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/ctl/import/byte_source.h"
#include "services/ctl/import/line_reader.h"
#include "services/ctl/import/record_reader.h"

namespace ledger::ctl {

// How delimited text is laid out.
struct DelimitedFormat {
  // The separator between fields, one byte; 0: columns are separated by any number of blanks and tabs, and
  // there are no quotes.
  char separator = ',';
  // True if the first line that is not empty names the columns.
  bool has_header = true;
  // The columns' names; take the place of the header's. Without both, columns are named "1", "2", ...
  std::vector<std::string> columns;
};

// Reads delimited text: CSV as RFC 4180 has it (a field may stand in double quotes and then hold separators,
// line ends and doubled quotes), with any one-byte separator, and blank-separated columns. UTF-8; lines end
// in LF or CRLF; empty lines are passed over and not counted. A record is bad if it is not UTF-8, has a quote
// where none may be, another number of fields than there are columns, or breaks a limit. After a quote that
// is never closed, reading goes on with the line after the one where its record starts. Not thread-safe.
class DelimitedReader : public RecordReader {
 public:
  DelimitedReader(std::unique_ptr<ByteSource> source, DelimitedFormat format, BadRecordSink bad);

  // Also kInvalidArgument: the header is bad, names a column twice or not at all.
  absl::StatusOr<bool> Next(SourceRecord* record) override;

 private:
  absl::StatusOr<bool> Read(SourceRecord* record);
  absl::Status ReadHeader();
  // The next row's fields; its own errors go to `*problem`. False at the end.
  absl::StatusOr<bool> ReadRow(std::vector<std::string>* fields, uint64_t* line, absl::Status* problem);
  absl::StatusOr<bool> NextLine(Line* line);
  absl::StatusOr<absl::Status> SplitQuoted(std::string text, std::vector<std::string>* fields);

  std::unique_ptr<ByteSource> source_;
  DelimitedFormat format_;
  BadRecordSink bad_;
  LineReader lines_;
  std::deque<Line> again_;  // lines to read a second time, after a quote that was not closed
  std::vector<std::string> columns_;
  bool started_ = false;
  uint64_t records_ = 0;
  absl::Status error_;
};

}  // namespace ledger::ctl
