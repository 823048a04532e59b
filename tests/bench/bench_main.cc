// ledger_bench: what the ledger does, beside what the machine could do.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/bench/parts.h"
#include "tests/bench/report.h"

namespace ledger::bench {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

constexpr char kHelp[] =
    "ledger_bench runs the ledger beside its limits on this machine and prints both and their ratio.\n\n"
    "  --output table|json      default: table\n"
    "  --only NAME              one part (may be repeated): append_unary, append_stream, catch_up, rebuild,\n"
    "                           query, rules, footprint\n"
    "  --seconds-per-part N     measuring time of each part but footprint, 1 to 600; default 10\n"
    "  --events-10m             footprint also at 10 million events (takes much longer)\n"
    "  --dir DIR                where the data is written; default: the directory for temporary files\n"
    "  --help\n\n"
    "ratio is ledger / limit; `better` says which way is better. Figures are medians of rounds that "
    "alternate\n"
    "between the ledger and its limits. A default run takes under five minutes and 2 GB of disk.\n\n"
    "Example:\n"
    "  ledger_bench --output json --dir /var/tmp > figures.json\n"
    "  ledger_bench --only append_unary --seconds-per-part 5\n";

struct Part {
  const char* name;
  absl::StatusOr<PartReport> (*measure)(const PartSettings&);
};

constexpr Part kParts[] = {{"append_unary", MeasureAppendUnary},
                           {"append_stream", MeasureAppendStream},
                           {"catch_up", MeasureCatchUp},
                           {"rebuild", MeasureRebuild},
                           {"query", MeasureQuery},
                           {"rules", MeasureRules},
                           {"footprint", MeasureFootprint}};

struct Options {
  bool help = false;
  bool json = false;
  std::vector<std::string> only;
  PartSettings settings;
};

absl::StatusOr<Options> ReadOptions(const std::vector<std::string>& words) {
  Options options;
  options.settings.time = absl::Seconds(10);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string name = words[i];
    std::optional<std::string> value;
    if (const size_t equals = name.find('='); equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    if (name == "--help" || name == "-h") {
      options.help = true;
      return options;
    }
    if (name == "--events-10m") {
      options.settings.with_10m = true;
      continue;
    }
    if (name != "--output" && name != "--only" && name != "--seconds-per-part" && name != "--dir") {
      return absl::InvalidArgumentError(absl::StrCat("unknown option ", name));
    }
    if (!value.has_value() && i + 1 < words.size()) value = words[++i];
    if (!value.has_value()) return absl::InvalidArgumentError(absl::StrCat(name, " needs a value"));
    if (name == "--output") {
      if (*value != "table" && *value != "json") {
        return absl::InvalidArgumentError("--output must be table or json");
      }
      options.json = *value == "json";
    } else if (name == "--only") {
      options.only.push_back(*value);
    } else if (name == "--seconds-per-part") {
      uint32_t seconds = 0;
      if (!absl::SimpleAtoi(*value, &seconds) || seconds < 1 || seconds > 600) {
        return absl::InvalidArgumentError("--seconds-per-part must be 1 to 600");
      }
      options.settings.time = absl::Seconds(seconds);
    } else {
      options.settings.directory = *value;
    }
  }
  for (const std::string& name : options.only) {
    bool known = false;
    for (const Part& part : kParts) known = known || name == part.name;
    if (!known) return absl::InvalidArgumentError(absl::StrCat("there is no part ", name));
  }
  return options;
}

int Run(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  absl::StatusOr<Options> options = ReadOptions(words);
  if (!options.ok()) {
    std::cerr << "ledger_bench: " << options.status().message() << "; see --help\n";
    return kExitUsage;
  }
  if (options->help) {
    std::cout << kHelp;
    return 0;
  }
  std::error_code error;
  PartSettings& settings = options->settings;
  if (settings.directory.empty()) settings.directory = std::filesystem::temp_directory_path(error).string();
  settings.directory = std::filesystem::absolute(settings.directory, error).string();
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  settings.ledgerd_path = (self.parent_path() / "ledgerd").string();

  const PartReport machine = DescribeMachine(settings.directory);
  const std::string command =
      words.empty() ? "ledger_bench" : absl::StrCat("ledger_bench ", absl::StrJoin(words, " "));
  std::string json =
      absl::StrCat("{\n  \"command\": ", JsonString(command),
                   ",\n  \"time\": ", JsonString(absl::FormatTime(absl::Now(), absl::UTCTimeZone())),
                   ",\n  \"machine\": ", machine.Json());
  if (!options->json) std::cout << command << "\n\nmachine\n" << machine.Table() << std::flush;
  const absl::Time start = absl::Now();
  for (const Part& part : kParts) {
    const auto& only = options->only;
    if (!only.empty() && std::find(only.begin(), only.end(), part.name) == only.end()) continue;
    if (options->json && isatty(STDERR_FILENO) == 1) std::cerr << "measuring " << part.name << " ...\n";
    absl::StatusOr<PartReport> report = part.measure(settings);
    if (!report.ok()) {
      std::cerr << "ledger_bench: " << part.name << ": " << report.status() << "\n";
      return kExitFailed;
    }
    absl::StrAppend(&json, ",\n  ", JsonString(part.name), ": ", report->Json());
    if (!options->json) std::cout << "\n" << part.name << "\n" << report->Table() << std::flush;
  }
  if (options->json) {
    std::cout << json << ",\n  \"seconds\": " << absl::ToInt64Seconds(absl::Now() - start) << "\n}\n";
  }
  return 0;
}

}  // namespace
}  // namespace ledger::bench

int main(int argc, char** argv) { return ledger::bench::Run(argc, argv); }
