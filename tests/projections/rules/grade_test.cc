#include "tests/projections/rules/testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/rules/civil_time.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

TEST(GradeTest, TheLatestGradeInBusinessOrderCounts) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  EXPECT_EQ(scenario.TierAt("2026-01-05"), "none");
  const uint64_t position = scenario.Given("2026-01-10", Graded("A"));
  scenario.Given("2026-01-08", Graded("H"), "2026-01-12");
  EXPECT_EQ(scenario.TierAt("2026-01-09"), "H");
  EXPECT_EQ(scenario.TierAt("2026-01-10"), "A");
  const auto tiers = ReadTiers(scenario.timeline(), scenario.StateAt("2026-01-11"), Local("2026-01-11"));
  ASSERT_EQ(tiers.size(), 1u);
  EXPECT_EQ(tiers[0].basis().rule_id(), "grade.intent-a");
  EXPECT_THAT(tiers[0].basis().positions(), ::testing::ElementsAre(position));
  EXPECT_EQ(tiers[0].decided_by(0), "boss");
  scenario.Given("2026-01-13", Graded(""));
  EXPECT_EQ(scenario.TierAt("2026-01-14"), "none");
}

TEST(GradeTest, SchemesDoNotMixAndAnUngradedCustomerHasTheInitialClass) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_grade_schemes(0)->set_initial_class("C");
  pb::GradeScheme* value = policy.add_grade_schemes();
  value->set_name("value");
  value->set_hidden_from_customer(true);
  value->add_classes()->set_name("A");
  Scenario scenario(policy);
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Graded("A", "value"));
  scenario.Given("2026-01-06", Graded("x", "elsewhere"));
  const auto tiers = ReadTiers(scenario.timeline(), scenario.StateAt("2026-01-07"), Local("2026-01-07"));
  ASSERT_EQ(tiers.size(), 3u);
  EXPECT_EQ(tiers[0].scheme() + tiers[0].class_name(), "intentC");
  EXPECT_EQ(LocalText(tiers[0].basis().since_time()), "2026-01-05 00:00:00");
  EXPECT_EQ(tiers[1].scheme() + tiers[1].class_name(), "valueA");
  EXPECT_TRUE(tiers[1].hidden_from_customer());
  EXPECT_EQ(tiers[2].scheme() + tiers[2].class_name(), "elsewherex");
}

TEST(GradeTest, UnknownGradesAreRefused) {
  Scenario scenario;
  scenario.ThenRefuses("2026-01-05", Graded("D"), absl::StatusCode::kInvalidArgument, "UNKNOWN_GRADE");
  scenario.ThenRefuses("2026-01-05", Graded("A", "value"), absl::StatusCode::kInvalidArgument,
                       "UNKNOWN_GRADE");
  EXPECT_EQ(scenario.WhenProposed("2026-01-05", Graded("H"))->rule_id, "grade.intent-h");
  scenario.ThenAccepts("2026-01-05", Graded(""));
}

pb::Tier TierOf(const Scenario& scenario, absl::string_view at, const std::string& scheme) {
  for (const pb::Tier& tier : ReadTiers(scenario.timeline(), scenario.StateAt(at), Local(at))) {
    if (tier.scheme() == scheme) return tier;
  }
  return pb::Tier();
}

pb::Event Decided(const std::string& scheme, const std::string& to, const std::vector<std::string>& by) {
  pb::Event event = Graded(to, scheme);
  event.mutable_grade_changed()->clear_decided_by();
  for (const std::string& name : by) event.mutable_grade_changed()->add_decided_by(name);
  return event;
}

pb::Event ProposedGrade(const std::string& scheme, const std::string& to, const std::string& by) {
  pb::Event event;
  event.mutable_grade_proposed()->set_customer_id("c1");
  event.mutable_grade_proposed()->set_scheme(scheme);
  event.mutable_grade_proposed()->set_to_class(to);
  event.mutable_grade_proposed()->set_proposed_by(by);
  return event;
}

// Two must agree to a change, one grades at first; a change is proposed by the unit.
pb::Policy Together() {
  return PolicyFrom(R"pb(
    id: "p"
    utc_offset_seconds: 28800
    phone_region: "CN"
    facts {
      name: "complete"
      established_by {
        event: "profile_changed"
        where { field: "changes.complete" any_of: "true" }
      }
      meaning: "complete documents"
    }
    grade_schemes {
      name: "partner"
      classes {
        name: "A"
        needs { fact: "complete" rule_id: "p.complete" }
      }
      classes { name: "B" }
      classes { name: "C" }
      hidden_from_customer: true
      hidden_rule_id: "p.secret"
      first_deciders { unit_id: "hq" }
      first_deciders_rule_id: "p.grading"
      deciders { unit_id: "hq" }
      deciders { role: "market" }
      deciders_rule_id: "p.regrade"
      proposal_first: true
      proposers { role: "unit-head" }
      proposal_rule_id: "p.proposal"
    })pb");
}

