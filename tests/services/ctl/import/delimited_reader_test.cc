#include "services/ctl/import/delimited_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ctl/import/limits.h"
#include "tests/services/ctl/import/import_testing.h"

namespace ledger::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ReadResult Read(const std::string& bytes, DelimitedFormat format = {}) {
  return ReadAll(OpenMemory(bytes), [&](std::unique_ptr<ByteSource> source, BadRecordSink bad) {
    return std::make_unique<DelimitedReader>(std::move(source), format, std::move(bad));
  });
}

DelimitedFormat Blank() {
  DelimitedFormat format;
  format.separator = 0;
  return format;
}

TEST(DelimitedReaderTest, ReadsQuotesSeparatorsAndLineEndsInsideFields) {
  const ReadResult read = Read("id,text\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n2,\r\n\"3\",\"\"\n");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("id"), ElementsAre("1", "2", "3"));
  EXPECT_THAT(read.Column("text"), ElementsAre("a, \"b\"\nc", "", ""));
  EXPECT_TRUE(read.bad.empty());
  EXPECT_EQ(read.records[1].number, 2U);
  EXPECT_EQ(read.records[1].line, 4U);
}

TEST(DelimitedReaderTest, TakesOtherSeparatorsAndGivenColumns) {
  DelimitedFormat format;
  format.separator = ';';
  format.has_header = false;
  format.columns = {"a", "b"};
  EXPECT_THAT(Read("1;x,y\n", format).Column("b"), ElementsAre("x,y"));
  format.columns.clear();
  EXPECT_THAT(Read("1;x\n2;y\n", format).Column("2"), ElementsAre("x", "y"));
  format.has_header = true;
  format.columns = {"p", "q"};
  EXPECT_THAT(Read("ignored;too\n1;x\n", format).Column("p"), ElementsAre("1"));
}

TEST(DelimitedReaderTest, BlankSeparatedColumnsTakeAnyRunOfBlanks) {
  const ReadResult read = Read(" id  date\tn\r\n 00001 19970101  1 \r\n   \r\n2\t19970102 \t 3", Blank());
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("id"), ElementsAre("00001", "2"));
  EXPECT_THAT(read.Column("n"), ElementsAre("1", "3"));
  EXPECT_TRUE(read.bad.empty());
}

TEST(DelimitedReaderTest, ManyBlankLinesAreNoProblem) {
  std::string text = "a b\n";
  for (int i = 0; i < 300000; ++i) text += "  \n";
  EXPECT_THAT(Read(text + "1 2\n", Blank()).Column("b"), ElementsAre("2"));
}

TEST(DelimitedReaderTest, ReportsBadRowsByLineAndKeepsTheRest) {
  const ReadResult read = Read("a,b\n1,x\n2\n3,y,z\n4,M\xFCller\n5,6\" pipe\n6,\"x\"y\n7,z\n");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("a"), ElementsAre("1", "7"));
  std::vector<uint64_t> lines;
  for (const BadRecord& bad : read.bad) lines.push_back(bad.line);
  EXPECT_THAT(lines, ElementsAre(3U, 4U, 5U, 6U, 7U));
  EXPECT_THAT(read.bad[0].message, HasSubstr("1 fields, but 2 columns"));
  EXPECT_THAT(read.bad[2].message, HasSubstr("UTF-8"));
  EXPECT_EQ(read.records[1].number, 7U);  // bad rows are counted
}

TEST(DelimitedReaderTest, AQuoteThatNeverClosesCostsOneRowOnly) {
  const ReadResult read = Read("a,b\n1,\"open\n2,x\n3,\"y\nz\"\n4,w\n");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("a"), ElementsAre("2", "3", "4"));
  EXPECT_THAT(read.Column("b"), ElementsAre("x", "y\nz", "w"));
  ASSERT_EQ(read.bad.size(), 1U);
  EXPECT_EQ(read.bad[0].line, 2U);
}

TEST(DelimitedReaderTest, AQuoteLeftOpenAtTheEndGivesTheFollowingRowsBack) {
  std::string text = "a,b\n1,\"open\n";
  for (int i = 2; i < 100; ++i) text += std::to_string(i) + ",x\n";
  const ReadResult read = Read(text);
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.records.size(), 98U);
  EXPECT_EQ(read.records.back().line, 100U);
  EXPECT_EQ(read.bad.size(), 1U);
}

TEST(DelimitedReaderTest, HoldsTheLimits) {
  const std::string field(kFieldBytesMax, 'x');
  std::string many = "0";
  for (size_t i = 1; i < kFieldsMax; ++i) many += ",0";
  const ReadResult read = Read("a,b\n1," + field + "\n2," + field + "x\n3," +
                               std::string(kLineBytesMax, 'x') + "\n4,y\n" + many + ",0,0,0\n");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("a"), ElementsAre("1", "4"));
  ASSERT_EQ(read.bad.size(), 3U);
  EXPECT_THAT(read.bad[0].message, HasSubstr("longer than 65536 bytes"));
  EXPECT_THAT(read.bad[1].message, HasSubstr("at most 1048576 bytes"));
  EXPECT_THAT(read.bad[2].message, HasSubstr("at most 1024 fields"));

  DelimitedFormat bare;
  bare.has_header = false;
  EXPECT_EQ(Read(many + "\n", bare).records.size(), 1U);
}

TEST(DelimitedReaderTest, AHeaderThatMakesNoSenseIsAnError) {
  EXPECT_THAT(std::string(Read("a,b,a\n1,2,3\n").status.message()), HasSubstr("'a' twice"));
  EXPECT_THAT(std::string(Read("a,,c\n1,2,3\n").status.message()), HasSubstr("without a name"));
  EXPECT_EQ(Read("a,\"b\n1,2\n").status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Read("M\xFCller\n1\n").status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Read("").status.ok());
}

TEST(DelimitedReaderTest, ACutGzipDeliversTheRowsBeforeIt) {
  std::string text = "a,b\n";
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + "," + std::to_string(i * 7919 % 10007) + "\n";
  const std::string whole = Gzip(text);
  const ReadResult read = Read(whole.substr(0, whole.size() - 2000));
  EXPECT_EQ(read.status.code(), absl::StatusCode::kDataLoss) << read.status;
  ASSERT_GT(read.records.size(), 1000U);
  EXPECT_TRUE(read.bad.empty());
  for (size_t i = 0; i < read.records.size(); ++i) {
    ASSERT_EQ(read.records[i].fields[1].second, std::to_string(i * 7919 % 10007)) << i;
  }
}

}  // namespace
}  // namespace ledger::ctl
