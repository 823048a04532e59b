#include "services/query/check_question.h"

#include <string>

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

pb::GetOwnerRequest OwnerQuestion() {
  pb::GetOwnerRequest request;
  request.mutable_query()->set_ledger("shop");
  request.mutable_query()->set_customer_id("c");
  return request;
}

TEST(CheckQuestionTest, ACustomerNeedsAnId) {
  pb::GetOwnerRequest request = OwnerQuestion();
  EXPECT_TRUE(CheckQuestion(request).ok());
  request.mutable_query()->set_customer_id("");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
  request.mutable_query()->set_customer_id(std::string(129, 'x'));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
}

TEST(CheckQuestionTest, TimesLieInTheYearsOneTo9999) {
  pb::GetOwnerRequest request = OwnerQuestion();
  auto& time = *request.mutable_query()->mutable_as_of()->mutable_true_at();
  time.set_seconds(253'402'300'799);
  EXPECT_TRUE(CheckQuestion(request).ok());
  time.set_seconds(253'402'300'800);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
  time.set_seconds(0);
  time.set_nanos(-1);
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
}

TEST(CheckQuestionTest, ALineageHasSixteenBytes) {
  pb::GetOwnerRequest request = OwnerQuestion();
  request.mutable_query()->mutable_min_position()->set_lineage(std::string(16, 'x'));
  EXPECT_TRUE(CheckQuestion(request).ok());
  request.mutable_query()->mutable_min_position()->set_lineage("short");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
}

TEST(CheckQuestionTest, AListOfCustomersNamesAnOwner) {
  pb::ListCustomersRequest request;
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
  request.mutable_owner()->set_unit_id("north");
  EXPECT_TRUE(CheckQuestion(request).ok());
  request.set_page_token(std::string(5'000, 'x'));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
}

TEST(CheckQuestionTest, CallBacksOfEverybodyNeedNoOwner) {
  pb::ListDueCallbacksRequest request;
  EXPECT_TRUE(CheckQuestion(request).ok());
  request.mutable_owner();
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
}

TEST(CheckQuestionTest, ASearchNamesAKindAndAValue) {
  pb::SearchCustomersRequest request;
  request.mutable_contact_point()->set_value("+4930123456");
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
  request.mutable_contact_point()->set_kind(pb::CONTACT_POINT_KIND_PHONE);
  EXPECT_TRUE(CheckQuestion(request).ok());
  request.mutable_contact_point()->set_value(std::string(321, '1'));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckQuestion(request)));
}

}  // namespace
}  // namespace ledger::services
