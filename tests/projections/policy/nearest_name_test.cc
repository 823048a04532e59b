#include "projections/policy/nearest_name.h"

#include <gtest/gtest.h>

namespace ledger::policy {
namespace {

TEST(NearestNameTest, SlipsOfThePen) {
  const std::vector<std::string> names = {"lapse", "pool", "phone_region", "hand_over"};
  EXPECT_EQ(NearestName("lapses", names), "lapse");
  EXPECT_EQ(NearestName("pol", names), "pool");
  EXPECT_EQ(NearestName("phone_regoin", names), "phone_region");
  EXPECT_EQ(NearestName("handover", names), "hand_over");
}

TEST(NearestNameTest, NothingNear) {
  EXPECT_EQ(NearestName("colour", {"lapse", "pool"}), "");
  EXPECT_EQ(NearestName("", {"lapse"}), "");
  EXPECT_EQ(NearestName("lapse", {}), "");
  EXPECT_EQ(NearestName(std::string(1000, 'a'), {std::string(1000, 'a')}), "");
}

TEST(NearestNameTest, TheFirstOfSeveral) { EXPECT_EQ(NearestName("ab", {"ac", "ad"}), "ac"); }

}  // namespace
}  // namespace ledger::policy
