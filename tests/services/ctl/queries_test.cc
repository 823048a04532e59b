#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "customerledger/v1/record.pb.h"
#include "tests/services/ctl/fake_server.h"

// log, owner, tier, callback, history, callbacks, customers, pool, search, stats.
namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

std::string RecordBytes(uint64_t position) {
  pb::Record record;
  record.mutable_header()->set_position(position);
  record.mutable_header()->set_event_type(401);
  pb::SubjectVersion* subject = record.mutable_header()->add_subjects();
  subject->mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  subject->mutable_subject()->set_id("guest-1");
  record.mutable_event()->mutable_occurred_time()->mutable_time()->set_seconds(1'772'337'600);
  record.mutable_event()->mutable_occurred_time()->set_utc_offset_seconds(8 * 3600);
  record.mutable_event()->mutable_visit_logged()->set_customer_id("guest-1");
  record.mutable_event()->mutable_visit_logged()->set_staff_id("liu");
  return record.SerializeAsString();
}

class QueriesTest : public ::testing::Test {
 protected:
  CtlHarness ctl_;
};

TEST_F(QueriesTest, LogReadsAllPagesWithFilterAndLimit) {
  for (uint64_t position = 5; position < 8; ++position) {
    ctl_.fake.log_pages.emplace_back().add_records(RecordBytes(position));
  }
  const Outcome all = ctl_.Run({"log", "--from", "5", "--type", "visit_logged", "--type", "400"});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_EQ(
      all.out,
      "POSITION  OCCURRED                    EVENT                     SUBJECT               DETAILS\n"
      "5         2026-03-01 12:00:00 +08:00  visit_logged              customer guest-1      staff_id=liu\n"
      "6         2026-03-01 12:00:00 +08:00  visit_logged              customer guest-1      staff_id=liu\n"
      "7         2026-03-01 12:00:00 +08:00  visit_logged              customer guest-1      staff_id=liu\n");
  EXPECT_EQ(ctl_.fake.log_reads[0].from().position(), 5u);
  EXPECT_EQ(ctl_.fake.log_reads[0].from().lineage(), "");
  EXPECT_THAT(ctl_.fake.log_reads[0].filter().event_types(), ::testing::ElementsAre(401u, 400u));
  ctl_.fake.log_reads.clear();
  const Outcome two = ctl_.Run({"log", "--limit", "2", "--output", "jsonl"});
  EXPECT_EQ(std::count(two.out.begin(), two.out.end(), '\n'), 2);
  EXPECT_THAT(two.out, HasSubstr("{\"header\":{"));
  EXPECT_EQ(ctl_.fake.log_reads[0].page_size(), 2u);
  EXPECT_EQ(ctl_.fake.log_reads[1].page_size(), 1u);
}

TEST_F(QueriesTest, LogAsJsonIsAnArray) {
  EXPECT_EQ(ctl_.Run({"log", "--output", "json"}).out, "[]\n");
  ctl_.fake.log_pages.emplace_back().add_records(RecordBytes(1));
  const std::string out = ctl_.Run({"log", "--output", "json"}).out;
  EXPECT_EQ(out.substr(0, 12), "[\n{\"header\":");
  EXPECT_EQ(out.substr(out.size() - 3), "\n]\n");
}

TEST_F(QueriesTest, LogRefusesUnknownTypes) {
  const Outcome outcome = ctl_.Run({"log", "--type", "visited"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no event is called 'visited'"));
}

TEST_F(QueriesTest, LogFollowsUntilItsLimitAndThenGoesAway) {
  pb::SubscribeResponse batch;
  batch.mutable_batch()->add_records(RecordBytes(9));
  batch.mutable_batch()->add_records(RecordBytes(10));
  ctl_.fake.subscription = {batch, batch};
  ctl_.fake.subscription_stays_open = true;
  const Outcome outcome = ctl_.Run({"log", "--from", "9", "--follow", "--limit", "3", "--output", "jsonl"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 3);
  EXPECT_EQ(ctl_.fake.subscribe.after().position(), 8u);
}

TEST_F(QueriesTest, LogEndsWhereItCaughtUp) {
  pb::SubscribeResponse batch;
  batch.mutable_batch()->add_records(RecordBytes(1));
  pb::SubscribeResponse caught_up;
  caught_up.mutable_caught_up();
  ctl_.fake.subscription = {batch, caught_up};
  ctl_.fake.subscription_stays_open = true;
  const Outcome outcome = ctl_.Run({"log", "--until-caught-up", "--output", "jsonl"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
}

TEST_F(QueriesTest, CtrlCEndsFollowingCleanly) {
  ctl_.fake.subscription_stays_open = true;
  ctl_.fake.on_subscribed = [] { kill(getpid(), SIGINT); };
  const Outcome outcome = ctl_.Run({"log", "--follow", "--output", "jsonl"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(QueriesTest, AFollowerThatLostItsServerLearnsWhereToGoOn) {
  pb::SubscribeResponse batch;
  batch.mutable_batch()->add_records(RecordBytes(1));
  batch.mutable_position()->set_position(41);
  ctl_.fake.subscription = {batch};
  const Outcome outcome = ctl_.Run({"log", "--follow"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_THAT(outcome.err, HasSubstr("--from 42"));
}

TEST_F(QueriesTest, OwnerSendsBothAxesOfTime) {
  ctl_.Run({"owner", "guest-1", "--true-at", "2026-03-01", "--known-at", "120", "--scope", "shop-1",
            "--min-position", "130"});
  const pb::GetOwnerRequest& request = ctl_.fake.get_owner;
  EXPECT_EQ(request.query().ledger(), "demo");
  EXPECT_EQ(request.query().customer_id(), "guest-1");
  EXPECT_EQ(request.query().as_of().true_at().seconds(), 1'772'294'400);
  EXPECT_EQ(request.query().as_of().known_position(), 120u);
  EXPECT_EQ(request.query().min_position().position(), 130u);
  EXPECT_EQ(request.scope(), "shop-1");
  ctl_.Run({"owner", "guest-1", "--known-at", "2026-03-01 12:00"});
  EXPECT_EQ(ctl_.fake.get_owner.query().as_of().known_time().seconds(), 1'772'337'600);
  EXPECT_FALSE(ctl_.fake.get_owner.query().as_of().has_true_at());
  EXPECT_FALSE(ctl_.fake.get_owner.has_scope());
}

TEST_F(QueriesTest, AQuestionCountsEverythingAcknowledgedUnlessToldNotToWait) {
  ctl_.fake.ledger.mutable_ledger()->mutable_position()->set_position(77);
  ctl_.Run({"owner", "guest-1"});
  EXPECT_EQ(ctl_.fake.get_owner.query().min_position().position(), 77u);
  ctl_.Run({"owner", "guest-1", "--min-position", "0"});
  EXPECT_EQ(ctl_.fake.get_owner.query().min_position().position(), 0u);
}

TEST_F(QueriesTest, OwnerShowsWhyAndWhoElseClaims) {
  pb::GetOwnerResponse& response = ctl_.fake.owner;
  response.mutable_context()->set_customer_id("guest-1");
  response.mutable_context()->add_aliases("guest-2");
  response.mutable_context()->mutable_position()->set_position(9);
  response.mutable_context()->mutable_true_at()->set_seconds(1'772'337'600);
  pb::Ownership* ownership = response.add_ownerships();
  ownership->set_state(pb::CUSTODY_STATE_OWNED);
  ownership->mutable_owner()->set_staff_id("liu");
  ownership->mutable_basis()->set_rule_id("claim.first-position");
  ownership->mutable_basis()->set_policy_version(1);
  ownership->mutable_basis()->add_positions(5);
  ownership->mutable_basis()->add_positions(7);
  ownership->mutable_basis()->mutable_since_time()->set_seconds(1'772'251'200);
  ownership->mutable_lapse_time()->set_seconds(1'780'243'200);
  ownership->mutable_lapse_basis()->set_rule_id("lapse.dormancy");
  ownership->mutable_lapse_basis()->set_arithmetic("last contact 2026-03-01 + 90 days");
  pb::Claim* claim = ownership->add_claims();
  claim->mutable_claimant()->set_staff_id("liu");
  claim->set_position(5);
  claim->set_state(pb::CLAIM_STATE_OWNS);
  claim->set_registered_as("guest-1");
  claim->mutable_claim_time()->set_seconds(1'772'251'200);
  claim = ownership->add_claims();
  claim->mutable_claimant()->set_unit_id("shop-2");
  claim->set_position(8);
  claim->set_state(pb::CLAIM_STATE_SECOND);
  const Outcome outcome = ctl_.Run({"owner", "guest-1"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "customer  guest-1 (also guest-2)\n"
            "true at   2026-03-01 12:00:00 +08:00, known up to position 9\n"
            "owner       liu\n"
            "state       owned\n"
            "since       2026-02-28 12:00:00 +08:00\n"
            "reason      claim.first-position (policy version 1)\n"
            "decided by  position 5, 7\n"
            "lapses at   2026-06-01 00:00:00 +08:00 by lapse.dormancy: last contact 2026-03-01 + 90 days\n"
            "claims, in the order they count:\n"
            "  POSITION  CLAIMANT     SINCE                       STATE   REGISTERED AS\n"
            "  5         liu          2026-02-28 12:00:00 +08:00  owns    guest-1\n"
            "  8         unit:shop-2                              second\n");
  const Outcome json = ctl_.Run({"--output", "json", "owner", "guest-1"});
  EXPECT_THAT(json.out, HasSubstr("\"state\": \"CUSTODY_STATE_OWNED\""));
  EXPECT_THAT(json.out, HasSubstr("\"staffId\": \"liu\""));
}

TEST_F(QueriesTest, AParkedCustomerIsMarked) {
  ctl_.fake.owner.mutable_context()->set_parked_at_position(17);
  ctl_.fake.owner.mutable_context()->set_parked_reason("UNKNOWN_TYPE");
  const Outcome outcome = ctl_.Run({"owner", "guest-1"});
  EXPECT_THAT(outcome.out, HasSubstr("PARKED"));
  EXPECT_THAT(outcome.out, HasSubstr("position 17"));
  EXPECT_THAT(outcome.out, HasSubstr("nobody ever claimed"));
}

TEST_F(QueriesTest, NotFoundHasItsOwnExitCode) {
  ctl_.fake.error = {5, "no such customer", "CUSTOMER_NOT_FOUND"};
  for (const char* command : {"owner", "tier", "callback", "history"}) {
    const Outcome outcome = ctl_.Run({command, "nobody"});
    EXPECT_EQ(outcome.exit_code, 4) << command;
    EXPECT_THAT(outcome.err, HasSubstr("CUSTOMER_NOT_FOUND: no such customer")) << command;
  }
}

TEST_F(QueriesTest, TierCallbackAndHistory) {
  pb::Tier* tier = ctl_.fake.tier.add_tiers();
  tier->set_scheme("intent");
  tier->set_class_name("A");
  tier->add_decided_by("liu");
  EXPECT_THAT(ctl_.Run({"tier", "guest-1"}).out, HasSubstr("intent  A      liu"));
  EXPECT_EQ(ctl_.fake.get_tier.query().customer_id(), "guest-1");

  EXPECT_THAT(ctl_.Run({"callback", "guest-1"}).out, HasSubstr("no call-back is due"));
  pb::Callback* callback = ctl_.fake.callback.add_callbacks();
  callback->mutable_owner()->set_staff_id("liu");
  callback->mutable_due_time()->set_seconds(1'772'337'600);
  callback->set_overdue(true);
  EXPECT_THAT(ctl_.Run({"callback", "guest-1"}).out, HasSubstr("2026-03-01 12:00:00 +08:00  OVERDUE"));

  pb::HistoryEntry* entry = ctl_.fake.history.add_entries();
  entry->set_event_name("lapse");
  entry->mutable_business_time()->set_seconds(1'772'337'600);
  entry->add_changes("owner: liu -> none");
  EXPECT_THAT(ctl_.Run({"history", "guest-1", "--personal"}).out,
              HasSubstr("2026-03-01 12:00:00 +08:00  -         lapse  owner: liu -> none"));
  EXPECT_TRUE(ctl_.fake.get_history.include_personal_data());
}

TEST_F(QueriesTest, RegistrationShowsStagesReviewAndForms) {
  EXPECT_THAT(ctl_.Run({"registration", "show", "guest-1"}).out,
              HasSubstr("asks nothing of this registration"));
  EXPECT_EQ(ctl_.fake.get_registration.query().customer_id(), "guest-1");
  pb::RegistrationEntry* entry = ctl_.fake.registration.add_registrations();
  entry->set_state(pb::REGISTRATION_STATE_PENDING);
  entry->add_stages()->set_name("2");
  entry->mutable_review_due_time()->set_seconds(1'772'337'600);
  entry->set_review_overdue(true);
  pb::FilingEntry* filing = entry->add_filings();
  filing->set_state(pb::FILING_STATE_LATE);
  filing->set_filed_by("liu");
  const std::string out = ctl_.Run({"registration", "show", "guest-1"}).out;
  EXPECT_THAT(out, HasSubstr("pending"));
  EXPECT_THAT(out, HasSubstr("stage 2    MISSING"));
  EXPECT_THAT(out, HasSubstr("2026-03-01 12:00:00 +08:00  OVERDUE"));
  EXPECT_THAT(out, HasSubstr("late   liu"));
}

TEST_F(QueriesTest, DutiesOfACustomerOrAStaffMember) {
  EXPECT_THAT(ctl_.Run({"duty", "list", "guest-1"}).out, HasSubstr("nothing is due"));
  EXPECT_EQ(ctl_.fake.get_duties.query().customer_id(), "guest-1");
  pb::DutyEntry* duty = ctl_.fake.duties.add_duties();
  duty->set_name("settle");
  duty->set_state(pb::DUTY_STATE_OVERDUE);
  duty->mutable_consequence()->mutable_amount()->set_minor_units(50000);
  duty->mutable_consequence()->mutable_amount()->set_currency_code("CNY");
  duty->mutable_consequence()->add_borne_by("staff");
  ctl_.fake.duties.add_duties()->set_name("done-already");
  ctl_.fake.duties.mutable_duties(1)->set_state(pb::DUTY_STATE_FULFILLED);
  pb::FlagEntry* flag = ctl_.fake.duties.add_flags();
  flag->set_event_name("visit_logged");
  flag->set_says("update the data");
  std::string out = ctl_.Run({"duty", "list", "--staff", "liu"}).out;
  EXPECT_EQ(ctl_.fake.get_duties.staff_id(), "liu");
  EXPECT_EQ(ctl_.fake.get_duties.query().customer_id(), "");
  EXPECT_THAT(out, HasSubstr("settle  overdue"));
  EXPECT_THAT(out, HasSubstr("50000 minor units of CNY each for staff"));
  EXPECT_THAT(out, HasSubstr("update the data"));
  EXPECT_THAT(out, testing::Not(HasSubstr("done-already")));
  out = ctl_.Run({"duty", "list", "guest-1", "--all"}).out;
  EXPECT_THAT(out, HasSubstr("done-already"));
  EXPECT_EQ(ctl_.Run({"duty", "list"}).exit_code, 2);
  EXPECT_EQ(ctl_.Run({"duty", "list", "guest-1", "--staff", "liu"}).exit_code, 2);
}

TEST_F(QueriesTest, CustomersReadsAllPagesOrAsManyAsWanted) {
  for (int page = 0; page < 3; ++page) {
    auto& response = ctl_.fake.customer_pages.emplace_back();
    response.add_customers()->set_customer_id("c-" + std::to_string(2 * page));
    response.add_customers()->set_customer_id("c-" + std::to_string(2 * page + 1));
  }
  const Outcome all = ctl_.Run({"customers", "--owner", "liu", "--true-at", "2026-03-01"});
  EXPECT_EQ(all.out, "CUSTOMER\nc-0\nc-1\nc-2\nc-3\nc-4\nc-5\n");
  EXPECT_EQ(all.err, "");
  EXPECT_EQ(ctl_.fake.list_customers[0].owner().staff_id(), "liu");
  EXPECT_EQ(ctl_.fake.list_customers[0].true_at().seconds(), 1'772'294'400);
  EXPECT_EQ(ctl_.fake.list_customers[2].page_token(), "2");
  const Outcome some = ctl_.Run({"customers", "--owner", "liu", "--limit", "4", "--output", "jsonl"});
  EXPECT_EQ(std::count(some.out.begin(), some.out.end(), '\n'), 4);
  EXPECT_THAT(some.err, HasSubstr("more follow"));
  EXPECT_EQ(ctl_.Run({"customers"}).exit_code, 2);
}

TEST_F(QueriesTest, CallbacksPoolAndSearch) {
  EXPECT_EQ(ctl_.Run({"callbacks", "--owner", "unit:shop-1", "--until", "2026-03-01"}).out,
            "no call-back is due\n");
  EXPECT_EQ(ctl_.fake.list_callbacks[0].owner().unit_id(), "shop-1");
  EXPECT_EQ(ctl_.fake.list_callbacks[0].until_time().seconds(), 1'772'294'400);

  EXPECT_EQ(ctl_.Run({"pool"}).out, "the public pool is empty\n");
  ctl_.fake.pool.add_customers()->set_customer_id("free-1");
  EXPECT_EQ(ctl_.Run({"pool"}).out, "CUSTOMER\nfree-1\n");
  EXPECT_EQ(ctl_.fake.list_pool.ledger(), "demo");

  EXPECT_EQ(ctl_.Run({"search", "--phone", "138"}).exit_code, 4);
  ctl_.fake.found.add_customer_ids("guest-1");
  const Outcome found = ctl_.Run({"search", "--email", "Z@example.com"});
  EXPECT_EQ(found.exit_code, 0);
  EXPECT_EQ(found.out, "guest-1\n");
  EXPECT_EQ(ctl_.fake.search.contact_point().kind(), pb::CONTACT_POINT_KIND_EMAIL);
  EXPECT_EQ(ctl_.fake.search.contact_point().value(), "Z@example.com");
  EXPECT_EQ(ctl_.Run({"search"}).exit_code, 2);
  EXPECT_EQ(ctl_.Run({"search", "--email", "a", "--phone", "b"}).exit_code, 2);
}

TEST_F(QueriesTest, Stats) {
  ctl_.fake.stats.set_source_events(302);
  for (int i = 0; i < 3; ++i) {
    pb::OwnerCount* count = ctl_.fake.stats.add_owners();
    count->mutable_owner()->set_staff_id("s" + std::to_string(i));
    count->set_customers(10 - i);
  }
  const Outcome table = ctl_.Run({"stats", "--top", "2"});
  EXPECT_THAT(table.out, HasSubstr("imported events      302\n"));
  EXPECT_THAT(table.out, HasSubstr("OWNER  CUSTOMERS\ns0     10\ns1     9\n... and 1 more owners"));
  EXPECT_THAT(ctl_.Run({"stats", "--output", "json"}).out, HasSubstr("\"source_events\": 302,"));
}

}  // namespace
}  // namespace ledger::ctl
