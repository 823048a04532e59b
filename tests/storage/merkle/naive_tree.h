#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "storage/merkle/hash.h"

namespace ledger::merkle {

// The tree head of RFC 6962, section 2.1, word for word: slow, and shares nothing with Frontier.
inline Hash NaiveRoot(const Hash* leaves, size_t count) {
  if (count == 0) return Sha256("");
  if (count == 1) return leaves[0];
  size_t split = 1;  // the largest power of two below `count`
  while (split * 2 < count) split *= 2;
  const Hash left = NaiveRoot(leaves, split);
  const Hash right = NaiveRoot(leaves + split, count - split);
  std::string node(1, '\x01');
  node.append(left.begin(), left.end());
  node.append(right.begin(), right.end());
  return Sha256(node);
}

inline Hash NaiveRoot(const std::vector<Hash>& leaves) { return NaiveRoot(leaves.data(), leaves.size()); }

inline std::vector<Hash> RandomLeaves(uint64_t seed, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<Hash> leaves(count);
  for (Hash& leaf : leaves) {
    for (uint8_t& byte : leaf) byte = static_cast<uint8_t>(random());
  }
  return leaves;
}

}  // namespace ledger::merkle
