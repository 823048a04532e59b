#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace ledger::ctl {

// While it lives, Ctrl-C and SIGTERM run a callback, on a thread of its own, instead of ending the program;
// the second one ends it. At most one lives at a time. For streams and imports, which have something to
// finish.
class InterruptScope {
 public:
  explicit InterruptScope(std::function<void()> callback);
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  // True once a signal came. Any thread.
  bool interrupted() const { return interrupted_.load(); }

 private:
  std::function<void()> callback_;
  std::atomic<bool> interrupted_{false};
  int pipe_[2] = {-1, -1};
  struct sigaction former_int_ = {};
  struct sigaction former_term_ = {};
  std::thread thread_;
};

}  // namespace ledger::ctl
