#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/merkle/hash.h"

namespace ledger::merkle {

// The growing edge of a tree: its size and the roots of its perfect subtrees, which is all that appending and
// the root need. A value; at most 64 hashes.
class Frontier {
 public:
  // The empty tree.
  Frontier() = default;

  // The number of leaves.
  uint64_t size() const { return size_; }

  // Appends a leaf: one inner hash on average.
  void Push(const Hash& leaf);

  // The root over all leaves; EmptyRoot() if there are none.
  Hash Root() const;

  // Size as 8 bytes big-endian, then 32 bytes for each 1 bit of the size, the largest subtree first. The
  // bytes carry no checksum: whoever stores them checks them, e.g. against a known root.
  std::string Serialize() const;

  // kDataLoss: the length does not fit the size that the bytes name.
  static absl::StatusOr<Frontier> Parse(absl::string_view bytes);

  friend bool operator==(const Frontier&, const Frontier&) = default;

 private:
  uint64_t size_ = 0;
  std::vector<Hash> roots_;  // of the perfect subtrees, the largest first
};

}  // namespace ledger::merkle
