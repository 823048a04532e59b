#include "projections/runtime/answers.h"

#include <gmock/gmock.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "projections/runtime/row_time.h"
#include "tests/projections/runtime/runtime_fixture.h"

namespace ledger::runtime::testing {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

class AnswersTest : public RuntimeFixture {
 protected:
  static pb::GetOwnerRequest OwnerQuery(const std::string& customer) {
    pb::GetOwnerRequest request;
    request.mutable_query()->set_customer_id(customer);
    return request;
  }
};

TEST_F(AnswersTest, BothClocksCount) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(10)), Hour(10));                       // 3
  Append(Assigned("c1", "chen", Hour(20)), Hour(20));                        // 4
  const uint64_t late = Append(Assigned("c1", "wang", Hour(15)), Hour(30));  // 5
  WaitForAll(server, ledger_);
  auto request = OwnerQuery("c1");
  pb::AsOf& as_of = *request.mutable_query()->mutable_as_of();
  SetTimestamp(Hour(16), as_of.mutable_true_at());
  auto answer = server.answers->GetOwner(Identity(), request, Hour(40));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->ownerships(0).owner().staff_id(), "wang");
  EXPECT_EQ(answer->context().position().position(), late);

  as_of.set_known_position(late - 1);
  answer = server.answers->GetOwner(Identity(), request, Hour(40));
  EXPECT_EQ(answer->ownerships(0).owner().staff_id(), "liu");
  EXPECT_EQ(answer->context().position().position(), late - 1);

  SetTimestamp(Hour(29), as_of.mutable_known_time());
  answer = server.answers->GetOwner(Identity(), request, Hour(40));
  EXPECT_EQ(answer->ownerships(0).owner().staff_id(), "liu");
  EXPECT_EQ(answer->context().position().position(), late - 1);
  SetTimestamp(Hour(30), as_of.mutable_known_time());
  answer = server.answers->GetOwner(Identity(), request, Hour(40));
  EXPECT_EQ(answer->ownerships(0).owner().staff_id(), "wang");

  SetTimestamp(Hour(9), as_of.mutable_known_time());
  EXPECT_EQ(server.answers->GetOwner(Identity(), request, Hour(40)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(AnswersTest, RefusesWhatCannotBeAsked) {
  Server server(log_, NewDirectory());
  WaitForAll(server, ledger_);
  EXPECT_EQ(server.answers->GetOwner(Identity(), OwnerQuery(""), Hour(1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  auto beyond = OwnerQuery("c1");
  beyond.mutable_query()->mutable_as_of()->set_known_position(99);
  EXPECT_EQ(server.answers->GetOwner(Identity(), beyond, Hour(1)).status().code(),
            absl::StatusCode::kOutOfRange);
  auto other = OwnerQuery("c1");
  other.mutable_query()->mutable_min_position()->set_lineage("another lineage!");
  EXPECT_THAT(std::string(server.answers->GetOwner(Identity(), other, Hour(1)).status().message()),
              HasSubstr("LINEAGE_CHANGED"));
  auto absurd = OwnerQuery("c1");
  absurd.mutable_query()->mutable_as_of()->mutable_true_at()->set_seconds(INT64_MAX);
  EXPECT_THAT(std::string(server.answers->GetOwner(Identity(), absurd, Hour(1)).status().message()),
              HasSubstr("BAD_TIME"));
}

TEST_F(AnswersTest, AnAliasAnswersWithTheCustomerItStandsFor) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Registered("c2", "chen", Hour(2)), Hour(2));
  Append(Joined("c1", "c2", Hour(2)), Hour(2));
  WaitForAll(server, ledger_);
  const auto answer = server.answers->GetOwner(Identity(), OwnerQuery("c2"), Hour(3));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->context().customer_id(), "c1");
  EXPECT_THAT(answer->context().aliases(), ::testing::ElementsAre("c2"));
  EXPECT_EQ(answer->ownerships(0).owner().staff_id(), "liu");
  EXPECT_EQ(answer->ownerships(0).claims_size(), 2);
  EXPECT_EQ(server.answers->Canonical(Identity(), "c2")->customer_id, "c1");
  EXPECT_EQ(server.answers->Canonical(Identity(), "nobody")->customer_id, "nobody");
}

TEST_F(AnswersTest, AHistoryTellsEventsCorrectionsAndWhatTimeBroughtAbout) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));                        // 3
  const uint64_t wrong = Append(Assigned("c1", "chen", Hour(5)), Hour(5));  // 4
  Append(Withdrawn("c1", wrong, Hour(9)), Hour(9));                         // 5
  pb::GetHistoryRequest request;
  request.mutable_query()->set_customer_id("c1");
  const auto answer = server.answers->GetHistory(Identity(), request, Hour(24 * 200));
  ASSERT_TRUE(answer.ok()) << answer.status();
  const auto& entries = answer->response.entries();
  ASSERT_EQ(entries.size(), 4) << answer->response.ShortDebugString();
  EXPECT_EQ(entries[0].event_name(), "customer_registered");
  EXPECT_FALSE(entries[0].changes().empty());
  EXPECT_EQ(entries[1].position(), wrong);
  EXPECT_TRUE(entries[1].corrected());
  EXPECT_TRUE(entries[1].changes().empty());
  EXPECT_EQ(entries[2].event_name(), "event_corrected");
  EXPECT_EQ(entries[3].event_name(), "lapse");
  EXPECT_EQ(entries[3].position(), 0u);
}

