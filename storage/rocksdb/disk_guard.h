#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace ledger::storage {

// Keeps RocksDB from ever meeting a full disk, which it answers by aborting the process. Thread-safe: it keeps no
// state but what it was made with.
class DiskGuard {
 public:
  // `low_water_bytes` 0: the larger of 1/8 of the file system and 4 MiB, but at most 256 MiB.
  DiskGuard(std::string directory, uint64_t low_water_bytes);

  uint64_t low_water_bytes() const { return low_water_bytes_; }
  // Bytes that this process may still use; 0 if nobody can tell.
  uint64_t FreeBytes() const;

  // OK if the file system can take what is still in memory, `pending_bytes`, twice over (once as tables, once while
  // they are compacted), and keep the low-water mark. kResourceExhausted otherwise, with the numbers.
  absl::Status Check(uint64_t pending_bytes) const;

  // The ballast: a file that holds space which a server that is opened on a full disk needs. Frees it if less than the
  // low-water mark is free; lays it again when there is plenty.
  void FreeBallastIfNeeded() const;
  void LayBallast() const;

 private:
  std::string BallastPath() const;

  const std::string directory_;
  const uint64_t low_water_bytes_;
};

}  // namespace ledger::storage
