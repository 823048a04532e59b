#include "projections/rules/grade/measured_grade.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

pb::Event Metric(const std::string& metric, int64_t value_milli, absl::string_view start = "",
                 absl::string_view end = "") {
  pb::Event event;
  pb::MetricRecorded* recorded = event.mutable_metric_recorded();
  recorded->set_customer_id("c1");
  recorded->set_metric(metric);
  recorded->set_value_milli(value_milli);
  if (!start.empty()) *recorded->mutable_period_start_time()->mutable_time() = ToTimestamp(Local(start));
  if (!end.empty()) *recorded->mutable_period_end_time()->mutable_time() = ToTimestamp(Local(end));
  return event;
}

pb::Event Revenue2025(int64_t fen) { return Metric("revenue", fen * 10, "2025-01-01", "2026-01-01"); }

pb::Event RegisteredWith(const std::vector<std::pair<std::string, std::string>>& fields) {
  pb::Event event = Registered("bureau");
  for (const auto& [key, value] : fields) {
    (*event.mutable_customer_registered()->mutable_fields())[key] = value;
  }
  return event;
}

pb::Event Decided(const std::string& scheme, const std::string& to, const std::vector<std::string>& by) {
  pb::Event event = Graded(to, scheme);
  event.mutable_grade_changed()->clear_decided_by();
  for (const std::string& name : by) event.mutable_grade_changed()->add_decided_by(name);
  return event;
}

pb::Tier TierOf(const Scenario& scenario, absl::string_view at, const std::string& scheme) {
  for (const pb::Tier& tier : ReadTiers(scenario.timeline(), scenario.StateAt(at), Local(at))) {
    if (tier.scheme() == scheme) return tier;
  }
  return pb::Tier();
}

TEST(MeasuredGradeTest, ScoresAreExact) {
  struct Case {
    int64_t milli;
    const char* grade;
  };
  for (const Case& test : {Case{90'000, "A"}, Case{89'999, "B"}, Case{89'000, "B"}, Case{70'000, "B"},
                           Case{69'500, "C"}, Case{60'000, "C"}, Case{59'999, "D"}, Case{-1'000, "D"}}) {
    Scenario scenario(ShippedPolicy("intention-score"));
    scenario.Given("2026-03-02", Metric("score", test.milli));
    EXPECT_EQ(scenario.TierAt("2026-03-02", "score"), test.grade) << test.milli;
  }
}

