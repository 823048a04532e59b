#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "storage/mutex.h"

namespace ledger::services {

// A few threads for work that may read the disk, so that gRPC's own threads never wait for it. Thread-safe. Its queue
// is bounded by its users: each call or stream has at most one task here.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();  // stops
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Runs `task` soon, on one of the threads. Not after Stop: whoever queues tasks ends before the pool.
  void Run(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs what is queued and ends the threads. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_);

  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace ledger::services
