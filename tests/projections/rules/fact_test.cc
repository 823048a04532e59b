#include "projections/rules/fact/fact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

pb::Event Numbered(const std::string& contact_id, pb::ContactOutcome outcome = pb::CONTACT_OUTCOME_REACHED) {
  pb::Event event = Contact("liu", outcome);
  event.mutable_contact_logged()->set_contact_id(contact_id);
  return event;
}

pb::Event Reviewed(const std::string& contact_id, pb::ContactVerdict verdict) {
  pb::Event event;
  event.mutable_contact_reviewed()->set_customer_id("c1");
  event.mutable_contact_reviewed()->set_contact_id(contact_id);
  event.mutable_contact_reviewed()->set_verdict(verdict);
  return event;
}

pb::Event Changed(const std::string& key, const std::string& value) {
  pb::Event event;
  event.mutable_profile_changed()->set_customer_id("c1");
  (*event.mutable_profile_changed()->mutable_changes())[key] = value;
  return event;
}

pb::Policy WithFacts(const std::string& facts) {
  return PolicyFrom("id: 'p' utc_offset_seconds: 28800 phone_region: 'CN' " + facts);
}

TEST(FactTest, HoldsFromTheNthEventAndNotForFalseOnes) {
  Scenario scenario(WithFacts(R"pb(facts {
                                     name: "three"
                                     times: 3
                                     established_by {
                                       event: "contact_logged"
                                       where { field: "outcome" any_of: "reached" }
                                     }
                                   })pb"));
  scenario.Given("2026-03-01", Numbered("k1"));
  scenario.Given("2026-03-02", Numbered("k2"));
  scenario.Given("2026-03-03", Numbered("k3", pb::CONTACT_OUTCOME_NO_ANSWER));
  EXPECT_FALSE(Holds(scenario.StateAt("2026-03-03"), "three"));
  const uint64_t third = scenario.Given("2026-03-04", Numbered("k4"));
  const CustomerState state = scenario.StateAt("2026-03-04");
  ASSERT_TRUE(Holds(state, "three"));
  EXPECT_EQ(FindFact(state, "three")->position(), third);
  scenario.Given("2026-03-05", Reviewed("k1", pb::CONTACT_VERDICT_VALID));
  EXPECT_TRUE(Holds(scenario.StateAt("2026-03-05"), "three"));
  scenario.Given("2026-03-06", Reviewed("k1", pb::CONTACT_VERDICT_FALSE));
  EXPECT_TRUE(Holds(scenario.StateAt("2026-03-05"), "three"));  // nobody knew before the review
  EXPECT_FALSE(Holds(scenario.StateAt("2026-03-06"), "three"));
  scenario.Given("2026-03-07", Numbered("k5"));
  EXPECT_TRUE(Holds(scenario.StateAt("2026-03-07"), "three"));
}

TEST(FactTest, AnEventThatEstablishesDoesNotWithdraw) {
  Scenario scenario(WithFacts(R"pb(facts {
                                     name: "group-2"
                                     value_field: "changes.group"
                                     established_by {
                                       event: "profile_changed"
                                       where { field: "changes.group" any_of: "2" }
                                     }
                                     withdrawn_by {
                                       event: "profile_changed"
                                       where { field: "changes.group" }
                                     }
                                   })pb"));
  scenario.Given("2026-03-01", Changed("group", "2"));
  EXPECT_EQ(FindFact(scenario.StateAt("2026-03-01"), "group-2")->value(), "2");
  scenario.Given("2026-03-02", Changed("colour", "red"));
  EXPECT_TRUE(Holds(scenario.StateAt("2026-03-02"), "group-2"));
  scenario.Given("2026-03-03", Changed("group", "1"));
  EXPECT_FALSE(Holds(scenario.StateAt("2026-03-03"), "group-2"));
  // Told late: the order of what happened counts, not of what was recorded.
  scenario.Given("2026-03-02 12:00", Changed("group", "2"), "2026-03-05");
  EXPECT_FALSE(Holds(scenario.StateAt("2026-03-05"), "group-2"));
}

TEST(FactTest, NothingIsKeptWherePoliciesAskForNothing) {
  Scenario scenario;
  scenario.Given("2026-03-01", Registered("liu"));
  scenario.Given("2026-03-02", Numbered("k1"));
  scenario.Given("2026-03-03", Reviewed("k1", pb::CONTACT_VERDICT_FALSE));
  const CustomerState state = scenario.StateAt("2026-03-03");
  EXPECT_TRUE(state.facts().empty());
  EXPECT_TRUE(state.follow_ups().empty());
  EXPECT_TRUE(state.scopes(0).call_back().contact_id().empty());
  EXPECT_TRUE(state.scopes(0).call_back().earlier().empty());
}

}  // namespace
}  // namespace ledger::rules::testing
