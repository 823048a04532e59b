#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ledger::vault {

// An open file, closed when this goes. Reads and writes at offsets may run on any thread. What the system
// refuses is kUnavailable with the path and the system's words.
class File {
 public:
  // kNotFound: no such file.
  static absl::StatusOr<File> Open(const std::string& path);
  // Empty, mode 0600; whatever was there is gone.
  static absl::StatusOr<File> CreateEmpty(const std::string& path);

  ~File();
  File(File&& other) noexcept;
  File& operator=(File&&) = delete;

  // kUnavailable: another process, or another File of this one, has the lock. It goes with the File.
  absl::Status Lock() const;
  absl::StatusOr<uint64_t> Size() const;
  // Exactly `bytes` bytes. kDataLoss: the file ends before.
  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t bytes) const;
  absl::Status WriteAt(uint64_t offset, absl::string_view bytes) const;
  // Data, and the length if it changed.
  absl::Status SyncData() const;

 private:
  File(std::string path, int descriptor);

  std::string path_;
  int descriptor_;
};

bool FileExists(const std::string& path);

// The whole file. kNotFound; kDataLoss: longer than `bytes_max`.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max);

// Creates `dir` and what is missing above it.
absl::Status CreateDirectory(const std::string& dir);
// Makes names created in `dir` durable.
absl::Status SyncDirectory(const std::string& dir);
// Replaces `to` by `from`; durable after SyncDirectory.
absl::Status RenameFile(const std::string& from, const std::string& to);

}  // namespace ledger::vault
