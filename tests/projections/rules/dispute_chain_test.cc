#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "projections/rules/civil_time.h"
#include "projections/rules/dispute/dispute.h"
#include "tests/projections/rules/hand_over_testing.h"
#include "tests/projections/rules/testing.h"

// Who decides a dispute, what the parties lose, and what is heard.
namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;
constexpr auto kNo = absl::StatusCode::kFailedPrecondition;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

constexpr char kLevels[] = R"(
  rule_id: "x.dispute"
  levels { name: "parties" parties_decide: true rule_id: "x.negotiate" }
  levels { name: "department" reached_by: DISPUTE_STEP_MEDIATED step_roles: "supervisor" decider_roles: "supervisor"
           rule_id: "x.mediate" }
  levels { name: "manager" reached_by: DISPUTE_STEP_ESCALATED decider_roles: "manager" is_final: true
           rule_id: "x.final" }
  forfeits { steps: DISPUTE_STEP_QUARREL steps: DISPUTE_STEP_REFUSED_DECISION rule_id: "x.quarrel" }
  settled_at_deal: true settled_rule_id: "x.deal-prevails")";

class ChainTest : public ::testing::Test {
 protected:
  explicit ChainTest(const std::string& more = "") : scenario_(WithDispute(std::string(kLevels) + more)) {
    Joins(&scenario_, "2026-01-01", "liu", "seller", "north");
    Joins(&scenario_, "2026-01-01", "chen", "seller", "south");
    Joins(&scenario_, "2026-01-01", "sun", "supervisor", "");
    Joins(&scenario_, "2026-01-01", "boss", "manager", "");
    scenario_.Given("2026-01-05 10:00", Registered("liu"));
    scenario_.Given("2026-01-05 14:00", Registered("chen"));
  }
  pb::DisputeAnswer DisputeAt(const char* at) {
    const pb::Ownership ownership = scenario_.OwnershipAt(at);
    EXPECT_EQ(ownership.disputes_size(), 1);
    return ownership.disputes_size() > 0 ? ownership.disputes(0) : pb::DisputeAnswer();
  }
  Scenario scenario_;
};

class OrderTest : public ChainTest {
 protected:
  OrderTest() : ChainTest(" levels_in_order: true") {}
};

