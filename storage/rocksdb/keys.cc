#include "storage/rocksdb/keys.h"

namespace ledger::storage::keys {
namespace {

void AppendBigEndian(std::string& out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::string Start(char kind, LedgerNumber ledger, size_t more) {
  std::string key;
  key.reserve(5 + more);
  key.push_back(kind);
  AppendBigEndian(key, ledger, 4);
  return key;
}

std::string Positioned(char kind, LedgerNumber ledger, uint64_t position) {
  std::string key = Start(kind, ledger, 8);
  AppendBigEndian(key, position, 8);
  return key;
}

std::string Named(char kind, LedgerNumber ledger, absl::string_view name) {
  std::string key = Start(kind, ledger, name.size());
  key.append(name.data(), name.size());
  return key;
}

}  // namespace

std::string Record(LedgerNumber ledger, uint64_t position) { return Positioned('e', ledger, position); }
std::string Ciphertext(LedgerNumber ledger, uint64_t position) { return Positioned('p', ledger, position); }

std::string SubjectIndex(LedgerNumber ledger, const SubjectKey& subject, uint64_t version) {
  std::string key = Start('i', ledger, subject.id.size() + 10);
  key.push_back(static_cast<char>(subject.kind));
  key.push_back(static_cast<char>(subject.id.size()));
  key += subject.id;
  AppendBigEndian(key, version, 8);
  return key;
}

std::string SubjectKindPrefix(LedgerNumber ledger, customerledger::v1::SubjectKind kind) {
  std::string key = Start('s', ledger, 1);
  key.push_back(static_cast<char>(kind));
  return key;
}

std::string Subject(LedgerNumber ledger, const SubjectKey& subject) {
  return SubjectKindPrefix(ledger, subject.kind) + subject.id;
}

std::string Request(LedgerNumber ledger, absl::string_view hash) { return Named('q', ledger, hash); }
std::string Producer(LedgerNumber ledger, absl::string_view producer) { return Named('u', ledger, producer); }

std::string Tile(LedgerNumber ledger, uint32_t level, uint64_t index) {
  std::string key = Start('t', ledger, 9);
  key.push_back(static_cast<char>(level));
  AppendBigEndian(key, index, 8);
  return key;
}

std::string Tip(LedgerNumber ledger) { return Start('m', ledger, 0); }
std::string Ledger(LedgerNumber ledger) { return Start('l', ledger, 0); }
std::string LedgerName(absl::string_view name) { return "n" + std::string(name); }
std::string Commit(uint64_t number) { return "k" + EncodeNumber(number); }
std::string Global() { return "g"; }

uint64_t TrailingNumber(absl::string_view bytes) {
  uint64_t value = 0;
  for (char c : bytes.substr(bytes.size() - 8)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string EncodeNumber(uint64_t number) {
  std::string out;
  AppendBigEndian(out, number, 8);
  return out;
}

std::string EncodeLedger(LedgerNumber ledger) {
  std::string out;
  AppendBigEndian(out, ledger, 4);
  return out;
}

LedgerNumber DecodeLedger(absl::string_view bytes) {
  if (bytes.size() < 4) return 0;
  LedgerNumber value = 0;
  for (char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace ledger::storage::keys
