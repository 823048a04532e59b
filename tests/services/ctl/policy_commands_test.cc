#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "customerledger/v1/record.pb.h"
#include "tests/services/ctl/fake_server.h"

// policy check, show, diff.
namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPolicy[] =
    "id: \"mine\"\nphone_region: \"CN\"\n"
    "lapse { protection { period { months: 2 } rule_id: \"x.protection\" } }\n"
    "rule_texts { rule_id: \"x.protection\" phrase: \"有效期两个月\" }\n";

std::string Shipped(const std::string& name) { return LEDGER_POLICIES "/" + name + ".textproto"; }

class PolicyCommandsTest : public ::testing::Test {
 protected:
  void AddAdoption(pb::ReadLogResponse* page, const pb::Policy& policy) {
    pb::Record record;
    *record.mutable_event()->mutable_policy_adopted()->mutable_policy() = policy;
    page->add_records(record.SerializeAsString());
  }

  CtlHarness ctl_;
};

TEST_F(PolicyCommandsTest, ShowExplainsAFileWithoutAServer) {
  const Outcome shown = CtlHarness::RunAlone({"policy", "show", "-"}, kPolicy);
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("For 2 months from the day of the claim"));
  EXPECT_THAT(shown.out, HasSubstr("[x.protection 「有效期两个月」]"));
  const Outcome json = CtlHarness::RunAlone({"--output", "json", "policy", "show", "-"}, kPolicy);
  EXPECT_EQ(json.exit_code, 0) << json.err;
  EXPECT_THAT(json.out, HasSubstr("\"ruleId\": \"x.protection\""));
  EXPECT_THAT(json.out, HasSubstr("\"phrase\": \"有效期两个月\""));
  EXPECT_EQ(CtlHarness::RunAlone({"policy", "show", "-"}, "nonsense").exit_code, 3);
  EXPECT_EQ(CtlHarness::RunAlone({"policy", "show", "/no/such"}).exit_code, 4);
  EXPECT_EQ(CtlHarness::RunAlone({"policy", "show", "-", "--version", "1"}, kPolicy).exit_code, 2);
}

TEST_F(PolicyCommandsTest, ShowExplainsThePolicyInForce) {
  ctl_.fake.ledger.mutable_policy()->mutable_pool()->set_claim_by_registration(true);
  EXPECT_THAT(ctl_.Run({"policy", "show"}).out,
              HasSubstr("Whoever registers a customer without an owner takes it"));
}

TEST_F(PolicyCommandsTest, VersionsAreCountedInTheLog) {
  pb::Policy first;
  first.set_id("first");
  pb::Policy second;
  second.set_id("second");
  ctl_.fake.log_pages.resize(2);
  AddAdoption(&ctl_.fake.log_pages[0], first);
  ctl_.fake.log_pages[0].set_next_page_token("more");
  AddAdoption(&ctl_.fake.log_pages[1], second);
  const Outcome diff = ctl_.Run({"policy", "diff", "2", "-"}, "id: \"second\"");
  EXPECT_EQ(diff.exit_code, 0) << diff.err;
  EXPECT_EQ(diff.out, "version 2 of ledger demo and - say the same\n");
  ASSERT_FALSE(ctl_.fake.log_reads.empty());
  EXPECT_EQ(ctl_.fake.log_reads[0].filter().event_types(0), pb::Event::kPolicyAdopted);
}

TEST_F(PolicyCommandsTest, AVersionThatIsNotThere) {
  ctl_.fake.log_pages.resize(1);
  AddAdoption(&ctl_.fake.log_pages[0], pb::Policy());
  const Outcome shown = ctl_.Run({"policy", "show", "--version", "2"});
  EXPECT_EQ(shown.exit_code, 4);
  EXPECT_THAT(shown.err, HasSubstr("has no policy version 2"));
}

TEST_F(PolicyCommandsTest, DiffEndsWithThreeWhereTheyDiffer) {
  const Outcome same = CtlHarness::RunAlone({"policy", "diff", Shipped("default"), Shipped("default")});
  EXPECT_EQ(same.exit_code, 0) << same.err;
  EXPECT_THAT(same.out, HasSubstr("say the same"));
  const Outcome other = CtlHarness::RunAlone({"policy", "diff", Shipped("recorded"), "-"}, kPolicy);
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_THAT(other.out, HasSubstr("\nLapse\n  added    For 2 months"));
  EXPECT_THAT(other.out, HasSubstr("  running  An added period"));
  EXPECT_THAT(other.err, StartsWith("ledgerctl: POLICIES_DIFFER: "));
  const Outcome json =
      CtlHarness::RunAlone({"--output", "json", "policy", "diff", Shipped("recorded"), "-"}, kPolicy);
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_THAT(json.out, HasSubstr("\"POLICY_CHANGE_KIND_ADDED\""));
}

TEST_F(PolicyCommandsTest, LinesFitAHundredColumns) {
  for (const char* name : {"default", "recorded"}) {
    const Outcome shown = CtlHarness::RunAlone({"policy", "show", Shipped(name)});
    std::istringstream lines(shown.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  }
}

TEST_F(PolicyCommandsTest, CheckTakesSeveralFiles) {
  const Outcome good = CtlHarness::RunAlone({"policy", "check", Shipped("default"), Shipped("recorded")});
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_THAT(good.out, HasSubstr("nothing is wrong with policy 'recorded'"));
  const Outcome bad = CtlHarness::RunAlone({"policy", "check", Shipped("default"), "-"}, "id: \"mine\"\n");
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_THAT(bad.out, HasSubstr("nothing is wrong with policy 'default'"));
  EXPECT_THAT(bad.out, HasSubstr("\n-:1:1: error: phone_region: is missing"));
  const Outcome json = CtlHarness::RunAlone({"--output", "jsonl", "policy", "check", "-"}, "id: \"mine\"\n");
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_THAT(json.out, HasSubstr("\"POLICY_FINDING_SEVERITY_ERROR\""));
}

}  // namespace
}  // namespace ledger::ctl
