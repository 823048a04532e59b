#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "projections/rules/hand_over/hand_over.h"
#include "tests/projections/rules/hand_over_testing.h"
#include "tests/projections/rules/testing.h"

// Hand-overs of many steps, in roles, in the way policies may ask for them.
namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;
constexpr auto kNo = absl::StatusCode::kFailedPrecondition;
constexpr auto kDenied = absl::StatusCode::kPermissionDenied;

// Proposed by the owner; audited by the desk; accepted; confirmed by the desk, from when on the receiver owns; the
// slip is then completed. Nobody owns meanwhile.
constexpr char kSteps[] = R"(
  procedures {
    steps { step: HAND_OVER_STEP_PROPOSE by_owner: true roles: "manager" rule_id: "x.submit" }
    steps { step: HAND_OVER_STEP_AUDIT roles: "desk" post: POST_MATCH_SAME rule_id: "x.audit-same" }
    steps { step: HAND_OVER_STEP_AUDIT roles: "desk" post: POST_MATCH_DIFFERENT rule_id: "x.audit-other" }
    steps { step: HAND_OVER_STEP_ACCEPT by_receiver: true rule_id: "x.accept" }
    steps { step: HAND_OVER_STEP_CONFIRM roles: "desk" receiver_owns: true rule_id: "x.confirm" }
    steps { step: HAND_OVER_STEP_NOTIFY may_be_skipped: true rule_id: "x.notify" }
    steps { step: HAND_OVER_STEP_COMPLETE rule_id: "x.complete" }
    owner_meanwhile: OWNER_MEANWHILE_NOBODY
    review { reviewer_roles: "manager" submit_rule_id: "x.view" approve_rule_id: "x.approve" counts_rule_id: "x.counts" }
    rule_id: "x.hand-over"
  })";

class StepsTest : public ::testing::Test {
 protected:
  explicit StepsTest(const char* rules = kSteps) : scenario_(WithHandOver(rules)) {
    Joins(&scenario_, "2026-01-01", "liu", "seller", "north");
    Joins(&scenario_, "2026-01-01", "chen", "seller", "south");
    Joins(&scenario_, "2026-01-01", "hq", "desk", "");
    Joins(&scenario_, "2026-01-01", "boss", "manager", "");
    scenario_.Given("2026-01-05", Registered("liu"));
  }
  Scenario scenario_;
};