TEST(MeasuredGradeTest, TheLatestFigureCountsAndNobodyDecidesAgainstIt) {
  Scenario scenario(ShippedPolicy("intention-score"));
  EXPECT_EQ(scenario.TierAt("2026-03-01", "score"), "none");
  scenario.ThenRefuses("2026-03-01", Graded("A", "score"), absl::StatusCode::kFailedPrecondition,
                       "GRADE_IS_MEASURED");
  const uint64_t first = scenario.Given("2026-03-02", Metric("score", 95'000));
  scenario.Given("2026-03-09", Metric("score", 65'000));
  EXPECT_EQ(scenario.TierAt("2026-03-08", "score"), "A");
  EXPECT_EQ(scenario.TierAt("2026-03-09", "score"), "C");
  const auto refusal = scenario.WhenProposed("2026-03-09", Graded("A", "score")).status();
  EXPECT_EQ(RefusalRuleId(refusal), "intention-score.band-c") << refusal;
  const pb::Tier tier = TierOf(scenario, "2026-03-08", "score");
  EXPECT_THAT(tier.basis().positions(), ::testing::ElementsAre(first));
  EXPECT_EQ(tier.basis().arithmetic(), "latest score = 95, at least 90");
  EXPECT_EQ(tier.measured_value_milli(), 95'000);
}

TEST(MeasuredGradeTest, BulkMailByRevenue) {
  struct Case {
    int64_t fen;
    std::vector<std::pair<std::string, std::string>> fields;
    const char* measured;
    const char* managed_as;
  };
  const std::pair<std::string, std::string> beyond = {"beyond_city", "true"};
  const std::vector<Case> cases = {
      {500'000'000, {}, "diamond", ""},
      {499'999'999, {}, "platinum", ""},
      {20'000'000, {}, "gold", ""},
      {19'999'900, {}, "vip", ""},
      {1'000'000, {}, "vip", ""},
      {999'999, {}, "", ""},
      {900'000, {{"revenue_group", "2"}}, "vip", ""},
      {899'900, {{"revenue_group", "2"}}, "", ""},
      {800'000, {{"revenue_group", "3"}}, "vip", ""},
      {950'000, {{"revenue_group", "1"}}, "", ""},
      {300'000'000, {beyond}, "platinum", "diamond"},
      {299'999'999, {beyond}, "platinum", ""},  // platinum rules, which are its own
      {150'000'000, {beyond}, "gold", "platinum"},
      {99'999'999, {beyond}, "gold", ""},
      {1'000, {{"upstream", "true"}}, "diamond", ""},
  };
  for (const Case& test : cases) {
    Scenario scenario(ShippedPolicy("postal-bulk-mail"));
    auto fields = test.fields;
    fields.emplace_back("agreement", "true");
    fields.emplace_back("crm", "true");
    scenario.Given("2025-06-01", RegisteredWith(fields));
    scenario.Given("2026-01-15", Revenue2025(test.fen));
    pb::Tier tier = TierOf(scenario, "2026-01-16", "post");
    EXPECT_EQ(tier.class_name(), "") << test.fen;
    EXPECT_EQ(tier.measured_class(), test.measured) << test.fen << " " << tier.measured_basis().arithmetic();
    if (*test.measured == '\0') continue;
    const std::string bureau =
        std::string(test.measured) == "diamond" || std::string(test.measured) == "platinum"
            ? "provincial-bureau"
            : "city-bureau";
    scenario.ThenRefuses("2026-02-01", Decided("post", test.measured, {"somebody"}),
                         absl::StatusCode::kPermissionDenied, "NOT_A_DECIDER");
    scenario.ThenAccepts("2026-02-01", Decided("post", test.measured, {bureau}));
    scenario.Given("2026-02-01", Decided("post", test.measured, {bureau}));
    tier = TierOf(scenario, "2026-02-01", "post");
    EXPECT_EQ(tier.class_name(), test.measured);
    EXPECT_EQ(tier.managed_as(), test.managed_as) << test.fen;
    EXPECT_EQ(tier.measured_class(), "");
  }
}

TEST(MeasuredGradeTest, WithoutTheSystemRegistrationNobodyIsAKeyAccount) {
  Scenario scenario(ShippedPolicy("postal-bulk-mail"));
  scenario.Given("2025-06-01", RegisteredWith({{"agreement", "true"}}));
  scenario.Given("2026-01-15", Revenue2025(600'000'000));
  pb::Tier tier = TierOf(scenario, "2026-01-16", "post");
  EXPECT_EQ(tier.measured_class(), "");
  ASSERT_EQ(tier.missing_size(), 1);
  EXPECT_EQ(tier.missing(0).fact(), "crm-registration");
  EXPECT_EQ(tier.missing(0).rule_id(), "postal-bulk-mail.key-account-definition");
  const auto refusal =
      scenario.WhenProposed("2026-02-01", Decided("post", "diamond", {"provincial-bureau"})).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RefusalRuleId(refusal), "postal-bulk-mail.key-account-definition");
  pb::Event changed;
  changed.mutable_profile_changed()->set_customer_id("c1");
  (*changed.mutable_profile_changed()->mutable_changes())["crm"] = "true";
  scenario.Given("2026-02-03", changed);
  tier = TierOf(scenario, "2026-02-03", "post");
  EXPECT_EQ(tier.measured_class(), "diamond");
  EXPECT_EQ(LocalText(tier.measured_basis().since_time()), "2026-02-03 00:00:00");
}

TEST(MeasuredGradeTest, TheOldTierStaysUntilTheNewOneIsApproved) {
  Scenario scenario(ShippedPolicy("postal-bulk-mail"));
  scenario.Given("2025-06-01", RegisteredWith({{"agreement", "true"}, {"crm", "true"}}));
  scenario.Given("2026-01-15", Revenue2025(30'000'000));
  scenario.Given("2026-02-01", Decided("post", "gold", {"city-bureau"}));
  scenario.Given("2026-12-20", Metric("revenue", 6'000'000'000, "2026-01-01", "2027-01-01"));
  // A year's figures count when the year is closed, even where they were recorded before.
  EXPECT_EQ(TierOf(scenario, "2026-12-31 23:59:59", "post").measured_class(), "");
  pb::Tier tier = TierOf(scenario, "2027-01-01", "post");
  EXPECT_EQ(tier.class_name(), "gold");
  EXPECT_EQ(tier.measured_class(), "diamond");
  EXPECT_EQ(tier.responsible_level(), pb::OWNER_LEVEL_CITY);
  scenario.ThenRefuses("2027-01-02", Decided("post", "platinum", {"provincial-bureau"}),
                       absl::StatusCode::kFailedPrecondition, "GRADE_NOT_MEASURED");
  scenario.Given("2027-02-01", Decided("post", "diamond", {"provincial-bureau"}));
  tier = TierOf(scenario, "2027-02-01", "post");
  EXPECT_EQ(tier.class_name(), "diamond");
  EXPECT_EQ(tier.responsible_level(), pb::OWNER_LEVEL_PROVINCE);
  EXPECT_EQ(TierOf(scenario, "2027-01-31 23:59:59", "post").class_name(), "gold");
}

TEST(MeasuredGradeTest, MonthsAddUpUnlessTheWholeYearIsRecorded) {
  Scenario scenario(ShippedPolicy("postal-bulk-mail"));
  scenario.Given("2025-01-01", RegisteredWith({{"agreement", "true"}, {"crm", "true"}}));
  scenario.Given("2025-02-01", Metric("revenue", 150'000'000, "2025-01-01", "2025-02-01"));
  scenario.Given("2025-03-01", Metric("revenue", 60'000'000, "2025-02-01", "2025-03-01"));
  // Recorded again: the later figure replaces the earlier one, it is not added.
  scenario.Given("2025-03-02", Metric("revenue", 49'999'999, "2025-02-01", "2025-03-01"));
  scenario.Given("2026-01-05", Metric("revenue", 1'000'000, "2025-12-01", "2026-02-01"));  // not of one year
  EXPECT_EQ(TierOf(scenario, "2026-01-06", "post").measured_class(), "vip");
  EXPECT_EQ(TierOf(scenario, "2026-01-06", "post").measured_value_milli(), 199'999'999);
  scenario.Given("2026-01-10", Revenue2025(20'000'000));
  EXPECT_EQ(TierOf(scenario, "2026-01-10", "post").measured_class(), "gold");
  EXPECT_EQ(TierOf(scenario, "2027-01-01", "post").measured_class(), "");
}

TEST(MeasuredGradeTest, AnotherLevelNeedsALetterOfAuthority) {
  Scenario scenario(ShippedPolicy("postal-bulk-mail"));
  scenario.Given("2025-06-01", RegisteredWith({{"agreement", "true"}, {"crm", "true"}}));
  scenario.Given("2026-01-15", Revenue2025(500'000'000));
  scenario.Given("2026-02-01", Decided("post", "diamond", {"provincial-bureau"}));
  pb::Event assigned = Assigned("x");
  *assigned.mutable_owner_assigned()->mutable_owner() = Unit("guangzhou");
  assigned.mutable_owner_assigned()->mutable_owner()->set_level(pb::OWNER_LEVEL_CITY);
  const auto refusal = scenario.WhenProposed("2026-03-01", assigned).status();
  EXPECT_EQ(refusal.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RefusalRuleId(refusal), "postal-bulk-mail.delegate-diamond");
  pb::Event letter;
  letter.mutable_authority_delegated()->set_customer_id("c1");
  letter.mutable_authority_delegated()->set_to_unit_id("guangzhou");
  *letter.mutable_authority_delegated()->mutable_valid_to_time()->mutable_time() =
      ToTimestamp(Local("2026-06-30 23:59:59"));
  scenario.Given("2026-03-02", letter);
  scenario.ThenAccepts("2026-06-30 23:59:59", assigned);
  scenario.ThenRefuses("2026-07-01", assigned, absl::StatusCode::kFailedPrecondition,
                       "NO_LETTER_OF_AUTHORITY");
  assigned.mutable_owner_assigned()->mutable_owner()->set_level(pb::OWNER_LEVEL_PROVINCE);
  scenario.ThenAccepts("2026-07-01", assigned);
}

TEST(MeasuredGradeTest, FiguresOfAnySizeDoNotTurnRound) {
  Scenario scenario(ShippedPolicy("postal-bulk-mail"));
  scenario.Given("2025-01-01", RegisteredWith({{"agreement", "true"}, {"crm", "true"}}));
  for (const char* day : {"2025-02-01", "2025-03-01", "2025-04-01"}) {
    scenario.Given(day, Metric("revenue", std::numeric_limits<int64_t>::max(), "2025-01-01", day));
  }
  EXPECT_EQ(TierOf(scenario, "2026-01-01", "post").measured_class(), "diamond");
}

TEST(MeasuredGradeTest, MilliTextIsExact) {
  EXPECT_EQ(MilliText(0), "0");
  EXPECT_EQ(MilliText(4'999'999'990), "4999999.99");
  EXPECT_EQ(MilliText(-1'001), "-1.001");
  EXPECT_EQ(MilliText(20'100), "20.1");
  EXPECT_EQ(MilliText(std::numeric_limits<int64_t>::min()), "-9223372036854775.808");
}

}  // namespace
}  // namespace ledger::rules::testing