// At random instants after the last event every list says of every customer what asking about it says.
TEST_F(AnswersTest, ListsAgreeWithQuestionsAboutEachCustomer) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  Server server(log_, NewDirectory());
  int64_t hour = 24 * 90;
  for (int i = 0; i < 400; ++i) AppendRandom(random, &hour);
  WaitForAll(server, ledger_);
  for (int round = 0; round < 30; ++round) {
    const absl::Time at = Hour(hour) + absl::Minutes(random() % (60 * 24 * 200));
    SCOPED_TRACE(::testing::Message() << "at " << at);
    std::map<std::string, std::set<std::string>> owned;  // staff -> customers
    std::set<std::string> pooled;
    std::multiset<std::string> due;
    for (int i = 0; i < 12; ++i) {
      const std::string id = absl::StrCat("c", i);
      if (server.answers->Canonical(Identity(), id)->customer_id != id) continue;
      const auto answer = server.answers->GetOwner(Identity(), OwnerQuery(id), at);
      if (absl::IsNotFound(answer.status())) continue;
      ASSERT_TRUE(answer.ok()) << answer.status();
      for (const pb::Ownership& ownership : answer->ownerships()) {
        if (ownership.state() == pb::CUSTODY_STATE_OWNED) owned[ownership.owner().staff_id()].insert(id);
        if (ownership.state() == pb::CUSTODY_STATE_POOLED) pooled.insert(id);
      }
      pb::GetNextCallbackRequest request;
      request.mutable_query()->set_customer_id(id);
      const auto callbacks = server.answers->GetNextCallback(Identity(), request, at);
      ASSERT_TRUE(callbacks.ok()) << callbacks.status();
      for (const pb::Callback& callback : callbacks->callbacks()) {
        if (TimeOf(callback.due_time()) <= at) due.insert(callback.SerializeAsString());
      }
    }
    for (const std::string staff : {"liu", "chen", "wang"}) {
      pb::ListCustomersRequest request;
      *request.mutable_owner() = Staff(staff);
      request.set_page_size(2);
      std::set<std::string> listed;
      do {
        const auto page = server.answers->ListCustomers(Identity(), request, at);
        ASSERT_TRUE(page.ok()) << page.status();
        for (const pb::CustomerEntry& entry : page->customers()) {
          EXPECT_TRUE(listed.insert(entry.customer_id()).second) << "twice: " << entry.customer_id();
        }
        request.set_page_token(page->next_page_token());
      } while (!request.page_token().empty());
      EXPECT_EQ(listed, owned[staff]) << staff;
    }
    const auto pool = server.answers->ListPool(Identity(), pb::ListPoolRequest(), at);
    ASSERT_TRUE(pool.ok()) << pool.status();
    std::set<std::string> listed;
    for (const pb::CustomerEntry& entry : pool->customers()) listed.insert(entry.customer_id());
    EXPECT_EQ(listed, pooled);

    std::multiset<std::string> listed_due;
    pb::ListDueCallbacksRequest request;
    request.set_page_size(3);
    absl::Time last = absl::InfinitePast();
    do {
      const auto page = server.answers->ListDueCallbacks(Identity(), request, at);
      ASSERT_TRUE(page.ok()) << page.status();
      for (const pb::Callback& callback : page->callbacks()) {
        listed_due.insert(callback.SerializeAsString());
        EXPECT_LE(last, TimeOf(callback.due_time()));
        last = TimeOf(callback.due_time());
      }
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(listed_due, due);

    const auto stats = server.answers->GetStats(Identity(), at);
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_EQ(stats->pooled_customers(), pooled.size());
    EXPECT_EQ(stats->events(), log_.CommittedPosition(ledger_));
    for (const pb::OwnerCount& count : stats->owners()) {
      EXPECT_EQ(count.customers(), owned[count.owner().staff_id()].size());
    }
  }
}

