#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/ctl/fake_server.h"

// append: what each line of a file becomes.
namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr char kVisit[] =
    R"({"event": {"occurredTime": {"time": "2026-03-01T01:30:00Z"}, "visitLogged": {"customerId": "g-1"}}})";
constexpr char kRequest[] =
    R"({"requestId": "mine", "ledger": "other", "checks": [{"subject": {"kind": "SUBJECT_KIND_CUSTOMER", "id": )"
    R"("g-2"}, "exists": {}}], "events": [{"event": {"visitLogged": {"customerId": "g-2"}}}]})";

TEST(AppendTest, LinesAreEventsOrRequests) {
  CtlHarness ctl;
  const Outcome outcome = ctl.Run({"append", "-"}, std::string(kVisit) + "\n\n" + kRequest);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  ASSERT_EQ(ctl.fake.streamed.size(), 2u);
  const pb::AppendRequest& event = ctl.fake.streamed[0].append();
  EXPECT_EQ(ctl.fake.streamed[0].correlation(), 1u);
  EXPECT_EQ(event.ledger(), "demo");
  EXPECT_THAT(event.request_id(), MatchesRegex("ctl-[0-9a-f]{32}"));
  ASSERT_EQ(event.checks_size(), 1);
  EXPECT_EQ(event.checks(0).subject().id(), "g-1");
  EXPECT_TRUE(event.checks(0).has_any());
  EXPECT_EQ(event.events(0).event().visit_logged().customer_id(), "g-1");
  // A request is sent as it stands.
  const pb::AppendRequest& request = ctl.fake.streamed[1].append();
  EXPECT_EQ(ctl.fake.streamed[1].correlation(), 3u);
  EXPECT_EQ(request.ledger(), "other");
  EXPECT_EQ(request.request_id(), "mine");
  EXPECT_TRUE(request.checks(0).has_exists());
  EXPECT_EQ(outcome.out,
            "appended       2 lines\n"
            "events         2, derived ones included\n"
            "last position  2\n");
}

TEST(AppendTest, GivingAFileAgainSendsTheSameIds) {
  CtlHarness ctl;
  const std::string file = std::string(kVisit) + "\n" + kVisit + "\n";
  ctl.Run({"append", "-"}, file);
  ctl.Run({"append", "-"}, file);
  ASSERT_EQ(ctl.fake.streamed.size(), 4u);
  EXPECT_EQ(ctl.fake.streamed[0].append().request_id(), ctl.fake.streamed[2].append().request_id());
  EXPECT_EQ(ctl.fake.streamed[1].append().request_id(), ctl.fake.streamed[3].append().request_id());
  // Two equal lines are two events.
  EXPECT_NE(ctl.fake.streamed[0].append().request_id(), ctl.fake.streamed[1].append().request_id());
}

TEST(AppendTest, OptionsFillInWhatLinesLeaveOut) {
  CtlHarness ctl;
  const std::string without_time = R"({"event": {"visitLogged": {"customerId": "g-1"}}})";
  ctl.Run({"append", "-", "--at", "2026-03-01 08:00", "--recorded-time", "2026-03-02", "--request-id",
           "batch", "--on-behalf-of", "boss"},
          without_time + "\n" + kVisit);
  ASSERT_EQ(ctl.fake.streamed.size(), 2u);
  const pb::AppendRequest& filled = ctl.fake.streamed[0].append();
  EXPECT_EQ(filled.events(0).event().occurred_time().time().seconds(), 1'772'323'200);
  EXPECT_EQ(filled.recorded_time().seconds(), 1'772'380'800);
  EXPECT_EQ(filled.request_id(), "batch-1");
  EXPECT_EQ(filled.on_behalf_of(), "boss");
  EXPECT_EQ(ctl.fake.streamed[1].append().events(0).event().occurred_time().time().seconds(), 1'772'328'600);
}

TEST(AppendTest, BadLinesAreNamedAndTheOthersSent) {
  CtlHarness ctl;
  std::string deep = R"({"event": {"eventCorrected": )";
  for (int i = 0; i < 500; ++i) deep += R"({"rightEvent": {"eventCorrected": )";
  const Outcome outcome = ctl.Run({"append", "-"}, "not json\n" + std::string(kVisit) +
                                                       "\n{\"event\": {\"noSuchThing\": {}}}\n{}\n" + deep +
                                                       "\n{\"events\": [{\"evnt\": {}}]}\n" + kVisit);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(ctl.fake.streamed.size(), 2u);
  EXPECT_THAT(outcome.err, StartsWith("line 1: "));
  EXPECT_THAT(outcome.err, HasSubstr("\nline 3: not the JSON of NewEvent"));
  EXPECT_THAT(outcome.err, HasSubstr("\nline 4: neither"));
  EXPECT_THAT(outcome.err, HasSubstr("\nline 5: not the JSON of NewEvent"));
  EXPECT_THAT(outcome.err, HasSubstr("\nline 6: not the JSON of AppendRequest"));
  EXPECT_THAT(outcome.err, HasSubstr("5 lines could not be read"));
}

TEST(AppendTest, RefusedLinesAreNamedWithTheirReason) {
  CtlHarness ctl;
  pb::ErrorStatus refused;
  refused.set_code(9);
  refused.set_message("no open hand-over");
  ctl.fake.refused["batch-2"] = refused;
  const std::string file = std::string(kVisit) + "\n" + kVisit + "\n" + kVisit + "\n";
  const Outcome outcome = ctl.Run({"append", "-", "--request-id", "batch"}, file);
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, StartsWith("line 2: no open hand-over\n"));
  EXPECT_THAT(outcome.out, HasSubstr("appended       2 lines\n"));
}

TEST(AppendTest, ABrokenStreamSaysThatTheFileCanBeGivenAgain) {
  CtlHarness ctl;
  ctl.fake.error = {14, "shutting down", "SHUTTING_DOWN"};
  const Outcome outcome = ctl.Run({"append", "-"}, kVisit);
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("give the same file again"));
}

TEST(AppendTest, AMissingFileIsNotFound) {
  EXPECT_EQ(CtlHarness().Run({"append", "/no/such/file.jsonl"}).exit_code, 4);
}

TEST(AppendTest, WhatCannotBeReadIsNotTakenForEmpty) {
  CtlHarness ctl;
  const Outcome outcome = ctl.Run({"append", testing::TempDir()});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("cannot be read"));
}

TEST(AppendTest, JsonIsOneAnswerALine) {
  CtlHarness ctl;
  const Outcome outcome = ctl.Run({"append", "-", "--output", "jsonl"}, kVisit);
  EXPECT_THAT(outcome.out, StartsWith("{\"correlation\":\"1\",\"appended\":{"));
  EXPECT_EQ(outcome.out.find('\n'), outcome.out.size() - 1);
}

}  // namespace
}  // namespace ledger::ctl
