#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ledger::ctl {

// A stream of bytes. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Puts 1 to `size` bytes at `buffer` and returns how many; 0 at the end. Requires: size > 0.
  // kDataLoss: compressed data are cut off or damaged; what could be read before was returned.
  virtual absl::StatusOr<size_t> Read(char* buffer, size_t size) = 0;

  // How much of the underlying file, in bytes as stored (compressed), has been read so far.
  virtual uint64_t file_bytes_read() const = 0;
  // The underlying file's size; 0 where it has none, e.g. a pipe.
  virtual uint64_t file_bytes_total() const = 0;
};

// Opens a file, decompressing it if its first two bytes say gzip.
// kNotFound, kPermissionDenied, kInvalidArgument (a directory): the file cannot be opened.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& path);

// Reads from memory, decompressing as OpenFile does.
std::unique_ptr<ByteSource> OpenMemory(std::string bytes);

}  // namespace ledger::ctl
