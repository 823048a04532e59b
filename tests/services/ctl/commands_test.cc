#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/record.pb.h"
#include "tests/services/ctl/fake_server.h"

// What each writing command sends.
namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class CommandsTest : public ::testing::Test {
 protected:
  // Runs a command that appends one event and returns that event.
  pb::Event Appended(const std::vector<std::string>& args) {
    outcome_ = ctl_.Run(args);
    EXPECT_EQ(outcome_.exit_code, 0) << outcome_.err;
    if (ctl_.fake.appends.size() != 1 || ctl_.fake.appends[0].events_size() != 1) {
      ADD_FAILURE() << "not one event in one request";
      return pb::Event();
    }
    return Request().events(0).event();
  }
  const pb::AppendRequest& Request() const { return ctl_.fake.appends.back(); }

  CtlHarness ctl_;
  Outcome outcome_;
};

TEST_F(CommandsTest, RegisterSendsTheClaimAndThePersonalDataApart) {
  const pb::Event event =
      Appended({"register", "guest-1", "--by",     "liu",     "--name",        "张伟",      "--phone",
                "+86 138",  "--phone", "139",      "--email", "z@example.com", "--address", "Street 1",
                "--scope",  "shop-1",  "--source", "walk-in", "--field",       "budget=a=b"});
  const pb::CustomerRegistered& body = event.customer_registered();
  EXPECT_EQ(body.customer_id(), "guest-1");
  EXPECT_EQ(body.registrar_id(), "liu");
  EXPECT_EQ(body.scope(), "shop-1");
  EXPECT_EQ(body.source(), "walk-in");
  EXPECT_EQ(body.fields().at("budget"), "a=b");
  const pb::PersonalData& personal = Request().events(0).personal();
  EXPECT_EQ(personal.name(), "张伟");
  EXPECT_EQ(personal.address(), "Street 1");
  ASSERT_EQ(personal.contact_points_size(), 3);
  EXPECT_EQ(personal.contact_points(0).kind(), pb::CONTACT_POINT_KIND_PHONE);
  EXPECT_EQ(personal.contact_points(0).value(), "+86 138");
  EXPECT_EQ(personal.contact_points(2).kind(), pb::CONTACT_POINT_KIND_EMAIL);
  // Nobody checked anything: the customer may be in any state, and it happens now, in the ledger's zone.
  EXPECT_EQ(Request().ledger(), "demo");
  ASSERT_EQ(Request().checks_size(), 1);
  EXPECT_EQ(Request().checks(0).subject().kind(), pb::SUBJECT_KIND_CUSTOMER);
  EXPECT_EQ(Request().checks(0).subject().id(), "guest-1");
  EXPECT_TRUE(Request().checks(0).has_any());
  EXPECT_EQ(event.occurred_time().time().seconds(), 1'772'337'600);
  EXPECT_EQ(event.occurred_time().utc_offset_seconds(), 8 * 3600);
  EXPECT_THAT(Request().request_id(), MatchesRegex("ctl-[0-9a-f]{32}"));
}

TEST_F(CommandsTest, RegisterForAUnitWithExpectationsAndTimes) {
  const pb::Event event =
      Appended({"register", "guest-1", "--by", "unit:shop-1", "--new", "--at", "2026-02-28 18:00",
                "--request-id", "r-1", "--on-behalf-of", "boss", "--recorded-time", "2026-02-28T11:00:00Z"});
  EXPECT_EQ(event.customer_registered().unit_id(), "shop-1");
  EXPECT_EQ(event.customer_registered().registrar_id(), "");
  EXPECT_TRUE(Request().checks(0).has_no_subject());
  EXPECT_FALSE(Request().events(0).has_personal());
  EXPECT_EQ(event.occurred_time().time().seconds(), 1'772'272'800);
  EXPECT_EQ(Request().recorded_time().seconds(), 1'772'276'400);
  EXPECT_EQ(Request().request_id(), "r-1");
  EXPECT_EQ(Request().on_behalf_of(), "boss");
}

TEST_F(CommandsTest, ExpectVersionBecomesACheck) {
  Appended({"visit", "guest-1", "--by", "liu", "--expect-version", "7"});
  EXPECT_EQ(Request().checks(0).version(), 7u);
}

TEST_F(CommandsTest, OnASimulatedLedgerThingsHappenWhenTheyAreRecorded) {
  const pb::Event event = Appended({"visit", "guest-1", "--by", "liu", "--recorded-time", "1970-01-02"});
  EXPECT_EQ(event.occurred_time().time().seconds(), 16 * 3600);
}

TEST_F(CommandsTest, Contact) {
  const pb::Event event = Appended({"contact", "guest-1", "--by", "liu", "--channel", "phone", "--outcome",
                                    "no_answer", "--direction", "outbound", "--next", "2026-03-08 10:00",
                                    "--content", "offer", "--note", "n"});
  const pb::ContactLogged& body = event.contact_logged();
  EXPECT_EQ(body.staff_id(), "liu");
  EXPECT_EQ(body.channel(), pb::CONTACT_CHANNEL_PHONE);
  EXPECT_EQ(body.outcome(), pb::CONTACT_OUTCOME_NO_ANSWER);
  EXPECT_EQ(body.direction(), pb::DIRECTION_OUTBOUND);
  EXPECT_EQ(body.next_contact_time().time().seconds(), 1'772'935'200);
  EXPECT_EQ(body.next_contact_time().utc_offset_seconds(), 8 * 3600);
  EXPECT_EQ(body.content(), "offer");
  EXPECT_EQ(event.note(), "n");
}

TEST_F(CommandsTest, Visit) {
  const pb::VisitLogged body =
      Appended({"visit", "guest-3", "--by", "chen", "--direction", "inbound", "--on-site"}).visit_logged();
  EXPECT_EQ(body.customer_id(), "guest-3");
  EXPECT_EQ(body.staff_id(), "chen");
  EXPECT_EQ(body.direction(), pb::DIRECTION_INBOUND);
  EXPECT_TRUE(body.on_site());
}

TEST_F(CommandsTest, Grade) {
  const pb::GradeChanged body =
      Appended({"grade", "guest-1", "--scheme", "intent", "--to", "A", "--by", "liu"}).grade_changed();
  EXPECT_EQ(body.scheme(), "intent");
  EXPECT_EQ(body.to_class(), "A");
  EXPECT_THAT(body.decided_by(), ::testing::ElementsAre("liu"));
}

TEST_F(CommandsTest, Deal) {
  const pb::DealRecorded body =
      Appended({"deal", "guest-1", "--amount", "12.34", "--currency", "CNY", "--by", "liu"}).deal_recorded();
  EXPECT_EQ(body.amount().minor_units(), 1234);
  EXPECT_EQ(body.amount().currency_code(), "CNY");
  EXPECT_EQ(body.kind(), pb::DEAL_KIND_SALE);
  EXPECT_EQ(body.closed_by(), "liu");
  EXPECT_THAT(body.deal_id(), MatchesRegex("d-[0-9]+"));
}

TEST_F(CommandsTest, AReturnIsANegativeDeal) {
  EXPECT_EQ(
      Appended({"deal", "g", "--amount", "-5", "--currency", "CNY"}).deal_recorded().amount().minor_units(),
      -500);
}

TEST_F(CommandsTest, TransferProposePrintsTheSameIdForTheSameRequest) {
  const std::vector<std::string> args = {"transfer", "propose",     "guest-1",      "--from", "liu",
                                         "--to",     "unit:shop-2", "--request-id", "r-9"};
  const pb::TransferProposed body = Appended(args).transfer_proposed();
  EXPECT_EQ(body.from().staff_id(), "liu");
  EXPECT_EQ(body.to().unit_id(), "shop-2");
  EXPECT_EQ(body.proposed_by(), "liu");
  EXPECT_THAT(body.transfer_id(), MatchesRegex("t-[0-9]+"));
  EXPECT_THAT(outcome_.out, HasSubstr("transfer " + body.transfer_id() + "\n"));
  ctl_.Run(args);
  EXPECT_EQ(ctl_.fake.appends[1].events(0).event().transfer_proposed().transfer_id(), body.transfer_id());
}

TEST_F(CommandsTest, TransferAcceptAndDecline) {
  const pb::TransferAccepted accepted =
      Appended({"transfer", "accept", "t-1", "--customer", "guest-1", "--by", "wang"}).transfer_accepted();
  EXPECT_EQ(accepted.transfer_id(), "t-1");
  EXPECT_EQ(accepted.customer_id(), "guest-1");
  EXPECT_EQ(accepted.receiver_id(), "wang");
  ctl_.fake.appends.clear();
  const pb::TransferDeclined declined =
      Appended({"transfer", "decline", "t-1", "--customer", "guest-1", "--by", "wang", "--reason", "no time"})
          .transfer_declined();
  EXPECT_EQ(declined.reason(), "no time");
}

TEST_F(CommandsTest, TransferStepsInBetween) {
  const auto audited =
      Appended({"transfer", "audit", "t-1", "--customer", "guest-1", "--by", "hq"}).transfer_audited();
  EXPECT_EQ(audited.transfer_id(), "t-1");
  EXPECT_EQ(audited.auditor_id(), "hq");
  EXPECT_TRUE(audited.passed());
  ctl_.fake.appends.clear();
  EXPECT_FALSE(Appended({"transfer", "audit", "t-1", "--customer", "guest-1", "--by", "hq", "--failed"})
                   .transfer_audited()
                   .passed());
  ctl_.fake.appends.clear();
  EXPECT_EQ(Appended({"transfer", "confirm", "t-1", "--customer", "guest-1", "--by", "hq"})
                .transfer_confirmed()
                .confirmed_by(),
            "hq");
  ctl_.fake.appends.clear();
  EXPECT_EQ(Appended({"transfer", "complete", "t-1", "--customer", "guest-1", "--slip", "7"})
                .transfer_completed()
                .slip_number(),
            "7");
  ctl_.fake.appends.clear();
  const auto cancelled =
      Appended({"transfer", "cancel", "t-1", "--customer", "guest-1", "--by", "liu", "--reason", "stays"})
          .transfer_cancelled();
  EXPECT_EQ(cancelled.cancelled_by(), "liu");
  EXPECT_EQ(cancelled.reason(), "stays");
}

TEST_F(CommandsTest, StaffAdd) {
  const pb::StaffStatusChanged body =
      Appended({"staff", "add", "liu", "--role", "salesperson", "--unit", "shop-1"}).staff_status_changed();
  EXPECT_EQ(body.staff_id(), "liu");
  EXPECT_EQ(body.status(), pb::STAFF_STATUS_ACTIVE);
  EXPECT_EQ(body.role(), "salesperson");
  EXPECT_EQ(body.unit_id(), "shop-1");
  EXPECT_EQ(Request().checks(0).subject().kind(), pb::SUBJECT_KIND_STAFF);
}

TEST_F(CommandsTest, StaffListFoldsTheLogAndLateNewsDoesNotWin) {
  const auto add = [this](const std::string& id, int64_t occurred, pb::StaffStatus status) {
    pb::Record record;
    record.mutable_event()->mutable_occurred_time()->mutable_time()->set_seconds(occurred);
    record.mutable_event()->mutable_staff_status_changed()->set_staff_id(id);
    record.mutable_event()->mutable_staff_status_changed()->set_status(status);
    ctl_.fake.log_pages.emplace_back().add_records(record.SerializeAsString());
  };
  add("wang", 100, pb::STAFF_STATUS_ACTIVE);
  add("liu", 300, pb::STAFF_STATUS_LEFT);
  add("liu", 200, pb::STAFF_STATUS_ACTIVE);
  const Outcome outcome = ctl_.Run({"staff", "list"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(ctl_.fake.log_reads.size(), 3u);
  EXPECT_THAT(ctl_.fake.log_reads[0].filter().event_types(), ::testing::ElementsAre(104u));
  EXPECT_EQ(outcome.out,
            "STAFF  STATUS  SINCE\n"
            "liu    left    1970-01-01 08:05:00 +08:00\n"
            "wang   active  1970-01-01 08:01:40 +08:00\n");
}

TEST_F(CommandsTest, TheTableTellsWhatARegistrationMet) {
  pb::AppendedEvent* event = ctl_.fake.appended.add_events();
  event->set_position(6);
  event->set_event_type(200);
  event->set_rule_id("claim.first-position");
  pb::AppendedSubject* subject = event->add_subjects();
  subject->mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  subject->mutable_subject()->set_id("guest-1");
  subject->set_version(2);
  event->mutable_joined()->set_customer_id("guest-1");
  event->mutable_joined()->mutable_owner()->set_staff_id("liu");
  event->mutable_joined()->mutable_owner_since_time()->set_seconds(1'772'337'600);
  Appended({"register", "guest-2", "--by", "chen"});
  EXPECT_EQ(outcome_.out,
            "appended at 1970-01-01 08:00:00 +08:00\n"
            "POSITION  EVENT                SUBJECT           VERSION  RULE\n"
            "6         customer_registered  customer guest-1  2        claim.first-position\n"
            "the customer was already there as guest-1, owned by liu since 2026-03-01 12:00:00 +08:00; this "
            "claim is kept as a later one\n");
}

TEST_F(CommandsTest, JsonIsTheResponseInProtobufJson) {
  ctl_.fake.appended.mutable_position()->set_position(9);
  Appended({"visit", "guest-1", "--by", "liu", "--output", "jsonl"});
  EXPECT_THAT(outcome_.out, HasSubstr("\"position\":\"9\""));
  EXPECT_THAT(outcome_.out, HasSubstr("\"replayed\":false"));
  EXPECT_EQ(outcome_.out.find('\n'), outcome_.out.size() - 1);
}

TEST_F(CommandsTest, BadUsageIsExplainedAndNothingIsSent) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{}, "subcommand"},
      {{"frobnicate"}, "frobnicate"},
      {{"transfer"}, "subcommand"},
      {{"transfer", "propos"},
       "there is no command 'transfer propos'\n  next: see 'ledgerctl transfer --help'"},
      {{"register", "guest-1"}, "--by"},
      {{"register", "guest-1", "--by", "liu", "--field", "nonsense"}, "NAME=VALUE"},
      {{"visit", "g", "--by", "liu", "--new", "--expect-version", "3"}, "exclude"},
      {{"visit", "g", "--by", "liu", "--expect-version", "0"}, "at least 1"},
      {{"visit", "g", "--by", "liu", "--expect-version", "-3"}, "at least 1"},
      {{"contact", "g", "--by", "liu", "--channel", "pigeon"}, "one of"},
      {{"contact", "g", "--by", "liu", "--next", "tomorrow"}, "RFC 3339"},
      {{"visit", "g", "--by", "liu", "--at", "2026-02-30"}, "--at"},
      {{"visit", "g", "--by", "liu", "--output", "xml"}, "table|json|jsonl"},
      {{"visit", "g", "--by", "liu", "surplus"}, "surplus"},
      {{"deal", "g", "--amount", "1.234", "--currency", "CNY"}, "at most 2 decimals"},
      {{"transfer", "propose", "g", "--from", "unit:", "--to", "x"}, "unit:ID"},
      {{"status", "--wait", "soon"}, "whole number"},
  };
  for (const auto& [args, expected] : cases) {
    const Outcome outcome = ctl_.Run(args);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, StartsWith("ledgerctl: "));
    EXPECT_THAT(outcome.err, HasSubstr(expected));
  }
  EXPECT_TRUE(ctl_.fake.appends.empty());
}

TEST_F(CommandsTest, ALedgerMustBeNamed) {
  const Outcome outcome = CtlHarness::RunAlone({"owner", "guest-1"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--ledger"));
}

TEST_F(CommandsTest, EveryCommandHasHelpWithAnExample) {
  const char* const commands[] = {"ledger create",
                                  "ledger list",
                                  "ledger show",
                                  "policy check",
                                  "policy adopt",
                                  "policy show",
                                  "policy diff",
                                  "staff add",
                                  "staff list",
                                  "register",
                                  "contact",
                                  "visit",
                                  "transfer propose",
                                  "transfer accept",
                                  "transfer decline",
                                  "transfer audit",
                                  "transfer confirm",
                                  "transfer complete",
                                  "transfer cancel",
                                  "grade",
                                  "deal",
                                  "append",
                                  "import",
                                  "log",
                                  "owner",
                                  "tier",
                                  "callback",
                                  "history",
                                  "callbacks",
                                  "customers",
                                  "pool",
                                  "search",
                                  "rebuild",
                                  "rollback",
                                  "status",
                                  "stats",
                                  "verify",
                                  "backup",
                                  "restore"};
  for (const std::string command : commands) {
    std::istringstream words(command);
    std::vector<std::string> args{std::istream_iterator<std::string>(words), {}};
    args.push_back("--help");
    const Outcome outcome = CtlHarness::RunAlone(args);
    EXPECT_EQ(outcome.exit_code, 0) << command;
    EXPECT_THAT(outcome.out, HasSubstr("Example:\n  ledgerctl " + command)) << command;
  }
  const Outcome top = CtlHarness::RunAlone({"--help"});
  EXPECT_THAT(top.out, HasSubstr("Exit codes: 0 done"));
  EXPECT_THAT(top.out, HasSubstr("LEDGERCTL_SERVER"));
}

TEST_F(CommandsTest, RefusalsComeWithTheirReasonAndExitCode) {
  const std::pair<int, int> codes[] = {{3, 2}, {5, 4},  {9, 3}, {7, 3},  {10, 3},
                                       {6, 3}, {14, 5}, {8, 5}, {15, 6}, {13, 1}};
  for (const auto& [grpc_code, exit_code] : codes) {
    ctl_.fake.error = {grpc_code, "because", "SOME_REASON"};
    const Outcome outcome = ctl_.Run({"grade", "g", "--scheme", "s", "--to", "A", "--by", "liu"});
    EXPECT_EQ(outcome.exit_code, exit_code) << grpc_code;
    EXPECT_THAT(outcome.err, StartsWith("ledgerctl: SOME_REASON: because\n"));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(CommandsTest, AnUnknownOutcomeTellsHowToRepeatTheSameRequest) {
  ctl_.fake.error = {14, "the disk refused", "OUTCOME_UNKNOWN"};
  const Outcome outcome = ctl_.Run({"visit", "g", "--by", "liu", "--request-id", "r-77"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("--request-id r-77 --at '2026-03-01 12:00:00 +08:00'"));
  ctl_.fake.error = {9, "no", "A_RULE"};
  EXPECT_THAT(ctl_.Run({"visit", "g", "--by", "liu"}).err, Not(HasSubstr("--request-id")));
}

TEST_F(CommandsTest, NoServerIsUnavailable) {
  const Outcome outcome =
      CtlHarness::RunAlone({"--server", "127.0.0.1:1", "--ledger", "demo", "owner", "guest-1"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("is ledgerd running at 127.0.0.1:1?"));
}

}  // namespace
}  // namespace ledger::ctl
