#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "projections/runtime/projector.h"
#include "projections/runtime/view_keys.h"
#include "projections/runtime/view_row.pb.h"
#include "tests/projections/runtime/runtime_fixture.h"

namespace ledger::runtime::testing {
namespace {

namespace fs = std::filesystem;
namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

class RebuildTest : public RuntimeFixture {
 protected:
  void AppendMany(int events, uint32_t seed) {
    std::mt19937 random(seed);
    int64_t hour = 24 * 90;
    for (int i = 0; i < events; ++i) AppendRandom(random, &hour);
  }
  static absl::StatusOr<uint32_t> RollBack(Server& server, storage::LedgerNumber ledger,
                                           ProjectionKind kind) {
    std::promise<absl::StatusOr<uint32_t>> promise;
    server.projector->RollBack(
        ledger, kind, [&](absl::StatusOr<uint32_t> generation) { promise.set_value(std::move(generation)); });
    return promise.get_future().get();
  }
  // Generations that have rows.
  static std::set<uint32_t> GenerationsOf(const Server& server, storage::LedgerNumber ledger,
                                          ProjectionKind kind) {
    std::set<uint32_t> found;
    for (uint32_t generation = 1; generation < 20; ++generation) {
      EXPECT_TRUE(server.store
                      ->ScanPrefix(RowPrefix(ledger, kind, generation),
                                   [&](absl::string_view, absl::string_view) {
                                     found.insert(generation);
                                     return false;
                                   })
                      .ok());
    }
    return found;
  }
};

TEST_F(RebuildTest, BuildsBesideTheLiveGenerationAndSwitches) {
  AppendMany(500, 1);
  Server server(log_, NewDirectory());
  WaitForAll(server, ledger_);
  const auto before = Rows(server, ledger_, ProjectionKind::kOwner);
  const RebuildProgress progress = Rebuild(server, ledger_, ProjectionKind::kOwner);
  EXPECT_EQ(progress.state, RebuildState::kSwitched) << progress.error;
  EXPECT_EQ(progress.generation, 2u);
  EXPECT_EQ(progress.differing_customers, 0u);
  EXPECT_EQ(progress.applied_position, log_.CommittedPosition(ledger_));
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kOwner).generation, 2u);
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kTier).generation, 1u);
  EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kOwner), before);
}

TEST_F(RebuildTest, AppendsAndQueriesGoOnThroughout) {
  AppendMany(2000, 2);
  Append(Registered("steady", "liu", Hour(1)), Hour(1));
  std::atomic<int> appended = 0;
  std::atomic<int> answered = 0;
  ProjectorOptions options;
  options.records_per_turn = 100;
  Server* running = nullptr;
  // Between two batches of the rebuild events are appended, applied by the live generation, and answered from
  // it.
  options.on_rebuild_step = [&](RebuildStep step) {
    if (step != RebuildStep::kBatchWritten && step != RebuildStep::kCaughtUp &&
        step != RebuildStep::kCompared)
      return;
    if (appended == 40) return;
    const std::string staff = absl::StrCat("staff", ++appended);
    const absl::Time now = Hour(1'000'000 + appended);
    const uint64_t position = Append(Assigned("steady", staff, now), now);
    running->projector->Notify(ledger_);
    const absl::Status applied = Wait(*running, ledger_, ProjectionKind::kOwner, position);
    EXPECT_TRUE(applied.ok()) << applied;
    const auto owner = OwnerOf(*running, "steady", now);
    EXPECT_EQ(owner.value_or(""), staff);
    if (owner.ok()) ++answered;
  };
  Server server(log_, NewDirectory(), options);
  running = &server;
  WaitForAll(server, ledger_);
  const RebuildProgress progress = Rebuild(server, ledger_, ProjectionKind::kOwner);
  EXPECT_EQ(progress.state, RebuildState::kSwitched) << progress.error;
  EXPECT_EQ(progress.differing_customers, 0u);
  EXPECT_GE(appended, 20);
  EXPECT_EQ(answered, appended);
  WaitForAll(server, ledger_);
  Server replay(log_, NewDirectory());
  WaitForAll(replay, ledger_);
  EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kOwner), Rows(replay, ledger_, ProjectionKind::kOwner));
}

