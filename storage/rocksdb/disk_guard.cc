#include "storage/rocksdb/disk_guard.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ledger::storage {
namespace {

constexpr uint64_t kMebibyte = 1 << 20;

uint64_t DefaultLowWater(const std::string& directory) {
  struct statvfs info;
  if (::statvfs(directory.c_str(), &info) != 0) return 4 * kMebibyte;
  const uint64_t total = static_cast<uint64_t>(info.f_blocks) * info.f_frsize;
  return std::clamp(total / 8, 4 * kMebibyte, 256 * kMebibyte);
}

}  // namespace

DiskGuard::DiskGuard(std::string directory, uint64_t low_water_bytes)
    : directory_(std::move(directory)),
      low_water_bytes_(low_water_bytes > 0 ? low_water_bytes : DefaultLowWater(directory_)) {}

uint64_t DiskGuard::FreeBytes() const {
  struct statvfs info;
  if (::statvfs(directory_.c_str(), &info) != 0) return 0;
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

absl::Status DiskGuard::Check(uint64_t pending_bytes) const {
  const uint64_t free = FreeBytes();
  const uint64_t needed = low_water_bytes_ + 2 * pending_bytes;
  if (free >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("DISK_NEARLY_FULL: ", free, " bytes are free and ", needed,
                                                   " are needed before appends are accepted; reads go on. "
                                                   "Free space on the data directory's file system."));
}

void DiskGuard::FreeBallastIfNeeded() const {
  if (FreeBytes() < low_water_bytes_) ::unlink(BallastPath().c_str());
}

void DiskGuard::LayBallast() const {
  if (::access(BallastPath().c_str(), F_OK) == 0) return;
  const uint64_t bytes = low_water_bytes_ / 2;
  if (FreeBytes() < 4 * low_water_bytes_) return;
  const int fd = ::open(BallastPath().c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640);
  if (fd < 0) return;
  // Without the ballast everything works but the very last resort, so a refusal here is no error.
  if (::posix_fallocate(fd, 0, static_cast<off_t>(bytes)) != 0) ::unlink(BallastPath().c_str());
  ::close(fd);
}

std::string DiskGuard::BallastPath() const { return directory_ + "/ballast"; }

}  // namespace ledger::storage
