#include "tests/bench/report.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace ledger::bench {
namespace {

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) == 0) {
      return std::string(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)));
    }
  }
  return "unknown";
}

// The type of the file system that is mounted nearest above `directory`.
std::string FileSystemOf(const std::string& directory) {
  std::error_code error;
  const std::string path = std::filesystem::weakly_canonical(directory, error).string() + "/";
  std::ifstream file("/proc/mounts");
  std::string line;
  std::string type = "unknown";
  size_t longest = 0;
  while (std::getline(file, line)) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 3) continue;
    const std::string mount = fields[1] == "/" ? "/" : fields[1] + "/";
    if (path.rfind(mount, 0) == 0 && mount.size() >= longest) {
      longest = mount.size();
      type = fields[2];
    }
  }
  return type;
}

}  // namespace

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * static_cast<double>(values.size()));
  return values[std::clamp<size_t>(static_cast<size_t>(rank), 1, values.size()) - 1];
}

void PartReport::Set(absl::string_view name, double value) {
  const bool whole = std::abs(value) >= 100 && std::abs(value) < 1e15;
  std::string text = whole ? absl::StrFormat("%.0f", value) : absl::StrFormat("%.4g", value);
  if (!std::isfinite(value)) text = "null";
  members_.emplace_back(std::string(name), std::move(text));
}

void PartReport::SetText(absl::string_view name, absl::string_view value) {
  members_.emplace_back(std::string(name), JsonString(value));
}

void PartReport::SetRatio(double ledger, double limit, absl::string_view unit, absl::string_view better) {
  Set("ledger", ledger);
  Set("limit", limit);
  Set("ratio", limit == 0 ? NAN : ledger / limit);
  SetText("unit", unit);
  SetText("better", better);
}

std::string PartReport::Json() const {
  std::string json = "{";
  for (const auto& [name, value] : members_) {
    absl::StrAppend(&json, json.size() > 1 ? ", " : "", JsonString(name), ": ", value);
  }
  return json + "}";
}

std::string PartReport::Table() const {
  std::string table;
  for (const auto& [name, value] : members_) {
    absl::string_view shown = value;
    if (shown.size() >= 2 && shown.front() == '"') shown = shown.substr(1, shown.size() - 2);
    absl::StrAppend(&table, absl::StrFormat("  %-28s %s\n", name, shown));
  }
  return table;
}

PartReport DescribeMachine(const std::string& directory) {
  PartReport machine;
  machine.Set("cores", std::thread::hardware_concurrency());
  machine.SetText("cpu", CpuModel());
  machine.Set("memory_bytes",
              static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  utsname names{};
  uname(&names);
  machine.SetText("kernel", absl::StrCat(names.sysname, " ", names.release));
  machine.SetText("file_system", FileSystemOf(directory));
  machine.SetText("build_type", LEDGER_BENCH_BUILD_TYPE);
  machine.SetText("compiler", __VERSION__);
  return machine;
}

std::string JsonString(absl::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      json += absl::StrFormat("\\u%04x", static_cast<unsigned char>(c));
    } else {
      json += c;
    }
  }
  return json + "\"";
}

}  // namespace ledger::bench
