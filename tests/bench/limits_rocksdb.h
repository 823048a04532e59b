#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// RocksDB without a ledger on top of it, opened exactly as the ledger's log is: the same checks, filters and buffers.
namespace ledger::bench {

struct Row {
  std::string key;
  std::string value;
};
using Rows = std::vector<Row>;

// What a data directory's log holds, put back into the order in which it was written.
struct LoggedRows {
  // For each ledger, the rows of so many events each: records, subject index, subjects' states (once for each subject
  // of a batch), answers to requests, tiles.
  std::vector<std::vector<Rows>> ledgers;
  // What every commit writes besides: the commit, the tip of a ledger, the database's row.
  Rows each_commit;
};

// Reads a stopped server's log. Events up to `skip_positions` of each ledger are left out.
absl::StatusOr<LoggedRows> ReadLoggedRows(const std::string& data_directory, uint64_t events_per_batch,
                                          uint64_t skip_positions);

// One write's rows. Not thread-safe.
class BareBatch {
 public:
  BareBatch();
  ~BareBatch();
  // Rows that begin with a kind and a ledger's number get `ledger` as that number, so that the same rows can be written
  // again and again under new keys.
  void PutAs(uint32_t ledger, const Rows& rows);
  // As they are.
  void Put(const Rows& rows);

 private:
  friend class BareLog;
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

// A database that is only written, with a sync for each write. Thread-safe.
class BareLog {
 public:
  static absl::StatusOr<std::unique_ptr<BareLog>> Create(const std::string& directory);
  ~BareLog();
  // Durable when it returns; `batch` is empty then.
  absl::Status Write(BareBatch& batch);

 private:
  struct Rep;
  explicit BareLog(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

// Reads the record rows of a stopped server's log, block checksums on. Not thread-safe.
class BareScan {
 public:
  struct Result {
    uint64_t events = 0;
    uint64_t bytes = 0;  // of the records, as serialised
  };
  static absl::StatusOr<std::unique_ptr<BareScan>> Open(const std::string& data_directory);
  ~BareScan();
  absl::StatusOr<Result> Scan();

 private:
  struct Rep;
  explicit BareScan(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

}  // namespace ledger::bench
