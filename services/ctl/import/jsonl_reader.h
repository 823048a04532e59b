#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ctl/import/byte_source.h"
#include "services/ctl/import/line_reader.h"
#include "services/ctl/import/record_reader.h"

namespace ledger::ctl {

// Reads one JSON object (RFC 8259) from a line into fields. A value inside objects or arrays is named by its
// path: {"a": {"b": [7]}} has the field "a.b.0". Numbers keep the digits they are written with; no
// floating point touches them. null leaves the field out.
// kInvalidArgument: not one JSON object, a name twice in one object, or beyond a limit of limits.h.
absl::Status ParseJsonObject(absl::string_view line, SourceFields* fields);

// Reads JSON lines: one object a line, UTF-8; empty lines are passed over and not counted. Not thread-safe.
class JsonlReader : public RecordReader {
 public:
  JsonlReader(std::unique_ptr<ByteSource> source, BadRecordSink bad);

  absl::StatusOr<bool> Next(SourceRecord* record) override;

 private:
  std::unique_ptr<ByteSource> source_;
  BadRecordSink bad_;
  LineReader lines_;
  uint64_t records_ = 0;
  absl::Status error_;
};

}  // namespace ledger::ctl
