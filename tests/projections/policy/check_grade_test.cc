#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "projections/policy/policy_check.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kSound[] = R"(id: "p" phone_region: "CN"
  facts { name: "f" established_by { event: "contact_logged" } } )";

std::vector<std::string> FieldsFound(const std::string& text) {
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &policy)) << text;
  std::vector<std::string> fields;
  for (const pb::PolicyFinding& finding : PolicyErrors(policy)) fields.push_back(finding.field());
  return fields;
}

struct Case {
  const char* text;
  const char* field;
};

class GradeCheckTest : public testing::TestWithParam<Case> {};

TEST_P(GradeCheckTest, FindsOneThing) {
  EXPECT_THAT(FieldsFound(std::string(kSound) + GetParam().text), testing::ElementsAre(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    Facts, GradeCheckTest,
    testing::Values(
        Case{R"(facts { name: "f" established_by { event: "contact_logged" } })", "facts[1].name"},
        Case{R"(facts { established_by { event: "contact_logged" } })", "facts[1].name"},
        Case{R"(facts { name: "g" })", "facts[1].established_by"},
        Case{R"(facts { name: "g" times: 1001 established_by { event: "contact_logged" } })",
             "facts[1].times"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" needs { fact: "g" } } })",
             "grade_schemes[0].classes[0].needs[0].fact"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" needs { } } })",
             "grade_schemes[0].classes[0].needs[0].fact"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" given_by_facts: "g" } })",
             "grade_schemes[0].classes[0].given_by_facts[0]"},
        Case{R"(call_back { cadences { every { days: 1 } unless_fact: "g" } })",
             "call_back.cadences[0].unless_fact"},
        Case{R"(call_back { habit_fact: "f" })", "call_back.habit_fact"},
        Case{R"(call_back { occasions { name: "o" date_fact: "f" } })", "call_back.occasions[0].date_fact"}));

INSTANTIATE_TEST_SUITE_P(
    Grades, GradeCheckTest,
    testing::Values(
        Case{R"(grade_schemes { name: "s" classes { name: "A" range { at_least_milli: 1 } } })",
             "grade_schemes[0].classes[0].range"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" range { } }
                measure { metric: "m" window: MEASURE_WINDOW_LATEST } })",
             "grade_schemes[0].classes[0].range"},
        Case{
            R"(grade_schemes { name: "s" classes { name: "A" range { more_than_milli: 5 less_than_milli: 6 } }
                measure { metric: "m" window: MEASURE_WINDOW_LATEST } })",
            "grade_schemes[0].classes[0].range"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } measure { window: MEASURE_WINDOW_LATEST } })",
             "grade_schemes[0].measure.metric"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } measure { metric: "m" } })",
             "grade_schemes[0].measure.window"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" }
                measure { metric: "m" window: MEASURE_WINDOW_LATEST managed_as { fact: "f" class_name: "B" } } })",
             "grade_schemes[0].measure.managed_as[0].class_name"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" given_by { event: "deal_recorded" } }
                measure { metric: "m" window: MEASURE_WINDOW_LATEST takes_effect_on_approval: true } })",
             "grade_schemes[0].classes[0].given_by"},
        Case{R"(grade_schemes { name: "s" stricter: STRICTER_LOWER
                classes { name: "A" range { at_least_milli: 10 }
                  variants { fact: "f" range { at_least_milli: 11 } } }
                measure { metric: "m" window: MEASURE_WINDOW_LATEST } })",
             "grade_schemes[0].classes[0].variants[0].range"},
        Case{
            R"(grade_schemes { name: "s" classes { name: "A" range { at_least_milli: 10 } variants { fact: "f" } }
                measure { metric: "m" window: MEASURE_WINDOW_LATEST } })",
            "grade_schemes[0].classes[0].variants[0]"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" within { days: 1 } } })",
             "grade_schemes[0].classes[0].within"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } horizon { } })", "grade_schemes[0].horizon"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } deciders { } })",
             "grade_schemes[0].deciders[0]"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" }
                returning { visit { event: "visit_logged" } bands { class_name: "B" } } })",
             "grade_schemes[0].returning.bands[0].class_name"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } returning { bands { class_name: "A" } } })",
             "grade_schemes[0].returning.visit"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } returning { visit { event: "visit_logged" }
                bands { class_name: "A" } bands { class_name: "A" within { days: 1 } } } })",
             "grade_schemes[0].returning.bands[0]"}));

