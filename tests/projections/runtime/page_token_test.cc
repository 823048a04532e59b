#include "projections/runtime/page_token.h"

#include <gtest/gtest.h>

namespace ledger::runtime {
namespace {

TEST(PageTokenTest, ComesBack) {
  const absl::Time at = absl::FromUnixSeconds(-5) + absl::Nanoseconds(7);
  const auto place = ParsePageToken("question", MakePageToken("question", {std::string("a\0b", 3), at}));
  ASSERT_TRUE(place.ok()) << place.status();
  EXPECT_EQ(place->after_key, std::string("a\0b", 3));
  EXPECT_EQ(place->instant, at);
}

TEST(PageTokenTest, RefusesOtherQuestionsAndRubbish) {
  const std::string token = MakePageToken("question", {"key", absl::UnixEpoch()});
  EXPECT_EQ(ParsePageToken("another", token).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParsePageToken("question", "!!").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ParsePageToken("question", "AAAA").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ledger::runtime
