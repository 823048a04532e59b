#include "projections/runtime/projector.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <set>

#include "absl/strings/str_cat.h"
#include "projections/runtime/customer_fold.h"
#include "projections/runtime/row_time.h"
#include "projections/runtime/view_keys.h"
#include "projections/runtime/view_row.pb.h"
#include "tests/projections/runtime/runtime_fixture.h"

namespace ledger::runtime::testing {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

class ProjectorTest : public RuntimeFixture {
 protected:
  static ViewRow RowOf(const std::map<std::string, std::string>& rows, const std::string& customer) {
    ViewRow row;
    const auto found = rows.find(CustomerSuffix(customer));
    EXPECT_NE(found, rows.end()) << customer;
    if (found != rows.end()) {
      EXPECT_TRUE(row.ParseFromString(found->second));
    }
    return row;
  }

  // Every row must say what folding the whole log again says.
  void ExpectRowsEqualFreshFolds(const Server& server) {
    const uint64_t position = log_.CommittedPosition(ledger_);
    TimelineStore timelines(log_);
    const auto timeline = *timelines.Latest(ledger_);
    LogSubjectSource source(log_, ledger_);
    for (const ProjectionKind kind : kProjectionKinds) {
      const auto rows = Rows(server, ledger_, kind);
      for (int i = 0; i < 12; ++i) {
        const std::string id = absl::StrCat("c", i);
        SCOPED_TRACE(id);
        const auto folded = FoldCustomer(source, *timeline, id, position);
        ASSERT_TRUE(folded.ok()) << folded.status();
        if (!folded->known) {
          EXPECT_FALSE(rows.contains(CustomerSuffix(id)));
          continue;
        }
        const ViewRow row = RowOf(rows, id);
        if (folded->identity.customer_id != id) {
          EXPECT_EQ(row.merged_into(), folded->identity.customer_id);
          continue;
        }
        EXPECT_EQ(row.merged_into(), "");
        EXPECT_EQ(row.state(), folded->state.SerializeAsString());
        EXPECT_EQ(row.parked_position(), folded->parked_position);
        EXPECT_EQ(row.last_position(), folded->last_position);
        EXPECT_EQ(row.noted_position(), folded->noted_position);
      }
    }
  }
};

TEST_F(ProjectorTest, FollowsTheLog) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(2)), "liu");
  Append(Assigned("c1", "chen", Hour(3)), Hour(3));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(4)), "chen");
  EXPECT_EQ(OwnerOf(server, "c2", Hour(4)).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ProjectorTest, ALateEventIsFoldedWhereItBelongs) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Assigned("c1", "chen", Hour(30)), Hour(30));
  WaitForAll(server, ledger_);
  Append(Assigned("c1", "wang", Hour(10)), Hour(40));  // before chen's
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(50)), "chen");
  ExpectRowsEqualFreshFolds(server);
}

TEST_F(ProjectorTest, AWithdrawnEventNeverHappened) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  const uint64_t wrong = Append(Assigned("c1", "chen", Hour(30)), Hour(30));
  WaitForAll(server, ledger_);
  ASSERT_EQ(*OwnerOf(server, "c1", Hour(31)), "chen");
  Append(Withdrawn("c1", wrong, Hour(40)), Hour(40));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(50)), "liu");
}

TEST_F(ProjectorTest, AMergeJoinsAndAnUnmergeParts) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Registered("c2", "chen", Hour(2)), Hour(2));
  WaitForAll(server, ledger_);
  Append(Merged("c1", "c2", Hour(3)), Hour(3));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c2", Hour(4)), "liu");
  EXPECT_EQ(RowOf(Rows(server, ledger_, ProjectionKind::kOwner), "c2").merged_into(), "c1");
  Append(Unmerged("c1", "c2", Hour(5)), Hour(5));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(6)), "liu");
  EXPECT_EQ(*OwnerOf(server, "c2", Hour(6)), "chen");
  ExpectRowsEqualFreshFolds(server);
}

// A correction names one customer only; the other must notice too.
TEST_F(ProjectorTest, AWithdrawnMergeParts) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Registered("c2", "chen", Hour(2)), Hour(2));
  const uint64_t merge = Append(Merged("c1", "c2", Hour(3)), Hour(3));
  WaitForAll(server, ledger_);
  Append(Withdrawn("c1", merge, Hour(4)), Hour(4));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c2", Hour(5)), "chen");
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(5)), "liu");
}

