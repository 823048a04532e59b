#include "services/ctl/import/jsonl_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ctl/import/limits.h"
#include "tests/services/ctl/import/import_testing.h"

namespace ledger::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

ReadResult Read(const std::string& bytes) {
  return ReadAll(OpenMemory(bytes), [](std::unique_ptr<ByteSource> source, BadRecordSink bad) {
    return std::make_unique<JsonlReader>(std::move(source), std::move(bad));
  });
}

SourceFields Parse(const std::string& line) {
  SourceFields fields;
  const absl::Status status = ParseJsonObject(line, &fields);
  EXPECT_TRUE(status.ok()) << line << ": " << status;
  return fields;
}

TEST(JsonlReaderTest, NamesNestedValuesByTheirPath) {
  EXPECT_THAT(Parse(R"( {"a": {"b": [7, "x"], "c": null}, "d": true, "e": {}, "f": [] } )"),
              ElementsAre(Pair("a.b.0", "7"), Pair("a.b.1", "x"), Pair("d", "true")));
}

TEST(JsonlReaderTest, KeepsNumbersAsWritten) {
  EXPECT_THAT(Parse(R"({"amount": 1234567890123456.78, "id": 9007199254740993, "e": -1.50E+2, "z": 0})"),
              ElementsAre(Pair("amount", "1234567890123456.78"), Pair("id", "9007199254740993"),
                          Pair("e", "-1.50E+2"), Pair("z", "0")));
}

TEST(JsonlReaderTest, ReadsEscapes) {
  EXPECT_THAT(Parse(R"({"a": "\"\\\/\b\f\n\r\t\u0041\u00e9\u738b\ud83d\ude00"})"),
              ElementsAre(Pair("a", "\"\\/\b\f\n\r\tA\xC3\xA9\xE7\x8E\x8B\xF0\x9F\x98\x80")));
}

TEST(JsonlReaderTest, RefusesWhatIsNotOneObject) {
  for (const char* line : {"[1]",
                           "7",
                           "{",
                           "{}{}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":01}",
                           "{\"a\":1.}",
                           "{\"a\":-}",
                           "{\"a\":1e}",
                           "{\"a\":+1}",
                           "{\"a\":tru}",
                           "{\"a\":\"x}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\\u12\"}",
                           "{\"a\":\"\\ud800\"}",
                           "{\"a\":\"\\ud800\\u0041\"}",
                           "{\"a\":\"\\udc00\"}",
                           "{\"a\":\"\t\"}",
                           "{\"a\":[1 2]}",
                           "{\"a\":1,\"a\":2}",
                           "{\"a\":NaN}",
                           "{\"a\":\"\xFF\"}"}) {
    SourceFields fields;
    EXPECT_EQ(ParseJsonObject(line, &fields).code(), absl::StatusCode::kInvalidArgument) << line;
  }
}

TEST(JsonlReaderTest, HoldsTheLimits) {
  const auto nested = [](int depth) {
    std::string line;
    for (int i = 0; i < depth; ++i) line += "{\"a\":";
    line += "1";
    return line + std::string(depth, '}');
  };
  SourceFields fields;
  EXPECT_TRUE(ParseJsonObject(nested(kNestingMax), &fields).ok());
  EXPECT_THAT(std::string(ParseJsonObject(nested(kNestingMax + 1), &fields).message()),
              HasSubstr("at most 64 deep"));
  EXPECT_FALSE(ParseJsonObject("{\"a\":" + std::string(1000000, '['), &fields).ok());
  EXPECT_TRUE(ParseJsonObject("{\"a\":\"" + std::string(kFieldBytesMax, 'x') + "\"}", &fields).ok());
  EXPECT_FALSE(ParseJsonObject("{\"a\":\"" + std::string(kFieldBytesMax + 1, 'x') + "\"}", &fields).ok());
  std::string array = "{\"a\":[0";
  for (size_t i = 1; i < kFieldsMax; ++i) array += ",0";
  EXPECT_TRUE(ParseJsonObject(array + "]}", &fields).ok());
  EXPECT_FALSE(ParseJsonObject(array + ",0]}", &fields).ok());
}

TEST(JsonlReaderTest, ReportsBadLinesAndKeepsTheRest) {
  const ReadResult read = Read("{\"a\":1}\r\n\n{\"a\":\n{\"a\":\"\xFF\"}\n" +
                               std::string(kLineBytesMax + 1, ' ') + "\n{\"a\":2}");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("a"), ElementsAre("1", "2"));
  ASSERT_EQ(read.bad.size(), 3U);
  EXPECT_EQ(read.bad[0].line, 3U);
  EXPECT_EQ(read.bad[1].line, 4U);
  EXPECT_EQ(read.bad[2].line, 5U);
  EXPECT_EQ(read.records[1].number, 5U);
  EXPECT_EQ(read.records[1].line, 6U);
}

}  // namespace
}  // namespace ledger::ctl
