#include "projections/rules/credit/credit.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "projections/rules/credit/read_credit.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

pb::Event Text(const std::string& text) {
  pb::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

pb::Event Received(const std::string& staff, const std::string& said = "") {
  return Text("visit_logged { customer_id: 'c1' direction: DIRECTION_INBOUND staff_id: '" + staff + "' " +
              said + " }");
}

pb::Event Sold(const std::string& by, int64_t bonus_fen, const std::string& more = "") {
  return Text("deal_recorded { customer_id: 'c1' deal_id: 'd1' kind: DEAL_KIND_CONTRACT closed_by: '" + by +
              "' amount { minor_units: 100000000 currency_code: 'CNY' } bonus { minor_units: " +
              std::to_string(bonus_fen) + " currency_code: 'CNY' } " + more + " }");
}

pb::Policy Office() { return ShippedPolicy("property-sales-office"); }

std::string HoldingsText(const google::protobuf::RepeatedPtrField<pb::CreditHolding>& holdings) {
  std::string text;
  for (const pb::CreditHolding& holding : holdings) {
    if (!text.empty()) text += ", ";
    text +=
        holding.holder().has_unit_id() ? "unit " + holding.holder().unit_id() : holding.holder().staff_id();
    text += " " + std::to_string(holding.amount().minor_units());
  }
  return text;
}

pb::DealCredit CreditAt(const Scenario& scenario, absl::string_view at) {
  const auto credits = ReadCredit(scenario.timeline(), scenario.StateAt(at), Local(at));
  return credits.empty() ? pb::DealCredit() : credits.front();
}

std::string BonusAt(const Scenario& scenario, absl::string_view at) {
  return HoldingsText(CreditAt(scenario, at).bonus_holdings());
}

std::string PerformanceAt(const Scenario& scenario, absl::string_view at) {
  const pb::DealCredit credit = CreditAt(scenario, at);
  std::string text;
  for (const pb::CreditHolding& holding : credit.performance()) {
    if (!text.empty()) text += ", ";
    text +=
        holding.holder().has_unit_id() ? "unit " + holding.holder().unit_id() : holding.holder().staff_id();
    text += " " + std::to_string(holding.basis_points());
  }
  return text;
}

std::string RuleAt(const Scenario& scenario, absl::string_view at) {
  return CreditAt(scenario, at).basis().rule_id();
}

TEST(CreditTest, TheFirstRegistrationHasEverything) {
  Scenario scenario(Office());
  scenario.Given("2026-03-05 10:12", Registered("A"));
  scenario.Given("2026-03-05 14:40", Registered("B"));
  scenario.Given("2026-04-02", Sold("B", 1'000'000));
  EXPECT_EQ(PerformanceAt(scenario, "2026-04-02"), "A 10000");
  EXPECT_EQ(BonusAt(scenario, "2026-04-02"), "A 1000000");
  EXPECT_EQ(RuleAt(scenario, "2026-04-02"), "property-sales-office.first-visit");
}

TEST(CreditTest, ARefusalInsideTheTwoMonthsLeavesAFifth) {
  for (const bool inside : {true, false}) {
    Scenario scenario(Office());
    scenario.Given("2026-03-31 15:00", Registered("B"));
    const std::string day = inside ? "2026-05-31 11:00" : "2026-06-01 00:00";
    scenario.Given(
        day, Received("A", "refused_staff_id: 'B' requested_staff_id: 'A' came_before: CAME_BEFORE_YES"));
    scenario.Given("2026-06-10", Sold("A", 1'000'000));
    EXPECT_EQ(PerformanceAt(scenario, "2026-06-10"), "A 10000");
    EXPECT_EQ(BonusAt(scenario, "2026-06-10"), inside ? "A 800000, B 200000" : "A 1000000");
    EXPECT_EQ(RuleAt(scenario, "2026-06-10"), "property-sales-office.case-2-refuses");
    EXPECT_EQ(scenario.OwnerAt("2026-05-31 10:59:59"), "B");
    EXPECT_EQ(scenario.OwnerAt("2026-06-10"), "A");
    EXPECT_EQ(LocalText(scenario.OwnershipAt("2026-06-10").basis().since_time()), std::string(day) + ":00");
  }
}

TEST(CreditTest, AnAbsentSalespersonKeepsFourFifths) {
  pb::Policy policy = Office();
  for (const bool same_day_split : {false, true}) {
    policy.mutable_credit()->set_same_day_assist_split(same_day_split);
    Scenario scenario(policy);
    scenario.Given("2026-03-02", Registered("B"));
    scenario.Given("2026-03-14 10:00", Received("C", "named_staff_ids: 'B' came_before: CAME_BEFORE_YES"));
    scenario.Given("2026-03-14 16:00", Sold("C", 500'000));
    EXPECT_EQ(PerformanceAt(scenario, "2026-03-15"), "B 10000");
    EXPECT_EQ(BonusAt(scenario, "2026-03-15"), same_day_split ? "B 250000, C 250000" : "B 400000, C 100000");
    EXPECT_EQ(RuleAt(scenario, "2026-03-15"), same_day_split ? "property-sales-office.obligatory-reception"
                                                             : "property-sales-office.case-3-absent");
    EXPECT_EQ(scenario.OwnerAt("2026-03-15"), "B");
  }
}

TEST(CreditTest, WithTheSwitchOnALaterDayStaysAtFourFifths) {
  pb::Policy policy = Office();
  policy.mutable_credit()->set_same_day_assist_split(true);
  Scenario scenario(policy);
  scenario.Given("2026-03-02", Registered("B"));
  scenario.Given("2026-03-14 10:00", Received("C", "named_staff_ids: 'B'"));
  scenario.Given("2026-03-15 09:00", Sold("C", 500'000));
  EXPECT_EQ(BonusAt(scenario, "2026-03-15 09:00"), "B 400000, C 100000");
}

TEST(CreditTest, AnAssistanceOutlastsALaterReceptionByTheOwner) {
  Scenario scenario(Office());
  scenario.Given("2026-03-02", Registered("B"));
  scenario.Given("2026-03-14 10:00", Received("C", "named_staff_ids: 'B'"));
  scenario.Given("2026-03-16 10:00", Received("B", "named_staff_ids: 'B'"));
  scenario.Given("2026-03-17", Sold("B", 500'000));
  EXPECT_EQ(BonusAt(scenario, "2026-03-17"), "B 400000, C 100000");
}

TEST(CreditTest, WhoWasThereGetsTheCustomerBack) {
  Scenario scenario(Office());
  scenario.Given("2026-03-02", Registered("B"));
  scenario.Given("2026-03-14 10:00",
                 Text("visit_logged { customer_id: 'c1' visit_id: 'v1' named_staff_ids: 'B' }"));
  scenario.Given("2026-03-14 10:00",
                 Text("reception_assigned { customer_id: 'c1' visit_id: 'v1' staff_id: 'A' basis: "
                      "RECEPTION_BASIS_DUTY }"));
  scenario.Given("2026-03-15", Sold("A", 500'000));
  EXPECT_EQ(BonusAt(scenario, "2026-03-15"), "B 500000");
  EXPECT_EQ(RuleAt(scenario, "2026-03-15"), "property-sales-office.case-1-present");
}

TEST(CreditTest, AVerifiedComplaintLeavesNothing) {
  Scenario scenario(Office());
  scenario.Given("2026-03-02", Registered("B"));
  scenario.Given("2026-03-14 10:00", Received("A", "named_staff_ids: 'B' refused_staff_id: 'B'"));
  scenario.Given("2026-03-14 10:30",
                 Text("complaint_filed { customer_id: 'c1' complaint_id: 'k' against_staff_id: 'B' }"));
  scenario.Given("2026-03-15", Sold("A", 500'000));
  EXPECT_EQ(BonusAt(scenario, "2026-03-15"), "A 400000, B 100000");
  scenario.Given("2026-03-16", Text("complaint_step_taken { customer_id: 'c1' complaint_id: 'k' step: "
                                    "COMPLAINT_STEP_VERIFIED taken_by: 'M' }"));
  EXPECT_EQ(BonusAt(scenario, "2026-03-15"), "A 400000, B 100000");
  EXPECT_EQ(BonusAt(scenario, "2026-03-16"), "A 500000");
  EXPECT_EQ(RuleAt(scenario, "2026-03-16"), "property-sales-office.case-4-complaint");
  EXPECT_EQ(scenario.OwnerAt("2026-03-16"), "A");
}

TEST(CreditTest, ADiscountSeekerStaysWithTheFirst) {
  Scenario scenario(Office());
  scenario.Given("2026-04-01", Registered("A"));
  scenario.Given("2026-04-16", Received("B", "wants_discount: true came_before: CAME_BEFORE_YES"));
  scenario.Given("2026-04-17", Sold("B", 500'000));
  EXPECT_EQ(BonusAt(scenario, "2026-04-17"), "A 500000");
  EXPECT_EQ(RuleAt(scenario, "2026-04-17"), "property-sales-office.case-6-discount");
  EXPECT_EQ(scenario.OwnerAt("2026-04-17"), "A");
}

TEST(CreditTest, OfSeveralNamedTheOwnerNeedsAValidFiling) {
  for (const bool valid : {true, false}) {
    Scenario scenario(Office());
    scenario.Given("2026-03-02", Registered("B"));
    scenario.Given(valid ? "2026-05-02" : "2026-05-03", Received("A", "named_staff_ids: ['A', 'B']"));
    scenario.Given("2026-05-10", Sold("A", 500'000));
    EXPECT_EQ(PerformanceAt(scenario, "2026-05-10"), valid ? "B 10000" : "A 10000");
    EXPECT_EQ(BonusAt(scenario, "2026-05-10"), valid ? "B 400000, A 100000" : "A 500000");
    EXPECT_EQ(scenario.OwnerAt("2026-05-10"), "B");
  }
  Scenario scenario(Office());
  scenario.Given("2026-03-02", Registered("B"));
  scenario.Given("2026-03-14", Received("B", "named_staff_ids: ['A', 'B']"));
  scenario.Given("2026-05-10", Sold("B", 500'000));
  EXPECT_EQ(BonusAt(scenario, "2026-05-10"), "B 500000");
}

TEST(CreditTest, AForgottenReceiverWhoIsFoundSharesTheBonus) {
  for (const bool valid : {true, false}) {
    Scenario scenario(Office());
    scenario.Given("2026-02-10", Registered("B"));
    scenario.Given(valid ? "2026-04-10 23:59:59" : "2026-04-11 00:00",
                   Received("A", "came_before: CAME_BEFORE_UNKNOWN"));
    scenario.Given("2026-04-12",
                   Text("file_custody_changed { customer_id: 'c1' record_id: 'f' holder_id: 'A' action: "
                        "CUSTODY_ACTION_VIEWED }"));
    scenario.Given("2026-04-18", Sold("A", 600'000));
    EXPECT_EQ(PerformanceAt(scenario, "2026-04-18"), "A 10000");
    EXPECT_EQ(BonusAt(scenario, "2026-04-18"), valid ? "B 300000, A 300000" : "A 600000");
    EXPECT_EQ(RuleAt(scenario, "2026-04-18"), "property-sales-office.case-7-found-later");
  }
}

TEST(CreditTest, TheManagerMayGiveAFoundCustomerBack) {
  Scenario scenario(Office());
  scenario.Given("2026-02-10", Registered("B"));
  scenario.Given("2026-04-10", Received("A", "came_before: CAME_BEFORE_UNKNOWN"));
  scenario.Given("2026-04-12", Merged("c1", "c9"));
  scenario.Given("2026-04-13", Assigned("B"));
  scenario.Given("2026-04-18", Sold("B", 600'000));
  EXPECT_EQ(PerformanceAt(scenario, "2026-04-18"), "B 10000");
  EXPECT_EQ(BonusAt(scenario, "2026-04-18"), "B 300000, A 300000");
}

TEST(CreditTest, AForgottenReceiverWhoIsNotFoundHasNothing) {
  Scenario scenario(Office());
  scenario.Given("2026-02-10", Registered("B"));
  scenario.Given("2026-04-10", Received("A", "came_before: CAME_BEFORE_UNKNOWN"));
  scenario.Given("2026-04-18", Sold("A", 600'000));
  scenario.Given("2026-04-19", Merged("c1", "c9"));  // found, but after the deal
  EXPECT_EQ(BonusAt(scenario, "2026-04-20"), "A 600000");
  EXPECT_EQ(RuleAt(scenario, "2026-04-20"), "property-sales-office.case-7-forgotten");
}

TEST(CreditTest, AnNthVisitHalvesAndTheRestGoesToTheHolder) {
  Scenario scenario(Office());
  scenario.Given("2026-03-01", Received("B"));
  scenario.Given("2026-03-08", Received("C", "came_before: CAME_BEFORE_UNKNOWN"));
  scenario.Given("2026-03-15", Received("A", "requested_staff_id: 'A' came_before: CAME_BEFORE_YES"));
  scenario.Given("2026-03-20", Sold("A", 1'000'101));
  EXPECT_EQ(PerformanceAt(scenario, "2026-03-20"), "A 5000, B 2500, C 2500");
  EXPECT_EQ(BonusAt(scenario, "2026-03-20"), "A 500051, B 250025, C 250025");
  EXPECT_EQ(RuleAt(scenario, "2026-03-20"), "property-sales-office.case-8-nth-visit");
  EXPECT_EQ(scenario.OwnerAt("2026-03-20"), "A");
}

TEST(CreditTest, AnAssistantIsNoEarlierReceiver) {
  Scenario scenario(Office());
  scenario.Given("2026-03-01", Registered("B"));
  scenario.Given("2026-03-08", Received("C", "named_staff_ids: 'B'"));
  scenario.Given("2026-03-15", Received("A", "requested_staff_id: 'A'"));
  scenario.Given("2026-03-20", Sold("A", 1'000'000));
  EXPECT_EQ(PerformanceAt(scenario, "2026-03-20"), "B 5000, A 5000");
}

TEST(CreditTest, ThreeEarlierReceiversGetWholeBasisPoints) {
  Scenario scenario(Office());
  scenario.Given("2026-03-01", Received("B"));
  scenario.Given("2026-03-02", Received("C"));
  scenario.Given("2026-03-03", Received("D"));
  scenario.Given("2026-03-04", Received("A", "requested_staff_id: 'A'"));
  scenario.Given("2026-03-20", Sold("A", 1'000'000));
  EXPECT_EQ(PerformanceAt(scenario, "2026-03-20"), "A 5000, B 1668, C 1666, D 1666");
}

TEST(CreditTest, WhoIsAskedForOnTheFirstVisitOwns) {
  Scenario scenario(Office());
  scenario.Given("2026-03-16 11:20", Received("C", "requested_staff_id: 'C' came_before: CAME_BEFORE_NO"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-16 11:20"), "C");
  scenario.Given("2026-03-20", Sold("C", 1'000));
  EXPECT_EQ(RuleAt(scenario, "2026-03-20"), "property-sales-office.named-on-entry");
}

TEST(CreditTest, ADrawnOwnerHasWhatComesAndNotWhatWas) {
  Scenario scenario(Office());
  scenario.Given("2026-05-01", Registered("C"));
  scenario.Given("2026-05-31", Sold("C", 1'000));
  pb::Event drawn = Assigned("A");
  drawn.mutable_owner_assigned()->set_rule_id("property-sales-office.case-12-random");
  scenario.Given("2026-06-01 09:00", drawn);
  pb::Event second = Sold("A", 2'000);
  second.mutable_deal_recorded()->set_deal_id("d2");
  scenario.Given("2026-06-02", second);
  const auto credits = ReadCredit(scenario.timeline(), scenario.StateAt("2026-06-03"), Local("2026-06-03"));
  ASSERT_EQ(credits.size(), 2u);
  EXPECT_EQ(HoldingsText(credits[0].bonus_holdings()), "C 1000");
  EXPECT_EQ(HoldingsText(credits[1].bonus_holdings()), "A 2000");
  EXPECT_EQ(credits[1].basis().rule_id(), "property-sales-office.case-12-random");
}

TEST(CreditTest, TheManagersChoiceAtAnEventOverridesEveryCase) {
  Scenario scenario(Office());
  scenario.Given("2026-05-01", Registered("B"));
  pb::Event fixed = Assigned("A");
  fixed.mutable_owner_assigned()->set_rule_id("property-sales-office.case-13-event");
  scenario.Given("2026-05-02", fixed);
  scenario.Given("2026-05-03", Received("C", "requested_staff_id: 'C' refused_staff_id: 'A'"));
  EXPECT_EQ(scenario.OwnerAt("2026-05-03"), "A");
  scenario.Given("2026-05-04", Sold("C", 1'000));
  EXPECT_EQ(BonusAt(scenario, "2026-05-04"), "A 1000");
  EXPECT_EQ(RuleAt(scenario, "2026-05-04"), "property-sales-office.case-13-event");
}

TEST(CreditTest, AQuarrelMovesEverythingToTheDepartmentAtOnce) {
  Scenario scenario(Office());
  scenario.Given("2026-03-05 10:12", Registered("A"));
  scenario.Given("2026-04-02", Sold("A", 1'000));
  scenario.Given("2026-04-03 09:00",
                 Text("dispute_opened { customer_id: 'c1' dispute_id: 'x' deal_id: 'd1' }"));
  EXPECT_EQ(BonusAt(scenario, "2026-04-03 12:00"), "A 1000");
  scenario.Given("2026-04-04",
                 Text("dispute_step_taken { customer_id: 'c1' dispute_id: 'x' step: DISPUTE_STEP_QUARREL }"));
  EXPECT_EQ(BonusAt(scenario, "2026-04-03 23:59:59"), "A 1000");
  EXPECT_EQ(BonusAt(scenario, "2026-04-04"), "unit department 1000");
  EXPECT_EQ(PerformanceAt(scenario, "2026-04-04"), "unit department 10000");
  EXPECT_EQ(scenario.OwnerAt("2026-04-04"), "A");
}

TEST(CreditTest, ADisputesSharesOverrideWhatIsComputed) {
  Scenario scenario(Office());
  scenario.Given("2026-03-05 10:12", Registered("A"));
  scenario.Given("2026-04-02", Sold("A", 1'000));
  scenario.Given("2026-04-03", Text("dispute_opened { customer_id: 'c1' dispute_id: 'x' deal_id: 'd1' }"));
  scenario.Given("2026-04-06",
                 Text("dispute_resolved { customer_id: 'c1' dispute_id: 'x' rule_id: 'some.rule' "
                      "bonus_shares { holder { staff_id: 'A' } basis_points: 6000 } "
                      "bonus_shares { holder { staff_id: 'B' } basis_points: 4000 } }"));
  EXPECT_EQ(BonusAt(scenario, "2026-04-06"), "A 600, B 400");
  EXPECT_EQ(PerformanceAt(scenario, "2026-04-06"), "A 10000");  // left open, so computed
  EXPECT_EQ(RuleAt(scenario, "2026-04-06"), "some.rule");
}

TEST(CreditTest, AnAllocationCountsWholeAndARevocationTakesOnePersonsAway) {
  Scenario scenario(Office());
  scenario.Given("2026-03-05", Registered("A"));
  scenario.Given("2026-04-02", Sold("A", 1'001));
  scenario.Given("2026-04-03",
                 Text("credit_allocated { customer_id: 'c1' deal_id: 'd1' performance_shares { holder { "
                      "staff_id: 'B' } basis_points: 10000 } bonus_shares { holder { staff_id: 'A' } "
                      "basis_points: 5000 } bonus_shares { holder { staff_id: 'B' } basis_points: 5000 } }"));
  EXPECT_EQ(BonusAt(scenario, "2026-04-02"), "A 1001");
  EXPECT_EQ(BonusAt(scenario, "2026-04-03"), "A 500, B 501");
  scenario.Given("2026-04-04", Text("credit_revoked { customer_id: 'c1' deal_id: 'd1' staff_id: 'A' }"));
  EXPECT_EQ(BonusAt(scenario, "2026-04-04"), "B 500");
  EXPECT_EQ(PerformanceAt(scenario, "2026-04-04"), "B 10000");
  EXPECT_EQ(CreditAt(scenario, "2026-04-04").revisions_size(), 2);
  scenario.ThenRefuses("2026-04-05",
                       Text("credit_revoked { customer_id: 'c1' deal_id: 'other' staff_id: 'A' }"),
                       absl::StatusCode::kNotFound, "NO_SUCH_DEAL");
  scenario.ThenAccepts("2026-04-05",
                       Text("credit_revoked { customer_id: 'c1' deal_id: 'd1' staff_id: 'B' }"));
}

TEST(CreditTest, ALateVisitGivesTheSameAnswer) {
  Scenario timely(Office());
  timely.Given("2026-03-31 15:00", Registered("B"));
  timely.Given("2026-05-31 11:00", Received("A", "refused_staff_id: 'B'"));
  timely.Given("2026-06-10", Sold("A", 1'000'000));
  Scenario late(Office());
  late.Given("2026-03-31 15:00", Registered("B"));
  late.Given("2026-06-10", Sold("A", 1'000'000));
  late.Given("2026-05-31 11:00", Received("A", "refused_staff_id: 'B'"), "2026-06-12");
  EXPECT_EQ(BonusAt(timely, "2026-06-12"), "A 800000, B 200000");
  EXPECT_EQ(BonusAt(late, "2026-06-12"), BonusAt(timely, "2026-06-12"));
  EXPECT_EQ(late.OwnerAt("2026-06-12"), timely.OwnerAt("2026-06-12"));
}

TEST(CreditTest, NothingIsKeptUnderAPolicyWithoutCredit) {
  Scenario scenario;
  scenario.Given("2026-03-05", Registered("A"));
  scenario.Given("2026-03-06", Received("B", "named_staff_ids: 'A'"));
  scenario.Given("2026-04-02", Sold("A", 1'001));
  EXPECT_FALSE(scenario.StateAt("2026-04-03").has_credit());
  EXPECT_TRUE(ReadCredit(scenario.timeline(), scenario.StateAt("2026-04-03"), Local("2026-04-03")).empty());
}

pb::Policy Dealer() {
  return PolicyFrom(R"(
    id: "dealer" utc_offset_seconds: 28800 phone_region: "CN"
    credit {
      cases { when: CREDIT_WHEN_TRIAL rule_id: "d.trial" shares {
        performance { role: CREDIT_ROLE_MENTOR basis_points: 10000 }
        bonus { role: CREDIT_ROLE_CLOSER basis_points: 10000 } } }
      cases { when: CREDIT_WHEN_CLOSED rule_id: "d.closer" shares {
        performance { role: CREDIT_ROLE_CLOSER basis_points: 10000 } } }
      needs { need: CREDIT_NEED_PAID rule_id: "d.paid" }
      needs { need: CREDIT_NEED_DELIVERED rule_id: "d.pickup" }
      needs { need: CREDIT_NEED_PAPERS rule_id: "d.papers" }
      papers { event: "case_step_completed" where { field: "step" any_of: "papers" } }
      queue { rule_id: "d.queue" down_payment_counts: true down_payment_rule_id: "d.loan" }
      rewards { reward_for: REWARD_FOR_ATTENDANCE kind: REWARD_KIND_POINTS points: 100 rule_id: "d.guest" }
      rewards { reward_for: REWARD_FOR_DEAL_AT_OCCASION kind: REWARD_KIND_POINTS points: 100
                per_full { minor_units: 100000 currency_code: "CNY" } rule_id: "d.sale" }
    })");
}

pb::Event Ordered(const std::string& id, int64_t amount) {
  return Text("deal_recorded { customer_id: 'c1' deal_id: '" + id +
              "' kind: DEAL_KIND_ORDER closed_by: 'T' amount { minor_units: " + std::to_string(amount) +
              " currency_code: 'CNY' } }");
}

pb::Event Paid(const std::string& id, const std::string& kind, int64_t amount) {
  return Text("payment_received { customer_id: 'c1' deal_id: '" + id + "' kind: PAYMENT_KIND_" + kind +
              " amount { minor_units: " + std::to_string(amount) + " currency_code: 'CNY' } }");
}

TEST(CreditTest, ACarCountsFromTheInstantTheLastConditionIsMet) {
  Scenario scenario(Dealer());
  scenario.Given("2026-05-02", Ordered("O4", 10'000'000));
  scenario.Given("2026-05-04", Paid("O4", "DOWN_PAYMENT", 3'000'000));
  scenario.Given("2026-05-12", Paid("O4", "LOAN_RELEASED", 7'000'000));
  scenario.Given("2026-05-13 15:00",
                 Text("deal_recorded { customer_id: 'c1' deal_id: 'O4' kind: DEAL_KIND_DELIVERY }"));
  EXPECT_FALSE(CreditAt(scenario, "2026-05-13 15:00").counts());
  EXPECT_EQ(CreditAt(scenario, "2026-05-13 15:00").missing(0).rule_id(), "d.papers");
  EXPECT_EQ(CreditAt(scenario, "2026-05-11").missing_size(), 3);
  scenario.Given(
      "2026-05-13 15:20:01",
      Text("case_step_completed { customer_id: 'c1' case_id: 'O4' step: 'papers' completed_by: 'T' }"));
  const pb::DealCredit credit = CreditAt(scenario, "2026-05-13 15:20:01");
  EXPECT_TRUE(credit.counts());
  EXPECT_EQ(LocalText(credit.counts_since_time()), "2026-05-13 15:20:01");
}

TEST(CreditTest, WhoIsOnTrialHasTheBonusAndTheMentorThePerformance) {
  Scenario scenario(Dealer());
  scenario.SetStaff("2026-05-01", "T", pb::STAFF_STATUS_ACTIVE);
  scenario.Given("2026-05-02", Ordered("O1", 1'000));
  EXPECT_EQ(PerformanceAt(scenario, "2026-05-03"), "T 10000");
  EXPECT_EQ(RuleAt(scenario, "2026-05-03"), "d.closer");
}

TEST(CreditTest, OrdersAreQueuedByFullPaymentThenPriceThenTime) {
  Scenario scenario(Dealer());
  scenario.Given("2026-05-01", Ordered("O1", 9'000'000));
  scenario.Given("2026-05-01", Paid("O1", "DEPOSIT", 100'000));
  scenario.Given("2026-05-02", Ordered("O4", 10'000'000));
  scenario.Given("2026-05-03", Ordered("O2", 10'000'000));
  scenario.Given("2026-05-04", Ordered("O3", 12'000'000));
  scenario.Given("2026-05-04", Paid("O4", "DOWN_PAYMENT", 3'000'000));
  scenario.Given("2026-05-05", Paid("O3", "FULL", 12'000'000));
  scenario.Given("2026-05-06", Paid("O2", "FULL", 10'000'000));
  scenario.Given("2026-05-20",
                 Text("deal_recorded { customer_id: 'c1' deal_id: 'O3' kind: DEAL_KIND_DELIVERY }"));
  const auto order = [&](absl::string_view at) {
    auto queued = ReadQueuedDeals(scenario.timeline(), scenario.StateAt("2026-06-01"), Local(at));
    std::sort(queued.begin(), queued.end(), QueuedBefore);
    std::string text;
    for (const pb::QueuedDeal& deal : queued) text += deal.deal_id() + " ";
    return text;
  };
  EXPECT_EQ(order("2026-05-07"), "O3 O4 O2 O1 ");
  EXPECT_EQ(order("2026-05-04 12:00"), "O4 O1 O2 O3 ");
  EXPECT_EQ(order("2026-05-20"), "O4 O2 O1 ");
}

TEST(CreditTest, BringingAGuestEarnsPointsForComingAndForEveryFullThousand) {
  Scenario scenario(Dealer());
  pb::Event registered = Registered("Y");
  registered.mutable_customer_registered()->set_referrer_customer_id("H");
  scenario.Given("2026-03-01", registered);
  scenario.Given("2026-03-21 14:00", Received("Y", "occasion_id: 'joint'"));
  scenario.Given("2026-03-21 15:00", Sold("Y", 0, "occasion_id: 'joint'"));
  const auto rewards = ReadRewards(scenario.timeline(), scenario.StateAt("2026-03-22"), Local("2026-03-22"));
  ASSERT_EQ(rewards.size(), 2u);
  EXPECT_EQ(rewards[0].customer_id(), "H");
  EXPECT_EQ(rewards[0].points(), 100);
  EXPECT_EQ(rewards[1].points(), 100'000);
  EXPECT_TRUE(
      ReadRewards(scenario.timeline(), scenario.StateAt("2026-03-21 13:59"), Local("2026-03-21 13:59"))
          .empty());
}

}  // namespace
}  // namespace ledger::rules::testing
