#include "services/ctl/import/xes_reader.h"

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
    return std::make_unique<XesReader>(std::move(source), std::move(bad));
  });
}

std::string Event(const std::string& name) {
  return "<event><string key=\"concept:name\" value=\"" + name + "\"/></event>\n";
}

constexpr char kLog[] = R"(<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://example.invalid/concept.xesext"/>
  <global scope="event"><string key="org:resource" value="UNKNOWN"/></global>
  <global scope="trace"><string key="concept:name" value="UNKNOWN"/></global>
  <string key="origin" value="hand"><int key="inner" value="1"/></string>
  <trace>
    <string key="concept:name" value="Case 1"/>
    <event>
      <string key="concept:name" value="A &amp; B &#x738b;"><float key="cost" value="1.5"/></string>
      <date key="time:timestamp" value="2012-10-09T14:50:17+00:00"/>
      <list key="l"><values><int key="i" value="1"/><int key="j" value="2"/></values></list>
    </event>
    <event><string key="concept:name" value="C"/></event>
  </trace>
  <trace><event><string key="concept:name" value="D"/></event></trace>
  <event><string key="concept:name" value="E"/></event>
</log>
)";

TEST(XesReaderTest, ReadsEventsWithTheirTracesAttributes) {
  const ReadResult read = Read(kLog);
  ASSERT_TRUE(read.status.ok()) << read.status;
  ASSERT_EQ(read.records.size(), 4U);
  EXPECT_THAT(
      read.records[0].fields,
      ElementsAre(Pair("concept:name", "A & B 王"), Pair("concept:name/cost", "1.5"),
                  Pair("time:timestamp", "2012-10-09T14:50:17+00:00"), Pair("l/i", "1"), Pair("l/j", "2")));
  EXPECT_THAT(read.records[0].case_fields, ElementsAre(Pair("case:concept:name", "Case 1")));
  EXPECT_EQ(read.records[0].number, 1U);
  EXPECT_EQ(read.records[0].line, 9U);
  EXPECT_THAT(read.records[1].fields, ElementsAre(Pair("concept:name", "C")));
  EXPECT_THAT(read.records[1].case_fields, ElementsAre(Pair("case:concept:name", "Case 1")));
  EXPECT_TRUE(read.records[2].case_fields.empty());
  EXPECT_TRUE(read.records[3].case_fields.empty());
  EXPECT_THAT(read.Column("concept:name"), ElementsAre("A & B 王", "C", "D", "E"));
}

TEST(XesReaderTest, ReadsGzipAndNamespacePrefixesAlike) {
  EXPECT_EQ(Read(Gzip(kLog)).records.size(), 4U);
  EXPECT_THAT(Read("<x:log xmlns:x='u'><x:trace><x:event><x:string key='k' value='v'/></x:event></x:trace>"
                   "</x:log>")
                  .Column("k"),
              ElementsAre("v"));
}

TEST(XesReaderTest, RefusesADoctypeBeforeAnythingExpands) {
  const ReadResult laughs = Read(
      "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>\n<log><trace><event>"
      "<string key=\"k\" value=\"&b;\"/></event></trace></log>");
  EXPECT_EQ(laughs.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(laughs.status.message()), HasSubstr("line 1: the file has a DOCTYPE"));
  EXPECT_TRUE(laughs.records.empty());
  EXPECT_THAT(std::string(Read("<!DOCTYPE log SYSTEM \"file:///etc/passwd\"><log/>").status.message()),
              HasSubstr("DOCTYPE"));
  EXPECT_FALSE(Read("<log><trace><event><string key='k' value='&x;'/></event></trace></log>").status.ok());
}

TEST(XesReaderTest, TruncatedXmlDeliversTheEventsBeforeAndNamesTheLine) {
  const std::string log(kLog);
  const ReadResult read = Read(log.substr(0, log.find("value=\"C\"")));
  EXPECT_EQ(read.status.code(), absl::StatusCode::kDataLoss) << read.status;
  EXPECT_THAT(std::string(read.status.message()), HasSubstr("line 14"));
  EXPECT_EQ(read.records.size(), 1U);
  EXPECT_EQ(Read("").status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Read("<log><trace>").status.code(), absl::StatusCode::kDataLoss);
}

