#include "services/ctl/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace ledger::ctl {
namespace {

std::atomic<int> g_write_end{-1};

// Only write() is safe in a signal handler; the thread at the other end does the work.
extern "C" void OnSignal(int) {
  const int saved = errno;
  const char byte = 's';
  if (write(g_write_end.load(), &byte, 1) < 0) {
    // The pipe is full: a signal is waiting there already.
  }
  errno = saved;
}

}  // namespace

InterruptScope::InterruptScope(std::function<void()> callback) : callback_(std::move(callback)) {
  if (pipe2(pipe_, O_CLOEXEC) != 0) return;  // without a pipe Ctrl-C ends the program as usual
  g_write_end.store(pipe_[1]);
  thread_ = std::thread([this] {
    char byte = 0;
    ssize_t count = 0;
    do {
      count = read(pipe_[0], &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1 && byte == 's') {
      interrupted_.store(true);
      callback_();
    }
  });
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &former_int_);
  sigaction(SIGTERM, &action, &former_term_);
}

InterruptScope::~InterruptScope() {
  if (!thread_.joinable()) return;
  sigaction(SIGINT, &former_int_, nullptr);
  sigaction(SIGTERM, &former_term_, nullptr);
  const char byte = 'q';
  if (write(pipe_[1], &byte, 1) < 0) {
    // The thread has read its byte and ended, and the pipe is full of signals: nothing left to say.
  }
  thread_.join();
  g_write_end.store(-1);
  close(pipe_[0]);
  close(pipe_[1]);
}

}  // namespace ledger::ctl
