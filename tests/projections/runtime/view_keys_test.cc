#include "projections/runtime/view_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ledger::runtime {
namespace {

TEST(ViewKeysTest, IdsComeBackAndSortAsThemselves) {
  const std::vector<std::string> ids = {
      "",    std::string("\0", 1), std::string("\0a", 2), "a", std::string("a\0b", 3), "a\x01", "aa", "b",
      "\xff"};
  std::string last;
  for (const std::string& id : ids) {
    std::string key;
    AppendId(id, &key);
    EXPECT_LT(last, key);
    last = key;
    key += "rest";
    absl::string_view rest = key;
    std::string back;
    ASSERT_TRUE(ConsumeId(&rest, &back));
    EXPECT_EQ(back, id);
    EXPECT_EQ(std::string(rest), "rest");
  }
}

TEST(ViewKeysTest, TimesComeBackAndSortAsThemselves) {
  const std::vector<absl::Time> times = {absl::InfinitePast(),
                                         absl::FromUnixSeconds(-2208988800),
                                         absl::FromUnixSeconds(-1) + absl::Milliseconds(5),
                                         absl::UnixEpoch(),
                                         absl::UnixEpoch() + absl::Nanoseconds(1),
                                         absl::FromUnixSeconds(7258118400),
                                         absl::InfiniteFuture()};
  std::string last;
  for (const absl::Time time : times) {
    std::string key;
    AppendTime(time, &key);
    EXPECT_LT(last, key);
    last = key;
    absl::string_view rest = key;
    absl::Time back;
    ASSERT_TRUE(ConsumeTime(&rest, &back));
    EXPECT_EQ(back, time);
  }
}

TEST(ViewKeysTest, RefusesCutKeys) {
  absl::string_view cut("abc");
  std::string id;
  EXPECT_FALSE(ConsumeId(&cut, &id));
  absl::Time time;
  EXPECT_FALSE(ConsumeTime(&cut, &time));
  customerledger::v1::Owner owner;
  absl::string_view unknown("xabc\0\1", 6);
  EXPECT_FALSE(ConsumeOwner(&unknown, &owner));
}

TEST(ViewKeysTest, LedgersAndGenerationsDoNotOverlap) {
  const std::string a = RowPrefix(1, ProjectionKind::kOwner, 1);
  EXPECT_NE(a, RowPrefix(2, ProjectionKind::kOwner, 1));
  EXPECT_NE(a, RowPrefix(1, ProjectionKind::kTier, 1));
  EXPECT_NE(a, RowPrefix(1, ProjectionKind::kOwner, 2));
  EXPECT_EQ(a.size(), RowPrefix(2, ProjectionKind::kTier, 256).size());
}

}  // namespace
}  // namespace ledger::runtime
