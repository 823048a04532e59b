#include "tests/bench/footprint.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/status_macros.h"
#include "tests/bench/limits_rocksdb.h"
#include "tests/bench/load_client.h"
#include "tests/bench/parts.h"
#include "tests/bench/scratch.h"
#include "tests/bench/workload.h"

namespace ledger::bench {
namespace {

constexpr int kLedgers = 8;
constexpr int kEventsPerMessage = 100;
constexpr int kWindow = 4;
constexpr uint64_t kEventsPerCustomer = 10;
constexpr absl::Duration kStartTimeMax = absl::Minutes(2);
// Projections that take longer are measured as far as they are.
constexpr absl::Duration kProjectTimeMax = absl::Seconds(30);

// A ledgerd of our own. Killed, if it still runs, when this ends.
class ServerProcess {
 public:
  // Returns once the server listens.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const std::string& program,
                                                              const std::string& directory) {
    const std::string port_file = directory + ".port";
    std::filesystem::remove(port_file);
    const std::string data = directory;
    std::vector<std::string> words = {program,       "--data",  data,          "--listen", "127.0.0.1:0",
                                      "--port-file", port_file, "--log-level", "error"};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (access(program.c_str(), X_OK) != 0) {
      return absl::NotFoundError(
          absl::StrCat("cannot start ", program, "; build ledgerd beside ledger_bench"));
    }
    const pid_t pid = fork();
    if (pid < 0) return absl::UnavailableError("cannot fork");
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server is left behind when the run is cut short
      execv(program.c_str(), arguments.data());
      _exit(127);
    }
    std::unique_ptr<ServerProcess> process(new ServerProcess(pid));
    const absl::Time give_up = absl::Now() + kStartTimeMax;
    while (process->port_.empty()) {
      if (absl::Now() > give_up) return absl::DeadlineExceededError("ledgerd did not start");
      if (waitpid(pid, nullptr, WNOHANG) == pid) {
        process->pid_ = 0;
        return absl::UnavailableError("ledgerd ended at its start; its error is above");
      }
      std::ifstream file(port_file);
      if (!(file >> process->port_)) absl::SleepFor(absl::Milliseconds(1));
    }
    return process;
  }

  ~ServerProcess() { End(SIGKILL); }

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  void End(int signal) {
    if (pid_ == 0) return;
    kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  uint64_t RssBytes() const {
    std::ifstream file(absl::StrCat("/proc/", pid_, "/statm"));
    uint64_t pages = 0;
    file >> pages >> pages;
    return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }

 private:
  explicit ServerProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  std::string port_;
};

// Starts the server again and asks it once; the time of both.
absl::StatusOr<absl::Duration> TimeStart(const std::string& program, const std::string& directory,
                                         Workload& workload, std::unique_ptr<ServerProcess>* server) {
  const absl::Time start = absl::Now();
  LEDGER_ASSIGN_OR_RETURN(*server, ServerProcess::Start(program, directory));
  LEDGER_RETURN_IF_ERROR(LoadClient((*server)->address()).AskOwners(workload, 1, nullptr).status());
  return absl::Now() - start;
}

}  // namespace

