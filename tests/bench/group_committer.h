#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/mutex.h"
#include "tests/bench/limits_rocksdb.h"

namespace ledger::bench {

// The least that any durable handler must do: one thread writes, for all that wait, the rows that the ledger writes for
// as many events and for one commit, syncs once, and answers. Thread-safe.
class GroupCommitter {
 public:
  // `rows` are those of one event each; both must outlive this. With a `head_path` a second file is overwritten in place
  // and synced after each write, as the ledger's head is: 52 and 16 bytes.
  static absl::StatusOr<std::unique_ptr<GroupCommitter>> Create(BareLog& log, const LoggedRows& rows,
                                                                const std::string& head_path);
  ~GroupCommitter();
  GroupCommitter(const GroupCommitter&) = delete;
  GroupCommitter& operator=(const GroupCommitter&) = delete;

  // `done` is called once, on the committing thread, when one more event is on disk.
  void Submit(std::function<void(const absl::Status&)> done) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  GroupCommitter(BareLog& log, const LoggedRows& rows, int head_fd);
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status WriteHead();

  BareLog& log_;
  const LoggedRows& rows_;
  const int head_fd_;     // -1: none
  uint64_t written_ = 0;  // events; the committing thread's
  uint64_t commits_ = 0;  // likewise
  Mutex mutex_;
  CondVar wake_;
  std::vector<std::function<void(const absl::Status&)>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace ledger::bench
