#include "storage/merkle/frontier.h"

#include <bit>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace ledger::merkle {
namespace {

constexpr size_t kSizeBytes = 8;

}  // namespace

void Frontier::Push(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing 1 bit of the old size is a perfect subtree as large as the one at hand: the two become one.
  for (uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = InnerHash(roots_.back(), hash);
    roots_.pop_back();
  }
  roots_.push_back(hash);
  ++size_;
}

Hash Frontier::Root() const {
  if (roots_.empty()) return EmptyRoot();
  Hash root = roots_.back();
  for (auto left = roots_.rbegin() + 1; left != roots_.rend(); ++left) root = InnerHash(*left, root);
  return root;
}

std::string Frontier::Serialize() const {
  std::string bytes;
  bytes.reserve(kSizeBytes + roots_.size() * kHashBytes);
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(size_ >> shift));
  for (const Hash& root : roots_) absl::StrAppend(&bytes, AsBytes(root));
  return bytes;
}

absl::StatusOr<Frontier> Frontier::Parse(absl::string_view bytes) {
  if (bytes.size() < kSizeBytes) {
    return absl::DataLossError(absl::StrCat("a frontier has at least 8 bytes, not ", bytes.size()));
  }
  Frontier frontier;
  for (size_t i = 0; i < kSizeBytes; ++i) {
    frontier.size_ = (frontier.size_ << 8) | static_cast<uint8_t>(bytes[i]);
  }
  const size_t expected = kSizeBytes + std::popcount(frontier.size_) * kHashBytes;
  if (bytes.size() != expected) {
    return absl::DataLossError(absl::StrCat("the frontier of ", frontier.size_, " leaves has ", expected,
                                            " bytes, not ", bytes.size()));
  }
  for (size_t at = kSizeBytes; at < bytes.size(); at += kHashBytes) {
    LEDGER_ASSIGN_OR_RETURN(Hash root, HashFromBytes(bytes.substr(at, kHashBytes)));
    frontier.roots_.push_back(root);
  }
  return frontier;
}

}  // namespace ledger::merkle
