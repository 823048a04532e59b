#include "projections/rules/reception/reception.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

pb::Event Rotation(const std::vector<std::string>& staff_ids) {
  pb::Event event;
  event.mutable_rotation_set()->set_site_id("hall");
  for (const std::string& staff_id : staff_ids) event.mutable_rotation_set()->add_staff_ids(staff_id);
  return event;
}

pb::Event Present(const std::string& staff_id, pb::Presence presence) {
  pb::Event event;
  event.mutable_presence_changed()->set_staff_id(staff_id);
  event.mutable_presence_changed()->set_site_id("hall");
  event.mutable_presence_changed()->set_presence(presence);
  return event;
}

pb::VisitLogged NewVisitor() {
  pb::VisitLogged visit;
  visit.set_direction(pb::DIRECTION_INBOUND);
  visit.set_came_before(pb::CAME_BEFORE_NO);
  visit.set_site_id("hall");
  return visit;
}

pb::VisitLogged AsksFor(const std::string& staff_id) {
  pb::VisitLogged visit = NewVisitor();
  visit.set_requested_staff_id(staff_id);
  return visit;
}

pb::VisitLogged Returning() {
  pb::VisitLogged visit = NewVisitor();
  visit.set_came_before(pb::CAME_BEFORE_YES);
  return visit;
}

// A site under the property sales office's policy.
class Desk {
 public:
  Desk() : scenario_(ShippedPolicy("property-sales-office")) {}

  void Given(absl::string_view time, const pb::Event& event) {
    pb::Record record;
    *record.mutable_event() = event;
    record.mutable_event()->mutable_occurred_time()->mutable_time()->set_seconds(
        absl::ToUnixSeconds(Local(absl::string_view(time))));
    record.mutable_header()->set_position(++position_);
    ApplySite(scenario_.timeline(), record, &site_);
  }

  // Somebody comes: "A rotation", "C named, not counted".
  std::string Receive(absl::string_view time, pb::VisitLogged visit, const std::string& owner = "") {
    visit.set_visit_id(std::string("v") + std::to_string(position_));
    const std::optional<Turn> turn = DecideTurn(scenario_.timeline(), site_, visit, owner, Local(time));
    if (!turn.has_value()) return "nobody";
    last_rule_ = turn->rule_id;
    pb::Event event;
    pb::ReceptionAssigned* assigned = event.mutable_reception_assigned();
    assigned->set_customer_id("c1");
    assigned->set_visit_id(visit.visit_id());
    assigned->set_staff_id(turn->staff_id);
    assigned->set_basis(turn->basis);
    assigned->set_counts_in_rotation(turn->counts);
    assigned->set_site_id("hall");
    Given(time, event);
    std::string text = turn->staff_id;
    switch (turn->basis) {
      case pb::RECEPTION_BASIS_ROTATION:
        text += " rotation";
        break;
      case pb::RECEPTION_BASIS_CATCH_UP:
        text += " catch-up";
        break;
      case pb::RECEPTION_BASIS_NAMED:
        text += " named";
        break;
      case pb::RECEPTION_BASIS_OWNER:
        text += " owner";
        break;
      case pb::RECEPTION_BASIS_ASSIST:
        text += " assist";
        break;
      default:
        text += " duty";
        break;
    }
    return turn->counts ? text : text + ", not counted";
  }

  pb::GetReceptionResponse Read(absl::string_view time) const {
    return ReadSite(scenario_.timeline(), site_, Local(time));
  }
  const std::string& last_rule() const { return last_rule_; }
  Scenario& scenario() { return scenario_; }
  const SiteState& site() const { return site_; }

 private:
  Scenario scenario_;
  SiteState site_;
  uint64_t position_ = 0;
  std::string last_rule_;
};

