#include "services/ctl/import/mapping_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger::ctl {
namespace {

using ::testing::HasSubstr;

absl::Status MakeStatus(const std::string& text) {
  const auto mapping = ParseMapping(text, "m");
  if (!mapping.ok()) return mapping.status();
  return MakeReader(*mapping, OpenMemory(""), [](const BadRecord&) {}).status();
}

TEST(MappingFileTest, ErrorsNameLineAndColumn) {
  const absl::Status status = ParseMapping("xes {}\ncustomer { feld: \"x\" }\n", "mine.textproto").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("mine.textproto: line 2, column"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("feld"));
}

TEST(MappingFileTest, MakesAReaderForEachInput) {
  EXPECT_TRUE(MakeStatus("xes {}").ok());
  EXPECT_TRUE(MakeStatus("jsonl {}").ok());
  EXPECT_TRUE(MakeStatus("delimited { separator: '\\t' }").ok());
  EXPECT_TRUE(MakeStatus("delimited { separator: 'blank' }").ok());
}

TEST(MappingFileTest, RefusesInputsThatMakeNoSense) {
  EXPECT_THAT(std::string(MakeStatus("").message()), HasSubstr("names no input"));
  for (const char* text : {"delimited {}", "delimited { separator: ',,' }", "delimited { separator: '\"' }",
                           "delimited { separator: '\\n' }", "delimited { separator: '\\303\\274' }"}) {
    EXPECT_EQ(MakeStatus(text).code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(MappingFileTest, AMissingFileIsNotFound) {
  EXPECT_EQ(LoadMapping(testing::TempDir() + "/none.textproto").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ledger::ctl
