#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/server/config.pb.h"
#include "services/server/structured_log.h"
#include "storage/mutex.h"

namespace grpc {
class Server;
class ServerBuilder;
}  // namespace grpc

namespace ledger::runtime {
class Answers;
class Projector;
class TimelineStore;
}  // namespace ledger::runtime
namespace ledger::storage {
class RocksEventLog;
}
namespace ledger::vault {
class Vault;
}
namespace ledger::views {
class ViewStore;
}

namespace ledger::services {

class CommitNotifier;
class LedgerServiceImpl;
class OperationsServiceImpl;
class Preparer;
class QueryServiceImpl;
class Sequencer;
class WorkerPool;

// A whole server: opens a data directory, serves it, and closes it in order. Thread-safe.
class Server {
 public:
  // Opens everything and serves; when it returns, calls are answered. `config` need not be complete. `log`
  // must outlive the server; nullptr: warnings and errors to stderr.
  // kInvalidArgument: "BAD_CONFIG", "CANNOT_LISTEN" (the address is taken or is not this machine's).
  // kUnavailable: another process has the directory, or the disk refuses. kDataLoss: the data is damaged or
  // incomplete; the message says what and what to do. kFailedPrecondition: a later release wrote it.
  static absl::StatusOr<std::unique_ptr<Server>> Create(ServerConfig config, StructuredLog* log = nullptr);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port that is served; 0 for a unix socket.
  int port() const { return port_; }
  // The address clients connect to.
  std::string address() const;

  // Ends WaitForShutdown; from any thread.
  void RequestStop() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits for RequestStop (then OK), or until a write failed and the server must stop (then why).
  absl::Status WaitForShutdown() ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes no more calls, ends streams, finishes what was taken, and closes the data directory. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_, stop_mutex_);

 private:
  Server(ServerConfig config, StructuredLog* log);

  absl::Status Open();
  absl::Status OpenVault();
  absl::Status OpenViews();
  absl::Status StartProjector();
  absl::Status MoveViewsAside(const absl::Status& why);
  absl::Status Listen();
  void WatchDisk() ABSL_LOCKS_EXCLUDED(mutex_);
  void Fail(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t ViewMemoryBytes() const;

  const ServerConfig config_;
  std::unique_ptr<StructuredLog> own_log_;
  StructuredLog& log_;
  int port_ = 0;

  // In the order they are opened; closed in the opposite one.
  std::unique_ptr<storage::RocksEventLog> events_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<runtime::TimelineStore> timelines_;
  std::unique_ptr<views::ViewStore> views_;
  std::atomic<views::ViewStore*> open_views_{nullptr};  // views_ for the log's threads, while it is open
  std::unique_ptr<runtime::Projector> projector_;
  std::unique_ptr<runtime::Answers> answers_;
  std::unique_ptr<CommitNotifier> notifier_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<Preparer> preparer_;
  std::unique_ptr<Sequencer> sequencer_;
  std::unique_ptr<LedgerServiceImpl> ledger_service_;
  std::unique_ptr<QueryServiceImpl> query_service_;
  std::unique_ptr<OperationsServiceImpl> operations_service_;
  std::unique_ptr<grpc::Server> server_;
  std::thread disk_watch_;

  Mutex stop_mutex_
      ABSL_ACQUIRED_BEFORE(mutex_);  // one Stop at a time; held throughout, so that a second one waits
  bool stopped_ ABSL_GUARDED_BY(stop_mutex_) = false;
  Mutex mutex_;
  CondVar changed_;
  bool stop_requested_ ABSL_GUARDED_BY(mutex_) = false;
  bool watch_ends_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::services
