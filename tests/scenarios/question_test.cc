#include "tests/scenarios/question.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/query_service.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Ask Parse(const std::string& line) {
  std::vector<Problem> problems;
  const Scenario scenario =
      ParseScenario(absl::StrCat("scenario s t\npolicy p\nask 2026-03-01 09:00 ", line, "\n"), &problems);
  for (const Problem& problem : problems) ADD_FAILURE() << ToText("f", problem);
  return problems.empty() ? *scenario.cases[0].lines[0].ask : Ask();
}

std::vector<std::string> ProblemsOf(const std::string& line) {
  std::vector<Problem> problems;
  BuildQuestion(Parse(line), Reading(), &problems);
  std::vector<std::string> texts;
  texts.reserve(problems.size());
  for (const Problem& problem : problems) texts.push_back(ToText("f", problem));
  return texts;
}

std::vector<std::string> Wrong(const std::string& line, const google::protobuf::Message& answer) {
  EXPECT_THAT(ProblemsOf(line), IsEmpty()) << line;
  return CheckAnswer(Parse(line), Reading(), answer);
}

pb::GetOwnerResponse OwnedBy(const std::string& staff) {
  pb::GetOwnerResponse answer;
  pb::Ownership& one = *answer.add_ownerships();
  one.set_state(pb::CUSTODY_STATE_OWNED);
  one.mutable_owner()->set_staff_id(staff);
  one.mutable_basis()->set_rule_id("claim.first");
  return answer;
}