TEST_F(AnswersTest, CallBacksOfOneOwnerAndUntilATime) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Registered("c2", "chen", Hour(2)), Hour(2));
  WaitForAll(server, ledger_);
  pb::ListDueCallbacksRequest request;
  *request.mutable_owner() = Staff("chen");
  auto page = server.answers->ListDueCallbacks(Identity(), request, Hour(3));
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->callbacks_size(), 0);  // not due yet
  SetTimestamp(Hour(24 * 7), request.mutable_until_time());
  page = server.answers->ListDueCallbacks(Identity(), request, Hour(3));
  ASSERT_EQ(page->callbacks_size(), 1);
  EXPECT_EQ(page->callbacks(0).customer_id(), "c2");
  EXPECT_FALSE(page->callbacks(0).overdue());
}

TEST_F(AnswersTest, APageTokenOfAnotherQuestionIsRefused) {
  Server server(log_, NewDirectory());
  for (int i = 0; i < 3; ++i) Append(Registered(absl::StrCat("c", i), "liu", Hour(1)), Hour(1));
  WaitForAll(server, ledger_);
  pb::ListCustomersRequest request;
  *request.mutable_owner() = Staff("liu");
  request.set_page_size(1);
  const auto page = server.answers->ListCustomers(Identity(), request, Hour(2));
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_NE(page->next_page_token(), "");
  *request.mutable_owner() = Staff("chen");
  request.set_page_token(page->next_page_token());
  EXPECT_THAT(std::string(server.answers->ListCustomers(Identity(), request, Hour(2)).status().message()),
              HasSubstr("BAD_PAGE_TOKEN"));
}

TEST_F(AnswersTest, StatsCountChangesAndReturns) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Assigned("c1", "chen", Hour(2)), Hour(2));
  Append(Assigned("c1", "liu", Hour(3)), Hour(3));
  Append(Registered("c2", "chen", Hour(3)), Hour(3));
  WaitForAll(server, ledger_);
  const auto stats = server.answers->GetStats(Identity(), Hour(4));
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->customers(), 2u);
  EXPECT_EQ(stats->owner_changes(), 2u);
  EXPECT_EQ(stats->returning_customers(), 1u);
  ASSERT_EQ(stats->owners_size(), 2);
  EXPECT_EQ(stats->owners(0).owner().staff_id(), "chen");
}

}  // namespace
}  // namespace ledger::runtime::testing
