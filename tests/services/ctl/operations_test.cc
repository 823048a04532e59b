#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/services/ctl/fake_server.h"

// ledger, policy, rebuild, rollback, status, verify, backup.
namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPolicy[] = "id: \"mine\"\nutc_offset_seconds: 28800\nphone_region: \"CN\"\n";

class OperationsTest : public ::testing::Test {
 protected:
  CtlHarness ctl_;
};

TEST_F(OperationsTest, LedgerCreateSendsTheCheckedPolicy) {
  const Outcome outcome = ctl_.Run({"ledger", "create", "new", "--policy", "-", "--simulated",
                                    "--recorded-time", "2026-03-01", "--request-id", "r"},
                                   kPolicy);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(ctl_.fake.create.name(), "new");
  EXPECT_EQ(ctl_.fake.create.policy().id(), "mine");
  EXPECT_TRUE(ctl_.fake.create.simulated());
  EXPECT_EQ(ctl_.fake.create.request_id(), "r");
  EXPECT_EQ(ctl_.fake.create.recorded_time().seconds(), 1'772'294'400);
}

TEST_F(OperationsTest, PolicyCheckNamesLineAndColumn) {
  EXPECT_EQ(CtlHarness::RunAlone({"policy", "check", "-"}, kPolicy).exit_code, 0);
  const Outcome form = CtlHarness::RunAlone({"policy", "check", "-"}, "id: \"mine\"\nphone_regoin: \"CN\"\n");
  EXPECT_EQ(form.exit_code, 3);
  EXPECT_THAT(form.out, HasSubstr("-:2:1: error: unknown field \"phone_regoin\""));
  EXPECT_THAT(form.out, HasSubstr("Did you mean \"phone_region\"?"));
  const Outcome sense = CtlHarness::RunAlone(
      {"policy", "check", "-"}, "id: \"mine\"\nutc_offset_seconds: 999999\nphone_region: \"CN\"\n");
  EXPECT_EQ(sense.exit_code, 3);
  EXPECT_THAT(sense.out, HasSubstr("-:2:1: error: utc_offset_seconds: is 999999 seconds"));
  EXPECT_THAT(sense.err, HasSubstr("1 error and 0 warnings"));
  EXPECT_EQ(CtlHarness::RunAlone({"policy", "check", "/no/such/file"}).exit_code, 4);
}

TEST_F(OperationsTest, ABadPolicyIsNotSent) {
  EXPECT_EQ(ctl_.Run({"ledger", "create", "new", "--policy", "-"}, "nonsense").exit_code, 3);
  EXPECT_EQ(ctl_.fake.create.name(), "");
}

TEST_F(OperationsTest, PolicyAdoptIsAnEventOfThePolicy) {
  const Outcome outcome = ctl_.Run({"policy", "adopt", "-", "--from", "2027-01-01"}, kPolicy);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  ASSERT_EQ(ctl_.fake.appends.size(), 1u);
  const pb::AppendRequest& request = ctl_.fake.appends[0];
  EXPECT_EQ(request.events(0).event().policy_adopted().policy().id(), "mine");
  EXPECT_EQ(request.events(0).event().policy_adopted().effective_time().time().seconds(), 1'798'732'800);
  EXPECT_EQ(request.checks(0).subject().kind(), pb::SUBJECT_KIND_POLICY);
  EXPECT_EQ(request.checks(0).subject().id(), "policy");
}

TEST_F(OperationsTest, PolicyShowCanBeCheckedAgain) {
  ctl_.fake.ledger.mutable_policy()->set_phone_region("CN");
  const Outcome shown = ctl_.Run({"policy", "show", "--as-file"});
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_EQ(CtlHarness::RunAlone({"policy", "check", "-"}, shown.out).exit_code, 0) << shown.out;
}

TEST_F(OperationsTest, LedgerListAndShow) {
  pb::LedgerSummary* ledger = ctl_.fake.ledgers.add_ledgers();
  ledger->set_name("demo");
  ledger->mutable_position()->set_position(12);
  EXPECT_THAT(ctl_.Run({"ledger", "list"}).out, HasSubstr("demo    12"));
  EXPECT_THAT(ctl_.Run({"ledger", "show"}).out, HasSubstr("zone     +08:00\n"));
  EXPECT_EQ(ctl_.Run({"ledger", "show", "other"}).exit_code, 4);
}

TEST_F(OperationsTest, RebuildWatchesUntilTheSwitch) {
  pb::RebuildProjectionResponse step;
  step.set_state(pb::REBUILD_STATE_BUILDING);
  step.set_generation(3);
  step.set_log_position(10);
  ctl_.fake.rebuild.push_back(step);
  step.set_state(pb::REBUILD_STATE_SWITCHED);
  step.set_applied_position(10);
  ctl_.fake.rebuild.push_back(step);
  const Outcome watched = ctl_.Run({"rebuild", "owner", "--watch"});
  EXPECT_EQ(watched.exit_code, 0) << watched.err;
  EXPECT_EQ(
      watched.out,
      "owner: generation 3 is live, with 10 events applied; every customer's answer is the same as before\n");
  EXPECT_EQ(ctl_.fake.rebuild_request.ledger(), "demo");
  EXPECT_EQ(ctl_.fake.rebuild_request.projection(), "owner");
  EXPECT_THAT(ctl_.Run({"rebuild", "owner"}).out, HasSubstr("is being built (0 of 10 events)"));
}

TEST_F(OperationsTest, AFailedRebuildIsAnError) {
  pb::RebuildProjectionResponse step;
  step.set_state(pb::REBUILD_STATE_FAILED);
  step.set_error("the disk is full");
  ctl_.fake.rebuild.push_back(step);
  const Outcome outcome = ctl_.Run({"rebuild", "tier", "--watch"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the disk is full"));
}

TEST_F(OperationsTest, RollBack) {
  EXPECT_EQ(ctl_.Run({"rollback", "owner"}).out, "owner: generation 4 is live again\n");
  EXPECT_EQ(ctl_.fake.roll_back.projection(), "owner");
}

TEST_F(OperationsTest, StatusWaitsForTheServer) {
  ctl_.fake.status.set_version("1.0");
  ctl_.fake.status.set_refusal_reason("DISK_FULL");
  const Outcome outcome = ctl_.Run({"status", "--wait", "30"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("REFUSED: DISK_FULL"));
  EXPECT_EQ(ctl_.fake.get_status.ledger(), "demo");
  const Outcome nobody = CtlHarness::RunAlone({"--server", "127.0.0.1:1", "status", "--wait", "0"});
  EXPECT_EQ(nobody.exit_code, 5);
  EXPECT_THAT(nobody.err, HasSubstr("nobody answered at 127.0.0.1:1"));
}

TEST_F(OperationsTest, VerifyEndsWithSixWhereSomethingIsWrong) {
  pb::VerifyResponse step;
  step.set_done(2);
  step.set_total(2);
  step.set_step("ledger demo");
  ctl_.fake.verify = {step};
  const Outcome good = ctl_.Run({"verify"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.out, "nothing is wrong\n");
  step.set_finding("record 7: checksum differs");
  ctl_.fake.verify = {step};
  const Outcome bad = ctl_.Run({"verify"});
  EXPECT_EQ(bad.exit_code, 6);
  EXPECT_THAT(bad.out, StartsWith("ledger demo: record 7: checksum differs\n"));
  EXPECT_THAT(bad.err, HasSubstr("1 findings"));
}

TEST_F(OperationsTest, BackupNamesAFullPath) {
  pb::BackupResponse last;
  last.set_done(true);
  last.set_commit_number(77);
  ctl_.fake.backup = {last};
  const Outcome outcome = ctl_.Run({"backup", "--to", "some/where"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const std::filesystem::path expected = std::filesystem::current_path() / "some/where";
  EXPECT_EQ(ctl_.fake.backup_request.directory(), expected.string());
  EXPECT_EQ(outcome.out, "backed up commit 77 to " + expected.string() + "\n");
}

TEST_F(OperationsTest, ABackupThatStoppedHalfWayIsNoBackup) {
  ctl_.fake.backup.emplace_back().set_step("log");
  const Outcome outcome = ctl_.Run({"backup", "--to", "/backup"});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("did not reach its end"));
}

}  // namespace
}  // namespace ledger::ctl
