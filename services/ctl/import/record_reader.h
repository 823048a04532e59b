#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ledger::ctl {

using SourceFields = std::vector<std::pair<std::string, std::string>>;

// One record of a source file: a row, a JSON object, or an XES event. All text is UTF-8.
struct SourceRecord {
  // Counts the file's records from 1, bad ones included, so that a second reading counts alike.
  uint64_t number = 0;
  // The line on which the record starts, counting from 1.
  uint64_t line = 0;
  // Names and values in the file's order.
  SourceFields fields;
  // What the file says once for many records: an XES trace's attributes, their names prefixed "case:".
  SourceFields case_fields;
};

// A record that could not be used. The rest of the file is not affected.
struct BadRecord {
  // The line on which it starts, counting from 1.
  uint64_t line = 0;
  // Why, and what is allowed.
  std::string message;
};

// Is told of every bad record, in the file's order, before the next good one is returned.
using BadRecordSink = std::function<void(const BadRecord&)>;

// Reads a source file record by record, with bounded memory (see limits.h). Not thread-safe.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // Replaces `*record` by the next good record. False: the file is at its end.
  //
  // kInvalidArgument: the file cannot be read on from here (malformed XML, a header that makes no sense, a
  //                   DOCTYPE); the message names the place. Every good record before it was returned.
  // kDataLoss:        the file is cut off or damaged (gzip).
  // Others:           the file could not be read.
  // After an error every call returns the same error.
  virtual absl::StatusOr<bool> Next(SourceRecord* record) = 0;
};

}  // namespace ledger::ctl