INSTANTIATE_TEST_SUITE_P(
    CallBacks, GradeCheckTest,
    testing::Values(
        Case{"call_back { cadences { every { days: 1 } once: true } }", "call_back.cadences[0].once"},
        Case{R"(call_back { follow_ups { name: "x" until { event: "deal_recorded" } } })",
             "call_back.follow_ups[0].from"},
        Case{R"(call_back { follow_ups { name: "x" from { event: "deal_recorded" } } })",
             "call_back.follow_ups[0].until"},
        Case{
            R"(call_back { follow_ups { name: "x" from { event: "deal_recorded" } once: true every { days: 1 } } })",
            "call_back.follow_ups[0].every"},
        Case{R"(call_back { occasions { name: "o" } })", "call_back.occasions[0]"},
        Case{R"(call_back { occasions { name: "o" on { event: "deal_recorded" } } })",
             "call_back.occasions[0].within"},
        Case{R"(call_back { occasions { name: "o" dates { month: 2 day: 30 } } })",
             "call_back.occasions[0].dates[0]"},
        Case{R"(call_back { occasions { name: "o" dates { year: 2026 month: 2 day: 29 } } })",
             "call_back.occasions[0].dates[0]"},
        Case{"call_back { quiet_hours { from { hour: 22 } } }", "call_back.quiet_hours[0]"},
        Case{"call_back { quiet_hours { from { hour: 9 } until { hour: 9 } } }", "call_back.quiet_hours[0]"},
        Case{"call_back { windows { weekdays: 8 from { hour: 9 } } }", "call_back.windows[0].weekdays[0]"},
        Case{"call_back { windows { } }", "call_back.windows[0]"},
        Case{"call_back { windows { from { hour: 9 } until { hour: 9 } } }", "call_back.windows[0]"},
        Case{"call_back { best_weekdays: 0 }", "call_back.best_weekdays[0]"},
        Case{"call_back { channel_rules { } }", "call_back.channel_rules[0]"},
        Case{R"(call_back { channel_rules { forbidden: true needs_fact: "f" } })",
             "call_back.channel_rules[0]"},
        Case{"call_back { tracking_end_reasons: TRACKING_END_UNSPECIFIED }",
             "call_back.tracking_end_reasons[0]"}));

TEST(GradeGapTest, GapsBetweenClassesAreWarnedOf) {
  pb::Policy policy;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(std::string(kSound) + R"(grade_schemes { name: "s"
        classes { name: "A" range { more_than_milli: 10 } } classes { name: "B" range { less_than_milli: 10 } }
        measure { metric: "m" window: MEASURE_WINDOW_LATEST } })",
                                                            &policy));
  int gaps = 0;
  for (const pb::PolicyFinding& finding : CheckPolicy(policy)) {
    if (finding.field() != "grade_schemes[0].classes") continue;
    ++gaps;
    EXPECT_EQ(finding.severity(), pb::POLICY_FINDING_SEVERITY_WARNING);
    EXPECT_THAT(finding.message(), testing::HasSubstr("from 10 to 10 thousandths"));
  }
  EXPECT_EQ(gaps, 1);
}

// A level may take customers over earlier than the company says, and not later.
TEST(GradeStricterTest, LocalRangesAreOnlyStricter) {
  std::ifstream file(absl::StrCat(LEDGER_POLICIES, "/gas-station-volume.textproto"));
  std::stringstream text;
  text << file.rdbuf();
  const auto with = [&](const char* bound) {
    pb::Policy policy;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text.str(), &policy));
    EXPECT_EQ(policy.grade_schemes(0).stricter_rule_id(), "gas-station-volume.stricter-local");
    pb::RangeVariant* variant = policy.mutable_grade_schemes(0)->mutable_classes(0)->add_variants();
    variant->set_fact("cross-area");
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(absl::StrCat("at_least_milli: ", bound),
                                                              variant->mutable_range()));
    std::vector<std::string> fields;
    for (const pb::PolicyFinding& finding : PolicyErrors(policy)) fields.push_back(finding.field());
    return fields;
  };
  EXPECT_THAT(with("400000"), testing::IsEmpty());
  EXPECT_THAT(with("500001"), testing::ElementsAre("grade_schemes[0].classes[0].variants[0].range"));
}

// What ships with these mechanisms is sound.
class ShippedGradesTest : public testing::TestWithParam<const char*> {};

TEST_P(ShippedGradesTest, IsSound) {
  std::ifstream file(absl::StrCat(LEDGER_POLICIES, "/", GetParam(), ".textproto"));
  ASSERT_TRUE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_THAT(FieldsFound(text.str()), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Shipped, ShippedGradesTest,
                         testing::Values("auto-dealer-habc", "auto-intent-card", "auto-dealer-a-card",
                                         "postal-bulk-mail", "postal-vip-service", "intention-score",
                                         "purchase-intent-signals", "intention-stages", "b2b-platform-leads",
                                         "estate-agent-callback", "contact-channels",
                                         "joint-venture-partners", "gas-station-volume", "truck-800-leads"));

}  // namespace
}  // namespace ledger::policy
