#include "projections/runtime/view_keys.h"

#include <limits>

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;

void AppendNumber(uint64_t number, int bytes, std::string* key) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    key->push_back(static_cast<char>(number >> shift));
}

uint64_t ReadNumber(absl::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr size_t kTimeBytes = 12;

std::string Key(char first, storage::LedgerNumber ledger, ProjectionKind kind) {
  std::string key(1, first);
  AppendNumber(ledger, 4, &key);
  AppendNumber(static_cast<uint8_t>(kind), 1, &key);
  return key;
}

}  // namespace

std::string MetaKey(storage::LedgerNumber ledger, ProjectionKind kind) { return Key('m', ledger, kind); }

std::string CheckpointPrefix(storage::LedgerNumber ledger, ProjectionKind kind) {
  return Key('k', ledger, kind);
}

std::string CheckpointKey(storage::LedgerNumber ledger, ProjectionKind kind, uint32_t generation) {
  std::string key = CheckpointPrefix(ledger, kind);
  AppendNumber(generation, 4, &key);
  return key;
}

std::string RowPrefix(storage::LedgerNumber ledger, ProjectionKind kind) { return Key('g', ledger, kind); }

std::string RowPrefix(storage::LedgerNumber ledger, ProjectionKind kind, uint32_t generation) {
  std::string key = RowPrefix(ledger, kind);
  AppendNumber(generation, 4, &key);
  return key;
}

std::string CustomerSuffix(absl::string_view customer_id) {
  std::string key(1, kCustomerTable);
  AppendId(customer_id, &key);
  return key;
}

std::string OwnerSuffix(char table, const pb::Owner& owner) {
  std::string key(1, table);
  AppendOwner(owner, &key);
  return key;
}

void AppendId(absl::string_view id, std::string* key) {
  for (const char byte : id) {
    key->push_back(byte);
    if (byte == '\0') key->push_back('\xff');
  }
  key->push_back('\0');
  key->push_back('\x01');
}

void AppendTime(absl::Time time, std::string* key) {
  if (time == absl::InfiniteFuture()) {
    key->append(kTimeBytes, '\xff');
  } else if (time == absl::InfinitePast()) {
    key->append(kTimeBytes, '\0');
  } else {
    const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down
    AppendNumber(static_cast<uint64_t>(seconds) ^ kSignBit, 8, key);
    AppendNumber(static_cast<uint64_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))), 4,
                 key);
  }
}

void AppendOwner(const pb::Owner& owner, std::string* key) {
  switch (owner.owner_case()) {
    case pb::Owner::kStaffId:
      key->push_back('s');
      AppendId(owner.staff_id(), key);
      return;
    case pb::Owner::kUnitId:
      key->push_back('u');
      AppendId(owner.unit_id(), key);
      return;
    case pb::Owner::OWNER_NOT_SET:
      key->push_back('n');
      AppendId("", key);
      return;
  }
}

bool ConsumeId(absl::string_view* key, std::string* id) {
  id->clear();
  for (size_t i = 0; i + 1 < key->size(); ++i) {
    if ((*key)[i] != '\0') {
      id->push_back((*key)[i]);
      continue;
    }
    ++i;
    if ((*key)[i] == '\x01') {
      key->remove_prefix(i + 1);
      return true;
    }
    if ((*key)[i] != '\xff') return false;
    id->push_back('\0');
  }
  return false;
}

bool ConsumeTime(absl::string_view* key, absl::Time* time) {
  if (key->size() < kTimeBytes) return false;
  const uint64_t seconds = ReadNumber(key->substr(0, 8));
  const uint64_t nanos = ReadNumber(key->substr(8, 4));
  if (nanos == std::numeric_limits<uint32_t>::max()) {
    *time = absl::InfiniteFuture();
  } else if (seconds == 0) {
    *time = absl::InfinitePast();
  } else {
    *time = absl::FromUnixSeconds(static_cast<int64_t>(seconds ^ kSignBit)) +
            absl::Nanoseconds(static_cast<int64_t>(nanos));
  }
  key->remove_prefix(kTimeBytes);
  return true;
}

bool ConsumeOwner(absl::string_view* key, pb::Owner* owner) {
  if (key->empty()) return false;
  const char kind = key->front();
  key->remove_prefix(1);
  std::string id;
  if (!ConsumeId(key, &id)) return false;
  owner->Clear();
  if (kind == 's') {
    owner->set_staff_id(id);
  } else if (kind == 'u') {
    owner->set_unit_id(id);
  } else if (kind != 'n') {
    return false;
  }
  return true;
}

}  // namespace ledger::runtime