TEST(XesReaderTest, TruncatedGzipDeliversTheEventsBefore) {
  std::string log = "<log><trace>";
  for (int i = 0; i < 20000; ++i) log += Event(std::to_string(i * 7919 % 10007));
  const std::string whole = Gzip(log + "</trace></log>");
  const ReadResult read = Read(whole.substr(0, whole.size() / 2));
  EXPECT_EQ(read.status.code(), absl::StatusCode::kDataLoss) << read.status;
  EXPECT_THAT(std::string(read.status.message()), HasSubstr("cut off"));
  EXPECT_GT(read.records.size(), 5000U);
  EXPECT_TRUE(read.bad.empty());
}

TEST(XesReaderTest, MalformedXmlNamesLineAndColumnAfterTheGoodEvents) {
  const ReadResult read = Read("<log><trace>\n" + Event("A") + "<event></trace></log>");
  EXPECT_EQ(read.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(read.status.message()), HasSubstr("line 3, column"));
  EXPECT_THAT(read.Column("concept:name"), ElementsAre("A"));
  EXPECT_FALSE(
      Read("<log><trace>\n<event><string key='k' value='M\xFCller'/></event></trace></log>").status.ok());
  EXPECT_THAT(std::string(Read("<html><body/></html>").status.message()), HasSubstr("not an XES log"));
}

TEST(XesReaderTest, ReportsBadEventsAndKeepsTheRest) {
  const std::string huge(kFieldBytesMax + 1, 'x');
  std::string many = "<event>";
  for (size_t i = 0; i <= kFieldsMax; ++i) many += "<int key='k" + std::to_string(i) + "' value='1'/>";
  std::string deep = "<event>";
  for (int i = 0; i < 100; ++i) deep += "<int key='k' value='1'>";
  for (int i = 0; i < 100; ++i) deep += "</int>";
  const ReadResult read =
      Read("<log><trace>\n" + Event("A") + "<event><string value='v'/></event>\n" +
           "<event><string key='k'/></event>\n" + Event(huge) + many + "</event>\n" + deep + "</event>\n" +
           Event("B") + "</trace><trace><string key='concept:name'/>\n" + Event("C") + "</trace><trace>" +
           Event("D") + "</trace></log>");
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.Column("concept:name"), ElementsAre("A", "B", "D"));
  std::vector<uint64_t> lines;
  for (const BadRecord& bad : read.bad) lines.push_back(bad.line);
  EXPECT_THAT(lines, ElementsAre(3U, 4U, 5U, 6U, 7U, 10U));
  EXPECT_THAT(read.bad[0].message, HasSubstr("no key"));
  EXPECT_THAT(read.bad[1].message, HasSubstr("no value"));
  EXPECT_THAT(read.bad[2].message, HasSubstr("longer than 65536"));
  EXPECT_THAT(read.bad[3].message, HasSubstr("more than 1024 attributes"));
  EXPECT_THAT(read.bad[4].message, HasSubstr("64 elements deep"));
  EXPECT_THAT(read.bad[5].message, HasSubstr("trace has no value"));
  EXPECT_EQ(read.records[1].number, 7U);
}

TEST(XesReaderTest, DepthAndTokensWithoutEndAreRefused) {
  std::string deep = "<log>";
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_THAT(std::string(Read(deep).status.message()), HasSubstr("1024 deep"));
  EXPECT_THAT(std::string(Read("<log><trace a='" + std::string(8 << 20, 'x')).status.message()),
              HasSubstr("longer than 1048576 bytes"));
  EXPECT_THAT(std::string(Read("<log><!--" + std::string(8 << 20, 'x')).status.message()),
              HasSubstr("longer than 1048576 bytes"));
}

TEST(XesReaderTest, ManyLinesOfTextAndCommentsAreNoProblem) {
  std::string log = "<log>";
  for (int i = 0; i < 100000; ++i) log += "<!-- a comment -->\n      some text\n";
  const ReadResult read = Read(log + "<trace>" + Event("A") + "</trace></log>");
  EXPECT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.records.size(), 1U);
}

}  // namespace
}  // namespace ledger::ctl