TEST(ReceptionTest, TurnsAreTakenInOrderAndCaughtUpWith) {
  Desk desk;
  desk.Given("2026-03-16 08:30", Rotation({"A", "B", "C", "D"}));
  EXPECT_EQ(desk.Receive("2026-03-16 09:00", NewVisitor()), "A rotation");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.rotation-order");
  desk.Given("2026-03-16 09:20", Present("B", pb::PRESENCE_OUT_ON_BUSINESS));
  EXPECT_EQ(desk.Receive("2026-03-16 09:30", NewVisitor()), "C rotation");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.rotation-skip");
  EXPECT_EQ(desk.Receive("2026-03-16 09:50", NewVisitor()), "D rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 10:10", NewVisitor()), "A rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 10:30", NewVisitor()), "C rotation");
  EXPECT_EQ(desk.Read("2026-03-16 10:40").order(1).missed_rounds(), 2u);
  desk.Given("2026-03-16 10:45", Present("B", pb::PRESENCE_ON_SITE));
  EXPECT_EQ(desk.Receive("2026-03-16 10:48", Returning(), "D"), "D owner, not counted");
  EXPECT_EQ(desk.Receive("2026-03-16 10:50", NewVisitor()), "B catch-up");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.rotation-catch-up");
  EXPECT_EQ(desk.Receive("2026-03-16 11:00", NewVisitor()), "B catch-up");
  EXPECT_EQ(desk.Receive("2026-03-16 11:10", NewVisitor()), "D rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 11:20", AsksFor("C")), "C named, not counted");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.named-on-entry");
  EXPECT_EQ(desk.Receive("2026-03-16 11:30", NewVisitor()), "A rotation");
  const pb::GetReceptionResponse read = desk.Read("2026-03-16 11:31");
  EXPECT_EQ(read.next_staff_id(), "B");
  EXPECT_EQ(read.order(1).missed_rounds(), 0u);
  EXPECT_EQ(read.last_turns(0).staff_id(), "A");
}

TEST(ReceptionTest, BeingBusyOrOffEarnsNothing) {
  for (const pb::Presence presence : {pb::PRESENCE_BUSY, pb::PRESENCE_OFF}) {
    Desk desk;
    desk.Given("2026-03-16 08:30", Rotation({"A", "B"}));
    desk.Given("2026-03-16 08:40", Present("A", presence));
    EXPECT_EQ(desk.Receive("2026-03-16 09:00", NewVisitor()), "B rotation");
    desk.Given("2026-03-16 09:10", Present("A", pb::PRESENCE_ON_SITE));
    EXPECT_EQ(desk.Receive("2026-03-16 09:20", NewVisitor()), "A rotation");
    EXPECT_EQ(desk.Receive("2026-03-16 09:30", NewVisitor()), "B rotation");
  }
}

TEST(ReceptionTest, NobodyThereIsNobodyAssigned) {
  Desk desk;
  EXPECT_EQ(desk.Receive("2026-03-16 08:00", NewVisitor()), "nobody");
  desk.Given("2026-03-16 08:30", Rotation({"A"}));
  desk.Given("2026-03-16 08:40", Present("A", pb::PRESENCE_OFF));
  EXPECT_EQ(desk.Receive("2026-03-16 09:00", NewVisitor()), "nobody");
  EXPECT_EQ(desk.Read("2026-03-16 09:00").next_staff_id(), "");
}

TEST(ReceptionTest, SomebodyOnLongLeaveIsNotThere) {
  Desk desk;
  desk.scenario().SetStaff("2026-03-10", "A", pb::STAFF_STATUS_LONG_LEAVE);
  desk.Given("2026-03-16 08:30", Rotation({"A", "B"}));
  EXPECT_EQ(desk.Receive("2026-03-16 09:00", NewVisitor()), "B rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 09:10", AsksFor("A")), "B assist, not counted");
}

TEST(ReceptionTest, WhoIsNamedAndAwayIsStoodInFor) {
  Desk desk;
  desk.Given("2026-03-14 08:30", Rotation({"C", "A", "B"}));
  desk.Given("2026-03-14 08:40", Present("B", pb::PRESENCE_OUT_ON_BUSINESS));
  pb::VisitLogged visit = Returning();
  visit.add_named_staff_ids("B");
  EXPECT_EQ(desk.Receive("2026-03-14 10:00", visit, "B"), "C assist, not counted");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.case-3-absent");
  EXPECT_EQ(desk.Receive("2026-03-14 10:10", NewVisitor()), "C rotation");
  desk.Given("2026-03-14 10:40", Present("B", pb::PRESENCE_BUSY));
  EXPECT_EQ(desk.Receive("2026-03-14 11:00", visit, "B"), "B named, not counted");
}

TEST(ReceptionTest, OfSeveralNamedTheFirstWhoIsThereReceives) {
  Desk desk;
  desk.Given("2026-03-14 08:30", Rotation({"C", "A", "B"}));
  desk.Given("2026-03-14 08:40", Present("A", pb::PRESENCE_OFF));
  pb::VisitLogged visit = Returning();
  visit.add_named_staff_ids("A");
  visit.add_named_staff_ids("B");
  EXPECT_EQ(desk.Receive("2026-03-14 10:00", visit), "B named, not counted");
  desk.Given("2026-03-14 10:05", Present("B", pb::PRESENCE_OFF));
  EXPECT_EQ(desk.Receive("2026-03-14 10:10", visit), "C assist, not counted");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.case-5-several-named");
}

