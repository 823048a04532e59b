#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rocksdb/db.h"
#include "storage/rocksdb/head_file.h"

namespace ledger::storage {

// Checks a log opened read-only against its head: it reaches the head's commit with the head's hash; the commits since
// the last flush follow one another, and every event of theirs is there with its index, its request and its subjects'
// heads; the trees' roots agree. Reads only.
// kDataLoss: it does not; the message names ledgers and positions where it can.
absl::Status CheckOpen(rocksdb::DB& database, const HeadFile& head);

// The serialised frontier of a ledger's first `size` records, computed from tiles and records alone.
absl::StatusOr<std::string> FrontierFromRows(rocksdb::DB& database, LedgerNumber ledger, uint64_t size);

// Checks one record's row and everything that must stand beside it. `record` is set to the record's bytes.
// kDataLoss: with what is wrong, without the position.
absl::Status CheckRecordRows(rocksdb::DB& database, LedgerNumber ledger, uint64_t position,
                             std::string* record);

}  // namespace ledger::storage
