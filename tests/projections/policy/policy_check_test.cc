#include "projections/policy/policy_check.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kSound[] = R"(id: "p" phone_region: "CN" )";

// The fields with errors.
std::vector<std::string> FieldsFound(const std::string& text) {
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &policy)) << text;
  std::vector<std::string> fields;
  for (const pb::PolicyFinding& finding : PolicyErrors(policy)) {
    EXPECT_FALSE(finding.message().empty());
    fields.push_back(finding.field());
  }
  return fields;
}

TEST(PolicyCheckTest, AnEmptyPolicyLacksItsNameAndRegion) {
  EXPECT_THAT(FieldsFound(""), testing::ElementsAre("id", "phone_region"));
}

TEST(PolicyCheckTest, MechanismsThatAreOffAreSound) { EXPECT_THAT(FieldsFound(kSound), testing::IsEmpty()); }

struct Case {
  const char* text;
  const char* field;
};

class PolicyCheckTest : public testing::TestWithParam<Case> {};

TEST_P(PolicyCheckTest, FindsOneThing) {
  EXPECT_THAT(FieldsFound(std::string(kSound) + GetParam().text), testing::ElementsAre(GetParam().field));
}

INSTANTIATE_TEST_SUITE_P(
    Findings, PolicyCheckTest,
    testing::Values(
        Case{"utc_offset_seconds: 64801", "utc_offset_seconds"},
        Case{"utc_offset_seconds: -64801", "utc_offset_seconds"}, Case{R"(title: "\377")", "title"},
        Case{R"(business_time { counted_when_recorded: "registered" })",
             "business_time.counted_when_recorded[0]"},
        Case{
            R"(business_time { counted_when_recorded: "deal_recorded" counted_when_recorded: "deal_recorded" })",
            "business_time.counted_when_recorded[1]"},
        Case{R"(registration { required_fields: "a" required_fields: "" })",
             "registration.required_fields[1]"},
        Case{"ownership { by_recorded_assignment: true claim_by: CLAIM_ACT_REGISTRATION }",
             "ownership.claim_by"},
        Case{"ownership { by_recorded_assignment: true } lapse { }", "lapse"},
        Case{"ownership { claim_by: 9 }", "ownership.claim_by"},
        Case{"lapse { protection { } }", "lapse.protection.period"},
        Case{"lapse { protection { period { } } }", "lapse.protection.period"},
        Case{"lapse { protection { period { months: 1201 } } }", "lapse.protection.period.months"},
        Case{"lapse { protection { period { days: 0 } } }", "lapse.protection.period.days"},
        Case{"lapse { dormancy { period { days: 3 } } }", "lapse.dormancy.evidence"},
        Case{"lapse { dormancy { period { days: 3 } evidence: EVIDENCE_UNSPECIFIED } }",
             "lapse.dormancy.evidence[0]"},
        Case{"pool { claim_by_registration: true }", "pool.claim_by_registration"},
        Case{"ownership { claim_by: CLAIM_ACT_INVITATION }", "ownership.invitations.list_cut_off"},
        Case{"ownership { invitations { list_cut_off { hour: 18 } } }", "ownership.invitations"},
        Case{"lapse { card { first { days: 3 } } }", "lapse.card.further"},
        Case{"lapse { card { first { days: 3 } further { days: 7 } sms_streak { length: 1 from_number: 3 } } "
             "}",
             "lapse.card.sms_streak.length"},
        Case{"lapse { card { first { days: 3 } further { days: 7 } signed_call_back { within { hours: 24 } } "
             "} }",
             "lapse.card.signed_call_back.number"},
        Case{"lapse { bypass { } }", "lapse.bypass.share_basis_points"},
        Case{"lapse { bypass { share_basis_points: 10001 } }", "lapse.bypass.share_basis_points"},
        Case{"pool { wake_up { } }", "pool.wake_up.receptions"},
        Case{"hand_over { steps: HAND_OVER_STEP_PROPOSE }", "hand_over.steps"},
        Case{"hand_over { steps: HAND_OVER_STEP_ACCEPT }", "hand_over.steps[0]"},
        Case{R"(grade_schemes { name: "s" })", "grade_schemes[0].classes"},
        Case{R"(grade_schemes { classes { name: "A" } })", "grade_schemes[0].name"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } classes { name: "A" } })",
             "grade_schemes[0].classes[1].name"},
        Case{
            R"(grade_schemes { name: "s" classes { name: "A" } } grade_schemes { name: "s" classes { name: "A" } })",
            "grade_schemes[1].name"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } initial_class: "B" })",
             "grade_schemes[0].initial_class"},
        Case{R"(call_back { cadences { scheme: "s" class_name: "A" every { days: 1 } } })",
             "call_back.cadences[0].scheme"},
        Case{R"(call_back { cadences { class_name: "A" every { days: 1 } } })",
             "call_back.cadences[0].scheme"},
        Case{R"(grade_schemes { name: "s" classes { name: "A" } }
                call_back { cadences { scheme: "s" class_name: "B" every { days: 1 } } })",
             "call_back.cadences[0].class_name"},
        Case{R"(call_back { cadences { every { days: 1 } } cadences { every { days: 2 } } })",
             "call_back.cadences[1].class_name"},
        Case{"call_back { cadences { } }", "call_back.cadences[0].every"},
        Case{"call_back { first { hours: 876001 } }", "call_back.first.hours"}));

