#include "projections/rules/credit/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "projections/rules/mechanism.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

int64_t Sum(const std::vector<HolderShare>& shares) {
  return std::accumulate(shares.begin(), shares.end(), int64_t{0},
                         [](int64_t sum, const HolderShare& share) { return sum + share.amount; });
}

TEST(SplitTest, TheRestGoesToTheMainHolder) {
  std::vector<HolderShare> shares;
  AddShare(Staff("a"), 5'000, 3, &shares);
  AddShare(Staff("b"), 2'500, 1, &shares);
  AddShare(Staff("c"), 2'500, 2, &shares);
  SplitMoney(1'000'101, Staff("a"), &shares);
  EXPECT_EQ(shares[0].amount, 500'051);
  EXPECT_EQ(shares[1].amount, 250'025);
  EXPECT_EQ(shares[2].amount, 250'025);
}

TEST(SplitTest, AMainHolderWithoutAShareStillGetsTheRest) {
  std::vector<HolderShare> shares;
  AddShare(Staff("t"), 3'333, 1, &shares);
  AddShare(Staff("u"), 6'667, 2, &shares);
  SplitMoney(1, Staff("m"), &shares);
  ASSERT_EQ(shares.size(), 3u);
  EXPECT_EQ(shares[2].amount, 1);
  EXPECT_EQ(shares[2].basis_points, 0);
}

TEST(SplitTest, WhatNobodyHoldsIsGivenToNobody) {
  std::vector<HolderShare> shares;
  AddShare(Staff("a"), 2'500, 1, &shares);
  AddShare(Staff("b"), 2'500, 2, &shares);
  SplitMoney(1'003, Staff("a"), &shares);
  EXPECT_EQ(Sum(shares), 501);
  EXPECT_EQ(shares[0].amount, 251);
}

TEST(SplitTest, SharesOfOneHolderAreOne) {
  std::vector<HolderShare> shares;
  AddShare(Staff("a"), 8'000, 9, &shares);
  AddShare(Staff("a"), 2'000, 4, &shares);
  ASSERT_EQ(shares.size(), 1u);
  EXPECT_EQ(shares[0].basis_points, 10'000);
  EXPECT_EQ(shares[0].since, 4);
}

TEST(SplitTest, EqualSharesStandInTheOrderOfTheirReceptions) {
  std::vector<HolderShare> shares;
  AddShare(Staff("late"), 5'000, 8, &shares);
  AddShare(Staff("early"), 5'000, 2, &shares);
  SortShares(&shares);
  EXPECT_EQ(shares[0].holder.staff_id(), "early");
}

TEST(SplitTest, AThirdIsWholeBasisPoints) {
  EXPECT_THAT(DivideEqually(5'000, 3), ::testing::ElementsAre(1'668, 1'666, 1'666));
  EXPECT_THAT(DivideEqually(5'000, 0), ::testing::IsEmpty());
}

TEST(SplitTest, NothingIsLostWhateverTheAmount) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<HolderShare> shares;
    int32_t left = kAllBasisPoints;
    for (int i = 0; left > 0 && i < 6; ++i) {
      const int32_t part = i == 5 ? left : static_cast<int32_t>(random() % static_cast<uint64_t>(left + 1));
      AddShare(Staff(std::string(1, static_cast<char>('a' + i))), part, i, &shares);
      left -= part;
    }
    AddShare(Staff("z"), left, 9, &shares);
    SortShares(&shares);
    const int64_t amount = static_cast<int64_t>(random());  // also returns, and the largest there are
    SplitMoney(amount, shares.front().holder, &shares);
    ASSERT_EQ(Sum(shares), amount);
  }
}

}  // namespace
}  // namespace ledger::rules::testing
