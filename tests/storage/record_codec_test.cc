#include "storage/record_codec.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::storage {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

pb::Record SomeRecord() {
  pb::Record record;
  record.mutable_header()->set_format_version(1);
  record.mutable_header()->set_position(7);
  record.mutable_header()->add_subjects()->mutable_subject()->set_id("c-1");
  record.mutable_event()->set_note("called");
  return record;
}

TEST(RecordCodecTest, ComesBackByteForByte) {
  const std::string bytes = SomeRecord().SerializeAsString();
  const std::string row = EncodeRecordRow(bytes);
  ASSERT_EQ(row.size(), bytes.size() + 4);
  const auto decoded = DecodeRecordRow(row);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(std::string(*decoded), bytes);
}

TEST(RecordCodecTest, EveryFlippedBitIsSeen) {
  const std::string row = EncodeRecordRow(SomeRecord().SerializeAsString());
  for (size_t at = 0; at < row.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = row;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      EXPECT_TRUE(absl::IsDataLoss(DecodeRecordRow(damaged).status())) << at << "/" << bit;
    }
  }
}

TEST(RecordCodecTest, EveryCutIsSeen) {
  const std::string row = EncodeRecordRow(SomeRecord().SerializeAsString());
  for (size_t length = 0; length < row.size(); ++length) {
    EXPECT_TRUE(absl::IsDataLoss(DecodeRecordRow(absl::string_view(row).substr(0, length)).status()))
        << length;
  }
}

TEST(RecordCodecTest, ANewerFormatIsRefusedByName) {
  pb::Record record = SomeRecord();
  record.mutable_header()->set_format_version(2);
  const absl::Status status = ParseRecord(record.SerializeAsString()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("FORMAT_IS_NEWER"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("format 2"));
}

TEST(RecordCodecTest, WhatIsNoRecordIsDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(ParseRecord("\xff\xff").status()));
  EXPECT_TRUE(absl::IsDataLoss(ParseRecord("").status())) << "no position, no subject";
  pb::Record record = SomeRecord();
  record.mutable_header()->clear_subjects();
  EXPECT_TRUE(absl::IsDataLoss(ParseRecord(record.SerializeAsString()).status()));
}

}  // namespace
}  // namespace ledger::storage
