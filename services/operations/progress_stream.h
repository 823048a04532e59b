#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/support/server_callback.h"
#include "services/common/grpc_status.h"
#include "storage/mutex.h"

namespace ledger::services {

// The answer of a long piece of work: progress, of which the latest counts, and findings, of which each
// counts. The worker is one thread at a time; it calls End exactly once and nothing after it. The stream
// deletes itself when gRPC is done with it, which is never before End.
template <typename Response>
class ProgressStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // Progress reaches the caller at most this often.
  static constexpr absl::Duration kInterval = absl::Milliseconds(50);
  // Findings that wait for a caller who reads slowly; then the worker waits.
  static constexpr size_t kWaitingMax = 64;

  // Progress; passed over if the last was sent just now or waits to be. Never blocks.
  void Offer(Response response) ABSL_LOCKS_EXCLUDED(mutex_) {
    Act act = Act::kNothing;
    {
      MutexLock lock(mutex_);
      const absl::Time now = absl::Now();
      if (gone_ || writing_ || !waiting_.empty() || now - last_offer_ < kInterval) return;
      last_offer_ = now;
      waiting_.push_back(std::move(response));
      act = Decide();
    }
    Perform(act);
  }

  // A finding; waits for room. False: the caller has gone.
  bool Deliver(Response response) ABSL_LOCKS_EXCLUDED(mutex_) {
    Act act = Act::kNothing;
    {
      MutexLock lock(mutex_);
      while (!gone_ && waiting_.size() >= kWaitingMax) room_.Wait(mutex_);
      if (gone_) return false;
      waiting_.push_back(std::move(response));
      act = Decide();
    }
    Perform(act);
    return true;
  }

  // True once the caller has gone or the stream was abandoned.
  bool gone() ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return gone_;
  }

  // Delivers what waits, and `last`, and ends the stream with `status`.
  void End(const absl::Status& status, std::optional<Response> last = std::nullopt)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    Act act = Act::kNothing;
    {
      MutexLock lock(mutex_);
      if (last.has_value() && !gone_) waiting_.push_back(*std::move(last));
      ended_ = true;
      status_ = ToGrpcStatus(status);
      act = Decide();
    }
    Perform(act);  // from here on gRPC may delete the stream at any time
  }

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_) {
    Act act = Act::kNothing;
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) Leave();
      act = Decide();
    }
    Perform(act);
  }

  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    Leave();
  }

  void OnDone() override { delete this; }

 private:
  enum class Act { kNothing, kWrite, kFinish };

  void Leave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    gone_ = true;
    waiting_.clear();
    room_.NotifyAll();
  }

  // What is to be done now; by the caller, once, without the lock.
  Act Decide() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return Act::kNothing;
    if (!waiting_.empty()) {
      current_ = std::move(waiting_.front());
      waiting_.pop_front();
      writing_ = true;
      room_.NotifyAll();
      return Act::kWrite;
    }
    if (!ended_) return Act::kNothing;
    finished_ = true;
    return Act::kFinish;
  }

  void Perform(Act act) {
    switch (act) {
      case Act::kNothing:
        return;
      case Act::kWrite:
        this->StartWrite(&current_);
        return;
      case Act::kFinish:
        this->Finish(status_);
        return;
    }
  }

  Mutex mutex_;
  CondVar room_;
  std::deque<Response> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::Time last_offer_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  Response current_;     // gRPC's while `writing_`
  grpc::Status status_;  // fixed once `ended_`
};

}  // namespace ledger::services
