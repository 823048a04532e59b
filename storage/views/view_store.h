#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ledger::views {

// Changes to the store that become visible together or not at all, in the order they were added.
class ViewBatch {
 public:
  ViewBatch();
  ~ViewBatch();
  ViewBatch(ViewBatch&&) noexcept;
  ViewBatch& operator=(ViewBatch&&) noexcept;

  void Put(absl::string_view key, absl::string_view value);
  void Delete(absl::string_view key);
  // Deletes every key in [begin, end).
  void DeleteRange(absl::string_view begin, absl::string_view end);

  bool empty() const;
  size_t bytes() const;

 private:
  friend class ViewStore;
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

// The store as it was at one moment. Must not outlive its store. Any thread may read; the last user frees it.
class ViewSnapshot {
 public:
  ~ViewSnapshot();
  ViewSnapshot(const ViewSnapshot&) = delete;
  ViewSnapshot& operator=(const ViewSnapshot&) = delete;

 private:
  friend class ViewStore;
  struct Rep;
  explicit ViewSnapshot(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

struct ViewStoreOptions {
  // Memory for rows that are not on disk yet, in bytes.
  uint64_t write_buffer_bytes = 32 << 20;
  // Memory for rows read from disk, in bytes.
  uint64_t cache_bytes = 64 << 20;
};

// An ordered map from bytes to bytes in a directory of its own, for what can be computed again: it keeps no
// write-ahead log, so a crash takes it back to an earlier moment. That moment is one between two batches,
// never inside one, and never before the last Flush. Thread-safe. Keys that begin with a zero byte are the
// store's own.
class ViewStore {
 public:
  // Opens the store in `directory`, creating it where there is none.
  // kDataLoss: what is there is damaged; it can be deleted and is then computed again.
  // kFailedPrecondition "FORMAT_IS_NEWER": a later release wrote it. kUnavailable "DIRECTORY_LOCKED": another
  // process has it open.
  static absl::StatusOr<std::unique_ptr<ViewStore>> Open(const std::string& directory,
                                                         const ViewStoreOptions& options = {});
  // Flushes. All snapshots must be gone.
  ~ViewStore();
  ViewStore(const ViewStore&) = delete;
  ViewStore& operator=(const ViewStore&) = delete;

  // Reads with nullptr for `snapshot` see the present. kDataLoss from any of them: stored bytes are damaged.

  // nullopt: there is no such key.
  absl::StatusOr<std::optional<std::string>> Get(absl::string_view key,
                                                 const ViewSnapshot* snapshot = nullptr) const;
  // One element for each key, in their order.
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      const std::vector<std::string>& keys, const ViewSnapshot* snapshot = nullptr) const;
  // Calls `visit` with the keys in [begin, end) in ascending order until it returns false. The views passed
  // are valid during the call only.
  absl::Status Scan(absl::string_view begin, absl::string_view end,
                    const std::function<bool(absl::string_view key, absl::string_view value)>& visit,
                    const ViewSnapshot* snapshot = nullptr) const;
  // As Scan, with every key that begins with `prefix`.
  absl::Status ScanPrefix(absl::string_view prefix,
                          const std::function<bool(absl::string_view key, absl::string_view value)>& visit,
                          const ViewSnapshot* snapshot = nullptr) const;
  std::shared_ptr<const ViewSnapshot> Snapshot() const;

  // kUnavailable: the disk refused; nothing of the batch is visible.
  absl::Status Write(ViewBatch batch);
  // Makes everything written so far survive a crash.
  absl::Status Flush();
  // Reads every file back and compares checksums. kDataLoss: names the file.
  absl::Status VerifyChecksums() const;

  // Rows that are not on disk yet, in bytes.
  uint64_t MemoryBytes() const;
  // Files, in bytes.
  uint64_t DiskBytes() const;

  // Removes a store, e.g. a damaged one, so that it is computed again. Requires: nobody has it open.
  static absl::Status Destroy(const std::string& directory);

 private:
  struct Rep;
  explicit ViewStore(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

// The smallest key after every key that begins with `prefix`. Requires: `prefix` has a byte below 0xff.
std::string PrefixEnd(absl::string_view prefix);

}  // namespace ledger::views