TEST(GradeTest, AChangeTakesEffectWhenTheLastDeciderAgreed) {
  Scenario scenario(Together());
  pb::Event staff;
  staff.mutable_staff_status_changed()->set_staff_id("mei");
  staff.mutable_staff_status_changed()->set_status(pb::STAFF_STATUS_ACTIVE);
  staff.mutable_staff_status_changed()->set_role("market");
  scenario.Given("2026-01-01", staff);
  scenario.ThenRefuses("2026-01-05", Decided("partner", "B", {"market"}), absl::StatusCode::kPermissionDenied,
                       "NOT_A_DECIDER");
  scenario.ThenRefuses("2026-01-05", Decided("partner", "B", {}), absl::StatusCode::kInvalidArgument,
                       "GRADE_NEEDS_DECIDER");
  scenario.Given("2026-01-05", Decided("partner", "B", {"hq"}));
  EXPECT_EQ(TierOf(scenario, "2026-01-05", "partner").basis().rule_id(), "p.grading");
  scenario.ThenRefuses("2026-05-07", Decided("partner", "C", {"hq"}), absl::StatusCode::kFailedPrecondition,
                       "GRADE_NOT_PROPOSED");
  scenario.ThenRefuses("2026-05-07", ProposedGrade("partner", "C", "passer-by"),
                       absl::StatusCode::kPermissionDenied, "NOT_A_PROPOSER");
  const uint64_t proposed = scenario.Given("2026-05-08", ProposedGrade("partner", "C", "unit-head"));
  const uint64_t agreed = scenario.Given("2026-05-09", Decided("partner", "C", {"hq"}));
  pb::Tier tier = TierOf(scenario, "2026-05-12 15:59:59", "partner");
  EXPECT_EQ(tier.class_name(), "B");
  EXPECT_EQ(tier.pending().to_class(), "C");
  EXPECT_EQ(tier.pending().proposed_by(), "unit-head");
  EXPECT_THAT(tier.pending().waits_for(), ::testing::ElementsAre("market"));
  EXPECT_EQ(tier.pending().rule_id(), "p.regrade");
  const uint64_t last = scenario.Given("2026-05-12 16:00", Decided("partner", "C", {"mei"}));
  tier = TierOf(scenario, "2026-05-12 16:00", "partner");
  EXPECT_EQ(tier.class_name(), "C");
  EXPECT_EQ(LocalText(tier.basis().since_time()), "2026-05-12 16:00:00");
  EXPECT_THAT(tier.basis().positions(), ::testing::ElementsAre(proposed, agreed, last));
  EXPECT_THAT(tier.decided_by(), ::testing::ElementsAre("hq", "mei"));
  EXPECT_EQ(tier.basis().rule_id(), "p.regrade");
  EXPECT_FALSE(tier.has_pending());
  EXPECT_TRUE(tier.hidden_from_customer());
  EXPECT_EQ(tier.hidden_rule_id(), "p.secret");
}

TEST(GradeTest, AgreementToAnotherClassBeginsAgain) {
  Scenario scenario(Together());
  scenario.Given("2026-01-05", Decided("partner", "C", {"hq"}));
  scenario.Given("2026-05-08", ProposedGrade("partner", "B", "unit-head"));
  scenario.Given("2026-05-09", Decided("partner", "B", {"hq"}));
  scenario.Given("2026-05-10", Decided("partner", "A", {"market"}));
  EXPECT_EQ(scenario.TierAt("2026-05-10", "partner"), "C");
  scenario.Given("2026-05-11", Decided("partner", "A", {"hq", "market"}));
  EXPECT_EQ(scenario.TierAt("2026-05-11", "partner"), "A");
}

TEST(GradeTest, WhatAClassNeedsComesFirst) {
  Scenario scenario(Together());
  const auto refusal = scenario.WhenProposed("2026-01-05", Decided("partner", "A", {"hq"})).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RefusalRuleId(refusal), "p.complete");
  pb::Event changed;
  changed.mutable_profile_changed()->set_customer_id("c1");
  (*changed.mutable_profile_changed()->mutable_changes())["complete"] = "true";
  scenario.Given("2026-01-06", changed);
  scenario.ThenAccepts("2026-01-07", Decided("partner", "A", {"hq"}));
}

