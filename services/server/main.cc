// ledgerd: serves one data directory until it is told to stop.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "grpc/support/log.h"
#include "services/server/exit_code.h"
#include "services/server/options.h"
#include "services/server/server.h"
#include "services/server/structured_log.h"
#include "services/server/version.h"

namespace ledger::services {
namespace {

constexpr unsigned kStopSecondsMax = 30;

// gRPC's own lines go where ours go; it has one place for all of a process.
StructuredLog* grpc_log = nullptr;

void LogOfGrpc(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  grpc_log->Write(LogLevel::kWarning, "grpc", {{"text", args->message}});
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Takes the stop signals on a thread of its own, while it lives: the first asks the server to stop, a second
// ends the process at once. Requires: the signals were blocked before any thread was started.
class SignalThread {
 public:
  SignalThread(Server& server, StructuredLog& log) : thread_([this, &server, &log] { Run(server, log); }) {}
  ~SignalThread() {
    done_.store(true);
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  void Run(Server& server, StructuredLog& log) {
    const sigset_t signals = StopSignals();
    bool asked = false;
    while (true) {
      int number = 0;
      if (sigwait(&signals, &number) != 0 || done_.load()) return;
      if (asked) _exit(128 + number);
      asked = true;
      log.Write(LogLevel::kInfo, "stopping", {{"signal", number == SIGTERM ? "SIGTERM" : "SIGINT"}});
      server.RequestStop();
    }
  }

  std::atomic<bool> done_{false};
  std::thread thread_;
};

// A stop that takes too long is cut short: everything acknowledged is on disk, and the next start checks it.
void StopTookTooLong(int) {
  constexpr char kText[] =
      "{\"level\":\"error\",\"message\":\"stopping took more than 30 seconds; ending at "
      "once\",\"fields\":{}}\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText, sizeof(kText) - 1);
  _exit(kExitCannotServe);
}

// Whole or not at all, so that whoever waits for it never reads half a number.
bool WritePortFile(const std::string& path, int port) {
  const std::string temporary = path + ".new";
  std::ofstream file(temporary, std::ios::trunc);
  file << port << "\n";
  file.close();
  return file.good() && std::rename(temporary.c_str(), path.c_str()) == 0;
}

int Run(int argc, char** argv) {
  Options options = ReadOptions(argc, argv);
  if (options.exit_code.has_value()) return *options.exit_code;
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGALRM, StopTookTooLong);
  // Never destroyed: gRPC may log until the process ends.
  auto& log = *new StructuredLog(LogLevelByName(options.config.log_level()).value_or(LogLevel::kInfo));
  grpc_log = &log;
  gpr_set_log_function(LogOfGrpc);

  log.Write(LogLevel::kInfo, "starting", {{"version", kVersion}, {"data", options.config.data()}});
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Create(options.config, &log);
  if (!server.ok()) {
    log.Write(LogLevel::kError, "cannot serve", {{"reason", std::string(server.status().message())}});
    std::cerr << "ledgerd: " << server.status().message() << "\n";
    return ExitCodeOf(server.status());
  }
  const SignalThread signal_thread(**server, log);
  if (!options.port_file.empty() && !WritePortFile(options.port_file, (*server)->port())) {
    log.Write(LogLevel::kError, "cannot write the port file", {{"path", options.port_file}});
    return kExitUsage;
  }
  log.Write(LogLevel::kInfo, "serving", {{"address", (*server)->address()}});
  const absl::Status why = (*server)->WaitForShutdown();
  alarm(kStopSecondsMax);
  (*server)->Stop();
  if (!why.ok()) return kExitCannotServe;
  log.Write(LogLevel::kInfo, "stopped");
  return kExitClean;
}

}  // namespace
}  // namespace ledger::services

int main(int argc, char** argv) { return ledger::services::Run(argc, argv); }
