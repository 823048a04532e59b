#include "storage/merkle/hash.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace ledger::merkle {
namespace {

TEST(HashTest, KnownValues) {
  EXPECT_EQ(ToHex(EmptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(LeafHash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(HashTest, LeafAndInnerArePrefixedAndInOrder) {
  const Hash a = LeafHash("a");
  const Hash b = LeafHash("b");
  EXPECT_EQ(a, Sha256(std::string("\0a", 2)));
  std::string node(1, '\x01');
  node.append(a.begin(), a.end());
  node.append(b.begin(), b.end());
  EXPECT_EQ(InnerHash(a, b), Sha256(node));
  EXPECT_NE(InnerHash(a, b), InnerHash(b, a));
}

TEST(HashTest, PartsHashAsOne) {
  const std::string large(100'000, 'x');
  EXPECT_EQ(Sha256({"ab", "", "c"}), Sha256("abc"));
  EXPECT_EQ(Sha256({"", large}), Sha256(large));
}

TEST(HashTest, HexAndBytesComeBack) {
  const Hash hash = LeafHash("x");
  EXPECT_EQ(HashFromHex(ToHex(hash)).value(), hash);
  EXPECT_EQ(HashFromBytes(AsBytes(hash)).value(), hash);
  EXPECT_EQ(HashFromHex("00").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(HashFromHex(std::string(64, 'g')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(HashFromBytes(AsBytes(hash).substr(1)).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ledger::merkle