TEST(PolicyCheckTest, TheIdHasAForm) {
  for (const char* id : {"Default", "a b", "a_b"}) {
    EXPECT_THAT(FieldsFound(std::string(R"(phone_region: "CN" id: ")") + id + "\""),
                testing::ElementsAre("id"));
  }
  for (const char* region : {"cn", "CHN", "C1"}) {
    EXPECT_THAT(FieldsFound(std::string(R"(id: "p" phone_region: ")") + region + "\""),
                testing::ElementsAre("phone_region"));
  }
}

std::vector<std::string> FieldsWarnedOf(const std::string& text) {
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(kSound + text, &policy)) << text;
  EXPECT_THAT(PolicyErrors(policy), testing::IsEmpty());
  std::vector<std::string> fields;
  for (const pb::PolicyFinding& finding : CheckPolicy(policy)) {
    EXPECT_EQ(finding.severity(), pb::POLICY_FINDING_SEVERITY_WARNING);
    fields.push_back(finding.field());
  }
  return fields;
}

TEST(PolicyCheckTest, RuleIdsHaveAForm) {
  for (const char* id : {"x", "X.y", "x.", ".y", "x y.z", "x..y"}) {
    EXPECT_THAT(
        FieldsFound(absl::StrCat(kSound, "lapse { protection { period { days: 1 } rule_id: '", id, "' } }")),
        testing::ElementsAre("lapse.protection.rule_id"))
        << id;
  }
}

TEST(PolicyCheckTest, AParameterThatCitesNothingIsAGap) {
  EXPECT_THAT(FieldsWarnedOf("lapse { protection { period { days: 1 } } }"),
              testing::ElementsAre("lapse.protection.rule_id"));
  EXPECT_THAT(FieldsWarnedOf("lapse { protection { period { days: 1 } rule_id: 'x.y' } }"),
              testing::IsEmpty());
  EXPECT_THAT(FieldsWarnedOf("registration { required_fields: 'a' }"),
              testing::ElementsAre("registration.required_fields_rule_id"));
}

TEST(PolicyCheckTest, TextsOfRules) {
  const std::string cites = "lapse { protection { period { days: 1 } rule_id: 'x.y' } } ";
  EXPECT_THAT(FieldsWarnedOf(cites + "rule_texts { rule_id: 'x.y' phrase: 'a' }"), testing::IsEmpty());
  EXPECT_THAT(FieldsWarnedOf(cites + "rule_texts { rule_id: 'x.z' phrase: 'a' }"),
              testing::ElementsAre("rule_texts[0].rule_id"));
  EXPECT_THAT(FieldsWarnedOf(cites + "rule_texts { rule_id: 'x.y' }"), testing::ElementsAre("rule_texts[0]"));
  EXPECT_THAT(FieldsFound(kSound + cites +
                          "rule_texts { rule_id: 'x.y' phrase: 'a' } "
                          "rule_texts { rule_id: 'x.y' phrase: 'b' }"),
              testing::ElementsAre("rule_texts[1].rule_id"));
  EXPECT_THAT(FieldsFound(kSound + cites + "rule_texts { phrase: 'b' }"),
              testing::ElementsAre("rule_texts[0].rule_id"));
  EXPECT_THAT(
      FieldsFound(kSound + cites + "rule_texts { rule_id: 'x.y' phrase: '" + std::string(257, 'a') + "' }"),
      testing::ElementsAre("rule_texts[0].phrase"));
}

}  // namespace
}  // namespace ledger::policy
