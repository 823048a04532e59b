#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kCards[] = R"(
  id: "cards" utc_offset_seconds: 28800 phone_region: "CN"
  ownership { claim_by: CLAIM_ACT_SIGNATURE claim_rule_id: "t.signed" next_claim_succeeds: true next_claim_rule_id: "t.next" }
  lapse { card {
    first { days: 3 } first_rule_id: "t.first" further { days: 7 } further_rule_id: "t.further"
    signed_call_back { number: 2 within { hours: 24 } rule_id: "t.leader" }
    sms_streak { length: 3 from_number: 3 rule_id: "t.sms" }
    replaced_rule_id: "t.replaced" replaced_amount { minor_units: 2000 currency_code: "CNY" } } })";

pb::Event Card(const std::string& staff, const std::string& card) {
  return EventFrom(absl::StrCat("customer_registered { registrar_id: '", staff, "' card_id: '", card, "' }"));
}
pb::Event Signed(const std::string& card) {
  return EventFrom(absl::StrCat("registration_signed { card_id: '", card, "' signer_id: 'leader' }"));
}
pb::Event Call(const std::string& staff, const std::string& id = "", const std::string& channel = "PHONE") {
  return EventFrom(absl::StrCat("contact_logged { staff_id: '", staff, "' contact_id: '", id,
                                "' channel: CONTACT_CHANNEL_", channel, " }"));
}
pb::Event Reviewed(const std::string& id, const std::string& verdict = "VALID") {
  return EventFrom(
      absl::StrCat("contact_reviewed { contact_id: '", id, "' verdict: CONTACT_VERDICT_", verdict, " }"));
}

