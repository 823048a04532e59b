#include "services/ctl/output/wrap.h"

#include <gtest/gtest.h>

namespace ledger::ctl {
namespace {

TEST(WrapTest, BreaksAtSpaces) {
  EXPECT_EQ(Wrapped("- ", "one two three", 9), "- one two\n  three\n");
  EXPECT_EQ(Wrapped("- ", "one two three", 100), "- one two three\n");
  EXPECT_EQ(Wrapped("", "", 10), "\n");
}

TEST(WrapTest, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(Wrapped("", "一二 三四", 8), "一二\n三四\n");
  EXPECT_EQ(Wrapped("", "一二三四五", 4), "一二\n三四\n五\n");
}

TEST(WrapTest, AWordThatFitsNowhereIsBroken) {
  EXPECT_EQ(Wrapped("- ", "a bcdefgh i", 5), "- a\n  bcd\n  efg\n  h i\n");
}

TEST(WrapTest, ControlCharactersAreShown) { EXPECT_EQ(Wrapped("", "a\tb", 10), "a\\u0009b\n"); }

}  // namespace
}  // namespace ledger::ctl
