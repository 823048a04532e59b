#include "services/common/grpc_status.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status_metadata.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

pb::ErrorInfo InfoOf(const pb::ErrorStatus& status) {
  pb::ErrorInfo info;
  EXPECT_EQ(status.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_TRUE(info.ParseFromString(status.details(0).value()));
  return info;
}

TEST(GrpcStatusTest, CarriesReasonNumbersAndRule) {
  absl::Status status = absl::FailedPreconditionError("NOT_THE_OWNER: only the owner may; ask liu");
  status = WithMetadata(status, "rule_id", "hand-over.propose-accept");
  const pb::ErrorStatus error = ToErrorStatus(status);
  EXPECT_EQ(error.code(), 9);
  EXPECT_EQ(error.message(), "only the owner may; ask liu");
  const pb::ErrorInfo info = InfoOf(error);
  EXPECT_EQ(info.reason(), "NOT_THE_OWNER");
  EXPECT_EQ(info.domain(), "customerledger");
  EXPECT_EQ(info.metadata().at("rule_id"), "hand-over.propose-accept");
  EXPECT_EQ(error.details_size(), 1);
}

TEST(GrpcStatusTest, HintsWhenToRetry) {
  const pb::ErrorStatus error = ToErrorStatus(absl::ResourceExhaustedError("BUSY: wait"));
  ASSERT_EQ(error.details_size(), 2);
  EXPECT_EQ(error.details(1).type_url(), "type.googleapis.com/google.rpc.RetryInfo");
}

TEST(GrpcStatusTest, AMessageWithoutAReasonGetsItsCodesName) {
  EXPECT_EQ(InfoOf(ToErrorStatus(absl::DataLossError("something: else"))).reason(), "DATA_LOSS");
}

TEST(GrpcStatusTest, FitsIntoTheTrailersHoweverMuchThereIsToSay) {
  std::string text = "CHECK_FAILED: ";
  absl::Status status;
  for (int i = 0; i < 2'000; ++i) absl::StrAppend(&text, "客户 ", i, "; ");
  status = absl::AbortedError(text);
  for (int i = 0; i < 2'000; ++i) status = WithMetadata(status, absl::StrCat("subject.", i), "c");
  const grpc::Status wire = ToGrpcStatus(status);
  EXPECT_LT(wire.error_details().size(), 5'000u);
  EXPECT_THAT(wire.error_message(), HasSubstr("bytes more"));
  // Cut between characters: the details parse as UTF-8 text.
  pb::ErrorStatus parsed;
  EXPECT_TRUE(parsed.ParseFromString(wire.error_details()));
}

}  // namespace
}  // namespace ledger::services
