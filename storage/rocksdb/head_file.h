#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/event_log.h"

namespace ledger::storage {

// What the head says of the last commit.
struct HeadCommit {
  uint64_t number = 0;
  std::string hash = std::string(32, '\0');
  // Commits up to here are in table files and need no check at open.
  uint64_t flushed = 0;
};

// The head: a small preallocated file beside the log's database that says how far the log must reach. Overwritten in
// place and synced after the write-ahead log and before anything is acknowledged, so that a log shorter than its head
// has lost acknowledged events. Not thread-safe.
//
// The file, numbers little-endian, every checksum a CRC-32 (as zlib's) of what stands before it in its part:
//        0  "CLHEAD01", format version (4; this is 1), reserved (4), lineage (16), checksum (4)
//    4,096  slot 0: commit number (8), commit hash (32), flushed commit (8), checksum (4)
//    4,608  slot 1: likewise; commit C is written to slot C mod 2, so that a torn write leaves the one before
//    8,192  one entry of 16 bytes for each ledger number from 1: last position (8), reserved (4), checksum (4)
// The entries name what is missing where something is; a damaged one only costs that name.
class HeadFile {
 public:
  static constexpr uint32_t kFormat = 1;

  // Makes the file for a new data directory. kAlreadyExists: there is one.
  static absl::Status Create(const std::string& path, absl::string_view lineage);
  // With `writable` it is locked until destroyed: one process at a time has a data directory.
  // kUnavailable: another process has it. kDataLoss: missing, or neither slot can be read. kFailedPrecondition: a newer format, which the message names.
  static absl::StatusOr<std::unique_ptr<HeadFile>> Open(const std::string& path, bool writable);
  ~HeadFile();
  HeadFile(const HeadFile&) = delete;
  HeadFile& operator=(const HeadFile&) = delete;

  const std::string& lineage() const { return lineage_; }
  const HeadCommit& commit() const { return commit_; }
  // The last positions the entries name, by ledger.
  const std::map<LedgerNumber, uint64_t>& positions() const { return positions_; }
  // What could not be read and did not matter, for people.
  const std::vector<std::string>& findings() const { return findings_; }

  // Writes the next commit with the positions it moved, and syncs. kUnavailable: the disk refused.
  absl::Status Write(const HeadCommit& commit,
                     const std::vector<std::pair<LedgerNumber, uint64_t>>& positions);
  // Replaces the lineage, and syncs.
  absl::Status SetLineage(absl::string_view lineage);

 private:
  HeadFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::Status Load();
  absl::Status WriteAt(absl::string_view bytes, uint64_t offset);
  absl::Status Sync();

  const int fd_;
  const std::string path_;
  std::string lineage_;
  HeadCommit commit_;
  std::map<LedgerNumber, uint64_t> positions_;
  std::vector<std::string> findings_;
  uint64_t allocated_ = 0;  // bytes of the file
};

}  // namespace ledger::storage
