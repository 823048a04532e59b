#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/vault/vault.h"

// Work on whole data directories.
namespace ledger::storage {

// Copies the log, its head and the vault of a running server into `directory`, which must be empty, missing, or an
// earlier backup of the same data directory; unchanged table files are not copied again. The head is captured first, so
// that the copy of the log always reaches it. Views are not copied: they are rebuilt. Returns the commit it holds at
// least. Appends and reads go on.
// kInvalidArgument: `directory` is inside the data directory or not absolute. kAlreadyExists: it holds something else.
// kUnavailable: the disk refused.
absl::StatusOr<uint64_t> CreateBackup(RocksEventLog& log, vault::Vault& vault,
                                      const std::string& data_directory, const std::string& directory,
                                      const std::function<void(absl::string_view step)>& progress);

// Makes a data directory out of a backup: `to` must be empty or missing. Starts a new lineage and says so in every
// ledger's log, so that positions handed out before are never mistaken for these.
// kFailedPrecondition: `to` is not empty. kDataLoss: the backup is damaged. kNotFound: there is none.
absl::Status RestoreBackup(const std::string& from, const std::string& to,
                           const std::function<void(absl::string_view step)>& progress);

// Checks a data directory that no server has open: what a server checks when it starts, then every row of every ledger
// and every key. Calls `finding` for each thing that is wrong; returns how many there were.
// kUnavailable: a server has it open; ask that server instead.
absl::StatusOr<uint64_t> VerifyDirectory(
    const std::string& directory, const std::function<void(const std::string&)>& finding,
    const std::function<void(absl::string_view step, uint64_t done, uint64_t total)>& progress);

}  // namespace ledger::storage
