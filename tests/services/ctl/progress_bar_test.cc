#include "services/ctl/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace ledger::ctl {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ProgressBarTest : public ::testing::Test {
 protected:
  std::function<absl::Time()> Clock() {
    return [this] { return now_; };
  }
  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  std::ostringstream out_;
};

TEST_F(ProgressBarTest, ShortWorkElsewhereThanOnATerminalPrintsNothing) {
  {
    ProgressBar bar(out_, /*is_terminal=*/false, "importing", Clock());
    bar.Update(1, 2);
    now_ += absl::Milliseconds(1999);
    bar.Update(2, 2);
  }
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ProgressBarTest, LongWorkPrintsALineEveryTwoSeconds) {
  ProgressBar bar(out_, /*is_terminal=*/false, "importing", Clock());
  for (int second = 1; second <= 5; ++second) {
    now_ += absl::Seconds(1);
    bar.Update(second, 5);
  }
  EXPECT_EQ(out_.str(), "importing  40%  2 of 5  1/s\nimporting  80%  4 of 5  1/s\n");
  bar.Finish();
  bar.Finish();
  EXPECT_THAT(out_.str(), EndsWith("importing 100%  5 of 5  1/s\n"));
}

TEST_F(ProgressBarTest, ATerminalRedrawsOneLine) {
  ProgressBar bar(out_, /*is_terminal=*/true, "rebuilding", Clock());
  bar.Update(1, 2);
  EXPECT_THAT(out_.str(), StartsWith("\rrebuilding [###############...............]  50%  1 of 2"));
  now_ += absl::Milliseconds(50);
  const size_t drawn = out_.str().size();
  bar.Update(2, 2);
  EXPECT_EQ(out_.str().size(), drawn);  // too soon to be worth it
  bar.Finish();
  EXPECT_THAT(out_.str(), HasSubstr("100%  2 of 2"));
  EXPECT_THAT(out_.str(), EndsWith("\n"));
}

TEST_F(ProgressBarTest, HugeAndUnknownTotals) {
  ProgressBar bar(out_, /*is_terminal=*/true, "x", Clock());
  bar.Update(UINT64_MAX, UINT64_MAX);
  EXPECT_THAT(out_.str(), HasSubstr("100%"));
  now_ += absl::Seconds(1);
  bar.Update(7, 0);
  EXPECT_THAT(out_.str(), HasSubstr("\rx 7\x1b[K"));
}

}  // namespace
}  // namespace ledger::ctl