TEST_F(ChainTest, TheAnswerNamesTheDispute) {
  const uint64_t position = scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  scenario_.Given("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_NEGOTIATED, "liu"));
  const pb::DisputeAnswer dispute = DisputeAt("2026-02-02");
  EXPECT_EQ(dispute.dispute_id(), "d1");
  EXPECT_EQ(dispute.position(), position);
  EXPECT_EQ(LocalText(dispute.since_time()), "2026-02-01 00:00:00");
  EXPECT_EQ(dispute.parties_size(), 2);
  EXPECT_EQ(dispute.level(), "parties");
  EXPECT_EQ(dispute.rule_id(), "x.negotiate");
  EXPECT_TRUE(dispute.parties_decide());
  ASSERT_EQ(dispute.steps_size(), 1);
  EXPECT_EQ(dispute.steps(0).step(), pb::DISPUTE_STEP_NEGOTIATED);
  EXPECT_EQ(dispute.heard_claim_positions_size(), 2);
  EXPECT_FALSE(dispute.has_resolved_time());
}

TEST_F(OrderTest, EachLevelDecidesInItsTurn) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  scenario_.ThenAccepts("2026-02-02", DecidedBy("d1", "liu", "chen"));  // the parties agree
  scenario_.ThenRefuses("2026-02-02", DecidedBy("d1", "liu", "sun"), kDenied, "NO_AUTHORITY");
  EXPECT_EQ(RefusalRuleId(scenario_.WhenProposed("2026-02-02", DecidedBy("d1", "liu", "sun")).status()),
            "x.negotiate");
  scenario_.ThenRefuses("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_MEDIATED, "boss"), kDenied,
                        "WRONG_ROLE");
  scenario_.Given("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_ESCALATED, "boss"));  // passes nothing over
  EXPECT_EQ(DisputeAt("2026-02-02").level(), "parties");
  scenario_.Given("2026-02-03", StepTaken("d1", pb::DISPUTE_STEP_MEDIATED, "sun"));
  EXPECT_EQ(DisputeAt("2026-02-03").level(), "department");
  EXPECT_THAT(DisputeAt("2026-02-03").decider_roles(), ::testing::ElementsAre("supervisor"));
  scenario_.ThenRefuses("2026-02-04", DecidedBy("d1", "liu", "boss"), kDenied, "NO_AUTHORITY");
  scenario_.ThenRefuses("2026-02-04", DecidedBy("d1", "liu", "chen"), kDenied, "NO_AUTHORITY");
  EXPECT_EQ(scenario_.WhenProposed("2026-02-04", DecidedBy("d1", "liu", "sun"))->rule_id, "x.mediate");
  scenario_.Given("2026-02-05", StepTaken("d1", pb::DISPUTE_STEP_ESCALATED, "sun"));
  scenario_.ThenRefuses("2026-02-06", DecidedBy("d1", "liu", "sun"), kDenied, "NO_AUTHORITY");
  scenario_.ThenAccepts("2026-02-06", DecidedBy("d1", "liu", "boss"));
}

TEST_F(ChainTest, AHigherLevelMayDecideAtOnceWhereThePolicyLetsIt) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  scenario_.ThenAccepts("2026-02-02", DecidedBy("d1", "liu", "boss"));
  scenario_.ThenRefuses("2026-02-02", DecidedBy("d1", "liu", "wang"), kDenied, "NO_AUTHORITY");
  scenario_.Given("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_ESCALATED, "sun"));
  EXPECT_EQ(DisputeAt("2026-02-02").level(), "manager");
}

TEST_F(ChainTest, AFinalDecisionIsNotDisputedAgain) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen", "deal-1"));
  scenario_.Given("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_ESCALATED, "sun"));
  scenario_.Given("2026-02-03", DecidedBy("d1", "chen", "boss"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-03"), "chen");
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-03").basis().rule_id(), "x.final");
  EXPECT_EQ(DisputeAt("2026-02-03").owner().staff_id(), "chen");
  EXPECT_EQ(DisputeAt("2026-02-03").decided_by(), "boss");
  scenario_.ThenRefuses("2026-02-04", OpenedBy("d2", "liu", "chen", "deal-1"), kNo, "DECIDED_FINALLY");
  scenario_.ThenRefuses("2026-02-04", OpenedBy("d1", "liu", "chen", "deal-2"), kNo, "DISPUTE_ID_TAKEN");
  scenario_.ThenAccepts("2026-02-04", OpenedBy("d2", "liu", "chen", "deal-2"));
}

TEST_F(ChainTest, AQuarrelCostsTheCreditAndNotTheCustomer) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen", "deal-1"));
  EXPECT_EQ(ForfeitOf(scenario_.StateAt("2026-02-01"), "deal-1"), nullptr);
  const uint64_t quarrel = scenario_.Given("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_QUARREL, "sun"));
  const CustomerState state = scenario_.StateAt("2026-02-02");
  ASSERT_NE(ForfeitOf(state, "deal-1"), nullptr);
  EXPECT_EQ(ForfeitOf(state, "deal-1")->forfeit().position(), quarrel);
  EXPECT_EQ(ForfeitOf(state, "deal-1")->forfeit().unit_id(), "north");  // the owner's department
  EXPECT_EQ(ForfeitOf(state, "deal-1")->forfeit().rule_id(), "x.quarrel");
  EXPECT_EQ(ForfeitOf(state, "deal-2"), nullptr);
  EXPECT_EQ(scenario_.OwnerAt("2026-02-02"), "liu");
  EXPECT_EQ(DisputeAt("2026-02-02").forfeiture().to().unit_id(), "north");
}

TEST_F(ChainTest, ARefusedDecisionCostsTheCreditToo) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen", "deal-1"));
  scenario_.Given("2026-02-03", DecidedBy("d1", "chen", "boss"));
  EXPECT_EQ(ForfeitOf(scenario_.StateAt("2026-02-03"), "deal-1"), nullptr);
  ASSERT_NE(ResolutionOf(scenario_.StateAt("2026-02-03"), "deal-1"), nullptr);
  scenario_.ThenAccepts("2026-02-04", StepTaken("d1", pb::DISPUTE_STEP_REFUSED_DECISION, "liu"));
  scenario_.Given("2026-02-04", StepTaken("d1", pb::DISPUTE_STEP_REFUSED_DECISION, "liu"));
  ASSERT_NE(ForfeitOf(scenario_.StateAt("2026-02-04"), "deal-1"), nullptr);
  EXPECT_EQ(ForfeitOf(scenario_.StateAt("2026-02-04"), "deal-1")->forfeit().unit_id(), "south");
  EXPECT_EQ(scenario_.OwnerAt("2026-02-04"), "chen");
}

TEST_F(ChainTest, TheDealSettlesWhoClaims) {
  pb::Event deal = Deal();
  deal.mutable_deal_recorded()->set_deal_id("deal-1");
  scenario_.Given("2026-02-01", deal);
  scenario_.Given("2026-02-02", Registered("wang"));
  const auto refused = scenario_.WhenProposed("2026-02-03", OpenedBy("d1", "liu", "wang", "deal-1"));
  EXPECT_EQ(refused.status().message().substr(0, 18), "CLAIM_AFTER_DEAL: ");
  EXPECT_EQ(RefusalRuleId(refused.status()), "x.deal-prevails");
  scenario_.ThenAccepts("2026-02-03", OpenedBy("d1", "liu", "wang"));  // about the customer, not the deal
  scenario_.Given("2026-02-03", OpenedBy("d1", "liu", "chen", "deal-1"));
  EXPECT_EQ(DisputeAt("2026-02-03").heard_claim_positions_size(), 2);
  scenario_.ThenRefuses("2026-02-04", DecidedBy("d1", "wang", "boss"), kNo, "CLAIM_AFTER_DEAL");
  scenario_.ThenAccepts("2026-02-04", DecidedBy("d1", "chen", "boss"));
}

TEST_F(ChainTest, WhatHappenedBeforeTheOpeningIsHeardAlsoWhenRecordedLater) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "wang"));
  const uint64_t late = scenario_.Given("2026-01-04", Registered("wang"), "2026-02-02");
  const uint64_t later = scenario_.Given("2026-02-03", Registered("zhao"));
  const pb::DisputeAnswer dispute = DisputeAt("2026-02-03");
  EXPECT_THAT(dispute.late_evidence_positions(), ::testing::ElementsAre(late));
  EXPECT_THAT(dispute.heard_claim_positions(), ::testing::Contains(late));
  EXPECT_THAT(dispute.heard_claim_positions(), ::testing::Not(::testing::Contains(later)));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-03"), "liu");  // by itself it changes nobody (AMB-57)
}

