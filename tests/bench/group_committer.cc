#include "tests/bench/group_committer.h"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace ledger::bench {
namespace {

constexpr size_t kFileBytes = 64 << 10;
constexpr size_t kSlotBytes = 52;
constexpr size_t kEntryBytes = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<GroupCommitter>> GroupCommitter::Create(BareLog& log, const LoggedRows& rows,
                                                                       const std::string& head_path) {
  int fd = -1;
  if (!head_path.empty()) {
    fd = open(head_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::string zeros(kFileBytes, '\0');
    if (fd < 0 || write(fd, zeros.data(), zeros.size()) != static_cast<ssize_t>(zeros.size()) ||
        fsync(fd) != 0) {
      if (fd >= 0) close(fd);
      return absl::UnavailableError(absl::StrCat("cannot write ", head_path));
    }
  }
  return std::unique_ptr<GroupCommitter>(new GroupCommitter(log, rows, fd));
}

GroupCommitter::GroupCommitter(BareLog& log, const LoggedRows& rows, int head_fd)
    : log_(log), rows_(rows), head_fd_(head_fd), thread_([this] { Run(); }) {}

GroupCommitter::~GroupCommitter() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
  if (head_fd_ >= 0) close(head_fd_);
}

void GroupCommitter::Submit(std::function<void(const absl::Status&)> done) {
  MutexLock lock(mutex_);
  waiting_.push_back(std::move(done));
  if (waiting_.size() == 1) wake_.NotifyAll();
}

absl::Status GroupCommitter::WriteHead() {
  const std::string bytes(kSlotBytes, static_cast<char>(++commits_));
  const bool written =
      pwrite(head_fd_, bytes.data(), kEntryBytes, 8192) == static_cast<ssize_t>(kEntryBytes) &&
      pwrite(head_fd_, bytes.data(), kSlotBytes, commits_ % 2 == 0 ? 4096 : 4608) ==
          static_cast<ssize_t>(kSlotBytes) &&
      fdatasync(head_fd_) == 0;
  return written ? absl::OkStatus() : absl::UnavailableError("cannot write the head");
}

void GroupCommitter::Run() {
  const std::vector<Rows>& events = rows_.ledgers.front();
  BareBatch batch;
  while (true) {
    std::vector<std::function<void(const absl::Status&)>> group;
    {
      MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) wake_.Wait(mutex_);
      if (waiting_.empty()) return;
      group.swap(waiting_);
    }
    for (size_t i = 0; i < group.size(); ++i, ++written_) {
      batch.PutAs(static_cast<uint32_t>(1 + written_ / events.size()), events[written_ % events.size()]);
    }
    batch.Put(rows_.each_commit);
    absl::Status status = log_.Write(batch);
    if (status.ok() && head_fd_ >= 0) status = WriteHead();
    for (const auto& done : group) done(status);
  }
}

}  // namespace ledger::bench