TEST_F(ProjectorTest, RandomHistoriesReplayToTheSameBytes) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  ProjectorOptions live_options;
  live_options.records_per_turn = 7;
  Server live(log_, NewDirectory(), live_options);
  int64_t hour = 24 * 90;
  for (int i = 0; i < 800; ++i) {
    const uint64_t position = AppendRandom(random, &hour);
    if (random() % 3 != 0) live.projector->Notify(ledger_);
    // Batches of every size: sometimes one event, sometimes many.
    if (random() % 20 == 0) {
      live.projector->Notify(ledger_);
      ASSERT_TRUE(Wait(live, ledger_, ProjectionKind::kTier, position).ok());
    }
  }
  WaitForAll(live, ledger_);
  ExpectRowsEqualFreshFolds(live);
  Server replay(log_, NewDirectory());
  WaitForAll(replay, ledger_);
  for (const ProjectionKind kind : kProjectionKinds) {
    SCOPED_TRACE(ProjectionName(kind));
    EXPECT_EQ(Rows(live, ledger_, kind), Rows(replay, ledger_, kind));
    EXPECT_EQ(live.projector->Status(ledger_, kind).parked_customers,
              replay.projector->Status(ledger_, kind).parked_customers);
  }
}

TEST_F(ProjectorTest, AParkedCustomerDelaysNobody) {
  Server server(log_, NewDirectory());
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Append(Registered("c2", "liu", Hour(1)), Hour(1));
  const uint64_t unknown = log_.Append(ledger_, Assigned("c1", "chen", Hour(2)), Hour(2), 549);
  Append(Assigned("c1", "wang", Hour(3)), Hour(3));
  Append(Assigned("c2", "wang", Hour(3)), Hour(3));
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c2", Hour(4)), "wang");
  pb::GetOwnerRequest request;
  request.mutable_query()->set_customer_id("c1");
  auto parked = server.answers->GetOwner(Identity(), request, Hour(4));
  ASSERT_TRUE(parked.ok()) << parked.status();
  EXPECT_EQ(parked->context().parked_at_position(), unknown);
  EXPECT_NE(parked->context().parked_reason(), "");
  EXPECT_EQ(parked->ownerships(0).owner().staff_id(), "liu");
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kOwner).parked_customers, 1u);

  // Withdrawing the event lets everything that was noted since count.
  Append(Withdrawn("c1", unknown, Hour(5)), Hour(5));
  WaitForAll(server, ledger_);
  parked = server.answers->GetOwner(Identity(), request, Hour(6));
  EXPECT_EQ(parked->context().parked_at_position(), 0u);
  EXPECT_EQ(parked->ownerships(0).owner().staff_id(), "wang");
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kOwner).parked_customers, 0u);
}

// 3,000 events of one ledger stand before one of another.
TEST_F(ProjectorTest, ABusyLedgerDelaysNoOther) {
  for (int i = 0; i < 3000; ++i) Append(Contacted(absl::StrCat("c", i % 50), "liu", Hour(i)), Hour(i));
  const storage::LedgerNumber other = AddLedger("other");
  log_.Append(other, Registered("c1", "chen", Hour(1)), Hour(1));
  ProjectorOptions options;
  options.records_per_turn = 50;
  Server server(log_, NewDirectory(), options);
  uint64_t busy_at = 0;
  std::promise<void> served;
  server.projector->WaitFor(
      other, ProjectionKind::kOwner, 3, absl::Now() + absl::Seconds(60), [&](const absl::Status& status) {
        EXPECT_TRUE(status.ok()) << status;
        busy_at = server.projector->Status(ledger_, ProjectionKind::kOwner).applied_position;
        served.set_value();
      });
  served.get_future().wait();
  EXPECT_LT(busy_at, log_.CommittedPosition(ledger_));
  WaitForAll(server, ledger_);
}

TEST_F(ProjectorTest, WaitingEndsAtItsDeadline) {
  Server server(log_, NewDirectory());
  std::promise<absl::Status> promise;
  server.projector->WaitFor(ledger_, ProjectionKind::kOwner, 99, absl::Now() + absl::Milliseconds(20),
                            [&](absl::Status status) { promise.set_value(std::move(status)); });
  const absl::Status status = promise.get_future().get();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("VIEW_BEHIND"));
}

TEST_F(ProjectorTest, StoppingEndsAllWaiting) {
  Server server(log_, NewDirectory());
  std::promise<absl::Status> promise;
  server.projector->WaitFor(ledger_, ProjectionKind::kOwner, 99, absl::InfiniteFuture(),
                            [&](absl::Status status) { promise.set_value(std::move(status)); });
  server.projector->Stop();
  EXPECT_THAT(std::string(promise.get_future().get().message()), HasSubstr("SHUTTING_DOWN"));
}

