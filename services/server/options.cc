#include "services/server/options.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <utility>

#include "absl/status/statusor.h"
#include "services/server/config.h"
#include "services/server/exit_code.h"
#include "services/server/version.h"

namespace ledger::services {
namespace {

Options Refuse(const absl::Status& status) {
  std::cerr << "ledgerd: " << status.message() << "\n";
  Options options;
  options.exit_code = kExitUsage;
  return options;
}

}  // namespace

Options ReadOptions(int argc, char** argv) {
  CLI::App app(
      "ledgerd keeps customer ledgers: it appends, keeps and projects their events, and answers who looks "
      "after which customer.",
      "ledgerd");
  app.footer(
      "Example:\n"
      "  ledgerd --data /var/lib/customerledger --listen 127.0.0.1:7420\n\n"
      "Exit codes: 0 a clean stop; 2 bad usage, configuration or address; 3 cannot serve; 4 the data is\n"
      "damaged or incomplete. The log is JSON, a line each, on standard error.");
  std::string data;
  std::string listen;
  std::string config_file;
  std::string log_level;
  Options options;
  app.add_option("--data", data, "data directory; created if missing")->type_name("DIR");
  app.add_option("--listen", listen, "address to serve on, HOST:PORT or unix:PATH; port 0: any free one")
      ->type_name("HOST:PORT")
      ->default_str("127.0.0.1:7420");
  app.add_option("--config", config_file, "configuration, text format of ServerConfig; flags override it")
      ->type_name("FILE");
  app.add_option("--port-file", options.port_file, "written with the port once the server answers")
      ->type_name("FILE");
  app.add_option("--log-level", log_level, "debug, info, warning or error")
      ->type_name("LEVEL")
      ->default_str("info");
  app.set_version_flag("--version", std::string("ledgerd ") + kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // CLI11 tells by exception; it goes no further than here
    options.exit_code = app.exit(error) == 0 ? kExitClean : kExitUsage;
    return options;
  }
  ServerConfig config;
  if (!config_file.empty()) {
    absl::StatusOr<ServerConfig> loaded = LoadConfig(config_file);
    if (!loaded.ok()) return Refuse(loaded.status());
    config = *std::move(loaded);
  }
  if (!data.empty()) config.set_data(data);
  if (!listen.empty()) config.set_listen(listen);
  if (!log_level.empty()) config.set_log_level(log_level);
  absl::StatusOr<ServerConfig> complete = CompleteConfig(std::move(config));
  if (!complete.ok()) return Refuse(complete.status());
  options.config = *std::move(complete);
  return options;
}

}  // namespace ledger::services