TEST_F(ChainTest, ADecisionMayCountFromBeforeAndItsClocksFromItself) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  pb::Event decided = DecidedBy("d1", "chen", "boss");
  *decided.mutable_dispute_resolved()->mutable_effective_from_time()->mutable_time() =
      ToTimestamp(Local("2026-01-20 09:00"));
  scenario_.Given("2026-02-05", decided);
  EXPECT_EQ(scenario_.OwnerAt("2026-01-20 08:59:59"), "liu");
  EXPECT_EQ(scenario_.OwnerAt("2026-01-20 09:00"), "chen");
  EXPECT_EQ(scenario_.OwnerAt("2026-02-02"), "chen");
  EXPECT_TRUE(scenario_.OwnershipAt("2026-02-02").disputed());
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-02-05");
  EXPECT_EQ(LocalText(ownership.basis().since_time()), "2026-01-20 09:00:00");
  EXPECT_EQ(LocalText(ownership.lapse_time()), "2026-05-06 00:00:00");  // 5 February + 3 months
  EXPECT_EQ(scenario_.StateAt("2026-02-05").events(), 4u);
}

TEST_F(ChainTest, ADecisionCountsFromWithinTheHistory) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  pb::Event decided = DecidedBy("d1", "chen", "boss");
  auto* from = decided.mutable_dispute_resolved()->mutable_effective_from_time()->mutable_time();
  *from = ToTimestamp(Local("2026-02-06"));
  scenario_.ThenRefuses("2026-02-05", decided, absl::StatusCode::kInvalidArgument, "EFFECTIVE_IN_FUTURE");
  *from = ToTimestamp(Local("2026-01-05 09:59"));
  scenario_.ThenRefuses("2026-02-05", decided, absl::StatusCode::kInvalidArgument,
                        "EFFECTIVE_BEFORE_HISTORY");
  *from = ToTimestamp(Local("2026-01-20"));
  decided.mutable_dispute_resolved()->set_scope("store");
  scenario_.ThenRefuses("2026-02-05", decided, absl::StatusCode::kInvalidArgument, "SCOPE_MISSING");
}

TEST(DisputeOffTest, ADecidedDisputeIsForgottenWhereThePolicySaysNothing) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  EXPECT_EQ(scenario.OwnershipAt("2026-02-01").disputes(0).parties_size(), 2);
  scenario.Given("2026-02-02", Resolved("d1"));
  EXPECT_EQ(scenario.OwnershipAt("2026-02-02").disputes_size(), 0);
}

class UnknownRoleTest : public ChainTest {
 protected:
  UnknownRoleTest() : ChainTest(" unknown_role_may: true") {}
};

TEST_F(UnknownRoleTest, AnUnknownRoleMayActWhereThePolicySaysSoButAnotherRoleMayNot) {
  scenario_.Given("2026-02-01", OpenedBy("d1", "liu", "chen"));
  scenario_.ThenAccepts("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_MEDIATED, "somebody"));
  scenario_.ThenRefuses("2026-02-02", StepTaken("d1", pb::DISPUTE_STEP_MEDIATED, "boss"), kDenied,
                        "WRONG_ROLE");
  scenario_.ThenAccepts("2026-02-02", DecidedBy("d1", "liu", "somebody"));
}

}  // namespace
}  // namespace ledger::rules::testing
