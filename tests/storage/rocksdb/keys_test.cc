#include "storage/rocksdb/keys.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ledger::storage {
namespace {

namespace pb = ::customerledger::v1;

SubjectKey Customer(const std::string& id) { return {pb::SUBJECT_KIND_CUSTOMER, id}; }

TEST(KeysTest, AreTheDocumentedBytes) {
  EXPECT_EQ(keys::Record(0x01020304, 5), std::string("e\x01\x02\x03\x04\0\0\0\0\0\0\0\x05", 13));
  EXPECT_EQ(keys::Ciphertext(1, 2), std::string("p\0\0\0\x01\0\0\0\0\0\0\0\x02", 13));
  EXPECT_EQ(keys::SubjectIndex(1, Customer("ab"), 3), std::string("i\0\0\0\x01\x01\x02"
                                                                  "ab\0\0\0\0\0\0\0\x03",
                                                                  17));
  EXPECT_EQ(keys::Subject(1, Customer("ab")), std::string("s\0\0\0\x01\x01"
                                                          "ab",
                                                          8));
  EXPECT_EQ(keys::Tile(1, 2, 3), std::string("t\0\0\0\x01\x02\0\0\0\0\0\0\0\x03", 14));
  EXPECT_EQ(keys::Tip(1), std::string("m\0\0\0\x01", 5));
  EXPECT_EQ(keys::Ledger(1), std::string("l\0\0\0\x01", 5));
  EXPECT_EQ(keys::LedgerName("north"), "nnorth");
  EXPECT_EQ(keys::Commit(258), std::string("k\0\0\0\0\0\0\x01\x02", 9));
  EXPECT_EQ(keys::Global(), "g");
}

TEST(KeysTest, SortByPositionAcrossEveryByteBoundary) {
  const std::vector<uint64_t> positions = {0,
                                           1,
                                           255,
                                           256,
                                           65535,
                                           65536,
                                           uint64_t{1} << 32,
                                           (uint64_t{1} << 63) - 1,
                                           uint64_t{1} << 63,
                                           std::numeric_limits<uint64_t>::max()};
  for (size_t i = 0; i < positions.size(); ++i) {
    const std::string key = keys::Record(7, positions[i]);
    EXPECT_EQ(keys::TrailingNumber(key), positions[i]);
    if (i > 0) {
      EXPECT_LT(keys::Record(7, positions[i - 1]), key);
    }
    EXPECT_LT(key, keys::Record(8, 0));
  }
}

TEST(KeysTest, OfOneSubjectNeverLieWithinAnothers) {
  // One id is the prefix of the other; without the length, version bytes of the first could spell the second.
  const std::string short_prefix = keys::SubjectIndex(1, Customer("a"), 0).substr(0, 8);
  const std::string long_prefix = keys::SubjectIndex(1, Customer(std::string("a\0", 2)), 0).substr(0, 9);
  EXPECT_NE(long_prefix.substr(0, short_prefix.size()), short_prefix);
}

TEST(KeysTest, OfDifferentKindsAndLedgersDiffer) {
  std::set<std::string> all;
  size_t count = 0;
  for (LedgerNumber ledger : {1u, 2u, 256u, 0xffffffffu}) {
    for (const std::string& key :
         {keys::Record(ledger, 1), keys::Ciphertext(ledger, 1), keys::SubjectIndex(ledger, Customer("x"), 1),
          keys::SubjectIndex(ledger, {pb::SUBJECT_KIND_STAFF, "x"}, 1), keys::Subject(ledger, Customer("x")),
          keys::Subject(ledger, {pb::SUBJECT_KIND_STAFF, "x"}), keys::Request(ledger, "x"),
          keys::Producer(ledger, "x"), keys::Tile(ledger, 0, 1), keys::Tile(ledger, 1, 0), keys::Tip(ledger),
          keys::Ledger(ledger)}) {
      all.insert(key);
      ++count;
    }
  }
  EXPECT_EQ(all.size(), count);
}

TEST(KeysTest, LedgerNumbersComeBack) {
  for (LedgerNumber ledger : {0u, 1u, 255u, 256u, 0xffffffffu}) {
    EXPECT_EQ(keys::DecodeLedger(keys::EncodeLedger(ledger)), ledger);
  }
  EXPECT_EQ(keys::DecodeLedger("abc"), 0u);
}

}  // namespace
}  // namespace ledger::storage