TEST(CardTest, ACardWaitsForItsSignatureAndLivesByItsCallBacks) {
  Scenario scenario(PolicyFrom(kCards));
  scenario.Given("2026-03-02 16:00", Card("a", "1"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-02 23:00"), "none");
  scenario.Given("2026-03-03 09:10", Signed("1"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-04"), "2026-03-06 23:59:59");
  scenario.Given("2026-03-06 23:59:59", Call("a"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-07"), "2026-03-13 23:59:59");
  EXPECT_EQ(scenario.OwnerAt("2026-03-13 23:59:59"), "a");
  const pb::Ownership ended = scenario.OwnershipAt("2026-03-14");
  EXPECT_EQ(ended.state(), pb::CUSTODY_STATE_VOID);
  EXPECT_EQ(ended.basis().rule_id(), "t.further");
  EXPECT_EQ(ended.basis().arithmetic(), "call-back 1 of 2026-03-06 + 7 days = 2026-03-13 24:00");
  EXPECT_EQ(ended.claims(0).void_basis().rule_id(), "t.further");
  EXPECT_EQ(scenario.CallbackAt("2026-03-14"), "none");
}

TEST(CardTest, ACallOnTheDayOfTheRegistrationIsTheFirstCallBack) {
  Scenario scenario(PolicyFrom(kCards));
  scenario.Given("2026-03-02 16:00", Card("a", "1"));
  scenario.Given("2026-03-02 17:00", Call("a", "", "SMS"));
  scenario.Given("2026-03-03 09:10", Signed("1"));
  EXPECT_EQ(scenario.CallbackAt("2026-03-04"), "2026-03-09 23:59:59");
}

TEST(CardTest, TheSecondCallBackCountsFromItsSignatureWhereThatIsLate) {
  struct Case {
    const char* signed_at;
    const char* due;
  };
  for (const Case& test : {Case{"2026-03-12 10:00:01", "2026-03-19 23:59:59"},
                           Case{"2026-03-13 10:00:00", "2026-03-19 23:59:59"},
                           Case{"2026-03-13 10:00:01", "2026-03-20 23:59:59"},
                           Case{"2026-03-18 10:00:00", "2026-03-25 23:59:59"}}) {
    Scenario scenario(PolicyFrom(kCards));
    scenario.Given("2026-03-05", Card("a", "1"));
    scenario.Given("2026-03-05", Signed("1"));
    scenario.Given("2026-03-06", Call("a", "k1"));
    scenario.Given("2026-03-12 10:00", Call("a", "k2"));
    EXPECT_EQ(scenario.CallbackAt("2026-03-12 10:00"), "2026-03-19 23:59:59");
    scenario.Given(test.signed_at, Reviewed("k1"));
    EXPECT_EQ(scenario.CallbackAt("2026-03-18 10:00"), "2026-03-19 23:59:59")
        << "another call-back's signature";
    scenario.Given(test.signed_at, Reviewed("k2"));
    EXPECT_EQ(scenario.CallbackAt("2026-03-18 10:00"), test.due) << test.signed_at;
  }
}

TEST(CardTest, AVoidCardIsNotWokenByACall) {
  Scenario scenario(PolicyFrom(kCards));
  scenario.Given("2026-03-05", Card("a", "1"));
  scenario.Given("2026-03-05", Signed("1"));
  scenario.Given("2026-03-09", Call("a"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-09"), "void");
}

TEST(CardTest, WhoeverLetACardDiePaysForTheCardThatReplacesIt) {
  Scenario scenario(PolicyFrom(kCards));
  const uint64_t first = scenario.Given("2026-03-05", Card("a", "1"));
  scenario.Given("2026-03-05", Signed("1"));
  scenario.Given("2026-03-20", Card("b", "2"));
  const uint64_t second = scenario.Given("2026-03-20", Signed("2"));
  const pb::Ownership ownership = scenario.OwnershipAt("2026-03-20");
  EXPECT_EQ(ownership.owner().staff_id(), "b");
  ASSERT_EQ(ownership.breaches_size(), 1);
  EXPECT_EQ(ownership.breaches(0).rule_id(), "t.replaced");
  EXPECT_EQ(ownership.breaches(0).by().staff_id(), "a");
  EXPECT_EQ(ownership.breaches(0).amount().minor_units(), 2000);
  EXPECT_THAT(ownership.breaches(0).positions(), ::testing::ElementsAre(first, second));
}

TEST(CardTest, OnlyACardWhoseHolderLeavesOnTrialIsVoidAtOnce) {
  for (const bool on_trial : {true, false}) {
    pb::Policy policy = PolicyFrom(kCards);
    policy.mutable_lapse()->mutable_card()->set_leaving_rule_id("t.left");
    Scenario scenario(policy);
    scenario.SetStaff("2026-03-01", "a", on_trial ? pb::STAFF_STATUS_TRIAL : pb::STAFF_STATUS_ACTIVE);
    scenario.Given("2026-03-05", Card("a", "1"));
    scenario.Given("2026-03-05", Signed("1"));
    scenario.SetStaff("2026-03-06 10:00", "a", pb::STAFF_STATUS_LEFT);
    EXPECT_EQ(scenario.OwnerAt("2026-03-06 09:59:59"), "a");
    EXPECT_EQ(scenario.OwnerAt("2026-03-06 10:00"), on_trial ? "void" : "a");
    EXPECT_EQ(scenario.OwnershipAt("2026-03-06 10:00").basis().rule_id(), on_trial ? "t.left" : "t.signed");
  }
}

TEST(CardTest, AWithdrawnCardLeavesItsPlaceToTheNext) {
  Scenario scenario(PolicyFrom(kCards));
  scenario.Given("2026-03-05", Card("a", "1"));
  scenario.Given("2026-03-05", Signed("1"));
  scenario.Given("2026-03-06", Card("b", "2"));
  scenario.Given("2026-03-06", Signed("2"));
  scenario.Given("2026-03-07",
                 EventFrom("customer_status_changed { card_id: '1' to: CUSTOMER_STATUS_CANCELLED }"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-06 12:00"), "a");
  EXPECT_EQ(scenario.OwnerAt("2026-03-07"), "b");
  EXPECT_EQ(scenario.OwnershipAt("2026-03-07").basis().rule_id(), "t.next");
}

TEST(CardTest, ADisputeHoldsTheEndOfACardBackToItsResolution) {
  Scenario scenario(PolicyFrom(kCards));
  scenario.Given("2026-03-05", Card("a", "1"));
  scenario.Given("2026-03-05", Signed("1"));
  scenario.Given("2026-03-07", Opened("d"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-10"), "a");
  scenario.Given("2026-03-12 10:00", Resolved("d"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-12 09:59:59"), "a");
  EXPECT_EQ(scenario.OwnerAt("2026-03-12 10:00"), "void");
}

// Each card's life told on its own, without the state of the others: when it was signed, and when it ended.
struct NaiveCard {
  int64_t signed_day = 0;
  int64_t end_day = INT64_MAX;  // void from 00:00 of that day
  std::string staff;
};

TEST(CardTest, RandomCardsAreOwnedByTheEarliestThatIsAlive) {
  const char* given = std::getenv("LEDGER_TEST_SEED");
  const uint32_t seed = given != nullptr ? static_cast<uint32_t>(std::atoll(given)) : std::random_device{}();
  SCOPED_TRACE(absl::StrCat("LEDGER_TEST_SEED=", seed));
  std::mt19937 random(seed);
  pb::Policy policy = PolicyFrom(kCards);
  policy.mutable_lapse()->mutable_card()->clear_signed_call_back();
  policy.mutable_lapse()->mutable_card()->clear_sms_streak();
  for (int round = 0; round < 200; ++round) {
    constexpr int kDays = 60;
    const std::vector<std::string> staff = {"a", "b", "c"};
    std::vector<NaiveCard> cards;
    struct Act {
      int64_t day;
      pb::Event event;
    };
    std::vector<Act> acts;
    for (const std::string& who : staff) {
      NaiveCard card;
      card.staff = who;
      card.signed_day = std::uniform_int_distribution<int>(0, 20)(random);
      acts.push_back({card.signed_day, Card(who, who)});
      acts.push_back({card.signed_day, Signed(who)});
      std::vector<int64_t> calls;
      for (int day = 0; day < kDays; ++day) {
        if (std::uniform_int_distribution<int>(0, 4)(random) == 0) calls.push_back(day);
      }
      for (const int64_t day : calls) acts.push_back({day, Call(who)});
      int64_t from = card.signed_day;
      int64_t length = 3;
      for (const int64_t day : calls) {
        // On the day of the signature the call comes behind it; before the registration it is no call-back.
        if (day < card.signed_day) continue;
        if (day > from + length) break;
        from = day;
        length = 7;
      }
      card.end_day = from + length + 1;
      cards.push_back(card);
    }
    std::stable_sort(acts.begin(), acts.end(), [](const Act& a, const Act& b) { return a.day < b.day; });
    Scenario scenario(policy);
    const auto date = [](int64_t day) { return absl::FormatCivilTime(absl::CivilDay(2026, 1, 1) + day); };
    for (const Act& act : acts) scenario.Given(date(act.day), act.event);
    for (int day = 0; day < kDays + 10; ++day) {
      std::string expected = "none";
      int64_t earliest = INT64_MAX;
      for (const NaiveCard& card : cards) {
        if (card.signed_day > day) continue;
        if (expected == "none") expected = "void";
        if (card.end_day <= day || card.signed_day >= earliest) continue;
        earliest = card.signed_day;
        expected = card.staff;
      }
      ASSERT_EQ(scenario.OwnerAt(absl::StrCat(date(day), " 12:00")), expected)
          << "round " << round << ", " << date(day);
    }
  }
}

}  // namespace
}  // namespace ledger::rules::testing
