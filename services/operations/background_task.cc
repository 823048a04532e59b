#include "services/operations/background_task.h"

#include <utility>

namespace ledger::services {

absl::Status BackgroundTask::Start(std::function<End()> work) {
  std::thread former;
  {
    MutexLock lock(mutex_);
    if (stopped_) return absl::UnavailableError("SHUTTING_DOWN: the server is shutting down");
    if (running_) return absl::ResourceExhaustedError("BUSY: one is running already; wait for its end");
    running_ = true;
    former = std::move(thread_);
    thread_ = std::thread([this, work = std::move(work)] {
      const End end = work();
      {
        MutexLock inner(mutex_);
        running_ = false;
      }
      end();
    });
  }
  if (former.joinable()) former.join();  // it has nothing left to do but to tell its end
  return absl::OkStatus();
}

void BackgroundTask::Stop() {
  std::thread last;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    last = std::move(thread_);
  }
  if (last.joinable()) last.join();
}

}  // namespace ledger::services
