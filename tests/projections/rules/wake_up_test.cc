#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kWakeUp[] = R"(
  id: "wake" utc_offset_seconds: 28800 phone_region: "CN"
  ownership { claim_by: CLAIM_ACT_REGISTRATION claim_rule_id: "t.first" }
  lapse { bypass { share_basis_points: 5000 rule_id: "t.bypass" } }
  pool { wake_up { receptions: 2 rule_id: "t.wake" tie_rule_id: "t.tie" approval_rule_id: "t.resubmit" } })";

pb::Event Meal(const std::string& staff) {
  return EventFrom(absl::StrCat("deal_recorded { kind: DEAL_KIND_CONSUMPTION closed_by: '", staff, "' }"));
}

Scenario Public(const std::string& policy = kWakeUp) {
  Scenario scenario(PolicyFrom(policy));
  scenario.Given("2026-01-05", Registered("a"));
  scenario.Given("2026-03-31", Released("a"));
  return scenario;
}

TEST(WakeUpTest, TheMostReceptionsOfAMonthWinAtItsEnd) {
  struct Case {
    const char* meals;  // one letter a reception
    const char* owner;
    bool tied;
  };
  for (const Case& test :
       {Case{"", "public pool", false}, Case{"c", "public pool", false}, Case{"cc", "c", false},
        Case{"cd", "public pool", false}, Case{"ccd", "c", false}, Case{"ccdd", "public pool", true},
        Case{"ccddd", "d", false}, Case{"ccddee", "public pool", true}}) {
    Scenario scenario = Public();
    for (const char* who = test.meals; *who != '\0'; ++who)
      scenario.Given("2026-04-10", Meal(std::string(1, *who)));
    EXPECT_EQ(scenario.OwnerAt("2026-04-30 23:59:59"), "public pool");
    EXPECT_EQ(scenario.OwnershipAt("2026-04-30").wake_up().tied(), test.tied) << test.meals;
    EXPECT_EQ(scenario.OwnerAt("2026-05-01"), test.owner) << test.meals;
    EXPECT_EQ(scenario.OwnershipAt("2026-05-01").provisional(), std::string(test.owner) != "public pool");
  }
}

TEST(WakeUpTest, CountsBeginAgainEveryMonth) {
  Scenario scenario = Public();
  scenario.Given("2026-04-10", Meal("c"));
  scenario.Given("2026-05-10", Meal("c"));
  EXPECT_EQ(scenario.OwnerAt("2026-06-01"), "public pool");
}

TEST(WakeUpTest, ReceptionsBeforeTheCustomerWasPublicDoNotCount) {
  Scenario scenario(PolicyFrom(kWakeUp));
  scenario.Given("2026-01-05", Registered("a"));
  scenario.Given("2026-03-02", Meal("a"));
  scenario.Given("2026-03-03", Meal("c"));
  EXPECT_EQ(scenario.OwnerAt("2026-03-31 23:59:59"), "a");
  EXPECT_EQ(scenario.OwnerAt("2026-04-01"), "public pool") << "half of the month";
  scenario.Given("2026-04-02", Meal("c"));
  EXPECT_EQ(scenario.OwnerAt("2026-05-01"), "public pool") << "one reception while public";
}

TEST(WakeUpTest, AWinnerWhoDoesNotWorkThenIsNotReplacedByTheSecond) {
  for (const pb::StaffStatus status : {pb::STAFF_STATUS_LEFT, pb::STAFF_STATUS_LONG_LEAVE}) {
    Scenario scenario = Public();
    for (const char* who : {"c", "c", "c", "d", "d"}) scenario.Given("2026-04-10", Meal(who));
    scenario.SetStaff("2026-04-30", "c", status);
    EXPECT_EQ(scenario.OwnerAt("2026-05-01"), "public pool");
  }
}

TEST(WakeUpTest, AProvisionalOwnerDoesNotLapse) {
  Scenario scenario = Public();
  scenario.Given("2026-04-10", Meal("c"));
  scenario.Given("2026-04-11", Meal("c"));
  scenario.Given("2026-05-10", Meal("d"));
  EXPECT_EQ(scenario.OwnerAt("2026-06-01"), "c");
}

TEST(WakeUpTest, RandomMealsAgainstCountingThem) {
  const char* given = std::getenv("LEDGER_TEST_SEED");
  const uint32_t seed = given != nullptr ? static_cast<uint32_t>(std::atoll(given)) : std::random_device{}();
  SCOPED_TRACE(absl::StrCat("LEDGER_TEST_SEED=", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    Scenario scenario = Public();
    std::string owner = "public pool";
    std::map<std::string, int> counts;
    int via = 0;
    int total = 0;
    for (int month = 4; month <= 9; ++month) {
      const int meals = std::uniform_int_distribution<int>(0, 6)(random);
      counts.clear();
      via = total = 0;
      for (int i = 0; i < meals; ++i) {
        const std::string who(1, static_cast<char>('a' + std::uniform_int_distribution<int>(0, 2)(random)));
        scenario.Given(absl::StrCat("2026-0", month, "-15 12:0", i), Meal(who));
        ++counts[who];
        ++total;
        if (who == owner) ++via;
      }
      const absl::CivilDay next(2026, month + 1, 1);
      if (owner == "public pool") {
        int best = 0;
        int sharing = 0;
        for (const auto& [who, count] : counts) {
          if (count > best) sharing = 0;
          best = std::max(best, count);
          if (count == best) ++sharing;
        }
        for (const auto& [who, count] : counts) {
          if (best >= 2 && sharing == 1 && count == best) owner = who;
        }
        if (owner != "public pool") {
          ASSERT_EQ(scenario.OwnerAt(absl::FormatCivilTime(next)), owner)
              << "round " << round << ", " << next;
          scenario.Given(absl::FormatCivilTime(next),
                         EventFrom("profile_reviewed { result: REVIEW_RESULT_APPROVED }"));
        }
      }
      // Nobody approves under this policy, and a provisional owner is never by-passed.
      ASSERT_EQ(scenario.OwnerAt(absl::FormatCivilTime(next)), owner) << "round " << round << ", " << next;
    }
  }
}

}  // namespace
}  // namespace ledger::rules::testing
