#include "services/server/structured_log.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace ledger::services {
namespace {

absl::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

// A JSON string; bytes that are not ASCII are kept, since all that is logged is UTF-8 or a path.
std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&quoted, "\\u%04x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

std::optional<LogLevel> LogLevelByName(absl::string_view name) {
  for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError}) {
    if (NameOf(level) == name) return level;
  }
  return std::nullopt;
}

StructuredLog::StructuredLog(LogLevel least, std::function<void(absl::string_view)> sink,
                             std::function<absl::Time()> clock)
    : least_(least), sink_(std::move(sink)), clock_(std::move(clock)) {}

StructuredLog::StructuredLog(LogLevel least)
    : StructuredLog(
          least, [](absl::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); },
          absl::Now) {}

void StructuredLog::Write(LogLevel level, absl::string_view message, const Fields& fields) {
  if (level < least_) return;
  const absl::Time now = clock_();
  std::string line =
      absl::StrCat("{\"time\":\"", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", now, absl::UTCTimeZone()),
                   "\",\"level\":\"", NameOf(level), "\",\"message\":", Quoted(message), ",\"fields\":{");
  absl::string_view comma;
  for (const auto& [name, value] : fields) {
    absl::StrAppend(&line, comma, Quoted(name), ":", Quoted(value));
    comma = ",";
  }
  // The lock is held across the sink, so that lines stay whole.
  MutexLock lock(mutex_);
  Window& window = windows_[std::string(message)];
  if (now - window.start >= kWindow) {
    if (window.left_out > 0) absl::StrAppend(&line, comma, "\"left_out\":\"", window.left_out, "\"");
    window = {now, 0, 0};
  }
  if (++window.lines > kLinesOfWindow) {
    ++window.left_out;
    return;
  }
  absl::StrAppend(&line, "}}\n");
  sink_(line);
}

}  // namespace ledger::services
