#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/e2e/e2e_fixture.h"

namespace ledger::e2e {
namespace {

using ::testing::HasSubstr;

class MainJobTest : public E2eTest {
 protected:
  MainJobTest() {
    Start();
    CreateLedger("shop");
  }

  // The ids of an owner's customers, page after page.
  std::vector<std::string> CustomersOf(const std::string& staff, uint32_t page_size,
                                       const pb::PositionToken& min_position) {
    std::vector<std::string> ids;
    pb::ListCustomersRequest request;
    request.set_ledger("shop");
    request.mutable_owner()->set_staff_id(staff);
    request.set_page_size(page_size);
    *request.mutable_min_position() = min_position;
    do {
      pb::ListCustomersResponse response;
      Context context;
      const grpc::Status status = query_->ListCustomers(&context, request, &response);
      EXPECT_TRUE(status.ok()) << status.error_message();
      for (const pb::CustomerEntry& entry : response.customers()) ids.push_back(entry.customer_id());
      request.set_page_token(response.next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }
};

TEST_F(MainJobTest, AnswersItsOwnWrites) {
  for (int i = 0; i < 20; ++i) {
    const std::string customer = absl::StrCat("c", i);
    const pb::AppendResponse appended = Append("shop", {Registration(customer, "liu")});
    EXPECT_EQ(OwnerOf("shop", customer, appended.position()), "liu");
  }
}

TEST_F(MainJobTest, OfTwoClaimsAtOnceTheFirstPositionOwns) {
  for (int round = 0; round < 10; ++round) {
    const std::string customer = absl::StrCat("raced", round);
    pb::AppendResponse responses[2];
    grpc::Status statuses[2];
    {
      std::vector<std::thread> sellers;
      sellers.reserve(2);
      for (int i = 0; i < 2; ++i) {
        sellers.emplace_back([&, i] {
          statuses[i] =
              TryAppend(Request("shop", {Registration(customer, i == 0 ? "liu" : "chen")}), &responses[i]);
        });
      }
      for (std::thread& seller : sellers) seller.join();
    }
    ASSERT_TRUE(statuses[0].ok() && statuses[1].ok());
    const bool liu_first = responses[0].position().position() < responses[1].position().position();
    const pb::AppendResponse& second = responses[liu_first ? 1 : 0];
    EXPECT_EQ(OwnerOf("shop", customer, second.position()), liu_first ? "liu" : "chen");
    // Both claims stay, and the second learns who was first.
    pb::GetOwnerResponse owner;
    ASSERT_TRUE(TryGetOwner("shop", customer, second.position(), &owner).ok());
    EXPECT_EQ(owner.ownerships(0).claims_size(), 2);
    EXPECT_FALSE(second.events(0).joined().claim_owns());
    EXPECT_EQ(second.events(0).joined().owner().staff_id(), liu_first ? "liu" : "chen");
  }
}

TEST_F(MainJobTest, OfTwoRegistrationsThatRequireANewCustomerOneIsAborted) {
  grpc::Status statuses[2];
  {
    std::vector<std::thread> sellers;
    sellers.reserve(2);
    for (int i = 0; i < 2; ++i) {
      sellers.emplace_back([&, i] {
        pb::AppendRequest request = Request("shop", {Registration("new", i == 0 ? "liu" : "chen")});
        request.mutable_checks(0)->mutable_no_subject();
        pb::AppendResponse response;
        statuses[i] = TryAppend(request, &response);
      });
    }
    for (std::thread& seller : sellers) seller.join();
  }
  EXPECT_NE(statuses[0].ok(), statuses[1].ok());
  EXPECT_EQ(statuses[statuses[0].ok() ? 1 : 0].error_code(), grpc::StatusCode::ABORTED);
}

TEST_F(MainJobTest, ListsAndFiguresAgreeWithTheAnswers) {
  pb::AppendResponse last;
  for (int i = 0; i < 25; ++i) {
    last = Append("shop", {Registration(absl::StrCat("c", 10 + i), i % 5 == 0 ? "chen" : "liu")});
  }
  EXPECT_EQ(CustomersOf("liu", 7, last.position()).size(), 20u);
  EXPECT_EQ(CustomersOf("chen", 2, last.position()),
            (std::vector<std::string>{"c10", "c15", "c20", "c25", "c30"}));
  pb::GetStatsRequest request;
  request.set_ledger("shop");
  *request.mutable_min_position() = last.position();
  pb::GetStatsResponse stats;
  Context context;
  ASSERT_TRUE(query_->GetStats(&context, request, &stats).ok());
  EXPECT_EQ(stats.customers(), 25u);
  ASSERT_EQ(stats.owners_size(), 2);
  EXPECT_EQ(stats.owners(0).owner().staff_id(), "liu");
  EXPECT_EQ(stats.owners(0).customers(), 20u);
}

TEST_F(MainJobTest, DueCallBacksComeInOrder) {
  pb::AppendResponse last;
  for (int i = 0; i < 3; ++i) last = Append("shop", {Registration(absl::StrCat("c", i), "liu")});
  pb::ListDueCallbacksRequest request;
  request.set_ledger("shop");
  request.mutable_owner()->set_staff_id("liu");
  request.mutable_until_time()->set_seconds(absl::ToUnixSeconds(absl::Now() + absl::Hours(24 * 10)));
  *request.mutable_min_position() = last.position();
  pb::ListDueCallbacksResponse response;
  Context context;
  ASSERT_TRUE(query_->ListDueCallbacks(&context, request, &response).ok());
  EXPECT_EQ(response.callbacks_size(), 3);
}

TEST_F(MainJobTest, SearchFindsTheFirstCustomerInAnyWriting) {
  pb::NewEvent registration = Registration("first", "liu");
  pb::ContactPoint& phone = *registration.mutable_personal()->add_contact_points();
  phone.set_kind(pb::CONTACT_POINT_KIND_PHONE);
  phone.set_value("138 0013 8000");
  Append("shop", {registration});
  pb::NewEvent again = Registration("second", "chen");
  *again.mutable_personal()->add_contact_points() = phone;
  const pb::AppendResponse joined = Append("shop", {again});
  EXPECT_EQ(joined.events(0).joined().customer_id(), "first");
  EXPECT_EQ(OwnerOf("shop", "second", joined.position()), "liu");

  const auto search = [&](const std::string& value, pb::SearchCustomersResponse* response) {
    pb::SearchCustomersRequest request;
    request.set_ledger("shop");
    request.mutable_contact_point()->set_kind(pb::CONTACT_POINT_KIND_PHONE);
    request.mutable_contact_point()->set_value(value);
    Context context;
    return query_->SearchCustomers(&context, request, response);
  };
  pb::SearchCustomersResponse found;
  ASSERT_TRUE(search("+86-13800138000", &found).ok());
  ASSERT_EQ(found.customer_ids_size(), 1);
  EXPECT_EQ(found.customer_ids(0), "first");
  pb::SearchCustomersResponse nobody;
  ASSERT_TRUE(search("13900139000", &nobody).ok());
  EXPECT_EQ(nobody.customer_ids_size(), 0);
  pb::SearchCustomersResponse none;
  EXPECT_EQ(search("not a number", &none).error_code(), grpc::StatusCode::INVALID_ARGUMENT);

  // Parted again, both have the number.
  pb::NewEvent unmerge;
  *unmerge.mutable_event()->mutable_occurred_time() = Contact("first", "liu").event().occurred_time();
  unmerge.mutable_event()->mutable_customers_unmerged()->set_customer_id("first");
  unmerge.mutable_event()->mutable_customers_unmerged()->set_absorbed_customer_id("second");
  Append("shop", {unmerge});
  pb::SearchCustomersResponse both;
  ASSERT_TRUE(search("13800138000", &both).ok());
  ASSERT_EQ(both.customer_ids_size(), 2);
  EXPECT_EQ(both.customer_ids(0), "first");
  EXPECT_EQ(both.customer_ids(1), "second");
}

TEST_F(MainJobTest, HistoryHasTheLatestPersonalDataOfEachKind) {
  pb::NewEvent first = Registration("c", "liu");
  first.mutable_personal()->set_name("Wang Fang");
  first.mutable_personal()->set_address("1 Old Street");
  pb::NewEvent second = Contact("c", "liu");
  second.mutable_personal()->set_address("2 New Street");
  Append("shop", {first});
  Append("shop", {second});
  const pb::GetHistoryResponse history = History("shop", "c", true);
  EXPECT_EQ(history.personal().name(), "Wang Fang");
  EXPECT_EQ(history.personal().address(), "2 New Street");
  EXPECT_GE(history.entries_size(), 2);
  EXPECT_FALSE(History("shop", "c", false).has_personal());
}

TEST_F(MainJobTest, RefusesBadQuestionsWithAReason) {
  const pb::AppendResponse appended = Append("shop", {Registration("c", "liu")});
  pb::GetOwnerResponse response;
  grpc::Status status = TryGetOwner("none", "c", {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "LEDGER_NOT_FOUND");
  status = TryGetOwner("shop", "nobody", {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "CUSTOMER_NOT_FOUND");
  status = TryGetOwner("shop", "", {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  pb::PositionToken beyond = appended.position();
  beyond.set_position(beyond.position() + 1);
  status = TryGetOwner("shop", "c", beyond, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE);
  EXPECT_EQ(ReasonOf(status), "POSITION_NOT_REACHED");
}

TEST_F(MainJobTest, RefusesABadPolicyAndNamesTheFields) {
  pb::CreateLedgerRequest request;
  request.set_name("other");
  request.set_request_id("1");
  request.mutable_policy();
  pb::CreateLedgerResponse response;
  Context context;
  const grpc::Status status = operations_->CreateLedger(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "POLICY_REFUSED");
  EXPECT_THAT(status.error_message(), HasSubstr("id: "));
}

TEST_F(MainJobTest, CreatingALedgerTwiceIsSafeForTheSameRequestOnly) {
  EXPECT_EQ(CreateLedger("shop").ledger_id(), Summary("shop").ledger_id());
  pb::CreateLedgerRequest request;
  request.set_name("shop");
  request.set_request_id("another");
  *request.mutable_policy() = ShippedPolicy("default");
  pb::CreateLedgerResponse response;
  Context context;
  EXPECT_EQ(operations_->CreateLedger(&context, request, &response).error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(MainJobTest, RebuildsWhileAppendsAndQueriesGoOn) {
  std::vector<pb::NewEvent> many;
  many.reserve(500);
  for (int i = 0; i < 500; ++i) many.push_back(Registration(absl::StrCat("c", i), "liu"));
  const pb::AppendResponse before = Append("shop", many);
  ASSERT_EQ(OwnerOf("shop", "c1", before.position()), "liu");

  std::atomic<bool> enough{false};
  std::atomic<int> appended{0};
  std::thread writer([&] {
    while (!enough.load()) {
      const std::string customer = absl::StrCat("w", appended.load());
      const pb::AppendResponse response = Append("shop", {Registration(customer, "chen")});
      EXPECT_EQ(OwnerOf("shop", customer, response.position()), "chen");
      ++appended;
      appended.notify_all();
    }
  });
  appended.wait(0);
  pb::RebuildProjectionRequest request;
  request.set_ledger("shop");
  request.set_projection("owner");
  Context context;
  const auto reader = operations_->RebuildProjection(&context, request);
  pb::RebuildProjectionResponse response;
  pb::RebuildProjectionResponse last;
  while (reader->Read(&response)) last = response;
  const grpc::Status status = reader->Finish();
  appended.wait(appended.load());  // and one more on the new generation
  enough.store(true);
  writer.join();
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(last.state(), pb::REBUILD_STATE_SWITCHED);
  EXPECT_GE(last.applied_position(), before.position().position());
  EXPECT_EQ(last.differing_customers(), 0u);
  EXPECT_EQ(OwnerOf("shop", "c499", {}), "liu");
  EXPECT_EQ(OwnerOf("shop", "w0", {}), "chen");

  pb::RollBackProjectionRequest back;
  back.set_ledger("shop");
  back.set_projection("owner");
  pb::RollBackProjectionResponse generation;
  Context back_context;
  ASSERT_TRUE(operations_->RollBackProjection(&back_context, back, &generation).ok());
  EXPECT_NE(generation.generation(), last.generation());
  EXPECT_EQ(OwnerOf("shop", "w0", {}), "chen");
}

TEST_F(MainJobTest, RebuildRefusesWhatDoesNotExist) {
  for (const auto& [ledger, projection, code] :
       {std::tuple("shop", "colour", grpc::StatusCode::INVALID_ARGUMENT),
        std::tuple("none", "owner", grpc::StatusCode::NOT_FOUND)}) {
    pb::RebuildProjectionRequest request;
    request.set_ledger(ledger);
    request.set_projection(projection);
    Context context;
    pb::RebuildProjectionResponse response;
    const auto reader = operations_->RebuildProjection(&context, request);
    EXPECT_FALSE(reader->Read(&response));
    EXPECT_EQ(reader->Finish().error_code(), code);
  }
}

TEST_F(MainJobTest, ARestartKeepsEverything) {
  const pb::AppendResponse appended = Append("shop", {Registration("c", "liu"), Contact("c", "liu")});
  const pb::LedgerSummary before = Summary("shop");
  const pb::GetHistoryResponse history = History("shop", "c", false);
  Restart();
  const pb::LedgerSummary after = Summary("shop");
  EXPECT_EQ(before.SerializeAsString(), after.SerializeAsString());
  EXPECT_EQ(OwnerOf("shop", "c", appended.position()), "liu");
  EXPECT_EQ(History("shop", "c", false).entries_size(), history.entries_size());
}

TEST_F(MainJobTest, DamagedViewsAreMovedAsideAndComputedAgain) {
  const pb::AppendResponse appended = Append("shop", {Registration("c", "liu")});
  ASSERT_EQ(OwnerOf("shop", "c", appended.position()), "liu");
  Stop();
  std::ofstream(data_ + "/views/CURRENT", std::ios::trunc) << "nonsense";
  Start();
  ASSERT_NE(server_, nullptr);
  EXPECT_EQ(OwnerOf("shop", "c", appended.position()), "liu");
  EXPECT_TRUE(std::filesystem::exists(data_ + "/views.damaged-1"));
}

TEST_F(MainJobTest, VerifyFindsNothingWrongAndStatusTells) {
  Append("shop", {Registration("c", "liu")});
  Context context;
  const auto reader = operations_->Verify(&context, pb::VerifyRequest());
  pb::VerifyResponse response;
  std::string last_step;
  while (reader->Read(&response)) {
    EXPECT_EQ(response.finding(), "");
    last_step = response.step();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(last_step, "done");

  pb::GetStatusRequest request;
  request.set_ledger("shop");
  pb::GetStatusResponse status;
  Context status_context;
  ASSERT_TRUE(operations_->GetStatus(&status_context, request, &status).ok());
  EXPECT_TRUE(status.accepts_appends());
  EXPECT_EQ(status.ledgers(), 1u);
  EXPECT_EQ(status.projections_size(), 3);
  EXPECT_EQ(status.lineage().size(), 16u);
}

TEST_F(MainJobTest, LedgersAreListedByNamePageAfterPage) {
  for (const char* name : {"b", "a", "c"}) CreateLedger(name, "recorded");
  pb::ListLedgersRequest request;
  request.set_page_size(3);
  pb::ListLedgersResponse page;
  Context context;
  ASSERT_TRUE(operations_->ListLedgers(&context, request, &page).ok());
  ASSERT_EQ(page.ledgers_size(), 3);
  EXPECT_EQ(page.ledgers(0).name(), "a");
  EXPECT_EQ(page.ledgers(2).name(), "c");
  request.set_page_token(page.next_page_token());
  pb::ListLedgersResponse rest;
  Context rest_context;
  ASSERT_TRUE(operations_->ListLedgers(&rest_context, request, &rest).ok());
  ASSERT_EQ(rest.ledgers_size(), 1);
  EXPECT_EQ(rest.ledgers(0).name(), "shop");
  EXPECT_EQ(rest.ledgers(0).policy_id(), "default");
  EXPECT_EQ(rest.next_page_token(), "");
  request.set_page_token("guess");
  Context bad_context;
  EXPECT_EQ(operations_->ListLedgers(&bad_context, request, &rest).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace ledger::e2e
