#include "services/ctl/import/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ctl/import/limits.h"

namespace ledger::ctl {
namespace {

using ::testing::ElementsAre;

std::vector<Line> Lines(const std::string& bytes) {
  const auto source = OpenMemory(bytes);
  LineReader reader(source.get());
  std::vector<Line> lines;
  Line line;
  while (reader.Next(&line).value()) lines.push_back(line);
  return lines;
}

std::vector<std::string> Texts(const std::string& bytes) {
  std::vector<std::string> texts;
  for (const Line& line : Lines(bytes)) texts.push_back(line.text);
  return texts;
}

TEST(LineReaderTest, TakesEitherLineEndAndNoneAtTheEnd) {
  EXPECT_THAT(Texts("a\nb\r\nc"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Texts("a\n\r\n\nb\n"), ElementsAre("a", "", "", "b"));
  EXPECT_THAT(Texts(""), ElementsAre());
}

TEST(LineReaderTest, PassesOverAByteOrderMarkAtTheStartOnly) {
  EXPECT_THAT(Texts("\xEF\xBB\xBFx\n\xEF\xBB\xBFy"), ElementsAre("x", "\xEF\xBB\xBFy"));
}

TEST(LineReaderTest, PassesOverALineBeyondTheLimitAndKeepsCounting) {
  const std::string longest(kLineBytesMax, 'x');
  const std::vector<Line> lines = Lines(longest + "\r\n" + longest + "x\n" + longest + longest + "\nend\n");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_FALSE(lines[0].too_long);
  EXPECT_EQ(lines[0].text.size(), kLineBytesMax);
  EXPECT_TRUE(lines[1].too_long);
  EXPECT_TRUE(lines[2].too_long);
  EXPECT_EQ(lines[3].text, "end");
  EXPECT_EQ(lines[3].number, 4U);
}

}  // namespace
}  // namespace ledger::ctl