absl::StatusOr<Footprint> TakeFootprint(const std::string& ledgerd_path, const std::string& directory,
                                        uint64_t events) {
  Footprint footprint;
  LEDGER_ASSIGN_OR_RETURN(std::unique_ptr<ServerProcess> server,
                          ServerProcess::Start(ledgerd_path, directory));
  std::vector<std::unique_ptr<Workload>> workloads;
  std::vector<Workload*> borrowed;
  {
    LoadClient client(server->address());
    for (int i = 1; i <= kLedgers; ++i) {
      const std::string name = absl::StrCat("book-", i);
      LEDGER_RETURN_IF_ERROR(client.CreateLedger(name, LEDGER_BENCH_POLICY_FILE).status());
      workloads.push_back(std::make_unique<Workload>(name, events / kLedgers / kEventsPerCustomer,
                                                     /*register_first=*/true, static_cast<uint64_t>(i)));
      borrowed.push_back(workloads.back().get());
    }
    const absl::Time start = absl::Now();
    LEDGER_RETURN_IF_ERROR(client
                               .AppendStreams(borrowed, kEventsPerMessage, kWindow, absl::Hours(2),
                                              events / kLedgers / kEventsPerMessage)
                               .status());
    const absl::Time loaded = absl::Now();
    footprint.load_time = loaded - start;
    while (true) {
      footprint.behind = 0;
      for (const Workload* workload : borrowed) {
        LEDGER_ASSIGN_OR_RETURN(const uint64_t lag, client.ProjectionLag(workload->ledger()));
        footprint.behind += lag;
      }
      footprint.project_time = absl::Now() - loaded;
      if (footprint.behind == 0 || footprint.project_time > kProjectTimeMax) break;
      absl::SleepFor(absl::Milliseconds(100));
    }
  }
  footprint.rss_bytes = server->RssBytes();
  server->End(SIGKILL);
  LEDGER_ASSIGN_OR_RETURN(footprint.start_after_kill,
                          TimeStart(ledgerd_path, directory, *borrowed.back(), &server));
  server->End(SIGTERM);
  LEDGER_ASSIGN_OR_RETURN(footprint.start_after_clean_stop,
                          TimeStart(ledgerd_path, directory, *borrowed.back(), &server));
  server->End(SIGTERM);

  footprint.log_bytes = BytesBelow(directory + "/log");
  footprint.view_bytes = BytesBelow(directory + "/views");
  footprint.data_bytes = BytesBelow(directory);
  LEDGER_ASSIGN_OR_RETURN(const auto scan, BareScan::Open(directory));
  LEDGER_ASSIGN_OR_RETURN(const BareScan::Result scanned, scan->Scan());
  footprint.events = scanned.events;
  footprint.record_bytes = scanned.bytes;
  return footprint;
}

absl::StatusOr<PartReport> MeasureFootprint(const PartSettings& settings) {
  const auto per_event = [](const Footprint& of, uint64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(of.events);
  };
  const auto set_all = [&](PartReport& report, const std::string& suffix, const Footprint& of) {
    report.Set("events" + suffix, static_cast<double>(of.events));
    report.Set("bytes_per_event" + suffix, per_event(of, of.log_bytes + of.view_bytes));
    report.Set("log_bytes_per_event" + suffix, per_event(of, of.log_bytes));
    report.Set("view_bytes_per_event" + suffix, per_event(of, of.view_bytes));
    report.Set("data_directory_bytes" + suffix, static_cast<double>(of.data_bytes));
    report.Set("rss_bytes" + suffix, static_cast<double>(of.rss_bytes));
    report.Set("start_after_clean_stop_ms" + suffix, absl::ToDoubleMilliseconds(of.start_after_clean_stop));
    report.Set("start_after_kill_ms" + suffix, absl::ToDoubleMilliseconds(of.start_after_kill));
    report.Set("load_seconds" + suffix, absl::ToDoubleSeconds(of.load_time));
    report.Set("projections_behind_events" + suffix, static_cast<double>(of.behind));
    report.Set("projections_after_load_seconds" + suffix, absl::ToDoubleSeconds(of.project_time));
  };
  PartReport report;
  {
    LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
    LEDGER_ASSIGN_OR_RETURN(const Footprint million,
                            TakeFootprint(settings.ledgerd_path, scratch.Below("data"), 1'000'000));
    report.SetRatio(per_event(million, million.log_bytes + million.view_bytes),
                    per_event(million, million.record_bytes), "bytes per event", "lower");
    set_all(report, "", million);
  }
  if (settings.with_10m) {
    LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
    LEDGER_ASSIGN_OR_RETURN(const Footprint ten,
                            TakeFootprint(settings.ledgerd_path, scratch.Below("data"), 10'000'000));
    set_all(report, "_10m", ten);
  }
  report.SetText(
      "what",
      "files of log and views after a clean stop, as stored (compressed); memory of the process after the "
      "load; from the start of the process to its first answer");
  report.SetText("limit_what", "the serialised records alone, uncompressed");
  return report;
}

}  // namespace ledger::bench