TEST_F(RebuildTest, ASecondCallJoinsTheFirst) {
  AppendMany(300, 3);
  std::atomic<int> recorded = 0;
  std::promise<void> hold;
  std::shared_future<void> released = hold.get_future().share();
  ProjectorOptions options;
  options.on_rebuild_step = [&](RebuildStep step) {
    if (step != RebuildStep::kRecorded) return;
    ++recorded;
    released.wait();
  };
  Server server(log_, NewDirectory(), options);
  WaitForAll(server, ledger_);
  std::promise<RebuildProgress> first;
  std::promise<RebuildProgress> second;
  const auto observe = [](std::promise<RebuildProgress>& promise) {
    return [&promise](const RebuildProgress& progress) {
      if (progress.state != RebuildState::kBuilding) promise.set_value(progress);
      return true;
    };
  };
  ASSERT_TRUE(server.projector->StartRebuild(ledger_, ProjectionKind::kTier, observe(first)).ok());
  ASSERT_TRUE(server.projector->StartRebuild(ledger_, ProjectionKind::kTier, observe(second)).ok());
  const auto refused = RollBack(server, ledger_, ProjectionKind::kTier);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("REBUILD_RUNNING"));
  hold.set_value();
  EXPECT_EQ(first.get_future().get().generation, second.get_future().get().generation);
  EXPECT_EQ(recorded, 1);
}

// The directory is copied at each step as a killed process would leave it, and every copy is started again.
TEST_F(RebuildTest, GoesOnAfterAKillAtAnyStep) {
  AppendMany(400, 4);
  const std::string directory = NewDirectory();
  std::vector<std::string> copies;
  ProjectorOptions options;
  options.records_per_turn = 100;
  options.on_rebuild_step = [&](RebuildStep step) {
    const std::string copy = NewDirectory() + absl::StrCat("-step", static_cast<int>(step));
    // The store goes on meanwhile and may remove a file between the listing and the copy: a kill is one instant, so the
    // copy is made again until it is of one.
    std::error_code error;
    do {
      fs::remove_all(copy);
      fs::copy(directory, copy, fs::copy_options::recursive, error);
    } while (error == std::errc::no_such_file_or_directory);
    ASSERT_FALSE(error) << error.message();
    copies.push_back(copy);
  };
  {
    Server server(log_, directory, options);
    WaitForAll(server, ledger_);
    ASSERT_TRUE(server.store->Flush().ok());
    // Twice, so that there is a generation to delete.
    ASSERT_EQ(Rebuild(server, ledger_, ProjectionKind::kOwner).state, RebuildState::kSwitched);
    ASSERT_EQ(Rebuild(server, ledger_, ProjectionKind::kOwner).state, RebuildState::kSwitched);
    EXPECT_EQ(GenerationsOf(server, ledger_, ProjectionKind::kOwner), (std::set<uint32_t>{2, 3}));
  }
  Append(Assigned("c1", "zhao", Hour(1'000'000)), Hour(1'000'000));
  Server replay(log_, NewDirectory());
  WaitForAll(replay, ledger_);
  const auto expected = Rows(replay, ledger_, ProjectionKind::kOwner);
  ASSERT_GE(copies.size(), 16u);
  bool resumed = false;
  for (const std::string& copy : copies) {
    SCOPED_TRACE(copy);
    Server server(log_, copy);
    const bool interrupted =
        server.projector->Status(ledger_, ProjectionKind::kOwner).rebuild.state != RebuildState::kNone;
    WaitForAll(server, ledger_);
    EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kOwner), expected);
    if (interrupted) {
      resumed = true;
      // Joining an ended job starts another; either way it ends with a switch and the same rows.
      EXPECT_EQ(Rebuild(server, ledger_, ProjectionKind::kOwner).state, RebuildState::kSwitched);
      EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kOwner), expected);
    }
    const ProjectionStatus status = server.projector->Status(ledger_, ProjectionKind::kOwner);
    std::set<uint32_t> kept = {status.generation};
    if (status.previous_generation != 0) kept.insert(status.previous_generation);
    EXPECT_EQ(GenerationsOf(server, ledger_, ProjectionKind::kOwner), kept);
  }
  EXPECT_TRUE(resumed);
}

TEST_F(RebuildTest, ARollBackCatchesUpFirst) {
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  Server server(log_, NewDirectory());
  WaitForAll(server, ledger_);
  EXPECT_THAT(std::string(RollBack(server, ledger_, ProjectionKind::kOwner).status().message()),
              HasSubstr("NO_PREVIOUS_GENERATION"));
  ASSERT_EQ(Rebuild(server, ledger_, ProjectionKind::kOwner).state, RebuildState::kSwitched);
  Append(Assigned("c1", "chen", Hour(2)), Hour(2));
  WaitForAll(server, ledger_);
  const auto rows = Rows(server, ledger_, ProjectionKind::kOwner);
  const auto generation = RollBack(server, ledger_, ProjectionKind::kOwner);
  ASSERT_TRUE(generation.ok()) << generation.status();
  EXPECT_EQ(*generation, 1u);
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kOwner).applied_position, 4u);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(3)), "chen");
  EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kOwner), rows);
  // And forth again.
  EXPECT_EQ(*RollBack(server, ledger_, ProjectionKind::kOwner), 2u);
}

