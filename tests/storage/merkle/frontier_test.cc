#include "storage/merkle/frontier.h"

#include <bit>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/storage/merkle/naive_tree.h"

namespace ledger::merkle {
namespace {

TEST(FrontierTest, RootEqualsTheDefinitionAtEverySize) {
  const std::vector<Hash> leaves = RandomLeaves(1, 600);
  Frontier frontier;
  for (size_t size = 0; size <= leaves.size(); ++size) {
    ASSERT_EQ(frontier.size(), size);
    ASSERT_EQ(frontier.Root(), NaiveRoot(leaves.data(), size)) << size;
    if (size < leaves.size()) frontier.Push(leaves[size]);
  }
}

TEST(FrontierTest, RootEqualsTheDefinitionAtRandomSizes) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 10; ++round) {
    const std::vector<Hash> leaves = RandomLeaves(random(), random() % 20'000);
    Frontier frontier;
    for (const Hash& leaf : leaves) frontier.Push(leaf);
    ASSERT_EQ(frontier.Root(), NaiveRoot(leaves)) << leaves.size() << " leaves";
  }
}

// The eight leaves and the root that implementations of RFC 6962 commonly test with.
TEST(FrontierTest, KnownTreeOfEight) {
  const std::vector<std::string> records = {
      "",
      std::string("\0", 1),
      "\x10",
      "\x20\x21",
      "\x30\x31",
      "\x40\x41\x42\x43",
      "\x50\x51\x52\x53\x54\x55\x56\x57",
      "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
  Frontier frontier;
  for (const std::string& record : records) frontier.Push(LeafHash(record));
  EXPECT_EQ(ToHex(frontier.Root()), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST(FrontierTest, ResumesFromItsBytesAtEverySize) {
  const std::vector<Hash> leaves = RandomLeaves(2, 300);
  Frontier whole;
  for (const Hash& leaf : leaves) whole.Push(leaf);
  Frontier growing;
  for (size_t size = 0; size <= leaves.size(); ++size) {
    const std::string bytes = growing.Serialize();
    ASSERT_EQ(bytes.size(), 8 + 32 * std::popcount(size));
    absl::StatusOr<Frontier> resumed = Frontier::Parse(bytes);
    ASSERT_TRUE(resumed.ok()) << resumed.status();
    ASSERT_EQ(*resumed, growing);
    for (size_t i = size; i < leaves.size(); ++i) resumed->Push(leaves[i]);
    ASSERT_EQ(resumed->Root(), whole.Root()) << size;
    if (size < leaves.size()) growing.Push(leaves[size]);
  }
}

TEST(FrontierTest, BytesOfAnotherLengthAreRefused) {
  Frontier frontier;
  for (const Hash& leaf : RandomLeaves(3, 7)) frontier.Push(leaf);
  const std::string bytes = frontier.Serialize();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(Frontier::Parse(bytes.substr(0, length)).status().code(), absl::StatusCode::kDataLoss)
        << length;
  }
  EXPECT_EQ(Frontier::Parse(bytes + "x").status().code(), absl::StatusCode::kDataLoss);
  std::string other_size = bytes;
  other_size[7] = 15;
  EXPECT_EQ(Frontier::Parse(other_size).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ledger::merkle
