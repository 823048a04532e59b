#pragma once

#include <functional>
#include <thread>

#include "absl/status/status.h"
#include "storage/mutex.h"

namespace ledger::services {

// One long piece of work at a time, on a thread of its own. Thread-safe.
class BackgroundTask {
 public:
  BackgroundTask() = default;
  ~BackgroundTask() { Stop(); }
  BackgroundTask(const BackgroundTask&) = delete;
  BackgroundTask& operator=(const BackgroundTask&) = delete;

  // Tells whoever waits that the work has ended; called when the next may start. Must not block.
  using End = std::function<void()>;

  // kResourceExhausted "BUSY": it runs already. kUnavailable "SHUTTING_DOWN". On an error `work` is not
  // called.
  absl::Status Start(std::function<End()> work) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for what runs, and takes nothing more. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  Mutex mutex_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::services