TEST_F(RebuildTest, AViewOfNewerRulesIsRefusedUntilRebuilt) {
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  const std::string directory = NewDirectory();
  {
    ProjectorOptions later;
    later.rule_version = [](ProjectionKind kind) {
      return kind == ProjectionKind::kOwner ? 99u : RuleVersion(kind);
    };
    Server server(log_, directory, later);
    WaitForAll(server, ledger_);
  }
  Server server(log_, directory);
  EXPECT_TRUE(server.projector->Status(ledger_, ProjectionKind::kOwner).is_newer);
  const auto refused = OwnerOf(server, "c1", Hour(2));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("VIEW_IS_NEWER"));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("ledgerctl --ledger shop rebuild owner"));
  EXPECT_EQ(Wait(server, ledger_, ProjectionKind::kOwner, 1).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Wait(server, ledger_, ProjectionKind::kTier, 3).ok());  // the others go on
  ASSERT_EQ(Rebuild(server, ledger_, ProjectionKind::kOwner).state, RebuildState::kSwitched);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(2)), "liu");
  EXPECT_THAT(std::string(RollBack(server, ledger_, ProjectionKind::kOwner).status().message()),
              HasSubstr("VIEW_IS_NEWER"));
}

TEST_F(RebuildTest, AViewOfOlderRulesIsRebuiltByItself) {
  Append(Registered("c1", "liu", Hour(1)), Hour(1));
  const std::string directory = NewDirectory();
  {
    ProjectorOptions earlier;
    earlier.rule_version = [](ProjectionKind) { return 0u; };
    Server server(log_, directory, earlier);
    WaitForAll(server, ledger_);
  }
  std::promise<void> hold;
  std::shared_future<void> released = hold.get_future().share();
  std::promise<void> cleaned;
  int rebuilt = 0;
  ProjectorOptions options;
  options.on_rebuild_step = [&](RebuildStep step) {
    if (step == RebuildStep::kRecorded) released.wait();
    if (step == RebuildStep::kCleaned && ++rebuilt == 3) cleaned.set_value();
  };
  Server server(log_, directory, options);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(2)), "liu");  // from the old generation meanwhile
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kOwner).generation, 1u);
  hold.set_value();
  cleaned.get_future().wait();
  EXPECT_EQ(server.projector->Status(ledger_, ProjectionKind::kOwner).generation, 2u);
  EXPECT_EQ(*OwnerOf(server, "c1", Hour(2)), "liu");
}

TEST_F(RebuildTest, CountsCustomersWhoseAnswersDiffer) {
  for (int i = 0; i < 10; ++i) Append(Registered(absl::StrCat("c", i), "liu", Hour(1)), Hour(1));
  Server server(log_, NewDirectory());
  WaitForAll(server, ledger_);
  // As a bug of an earlier release would have left them: one customer's row says another's state, one is
  // missing.
  const auto rows = Rows(server, ledger_, ProjectionKind::kTier);
  const std::string prefix = RowPrefix(ledger_, ProjectionKind::kTier, 1);
  ViewRow wrong;
  ASSERT_TRUE(wrong.ParseFromString(rows.at(CustomerSuffix("c3"))));
  wrong.set_parked_position(3);
  views::ViewBatch batch;
  batch.Put(prefix + CustomerSuffix("c3"), wrong.SerializeAsString());
  batch.Delete(prefix + CustomerSuffix("c5"));
  ASSERT_TRUE(server.store->Write(std::move(batch)).ok());
  const RebuildProgress progress = Rebuild(server, ledger_, ProjectionKind::kTier);
  EXPECT_EQ(progress.state, RebuildState::kSwitched);
  EXPECT_EQ(progress.differing_customers, 2u);
  EXPECT_EQ(Rows(server, ledger_, ProjectionKind::kTier), rows);
}

TEST_F(RebuildTest, AnUnknownLedgerIsRefused) {
  Server server(log_, NewDirectory());
  EXPECT_EQ(server.projector->StartRebuild(77, ProjectionKind::kOwner, nullptr).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace ledger::runtime::testing
