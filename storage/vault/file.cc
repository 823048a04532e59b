#include "storage/vault/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ledger::vault {
namespace {

absl::Status SystemError(absl::string_view what, absl::string_view path, int error) {
  const std::string text = absl::StrCat(what, " ", path, ": ", std::generic_category().message(error));
  return error == ENOENT ? absl::NotFoundError(text) : absl::UnavailableError(text);
}

}  // namespace

File::File(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

File::File(File&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

absl::StatusOr<File> File::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open", path, errno);
  return File(path, descriptor);
}

absl::StatusOr<File> File::CreateEmpty(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return SystemError("cannot create", path, errno);
  return File(path, descriptor);
}

absl::Status File::Lock() const {
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return SystemError("cannot lock", path_, errno);
  return absl::UnavailableError(absl::StrCat(path_, " is in use by another process: stop it first"));
}

absl::StatusOr<uint64_t> File::Size() const {
  struct stat status;
  if (fstat(descriptor_, &status) != 0) return SystemError("cannot look at", path_, errno);
  return static_cast<uint64_t>(status.st_size);
}

absl::StatusOr<std::string> File::ReadAt(uint64_t offset, size_t bytes) const {
  std::string data(bytes, '\0');
  for (size_t done = 0; done < bytes;) {
    const ssize_t count =
        pread(descriptor_, data.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot read", path_, errno);
    if (count == 0) {
      return absl::DataLossError(
          absl::StrCat(path_, " ends at byte ", offset + done, ", before ", offset + bytes));
    }
    done += static_cast<size_t>(count);
  }
  return data;
}

absl::Status File::WriteAt(uint64_t offset, absl::string_view bytes) const {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot write", path_, errno);
    done += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status File::SyncData() const {
  return fdatasync(descriptor_) == 0 ? absl::OkStatus() : SystemError("cannot sync", path_, errno);
}

bool FileExists(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open", path, errno);
  std::string data(bytes_max + 1, '\0');
  size_t done = 0;
  ssize_t count = 0;
  do {
    count = read(descriptor, data.data() + done, data.size() - done);
    if (count > 0) done += static_cast<size_t>(count);
  } while (done < data.size() && (count > 0 || (count < 0 && errno == EINTR)));
  const int error = errno;
  close(descriptor);
  if (count < 0) return SystemError("cannot read", path, error);
  if (done > bytes_max)
    return absl::DataLossError(absl::StrCat(path, " is longer than ", bytes_max, " bytes"));
  data.resize(done);
  return data;
}

absl::Status CreateDirectory(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  return error ? SystemError("cannot create", dir, error.value()) : absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& dir) {
  const int descriptor = open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("cannot open", dir, errno);
  const bool synced = fsync(descriptor) == 0;
  const int error = errno;
  close(descriptor);
  return synced ? absl::OkStatus() : SystemError("cannot sync", dir, error);
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : SystemError("cannot rename", from, errno);
}

}  // namespace ledger::vault