TEST(GradeTest, ClassByExpectedPurchase) {
  struct Case {
    const char* expected;
    const char* grade;
  };
  for (const Case& test : {Case{"2026-05-06", "H"}, Case{"2026-05-13", "H"}, Case{"2026-05-13 23:59:59", "H"},
                           Case{"2026-05-14", "A"}, Case{"2026-06-06", "A"}, Case{"2026-06-07", "B"},
                           Case{"2026-08-06", "B"}, Case{"2026-08-07", "none"}}) {
    Scenario scenario(ShippedPolicy("auto-intent-card"));
    scenario.Given("2026-05-01", Registered("liu"));
    pb::Event contact = Contact("liu");
    *contact.mutable_contact_logged()->mutable_expected_purchase_time()->mutable_time() =
        ToTimestamp(Local(test.expected));
    scenario.Given("2026-05-06 10:00", contact);
    EXPECT_EQ(scenario.TierAt("2026-05-06 10:00", "horizon"), test.grade) << test.expected;
    EXPECT_EQ(scenario.CallbackAt("2026-05-06 10:00"), "none");
    scenario.Given("2026-05-20", Contact("liu"));  // says no date: the class stays
    EXPECT_EQ(scenario.TierAt("2026-05-20", "horizon"), test.grade);
  }
}

TEST(GradeTest, ClassByReturn) {
  struct Case {
    const char* back;
    const char* grade;
    bool late;
  };
  for (const Case& test : {Case{"2026-04-13 23:59:59", "hot", false}, Case{"2026-04-14", "normal", false},
                           Case{"2026-04-17", "normal", false}, Case{"2026-04-18", "normal", true},
                           Case{"2026-05-10 23:59:59", "normal", true}, Case{"2026-05-20", "normal", true}}) {
    Scenario scenario(ShippedPolicy("purchase-intent-signals"));
    scenario.Given("2026-04-10 15:00", Visit("liu"));
    EXPECT_EQ(scenario.TierAt("2026-04-10 15:00", "heat"), "none");
    scenario.Given(test.back, Visit("liu"));
    const pb::Tier tier = TierOf(scenario, test.back, "heat");
    EXPECT_EQ(tier.class_name(), test.grade) << test.back;
    EXPECT_EQ(tier.late(), test.late) << test.back;
  }
  Scenario scenario(ShippedPolicy("purchase-intent-signals"));
  scenario.Given("2026-04-10 15:00", Visit("liu"));
  EXPECT_EQ(LocalText(TierOf(scenario, "2026-05-01", "heat").until_time()), "2026-05-11 00:00:00");
  EXPECT_EQ(scenario.TierAt("2026-05-10 23:59:59", "heat"), "none");
  const pb::Tier tier = TierOf(scenario, "2026-05-11", "heat");
  EXPECT_EQ(tier.class_name(), "watching");
  EXPECT_EQ(LocalText(tier.basis().since_time()), "2026-05-11 00:00:00");
  EXPECT_EQ(tier.basis().arithmetic(), "last visit 2026-04-10 + 1 month = 2026-05-10 24:00");
}

TEST(GradeTest, EventsGiveClassesAndContactsAreCounted) {
  Scenario scenario(ShippedPolicy("auto-dealer-habc"));
  scenario.Given("2026-03-01", Registered("liu"));
  scenario.Given("2026-03-02", Contact("liu"));
  scenario.Given("2026-03-03", Contact("liu"));
  const auto refusal = scenario.WhenProposed("2026-03-04", Graded("B", "habc")).status();
  EXPECT_EQ(RefusalRuleId(refusal), "auto-dealer-habc.class-b") << refusal;
  scenario.Given("2026-03-05", Contact("liu"));
  scenario.ThenAccepts("2026-03-05", Graded("B", "habc"));
  scenario.Given("2026-03-05", Graded("B", "habc"));
  const uint64_t order = scenario.Given("2026-03-10", Deal(pb::DEAL_KIND_ORDER));
  const pb::Tier tier = TierOf(scenario, "2026-03-10", "habc");
  EXPECT_EQ(tier.class_name(), "H");
  EXPECT_THAT(tier.basis().positions(), ::testing::ElementsAre(order));
  EXPECT_EQ(tier.basis().rule_id(), "auto-dealer-habc.class-h");
  EXPECT_TRUE(tier.decided_by().empty());
}

TEST(GradeTest, WhoDoesNotDecideDoesNotCount) {
  Scenario scenario(ShippedPolicy("intention-stages"));
  scenario.Given("2026-04-01", Registered("liu"));
  scenario.Given("2026-04-02", Graded("1", "stage"));
  pb::Tier tier = TierOf(scenario, "2026-04-02", "stage");
  EXPECT_EQ(tier.class_name(), "1");
  EXPECT_TRUE(tier.does_not_count());
  ASSERT_EQ(tier.missing_size(), 1);
  EXPECT_EQ(tier.missing(0).rule_id(), "intention-stages.decision-maker");
  pb::Event visit = Visit("liu");
  (*visit.mutable_visit_logged()->mutable_findings())["decision_maker"] = "true";
  scenario.Given("2026-04-20", visit);
  scenario.Given("2026-04-20 12:00", Graded("4", "stage"));
  tier = TierOf(scenario, "2026-04-20 12:00", "stage");
  EXPECT_EQ(tier.class_name(), "4");
  EXPECT_FALSE(tier.does_not_count());
}

}  // namespace
}  // namespace ledger::rules::testing
