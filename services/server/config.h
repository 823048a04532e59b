#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/server/config.pb.h"

// How a server is set up. Any thread.
namespace ledger::services {

// Larger files are refused unread.
inline constexpr size_t kConfigFileBytesMax = 1 << 20;

// Reads a configuration's text. `file` names it in errors.
// kInvalidArgument: unknown fields and bad values, as "BAD_CONFIG: FILE:LINE:COLUMN: what", all of them, a
// line each.
absl::StatusOr<ServerConfig> ParseConfig(absl::string_view text, absl::string_view file);
// Likewise from a file. kNotFound: there is none, or it cannot be read.
absl::StatusOr<ServerConfig> LoadConfig(const std::string& file);

// Puts the defaults in. kInvalidArgument "BAD_CONFIG": a value is not allowed, or the data directory is
// missing.
absl::StatusOr<ServerConfig> CompleteConfig(ServerConfig config);

}  // namespace ledger::services
