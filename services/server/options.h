#pragma once

#include <optional>
#include <string>

#include "services/server/config.pb.h"

namespace ledger::services {

// What the command line asks for.
struct Options {
  ServerConfig config;    // file and flags together, complete
  std::string port_file;  // empty: none
  // Set: do not serve, end with this exit code; what was to be said has been said.
  std::optional<int> exit_code;
};

// Reads the command line and the configuration file it names. Writes --help and --version to stdout, errors
// to stderr.
Options ReadOptions(int argc, char** argv);

}  // namespace ledger::services
