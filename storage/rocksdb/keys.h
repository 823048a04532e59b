#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/event_log.h"

// The keys of the log's database. Every key begins with one letter that names its kind; numbers are big-endian, so
// that keys sort by them. L is the ledger's number (4 bytes), P a position (8), V a version (8).
//
//   e L P              record: CRC-32 of the record (4 bytes, little-endian), then the serialised Record
//   p L P              ciphertext of the record's personal data
//   i L kind n id V    position (8) of the subject's event; n is the id's length (1), kind the SubjectKind (1)
//   s L kind id        SubjectRow
//   q L hash           the answer to a request; hash is 32 bytes
//   u L producer       ProducerRow
//   t L level index    a full tile of the Merkle tree; level (1), index (8); 8,192 bytes
//   m L                TipRow
//   l L                LedgerRow
//   n name             the ledger's number (4)
//   k C                CommitRow; C is the commit's number (8)
//   g                  GlobalRow
namespace ledger::storage::keys {

std::string Record(LedgerNumber ledger, uint64_t position);
std::string Ciphertext(LedgerNumber ledger, uint64_t position);
std::string SubjectIndex(LedgerNumber ledger, const SubjectKey& subject, uint64_t version);
std::string Subject(LedgerNumber ledger, const SubjectKey& subject);
// All subjects of a kind begin with this.
std::string SubjectKindPrefix(LedgerNumber ledger, customerledger::v1::SubjectKind kind);
std::string Request(LedgerNumber ledger, absl::string_view hash);
std::string Producer(LedgerNumber ledger, absl::string_view producer);
std::string Tile(LedgerNumber ledger, uint32_t level, uint64_t index);
std::string Tip(LedgerNumber ledger);
std::string Ledger(LedgerNumber ledger);
std::string LedgerName(absl::string_view name);
std::string Commit(uint64_t number);
std::string Global();

// The number in the last 8 bytes of a key or value. Requires: there are as many.
uint64_t TrailingNumber(absl::string_view bytes);
std::string EncodeNumber(uint64_t number);           // 8 bytes
std::string EncodeLedger(LedgerNumber ledger);       // 4 bytes
LedgerNumber DecodeLedger(absl::string_view bytes);  // of the first 4 bytes; 0 if there are fewer

}  // namespace ledger::storage::keys
