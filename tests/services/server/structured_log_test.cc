#include "services/server/structured_log.h"

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

class StructuredLogTest : public ::testing::Test {
 protected:
  StructuredLog Make(LogLevel least) {
    return StructuredLog(
        least, [this](absl::string_view line) { lines_.emplace_back(line); }, [this] { return now_; });
  }

  absl::Time now_ = absl::FromUnixSeconds(0);
  std::vector<std::string> lines_;
};

TEST_F(StructuredLogTest, WritesOneJsonObjectALine) {
  StructuredLog log = Make(LogLevel::kInfo);
  log.Write(LogLevel::kInfo, "serving", {{"address", "a\"b\\c\nd\x01"}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0],
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\",\"message\":\"serving\","
            "\"fields\":{\"address\":\"a\\\"b\\\\c\\nd\\u0001\"}}\n");
}

TEST_F(StructuredLogTest, DropsWhatIsBelowItsLevel) {
  StructuredLog log = Make(LogLevel::kWarning);
  log.Write(LogLevel::kInfo, "quiet");
  log.Write(LogLevel::kError, "loud");
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_NE(lines_[0].find("loud"), std::string::npos);
}

TEST_F(StructuredLogTest, AFloodIsCountedNotWritten) {
  StructuredLog log = Make(LogLevel::kInfo);
  for (uint64_t i = 0; i < StructuredLog::kLinesOfWindow + 5; ++i) log.Write(LogLevel::kInfo, "again");
  EXPECT_EQ(lines_.size(), StructuredLog::kLinesOfWindow);
  log.Write(LogLevel::kInfo, "something else");
  EXPECT_EQ(lines_.size(), StructuredLog::kLinesOfWindow + 1);
  now_ += StructuredLog::kWindow;
  log.Write(LogLevel::kInfo, "again");
  EXPECT_NE(lines_.back().find("\"left_out\":\"5\""), std::string::npos) << lines_.back();
}

TEST_F(StructuredLogTest, KnowsItsLevelsByName) {
  EXPECT_EQ(LogLevelByName("error"), LogLevel::kError);
  EXPECT_EQ(LogLevelByName("loud"), std::nullopt);
}

}  // namespace
}  // namespace ledger::services
