#include "services/server/config.h"

#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "services/server/structured_log.h"

namespace ledger::services {
namespace {

class ErrorList : public google::protobuf::io::ErrorCollector {
 public:
  explicit ErrorList(absl::string_view file) : file_(file) {}

  void AddError(int line, int column, const std::string& message) override {
    errors_.push_back(absl::StrCat(file_, ":", line + 1, ":", column + 1, ": ", message));
  }

  std::string Text() const { return absl::StrJoin(errors_, "\n"); }

 private:
  const std::string file_;
  std::vector<std::string> errors_;
};

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("BAD_CONFIG: ", field, ": ", what));
}

absl::Status CheckRange(absl::string_view field, uint64_t value, uint64_t least, uint64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Bad(field, absl::StrCat(value, " is not allowed; ", least, " to ", most, " is"));
}

// "host:port" or "unix:path"; whether it can be listened on is seen when it is tried.
absl::Status CheckListen(absl::string_view listen) {
  if (listen.size() > 5 && listen.substr(0, 5) == "unix:") return absl::OkStatus();
  const size_t colon = listen.rfind(':');
  int port = -1;
  if (colon == absl::string_view::npos || colon == 0 || !absl::SimpleAtoi(listen.substr(colon + 1), &port) ||
      port < 0 || port > 65'535) {
    return Bad("listen", absl::StrCat("'", listen, "' must be HOST:PORT, e.g. 127.0.0.1:7420, or unix:PATH"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServerConfig> ParseConfig(absl::string_view text, absl::string_view file) {
  ErrorList errors(file);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  ServerConfig config;
  if (!parser.ParseFromString(std::string(text), &config)) {
    return absl::InvalidArgumentError(absl::StrCat("BAD_CONFIG: ", errors.Text()));
  }
  return config;
}

absl::StatusOr<ServerConfig> LoadConfig(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return absl::NotFoundError(absl::StrCat("CONFIG_NOT_FOUND: cannot read the configuration file ", file));
  }
  std::string text(kConfigFileBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kConfigFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("BAD_CONFIG: ", file, " has more than ", kConfigFileBytesMax, " bytes"));
  }
  return ParseConfig(text, file);
}

absl::StatusOr<ServerConfig> CompleteConfig(ServerConfig config) {
  if (config.data().empty()) return Bad("data", "the data directory is missing; name it with --data DIR");
  if (config.listen().empty()) config.set_listen("127.0.0.1:7420");
  if (config.block_cache_bytes() == 0) config.set_block_cache_bytes(128 << 20);
  if (config.write_buffer_bytes() == 0) config.set_write_buffer_bytes(64 << 20);
  if (config.view_cache_bytes() == 0) config.set_view_cache_bytes(64 << 20);
  if (config.view_write_buffer_bytes() == 0) config.set_view_write_buffer_bytes(32 << 20);
  if (config.worker_threads() == 0) config.set_worker_threads(8);
  if (config.message_bytes_max() == 0) config.set_message_bytes_max(8 << 20);
  if (config.connection_calls_max() == 0) config.set_connection_calls_max(1'000);
  if (config.log_level().empty()) config.set_log_level("info");

  constexpr uint64_t kMemoryMax = uint64_t{1} << 40;
  const std::vector<absl::Status> checks = {
      CheckListen(config.listen()),
      CheckRange("block_cache_bytes", config.block_cache_bytes(), 1 << 20, kMemoryMax),
      CheckRange("write_buffer_bytes", config.write_buffer_bytes(), 1 << 20, kMemoryMax),
      CheckRange("view_cache_bytes", config.view_cache_bytes(), 1 << 20, kMemoryMax),
      CheckRange("view_write_buffer_bytes", config.view_write_buffer_bytes(), 1 << 20, kMemoryMax),
      CheckRange("worker_threads", config.worker_threads(), 1, 256),
      CheckRange("message_bytes_max", config.message_bytes_max(), 64 << 10, 64 << 20),
      CheckRange("connection_calls_max", config.connection_calls_max(), 1, 100'000),
  };
  for (const absl::Status& check : checks) {
    if (!check.ok()) return check;
  }
  if (!LogLevelByName(config.log_level()).has_value()) {
    return Bad("log_level", absl::StrCat("'", config.log_level(), "' must be debug, info, warning or error"));
  }
  if (config.has_tls() && (config.tls().certificate_file().empty() || config.tls().key_file().empty())) {
    return Bad("tls", "both certificate_file and key_file are needed");
  }
  return config;
}

}  // namespace ledger::services
