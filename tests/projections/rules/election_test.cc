#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kInvitations[] = R"(
  id: "events" utc_offset_seconds: 28800 phone_region: "CN"
  ownership { claim_by: CLAIM_ACT_INVITATION claim_rule_id: "t.invite" assignment_rule_id: "t.decided" invitations {
    list_cut_off { hour: 18 } rule_id: "t.first" late_rule_id: "t.late" late_breach_rule_id: "t.fine"
    late_breach_amount { minor_units: 1000 currency_code: "CNY" } } })";

pb::Event Invited(const std::string& unit, const std::string& staff) {
  return EventFrom(absl::StrCat("invitation_confirmed { occasion_id: 'e' unit_id: '", unit, "' staff_id: '",
                                staff, "' }"));
}
pb::Event List(const std::string& unit) {
  return EventFrom(absl::StrCat("list_submitted { list_id: 'l' list_kind: LIST_KIND_CONFIRMED unit_id: '",
                                unit, "' occasion_id: 'e' customer_ids: 'c1' }"));
}

TEST(ElectionTest, AListInTimeWinsOverAnEarlierInvitationWhoseListIsLate) {
  struct Case {
    const char* first_list;
    const char* owner;
    const char* rule;
    int breaches;
  };
  for (const Case& test :
       {Case{"2026-03-17 17:59:59", "x", "t.first", 0}, Case{"2026-03-17 18:00:00", "x", "t.first", 0},
        Case{"2026-03-17 18:00:01", "y", "t.late", 1}}) {
    Scenario scenario(PolicyFrom(kInvitations));
    scenario.Given("2026-03-17 17:50", Invited("d1", "x"));
    scenario.Given(test.first_list, List("d1"));
    scenario.Given("2026-03-18 10:00", Invited("d2", "y"));
    EXPECT_EQ(scenario.OwnerAt("2026-03-18 10:00", "e"), "x");
    scenario.Given("2026-03-18 17:55", List("d2"));
    EXPECT_EQ(scenario.OwnerAt("2026-03-21", "e"), test.owner) << test.first_list;
    EXPECT_EQ(scenario.OwnershipAt("2026-03-21", "e").basis().rule_id(), test.rule);
    EXPECT_EQ(scenario.OwnershipAt("2026-03-21", "e").breaches_size(), test.breaches);
    EXPECT_EQ(scenario.OwnerAt("2026-03-21"), "none") << "an occasion is a scope of its own";
  }
}

TEST(ElectionTest, AnInvitationAfterTheCutOffBelongsToTheNextDaysList) {
  Scenario scenario(PolicyFrom(kInvitations));
  scenario.Given("2026-03-17 18:00:01", Invited("d1", "x"));
  EXPECT_TRUE(scenario.OwnershipAt("2026-03-18", "e").claims(0).late()) << "its list is not in yet";
  scenario.Given("2026-03-18 17:00", List("d1"));
  EXPECT_FALSE(scenario.OwnershipAt("2026-03-19", "e").claims(0).late());
}

TEST(ElectionTest, ADecisionComesBeforeAllClaims) {
  Scenario scenario(PolicyFrom(kInvitations));
  scenario.Given("2026-03-17 10:00", Invited("d1", "x"));
  scenario.Given("2026-03-18 10:00", EventFrom("owner_assigned { scope: 'e' owner { staff_id: 'y' } }"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-19", "e"), "y");
  EXPECT_EQ(scenario.OwnershipAt("2026-03-19", "e").basis().rule_id(), "t.decided");
  scenario.Given("2026-03-19 10:00", List("d1"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-20", "e"), "y");
}

TEST(ElectionTest, NothingIsElectedWhileADisputeIsOpen) {
  Scenario scenario(PolicyFrom(kInvitations));
  scenario.Given("2026-03-17 10:00", Invited("d1", "x"));
  scenario.Given("2026-03-17 11:00",
                 EventFrom("dispute_opened { dispute_id: 'd' scope: 'e' parties { staff_id: 'x' } }"));
  scenario.Given("2026-03-18 10:00", Invited("d2", "y"));
  scenario.Given("2026-03-18 17:00", List("d2"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-19", "e"), "x");
}

constexpr char kFamily[] = R"(
  id: "family" utc_offset_seconds: 28800 phone_region: "CN"
  ownership { claim_by: CLAIM_ACT_REGISTRATION claim_rule_id: "t.first" referral { rule_id: "t.referral" }
    family { rule_id: "t.family" } })";

TEST(ElectionTest, AReferredCustomerBelongsToWhoReceivedTheReferrer) {
  Scenario scenario(PolicyFrom(kFamily));
  scenario.Given("2026-04-01", Registered("liu"));
  const CustomerState referrer = scenario.StateAt("2026-04-02");
  const CustomerState nobody;
  DecisionContext context;
  context.timeline = &scenario.timeline();
  context.customer = &nobody;
  context.related = &referrer;
  context.recorded_time = Local("2026-04-15");
  pb::Event friend_comes = Registered("wang", "", "c2");
  friend_comes.mutable_customer_registered()->set_referrer_customer_id("c1");
  EXPECT_EQ(RelatedCustomerId(scenario.timeline(), context.recorded_time, friend_comes), "c1");
  auto decision = Decide(context, friend_comes);
  ASSERT_TRUE(decision.ok()) << decision.status();
  ASSERT_EQ(decision->derived.size(), 1u);
  EXPECT_EQ(decision->derived[0].owner_assigned().owner().staff_id(), "liu");
  EXPECT_EQ(decision->derived[0].owner_assigned().customer_id(), "c2");
  EXPECT_EQ(decision->derived[0].owner_assigned().rule_id(), "t.referral");

  scenario.SetStaff("2026-04-10", "liu", pb::STAFF_STATUS_LEFT);
  context.timeline = &scenario.timeline();
  decision = Decide(context, friend_comes);
  ASSERT_TRUE(decision.ok());
  EXPECT_TRUE(decision->derived.empty()) << "who left receives nobody";
}

TEST(ElectionTest, AFamilyBelongsToWhoReceivedItsFirstMemberWhicheverIsNamedFirst) {
  Scenario husband(PolicyFrom(kFamily));
  husband.Given("2026-04-01", Registered("liu"));
  Scenario wife(PolicyFrom(kFamily));
  wife.Given("2026-04-12", Registered("wang", "", "c2"));
  const CustomerState first = husband.StateAt("2026-04-13");
  const CustomerState second = wife.StateAt("2026-04-13");
  for (const bool wife_first : {true, false}) {
    const pb::Event link = EventFrom(
        absl::StrCat("customers_linked { customer_id: '", wife_first ? "c2" : "c1", "' other_customer_id: '",
                     wife_first ? "c1" : "c2", "' kind: LINK_KIND_SAME_FAMILY }"));
    DecisionContext context;
    context.timeline = &husband.timeline();
    context.customer = wife_first ? &second : &first;
    context.related = wife_first ? &first : &second;
    context.recorded_time = Local("2026-04-13");
    const auto decision = Decide(context, link);
    ASSERT_TRUE(decision.ok());
    ASSERT_EQ(decision->derived.size(), 1u);
    EXPECT_EQ(decision->derived[0].owner_assigned().customer_id(), "c2");
    EXPECT_EQ(decision->derived[0].owner_assigned().owner().staff_id(), "liu");
    EXPECT_EQ(decision->rule_id, "t.family");
  }
}

}  // namespace
}  // namespace ledger::rules::testing
