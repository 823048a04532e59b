#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ctl/import/byte_source.h"
#include "services/ctl/import/mapping.pb.h"
#include "services/ctl/import/record_reader.h"

namespace ledger::ctl {

// Reads a mapping from its text. `name` stands in messages.
// kInvalidArgument: not a mapping; the message names line and column.
absl::StatusOr<Mapping> ParseMapping(const std::string& text, absl::string_view name);

// Reads a mapping file.
// kNotFound, kPermissionDenied: it cannot be opened. kInvalidArgument: as above, or larger than 1 MiB.
absl::StatusOr<Mapping> LoadMapping(const std::string& path);

// The reader for the mapping's input. Bad records go to `bad`.
// kInvalidArgument: the mapping names no input, or one that makes no sense.
absl::StatusOr<std::unique_ptr<RecordReader>> MakeReader(const Mapping& mapping,
                                                         std::unique_ptr<ByteSource> source,
                                                         BadRecordSink bad);

}  // namespace ledger::ctl