TEST_F(ProjectorTest, TooManyWaitersAreRefused) {
  ProjectorOptions options;
  options.max_waiters = 1;
  Server server(log_, NewDirectory(), options);
  WaitForAll(server, ledger_);
  server.projector->WaitFor(ledger_, ProjectionKind::kOwner, 99, absl::InfiniteFuture(),
                            [](const absl::Status&) {});
  absl::Status refused;
  server.projector->WaitFor(ledger_, ProjectionKind::kOwner, 99, absl::InfiniteFuture(),
                            [&](absl::Status status) { refused = std::move(status); });
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(ProjectorTest, ARestartGoesOnWhereItStopped) {
  const std::string directory = NewDirectory();
  {
    Server server(log_, directory);
    Append(Registered("c1", "liu", Hour(1)), Hour(1));
    WaitForAll(server, ledger_);
  }
  Append(Assigned("c1", "chen", Hour(2)), Hour(2));
  Server server(log_, directory);
  EXPECT_GE(server.projector->Status(ledger_, ProjectionKind::kOwner).applied_position, 3u);
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(3)), "chen");
}

TEST_F(ProjectorTest, AViewOfAnotherLineageIsComputedAgain) {
  const std::string directory = NewDirectory();
  {
    Server server(log_, directory);
    Append(Registered("c1", "liu", Hour(1)), Hour(1));
    Append(Assigned("c1", "chen", Hour(2)), Hour(2));
    WaitForAll(server, ledger_);
  }
  log_.Restore(ledger_, 3, "lineage-00000002");
  Append(Assigned("c1", "wang", Hour(3)), Hour(3));
  Server server(log_, directory);
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(4)), "wang");
  ExpectRowsEqualFreshFolds(server);
}

TEST_F(ProjectorTest, AViewBeyondTheLogIsComputedAgain) {
  const std::string directory = NewDirectory();
  {
    Server server(log_, directory);
    Append(Registered("c1", "liu", Hour(1)), Hour(1));
    Append(Assigned("c1", "chen", Hour(2)), Hour(2));
    WaitForAll(server, ledger_);
  }
  log_.Restore(ledger_, 3, "lineage-00000001");
  Server server(log_, directory);
  WaitForAll(server, ledger_);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(4)), "liu");
}

TEST_F(ProjectorTest, ANewPolicyReachesCustomersItDoesNotName) {
  Server server(log_, NewDirectory());
  for (int i = 0; i < 1200; ++i) Append(Registered(absl::StrCat("x", i), "liu", Hour(1)), Hour(1));
  pb::Policy policy = DefaultPolicy();
  policy.mutable_lapse()->mutable_dormancy()->mutable_period()->set_days(10);
  Append(Adopted(policy, Hour(2)), Hour(2));
  Append(Registered("y", "chen", Hour(3)), Hour(3));
  WaitForAll(server, ledger_);
  Server replay(log_, NewDirectory());
  WaitForAll(replay, ledger_);
  EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kOwner), Rows(replay, ledger_, ProjectionKind::kOwner));
  // y's ownership began under the new policy, the others' under the old one.
  EXPECT_EQ(*OwnerOf(server, "y", Hour(24 * 15)), "pool");
  EXPECT_EQ(*OwnerOf(server, "x7", Hour(24 * 15)), "liu");
}

TEST_F(ProjectorTest, TheSameIdInManyLedgersNeverMeets) {
  std::vector<storage::LedgerNumber> ledgers;
  for (int i = 0; i < 200; ++i) ledgers.push_back(AddLedger(absl::StrCat("ledger", i)));
  Server server(log_, NewDirectory());
  for (size_t i = 0; i < ledgers.size(); ++i) {
    log_.Append(ledgers[i], Registered("c1", absl::StrCat("staff", i), Hour(1)), Hour(1));
    server.projector->Notify(ledgers[i]);
  }
  for (size_t i = 0; i < ledgers.size(); ++i) {
    ASSERT_TRUE(Wait(server, ledgers[i], ProjectionKind::kOwner, 3).ok());
    pb::GetOwnerRequest request;
    request.mutable_query()->set_customer_id("c1");
    const auto answer =
        server.answers->GetOwner(*log_.FindLedger(absl::StrCat("ledger", i)), request, Hour(2));
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->ownerships(0).owner().staff_id(), absl::StrCat("staff", i));
  }
}

TEST_F(ProjectorTest, NothingIsWrittenWhileTheDiskIsNearlyFull) {
  std::atomic<bool> may_write = false;
  ProjectorOptions options;
  options.may_write = [&may_write] { return may_write.load(); };
  Server server(log_, NewDirectory(), options);
  std::promise<absl::Status> waiting;
  server.projector->WaitFor(ledger_, ProjectionKind::kOwner, 2, absl::Now() + absl::Milliseconds(50),
                            [&](absl::Status status) { waiting.set_value(std::move(status)); });
  EXPECT_THAT(std::string(waiting.get_future().get().message()), HasSubstr("VIEW_BEHIND"));
  may_write = true;
  WaitForAll(server, ledger_);
}

}  // namespace
}  // namespace ledger::runtime::testing