TEST(QuestionTest, FillsTheRequest) {
  std::vector<Problem> problems;
  const Ask ask = Parse("K1 owner A scope S1 as_known_then");
  const Question question = BuildQuestion(ask, Reading(), &problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(question.method, "/customerledger.v1.QueryService/GetOwner");
  EXPECT_TRUE(question.any_instant);
  pb::PositionToken position;
  position.set_position(9);
  Address("book", position, question.request.get());
  pb::GetOwnerRequest request;
  request.CopyFrom(*question.request);
  EXPECT_EQ(request.query().ledger(), "book");
  EXPECT_EQ(request.query().customer_id(), "K1");
  EXPECT_EQ(request.scope(), "S1");
  EXPECT_EQ(request.query().min_position().position(), 9U);
  EXPECT_EQ(request.query().as_of().true_at().seconds(), 1772355600);
  EXPECT_EQ(request.query().as_of().known_time().seconds(), 1772355600);
}

TEST(QuestionTest, ListsAreAskedWithoutACustomer) {
  std::vector<Problem> problems;
  const Question question =
      BuildQuestion(Parse("- customers owner=A customers.count=0"), Reading(), &problems);
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(question.method, "/customerledger.v1.QueryService/ListCustomers");
  EXPECT_FALSE(question.any_instant);
  pb::ListCustomersRequest request;
  request.CopyFrom(*question.request);
  EXPECT_EQ(request.owner().staff_id(), "A");
  EXPECT_EQ(request.true_at().seconds(), 1772355600);
}

TEST(QuestionTest, ChecksOwners) {
  EXPECT_THAT(Wrong("K owner A rule claim.first", OwnedBy("A")), IsEmpty());
  EXPECT_THAT(Wrong("K owner A", OwnedBy("B")), SizeIs(1));
  EXPECT_THAT(Wrong("K owner A rule claim.second", OwnedBy("A")),
              ElementsAre(HasSubstr("expected ownerships[0].basis.rule_id=claim.second, got claim.first")));
  EXPECT_THAT(Wrong("K owner none", OwnedBy("A")), SizeIs(1));
  EXPECT_THAT(Wrong("K owner none", pb::GetOwnerResponse()), IsEmpty());
  EXPECT_THAT(Wrong("K owner public", OwnedBy("A")), SizeIs(2));
  EXPECT_THAT(Wrong("K owner A", pb::GetOwnerResponse()), SizeIs(2));
  EXPECT_THAT(Wrong("K disputed", OwnedBy("A")), SizeIs(1));
  EXPECT_THAT(Wrong("K undisputed", OwnedBy("A")), IsEmpty());
  pb::GetOwnerResponse two = OwnedBy("A");
  *two.add_ownerships() = OwnedBy("B").ownerships(0);
  two.mutable_ownerships(1)->set_scope("S1");
  EXPECT_THAT(Wrong("K owner A", two), ElementsAre(HasSubstr("ownerships.count=1, got 2")));
  EXPECT_THAT(Wrong("K owner B scope S1", two), IsEmpty());
  EXPECT_THAT(Wrong("K owner A scope \"\"", two), IsEmpty());
}

TEST(QuestionTest, ChecksTiersAndCallbacks) {
  pb::GetTierResponse tiers;
  tiers.add_tiers()->set_scheme("intent");
  tiers.mutable_tiers(0)->set_class_name("A");
  EXPECT_THAT(Wrong("K tier intent A", tiers), IsEmpty());
  EXPECT_THAT(Wrong("K tier intent B", tiers), SizeIs(1));
  EXPECT_THAT(Wrong("K tier intent none", tiers), SizeIs(1));
  EXPECT_THAT(Wrong("K tier value none", tiers), IsEmpty());
  pb::GetNextCallbackResponse calls;
  EXPECT_THAT(Wrong("K callback none", calls), IsEmpty());
  calls.add_callbacks()->mutable_due_time()->set_seconds(1772409599);  // 2026-03-01 23:59:59
  EXPECT_THAT(Wrong("K callback none", calls), SizeIs(1));
  EXPECT_THAT(Wrong("K callback 2026-03-01 24:00 in_time", calls), IsEmpty());
  EXPECT_THAT(Wrong("K callback 2026-03-02 24:00 overdue", calls), SizeIs(2));
}

TEST(QuestionTest, AnyMethodCanBeAsked) {
  pb::GetHistoryResponse history;
  history.add_entries()->set_event_name("lapse");
  EXPECT_THAT(Wrong("K history entries.count=1 entries[0].event=lapse", history), IsEmpty());
  EXPECT_THAT(Wrong("K history event=lapse", history), IsEmpty());
  EXPECT_THAT(Wrong("K history event=deal", history), SizeIs(1));
}

TEST(QuestionTest, SaysWhereAQuestionIsWrong) {
  EXPECT_THAT(ProblemsOf("K ownr A"), ElementsAre(HasSubstr("f:3:24: \"ownr\" is no question")));
  EXPECT_THAT(ProblemsOf("K owner"), ElementsAre(HasSubstr("nothing is expected")));
  EXPECT_THAT(ProblemsOf("K owner A sinse 2026-01-01"), ElementsAre(HasSubstr("f:3:32: \"sinse\" is not")));
  EXPECT_THAT(ProblemsOf("K owner A since today"), ElementsAre(HasSubstr("f:3:38: \"today\" is no instant")));
  EXPECT_THAT(ProblemsOf("K owner A ownr=B"), ElementsAre(HasSubstr("\"ownr\" is no field of Ownership")));
  EXPECT_THAT(ProblemsOf("K callback soon"), ElementsAre(HasSubstr("\"soon\" is no instant")));
  EXPECT_THAT(ProblemsOf("- owner A"), ElementsAre(HasSubstr("GetOwner is about somebody")));
  EXPECT_THAT(ProblemsOf("K pool customers.count=0"), ElementsAre(HasSubstr("write - instead")));
  EXPECT_THAT(ProblemsOf("K tier intent A scope S1"), ElementsAre(HasSubstr("GetTier knows no scope")));
  EXPECT_THAT(ProblemsOf("K owner A refused"), ElementsAre(HasSubstr("a refused question has no answer")));
}

}  // namespace
}  // namespace ledger::scenarios
