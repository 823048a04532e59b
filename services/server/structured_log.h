#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/mutex.h"

namespace ledger::services {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// nullopt: none of "debug", "info", "warning", "error".
std::optional<LogLevel> LogLevelByName(absl::string_view name);

// The server's own log: one JSON object a line, {"time", "level", "message", "fields"}. Messages are
// constants of the code; what varies goes into fields. Personal data goes into neither. Thread-safe.
class StructuredLog {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  // Of one message at most so many lines in a window; the first line after it says how many were left out.
  static constexpr uint64_t kLinesOfWindow = 10;
  static constexpr absl::Duration kWindow = absl::Minutes(1);

  // Lines below `least` are dropped. `sink` gets whole lines, one at a time, line feed included; `clock` the
  // time.
  StructuredLog(LogLevel least, std::function<void(absl::string_view line)> sink,
                std::function<absl::Time()> clock);
  // To stderr.
  explicit StructuredLog(LogLevel least);

  void Write(LogLevel level, absl::string_view message, const Fields& fields = {})
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Window {
    absl::Time start = absl::InfinitePast();
    uint64_t lines = 0;
    uint64_t left_out = 0;
  };

  const LogLevel least_;
  const std::function<void(absl::string_view)> sink_;
  const std::function<absl::Time()> clock_;
  Mutex mutex_;
  std::map<std::string, Window> windows_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::services