TEST(ReceptionTest, NobodyReceivesWhomTheVisitorRefuses) {
  Desk desk;
  desk.Given("2026-03-14 08:30", Rotation({"B", "A"}));
  pb::VisitLogged visit = Returning();
  visit.set_refused_staff_id("B");
  EXPECT_EQ(desk.Receive("2026-03-14 10:00", visit, "B"), "A assist, not counted");
  visit.set_requested_staff_id("C");
  EXPECT_EQ(desk.Receive("2026-03-14 10:10", visit, "B"), "C named, not counted");
}

TEST(ReceptionTest, WhoForgotTakesATurnEvenAsSomebodysCustomer) {
  Desk desk;
  desk.Given("2026-04-10 08:30", Rotation({"A", "B"}));
  pb::VisitLogged visit = NewVisitor();
  visit.set_came_before(pb::CAME_BEFORE_UNKNOWN);
  EXPECT_EQ(desk.Receive("2026-04-10 10:00", visit, "B"), "A rotation");
  EXPECT_EQ(desk.last_rule(), "property-sales-office.case-7-forgotten");
  EXPECT_EQ(desk.Read("2026-04-10 10:01").next_staff_id(), "B");
}

TEST(ReceptionTest, ATurnTakenAheadIsPassedOverLater) {
  Desk desk;
  desk.Given("2026-03-16 08:30", Rotation({"A", "B", "C"}));
  pb::VisitLogged taken = NewVisitor();
  taken.set_staff_id("B");
  EXPECT_EQ(desk.Receive("2026-03-16 09:00", taken), "B rotation");
  EXPECT_EQ(desk.Read("2026-03-16 09:01").order(1).turns_ahead(), 1u);
  EXPECT_EQ(desk.Receive("2026-03-16 09:10", NewVisitor()), "A rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 09:20", NewVisitor()), "C rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 09:30", NewVisitor()), "A rotation");
  EXPECT_EQ(desk.Receive("2026-03-16 09:40", NewVisitor()), "B rotation");
}

TEST(ReceptionTest, AConfirmationOfWhatWasAssignedTakesNoSecondTurn) {
  Desk desk;
  desk.Given("2026-03-16 08:30", Rotation({"A", "B"}));
  EXPECT_EQ(desk.Receive("2026-03-16 09:00", NewVisitor()), "A rotation");
  pb::Event again;
  pb::ReceptionAssigned* assigned = again.mutable_reception_assigned();
  assigned->set_customer_id("c1");
  assigned->set_visit_id(desk.site().turns(0).visit_id());
  assigned->set_staff_id("A");
  assigned->set_counts_in_rotation(true);
  desk.Given("2026-03-16 09:05", again);
  EXPECT_EQ(desk.Read("2026-03-16 09:06").next_staff_id(), "B");
  EXPECT_EQ(desk.site().turns_size(), 1);
  EXPECT_EQ(desk.site().version(), 3u);
}

TEST(ReceptionTest, ANewOrderKeepsRoundsToCatchUpWith) {
  Desk desk;
  desk.Given("2026-03-16 08:30", Rotation({"A", "B"}));
  desk.Given("2026-03-16 08:40", Present("A", pb::PRESENCE_OUT_ON_BUSINESS));
  EXPECT_EQ(desk.Receive("2026-03-16 09:00", NewVisitor()), "B rotation");
  desk.Given("2026-03-17 08:30", Rotation({"B", "C", "A"}));
  desk.Given("2026-03-17 08:40", Present("A", pb::PRESENCE_ON_SITE));
  EXPECT_EQ(desk.Receive("2026-03-17 09:00", NewVisitor()), "A catch-up");
  EXPECT_EQ(desk.Receive("2026-03-17 09:10", NewVisitor()), "B rotation");
}

TEST(ReceptionTest, OnlyTheLastTurnsAreKept) {
  Desk desk;
  desk.Given("2026-03-16 08:30", Rotation({"A", "B"}));
  for (int i = 0; i < 40; ++i) desk.Receive("2026-03-16 09:00", NewVisitor());
  EXPECT_EQ(desk.site().turns_size(), 16);
}

TEST(ReceptionTest, WithoutARotationNobodyIsAssigned) {
  const Scenario scenario;
  SiteState site;
  EXPECT_FALSE(DecideTurn(scenario.timeline(), site, NewVisitor(), "", Local("2026-03-16")).has_value());
}

}  // namespace
}  // namespace ledger::rules::testing
