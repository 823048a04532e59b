#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/common.pb.h"
#include "projections/runtime/projection_kind.h"
#include "storage/event_log.h"

// Keys of the view store. All numbers are big-endian, so that keys sort as what they say:
//
//   'm' ledger:4 kind:1                         -> ProjectionMeta
//   'k' ledger:4 kind:1 generation:4            -> Checkpoint
//   'g' ledger:4 kind:1 generation:4 table ...  -> a row of that generation
//
// Tables, each key continued after the table's letter:
//
//   'c' customer                          -> ViewRow         every projection
//   'o' owner customer scope from         -> IntervalRow     owner: an owner's customers
//   'p' customer scope from               -> IntervalRow     owner: the pool
//   'd' due owner customer scope from     -> IntervalRow     callback: by time
//   'e' owner due customer scope from     -> IntervalRow     callback: by owner
//
// An id is its bytes with 00 written as 00 ff, closed by 00 01; an owner is 's' (staff), 'u' (unit) or 'n'
// (nobody) and its id; levels do not tell owners apart. An instant is its seconds since 1970 plus 2^63 in 8
// bytes and its nanoseconds in 4; before everything is all 00, after everything all ff.
namespace ledger::runtime {

inline constexpr char kCustomerTable = 'c';
inline constexpr char kOwnerTable = 'o';
inline constexpr char kPoolTable = 'p';
inline constexpr char kDueTable = 'd';
inline constexpr char kOwnerDueTable = 'e';

std::string MetaKey(storage::LedgerNumber ledger, ProjectionKind kind);
std::string CheckpointKey(storage::LedgerNumber ledger, ProjectionKind kind, uint32_t generation);
// What all checkpoints of a projection begin with.
std::string CheckpointPrefix(storage::LedgerNumber ledger, ProjectionKind kind);
// What all rows of a generation begin with, and of all generations.
std::string RowPrefix(storage::LedgerNumber ledger, ProjectionKind kind, uint32_t generation);
std::string RowPrefix(storage::LedgerNumber ledger, ProjectionKind kind);

// The rest of these keys stands after a RowPrefix.
std::string CustomerSuffix(absl::string_view customer_id);
// `table` and an owner, which all keys of that owner begin with.
std::string OwnerSuffix(char table, const customerledger::v1::Owner& owner);

void AppendId(absl::string_view id, std::string* key);
void AppendTime(absl::Time time, std::string* key);
void AppendOwner(const customerledger::v1::Owner& owner, std::string* key);

// Take what the Append functions wrote off the front. False: it is not there; the key is damaged.
bool ConsumeId(absl::string_view* key, std::string* id);
bool ConsumeTime(absl::string_view* key, absl::Time* time);
bool ConsumeOwner(absl::string_view* key, customerledger::v1::Owner* owner);

}  // namespace ledger::runtime