TEST_F(StepsTest, EachStepInItsTurnByWhoMay) {
  scenario_.ThenRefuses("2026-02-01", Proposed("t1", "liu", "chen", "wang"), kDenied, "WRONG_ROLE");
  scenario_.ThenRefuses("2026-02-01", Proposed("t1", "liu", "chen", "hq"), kDenied, "WRONG_ROLE");
  scenario_.ThenAccepts("2026-02-01", Proposed("t1", "liu", "chen", "boss"));
  scenario_.Given("2026-02-01 10:00", Proposed("t1", "liu", "chen", "liu"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-01 10:00"), "in transfer");
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-01 10:00").basis().rule_id(), "x.submit");
  EXPECT_EQ(LocalText(scenario_.OwnershipAt("2026-02-01 10:00").basis().since_time()), "2026-02-01 10:00:00");

  scenario_.ThenRefuses("2026-02-01 11:00", Accepted("t1", "chen"), kNo, "STEP_NOT_DUE");
  EXPECT_EQ(RefusalRuleId(scenario_.WhenProposed("2026-02-01 11:00", Accepted("t1", "chen")).status()),
            "x.audit-other");
  scenario_.ThenRefuses("2026-02-01 11:00", Confirmed("t1", "hq"), kNo, "STEP_NOT_DUE");
  scenario_.ThenRefuses("2026-02-01 11:00", Audited("t1", "boss"), kDenied, "WRONG_ROLE");
  scenario_.ThenRefuses("2026-02-01 11:00", Audited("t1", ""), kDenied, "WRONG_ROLE");
  scenario_.Given("2026-02-01 12:00", Accepted("t1", "chen"));  // out of turn: changes nothing
  EXPECT_FALSE(scenario_.OwnershipAt("2026-02-01 12:00").transfer().semi_linked());

  EXPECT_EQ(scenario_.WhenProposed("2026-02-01 15:00", Audited("t1", "hq"))->rule_id, "x.audit-other");
  scenario_.Given("2026-02-01 15:00", Audited("t1", "hq"));
  scenario_.ThenRefuses("2026-02-01 16:00", Audited("t1", "hq"), kNo, "STEP_NOT_DUE");
  scenario_.ThenRefuses("2026-02-01 16:00", Accepted("t1", "liu"), kDenied, "NOT_THE_RECEIVER");
  scenario_.Given("2026-02-02 09:00", Accepted("t1", "chen"));
  const pb::OpenTransfer linked = scenario_.OwnershipAt("2026-02-02 10:00").transfer();
  EXPECT_TRUE(linked.semi_linked());
  EXPECT_FALSE(linked.suspended());
  ASSERT_EQ(linked.steps_size(), 3);
  EXPECT_EQ(linked.steps(1).step(), pb::HAND_OVER_STEP_AUDIT);
  EXPECT_EQ(linked.steps(1).taken_by(), "hq");
  EXPECT_EQ(linked.steps(1).rule_id(), "x.audit-other");
  EXPECT_EQ(LocalText(linked.steps(2).time()), "2026-02-02 09:00:00");
  ASSERT_EQ(linked.next_size(), 1);
  EXPECT_EQ(linked.next(0).step(), pb::HAND_OVER_STEP_CONFIRM);
  EXPECT_THAT(linked.next(0).roles(), ::testing::ElementsAre("desk"));
  EXPECT_TRUE(linked.next(0).receiver_owns());

  scenario_.Given("2026-02-02 11:00", Confirmed("t1", "hq"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-02 10:59:59"), "in transfer");
  const pb::Ownership owned = scenario_.OwnershipAt("2026-02-02 11:00");
  EXPECT_EQ(owned.owner().staff_id(), "chen");
  EXPECT_EQ(owned.basis().rule_id(), "x.confirm");
  EXPECT_EQ(owned.basis().positions_size(), 4);
  EXPECT_TRUE(owned.transfer().receiver_owns());
  ASSERT_EQ(owned.transfer().next_size(), 2);  // the message may be skipped
  scenario_.ThenRefuses("2026-02-02 11:10", Cancelled("t1"), kNo, "TRANSFER_TOOK_EFFECT");
  scenario_.ThenRefuses("2026-02-02 11:10", Declined("t1", "chen"), kNo, "TRANSFER_TOOK_EFFECT");
  scenario_.Given("2026-02-02 11:15", Notified());
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-02 11:15").transfer().steps_size(), 5);
  scenario_.Given("2026-02-02 11:20", Completed("t1"));
  EXPECT_FALSE(scenario_.OwnershipAt("2026-02-02 11:20").has_transfer());
  EXPECT_EQ(scenario_.OwnerAt("2026-02-02 11:20"), "chen");
}

TEST_F(StepsTest, TheSamePostHasStepsOfItsOwn) {
  pb::Event proposed = Proposed("t1", "liu", "chen", "liu");
  proposed.mutable_transfer_proposed()->set_same_post(true);
  scenario_.Given("2026-02-01", proposed);
  EXPECT_TRUE(scenario_.OwnershipAt("2026-02-01").transfer().same_post());
  EXPECT_EQ(scenario_.WhenProposed("2026-02-02", Audited("t1", "hq"))->rule_id, "x.audit-same");
  scenario_.Given("2026-02-02", Audited("t1", "hq"));
  scenario_.ThenAccepts("2026-02-03", Accepted("t1", "chen"));  // the other audit is not for it
}

TEST_F(StepsTest, AnAuditThatDoesNotPassLeavesTheStepOpen) {
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  const uint64_t rejected = scenario_.Given("2026-02-02", Audited("t1", "hq", false));
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-02").transfer().rejected_position(), rejected);
  scenario_.ThenRefuses("2026-02-03", Accepted("t1", "chen"), kNo, "STEP_NOT_DUE");
  scenario_.Given("2026-02-03", Audited("t1", "hq"));
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-03").transfer().rejected_position(), 0u);
  scenario_.ThenAccepts("2026-02-04", Accepted("t1", "chen"));
}

TEST_F(StepsTest, RolesAreThoseOfTheTimeOfTheStep) {
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  Joins(&scenario_, "2026-02-10", "wang", "desk", "");
  scenario_.ThenRefuses("2026-02-09", Audited("t1", "wang"), kDenied, "WRONG_ROLE");
  scenario_.ThenAccepts("2026-02-10", Audited("t1", "wang"));
  scenario_.SetStaff("2026-02-11", "wang", pb::STAFF_STATUS_LEFT);  // keeps the role, and may not use it
  scenario_.ThenRefuses("2026-02-11", Audited("t1", "wang"), kNo, "STAFF_HAS_LEFT");
  scenario_.Given("2026-02-11", Audited("t1", "hq"));
  scenario_.Given("2026-02-12", Accepted("t1", "chen"));
  scenario_.SetStaff("2026-02-13", "chen", pb::STAFF_STATUS_LEFT);
  scenario_.ThenRefuses("2026-02-13", Confirmed("t1", "hq"), kNo, "STAFF_HAS_LEFT");
}

TEST_F(StepsTest, WhoLeavesHandsOverOnTheWayOut) {
  scenario_.SetStaff("2026-02-01", "liu", pb::STAFF_STATUS_LEFT);
  pb::Event proposed = Proposed("t1", "liu", "chen", "liu");
  scenario_.ThenRefuses("2026-02-01", proposed, kNo, "STAFF_HAS_LEFT");
  proposed.mutable_transfer_proposed()->set_kind(pb::TRANSFER_KIND_LEAVE);
  scenario_.ThenAccepts("2026-02-01", proposed);
}

TEST_F(StepsTest, ADisputeSuspendsWhatWouldMoveTheCustomer) {
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  scenario_.Given("2026-02-02", Opened("d1"));
  scenario_.ThenAccepts("2026-02-03", Audited("t1", "hq"));
  scenario_.Given("2026-02-03", Audited("t1", "hq"));
  scenario_.Given("2026-02-04", Accepted("t1", "chen"));
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-02-04");
  EXPECT_TRUE(ownership.disputed());
  EXPECT_TRUE(ownership.transfer().suspended());
  EXPECT_TRUE(ownership.transfer().semi_linked());
  scenario_.ThenRefuses("2026-02-05", Confirmed("t1", "hq"), kNo, "DISPUTE_OPEN");
  scenario_.Given("2026-02-05", Confirmed("t1", "hq"));  // does not count
  EXPECT_EQ(scenario_.OwnerAt("2026-02-05"), "in transfer");
  scenario_.Given("2026-02-06", Resolved("d1"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-06"), "in transfer");
  scenario_.ThenAccepts("2026-02-07", Confirmed("t1", "hq"));
  scenario_.Given("2026-02-07", Confirmed("t1", "hq"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-07"), "chen");
}

TEST_F(StepsTest, ADecisionForTheOwnerLetsTheHandOverGoOnAndForAnotherEndsIt) {
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  scenario_.Given("2026-02-02", Audited("t1", "hq"));
  scenario_.Given("2026-02-02", Accepted("t1", "chen"));
  scenario_.Given("2026-02-03", Opened("d1"));
  Scenario other = scenario_;
  scenario_.Given("2026-02-06", Resolved("d1", "liu"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-06"), "in transfer");
  scenario_.Given("2026-02-07", Confirmed("t1", "hq"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-07"), "chen");
  other.Given("2026-02-06", Resolved("d1", "wang"));
  EXPECT_EQ(other.OwnerAt("2026-02-06"), "wang");
  EXPECT_FALSE(other.OwnershipAt("2026-02-06").has_transfer());
  other.ThenRefuses("2026-02-07", Confirmed("t1", "hq"), absl::StatusCode::kNotFound, "NO_OPEN_TRANSFER");
}

TEST_F(StepsTest, ACancelledHandOverGivesTheOldLinkBackWithItsClock) {
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  Scenario late = scenario_;
  scenario_.Given("2026-03-01", Cancelled("t1"));
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-03-01");
  EXPECT_EQ(ownership.owner().staff_id(), "liu");
  EXPECT_EQ(LocalText(ownership.basis().since_time()), "2026-01-05 00:00:00");
  EXPECT_EQ(LocalText(ownership.lapse_time()), "2026-04-06 00:00:00");
  // What fell due meanwhile applies at that instant.
  late.Given("2026-05-01 09:00", Declined("t1", "chen"));
  EXPECT_EQ(late.OwnerAt("2026-05-01 08:59:59"), "in transfer");
  EXPECT_EQ(late.OwnerAt("2026-05-01 09:00"), "public pool");
  EXPECT_EQ(LocalText(late.OwnershipAt("2026-05-02").basis().since_time()), "2026-05-01 09:00:00");
}

TEST_F(StepsTest, AfterItTheReceiverSubmitsAndTheManagerApproves) {
  scenario_.ThenAccepts("2026-02-01", Submitted("wang"));  // nothing waits for it
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  scenario_.Given("2026-02-01", Audited("t1", "hq"));
  scenario_.Given("2026-02-01", Accepted("t1", "chen"));
  scenario_.Given("2026-02-02", Confirmed("t1", "hq"));
  const auto awaits = [&](const char* at) {
    const CustomerState state = scenario_.StateAt(at);
    const pb::HandOverReview* rules = ReviewOf(scenario_.timeline(), state.scopes(0));
    EXPECT_EQ(rules != nullptr, AwaitsTransferReview(state.scopes(0)));
    return rules == nullptr ? "" : rules->counts_rule_id();
  };
  EXPECT_EQ(awaits("2026-02-02"), "x.counts");
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-02").transfer_review().rule_id(), "x.view");
  scenario_.ThenRefuses("2026-02-03", Reviewed("boss"), kNo, "NOT_SUBMITTED");
  scenario_.ThenRefuses("2026-02-03", Submitted("liu"), kDenied, "NOT_THE_RECEIVER");
  scenario_.Given("2026-02-03", Submitted("chen"));
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-03").transfer_review().rule_id(), "x.approve");
  scenario_.ThenRefuses("2026-02-04", Reviewed("hq"), kDenied, "WRONG_ROLE");
  const uint64_t rejected = scenario_.Given("2026-02-04", Reviewed("boss", pb::REVIEW_RESULT_REJECTED));
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-04").transfer_review().rejected_position(), rejected);
  scenario_.ThenRefuses("2026-02-05", Reviewed("boss"), kNo, "NOT_SUBMITTED");
  scenario_.Given("2026-02-05", Submitted("chen"));
  scenario_.Given("2026-02-06", Reviewed("boss"));
  EXPECT_EQ(awaits("2026-02-05"), "x.counts");
  EXPECT_EQ(awaits("2026-02-06"), "");
  EXPECT_FALSE(scenario_.OwnershipAt("2026-02-06").has_transfer_review());
}

TEST_F(StepsTest, AnIdIsOpenOnceAmongTheCustomersHandOvers) {
  scenario_.Given("2026-01-06", Registered("liu", "store"));
  scenario_.Given("2026-02-01", Proposed("t1", "liu", "chen", "liu"));
  pb::Event second = Proposed("t1", "liu", "chen", "liu");
  second.mutable_transfer_proposed()->set_scope("store");
  scenario_.ThenRefuses("2026-02-02", second, kNo, "TRANSFER_ID_TAKEN");
  scenario_.Given("2026-02-02", second);
  EXPECT_EQ(scenario_.OwnerAt("2026-02-02", "store"), "liu");
}

struct KindsTest : StepsTest {
  KindsTest()
      : StepsTest(R"(
    procedures {
      kinds: TRANSFER_KIND_VOID_CARD
      steps { step: HAND_OVER_STEP_PROPOSE roles: "manager" rule_id: "x.void" }
      without_owner: true filing: FILING_MOVE_ANEW rule_id: "x.void"
    }
    procedures {
      kinds: TRANSFER_KIND_COMPLAINT
      steps { step: HAND_OVER_STEP_PROPOSE }
      steps { step: HAND_OVER_STEP_ACCEPT roles: "manager" by_receiver: true }
      owner_meanwhile: OWNER_MEANWHILE_RECEIVER
      receiver_of_other_unit: true receiver_rule_id: "x.other-unit" rule_id: "x.complaint"
    }
    procedures {
      kinds: TRANSFER_KIND_REASSIGN
      steps { step: HAND_OVER_STEP_PROPOSE }
      steps { step: HAND_OVER_STEP_CONFIRM roles: "manager" }
      steps { step: HAND_OVER_STEP_CONFIRM roles: "desk" }
      reason_required: true proposer_required: true record_rule_id: "x.record"
      receiver_roles: "seller" cancel_roles: "manager" rule_id: "x.reassign"
    })") {}
  pb::Event Of(pb::TransferKind kind, const std::string& to, const std::string& by) {
    pb::Event event = Proposed("t1", "", to, by);
    event.mutable_transfer_proposed()->clear_from();
    event.mutable_transfer_proposed()->set_kind(kind);
    return event;
  }
};

TEST_F(KindsTest, AKindNeedsAProcedure) {
  scenario_.ThenRefuses("2026-02-01", Of(pb::TRANSFER_KIND_UNSPECIFIED, "chen", "liu"),
                        absl::StatusCode::kInvalidArgument, "KIND_MISSING");
  scenario_.ThenRefuses("2026-02-01", Of(pb::TRANSFER_KIND_STORE, "chen", "liu"), kNo, "KIND_NOT_ALLOWED");
}

TEST_F(KindsTest, ALeaderPassesOnWhatNobodyOwns) {
  const pb::Event passed = Of(pb::TRANSFER_KIND_VOID_CARD, "chen", "boss");
  scenario_.ThenRefuses("2026-02-01", passed, kNo, "STILL_OWNED");
  EXPECT_EQ(scenario_.OwnerAt("2026-04-06"), "public pool");
  scenario_.ThenRefuses("2026-04-06", Of(pb::TRANSFER_KIND_VOID_CARD, "chen", "liu"), kDenied, "WRONG_ROLE");
  scenario_.Given("2026-04-06 10:00", passed);
  const pb::Ownership ownership = scenario_.OwnershipAt("2026-04-06 10:00");
  EXPECT_EQ(ownership.owner().staff_id(), "chen");
  EXPECT_EQ(ownership.basis().rule_id(), "x.void");
  EXPECT_EQ(scenario_.CallbackAt("2026-04-06 10:00"), "2026-04-09 23:59:59");  // begins again
}

TEST_F(KindsTest, AComplaintGoesToAnotherUnitAndComesBackWhenCancelled) {
  Joins(&scenario_, "2026-01-01", "zhao", "seller", "north");
  const auto same = scenario_.WhenProposed("2026-02-01", Of(pb::TRANSFER_KIND_COMPLAINT, "zhao", "hq"));
  EXPECT_EQ(same.status().message().substr(0, 16), "WRONG_RECEIVER: ");
  EXPECT_EQ(RefusalRuleId(same.status()), "x.other-unit");
  scenario_.ThenRefuses("2026-02-01", Of(pb::TRANSFER_KIND_COMPLAINT, "nobody-knows", "hq"), kNo,
                        "RECEIVER_UNIT_UNKNOWN");
  scenario_.Given("2026-02-01", Of(pb::TRANSFER_KIND_COMPLAINT, "chen", "hq"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-01"), "chen");
  EXPECT_TRUE(scenario_.OwnershipAt("2026-02-01").has_transfer());
  scenario_.ThenAccepts("2026-02-02", Accepted("t1", "boss"));
  Scenario cancelled = scenario_;
  cancelled.Given("2026-02-03", Cancelled("t1"));
  const pb::Ownership back = cancelled.OwnershipAt("2026-02-03");
  EXPECT_EQ(back.owner().staff_id(), "liu");
  EXPECT_EQ(LocalText(back.basis().since_time()), "2026-01-05 00:00:00");
  EXPECT_EQ(LocalText(back.lapse_time()), "2026-04-06 00:00:00");
  scenario_.Given("2026-02-04", Accepted("t1", "chen"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-04"), "chen");
  EXPECT_FALSE(scenario_.OwnershipAt("2026-02-04").has_transfer());
  EXPECT_EQ(LocalText(scenario_.OwnershipAt("2026-02-04").lapse_time()), "2026-05-05 00:00:00");
}

TEST_F(KindsTest, SeveralStepsOfOneKindAndARecordOfWhoAndWhy) {
  pb::Event event = Of(pb::TRANSFER_KIND_REASSIGN, "chen", "");
  const auto nobody = scenario_.WhenProposed("2026-02-01", event);
  EXPECT_EQ(nobody.status().message().substr(0, 18), "PROPOSER_MISSING: ");
  EXPECT_EQ(RefusalRuleId(nobody.status()), "x.record");
  event.mutable_transfer_proposed()->set_proposed_by("hq");
  scenario_.ThenRefuses("2026-02-01", event, absl::StatusCode::kInvalidArgument, "REASON_MISSING");
  event.mutable_transfer_proposed()->set_reason("territories were redrawn");
  *event.mutable_transfer_proposed()->mutable_to() = Staff("hq");
  scenario_.ThenRefuses("2026-02-01", event, kNo, "WRONG_RECEIVER");
  *event.mutable_transfer_proposed()->mutable_to() = Staff("chen");
  scenario_.Given("2026-02-01", event);
  EXPECT_EQ(scenario_.OwnerAt("2026-02-01"), "liu");
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-01").transfer().reason(), "territories were redrawn");
  EXPECT_EQ(scenario_.OwnershipAt("2026-02-01").transfer().steps(0).taken_by(), "hq");
  scenario_.ThenRefuses("2026-02-02", Confirmed("t1", "hq"), kDenied, "WRONG_ROLE");
  scenario_.Given("2026-02-02", Confirmed("t1", "boss"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-02"), "liu");
  scenario_.ThenRefuses("2026-02-03", Cancelled("t1", "hq"), kDenied, "WRONG_ROLE");
  scenario_.ThenAccepts("2026-02-03", Cancelled("t1", "boss"));
  scenario_.ThenAccepts("2026-02-03", Cancelled("t1", "liu"));
  scenario_.Given("2026-02-03", Confirmed("t1", "hq"));
  EXPECT_EQ(scenario_.OwnerAt("2026-02-03"), "chen");
}

}  // namespace
}  // namespace ledger::rules::testing
