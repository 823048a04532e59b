// The reference histories, imported into a real server: the figures that the whole way from file to answer must give.

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/ctl/import/import_run.h"
#include "services/ctl/import/mapping_file.h"
#include "tests/e2e/e2e_fixture.h"

namespace ledger::e2e {
namespace {

std::string SharedData() {
  const char* shared = std::getenv("LEDGER_SHARED");
  return absl::StrCat(shared != nullptr ? shared : LEDGER_SHARED_DEFAULT, "/data/");
}

struct Reference {
  std::string name;
  std::string file;
  uint64_t source_events = 0;
  uint64_t customers = 0;
  uint64_t owner_changes = 0;
  uint64_t returning_customers = 0;
  std::string owner;  // who owns most; empty: nobody owns anything
  uint64_t owned = 0;
};

class ReferenceDataTest : public E2eTest, public ::testing::WithParamInterface<Reference> {
 protected:
  absl::Status Import(const std::string& ledger, ctl::ImportSummary* summary) {
    ctl::ImportOptions options;
    options.ledger = ledger;
    options.file_path = SharedData() + GetParam().file;
    auto mapping = ctl::LoadMapping(absl::StrCat(LEDGER_MAPPINGS, "/", GetParam().name, ".textproto"));
    EXPECT_TRUE(mapping.ok()) << mapping.status();
    options.mapping = *std::move(mapping);
    return ctl::ImportRun(options, ledger_.get()).Run(summary);
  }
};

TEST_P(ReferenceDataTest, GivesExactlyItsFigures) {
  const Reference& reference = GetParam();
  if (!std::filesystem::exists(SharedData() + reference.file)) {
    GTEST_SKIP() << SharedData() + reference.file << " is not there";
  }
  Start();
  CreateLedger(reference.name, "recorded");
  ctl::ImportSummary summary;
  const absl::Status status = Import(reference.name, &summary);
  ASSERT_TRUE(status.ok()) << status;
  // Once more, as after a kill: nothing is doubled. And the log survives a restart.
  ASSERT_TRUE(Import(reference.name, &summary).ok());
  Restart();

  pb::GetStatsRequest request;
  request.set_ledger(reference.name);
  *request.mutable_min_position() = Summary(reference.name).position();
  pb::GetStatsResponse stats;
  Context context;
  ASSERT_TRUE(query_->GetStats(&context, request, &stats).ok());
  EXPECT_EQ(stats.source_events(), reference.source_events);
  EXPECT_EQ(stats.customers(), reference.customers);
  EXPECT_EQ(stats.owner_changes(), reference.owner_changes);
  EXPECT_EQ(stats.returning_customers(), reference.returning_customers);
  if (reference.owner.empty()) {
    EXPECT_EQ(stats.owners_size(), 0);
    return;
  }
  ASSERT_GT(stats.owners_size(), 0);
  if (reference.owned > 0) {
    EXPECT_EQ(stats.owners(0).owner().staff_id(), reference.owner);
    EXPECT_EQ(stats.owners(0).customers(), reference.owned);
  }

  // The owner's list holds as many, and each customer on it names the owner when asked by itself.
  uint64_t listed = 0;
  pb::ListCustomersRequest list;
  list.set_ledger(reference.name);
  *list.mutable_owner() = stats.owners(0).owner();
  list.set_page_size(1'000);
  do {
    pb::ListCustomersResponse page;
    Context list_context;
    ASSERT_TRUE(query_->ListCustomers(&list_context, list, &page).ok());
    for (const pb::CustomerEntry& entry : page.customers()) {
      if (listed++ % 97 != 0) continue;
      pb::GetOwnerRequest owner;
      owner.mutable_query()->set_ledger(reference.name);
      owner.mutable_query()->set_customer_id(entry.customer_id());
      *owner.mutable_query()->mutable_as_of()->mutable_true_at() = entry.since_time();
      pb::GetOwnerResponse answer;
      Context owner_context;
      ASSERT_TRUE(query_->GetOwner(&owner_context, owner, &answer).ok());
      ASSERT_EQ(answer.ownerships_size(), 1);
      EXPECT_EQ(answer.ownerships(0).owner().staff_id(), stats.owners(0).owner().staff_id());
    }
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(listed, stats.owners(0).customers());
}

INSTANTIATE_TEST_SUITE_P(
    All, ReferenceDataTest,
    ::testing::Values(Reference{"bpic2013-incidents", "bpic2013-incidents/bpic2013_incidents.xes.gz", 65'533,
                                7'554, 20'649, 1'879, "Siebel", 5'264},
                      Reference{"helpdesk-italy", "helpdesk-italy/helpdesk.xes.gz", 21'348, 4'580, 8'648, 291,
                                "Value 5", 0},
                      Reference{"cdnow", "cdnow/CDNOW_master.txt.gz", 69'659, 23'570, 0, 0, "", 0}),
    [](const auto& info) {
      std::string name = info.param.name;
      for (char& c : name) c = c == '-' ? '_' : c;
      return name;
    });

}  // namespace
}  // namespace ledger::e2e
