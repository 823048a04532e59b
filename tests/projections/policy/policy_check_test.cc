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
        Case{R"(registration { validators { field: "name" } })", "registration.validators[0].kind"},
        Case{R"(registration { validators { field: "phone" kind: VALIDATOR_KIND_MOBILE_DIGITS } })",
             "registration.validators[0].digits"},
        Case{R"(registration { stages { name: "change" } })", "registration.stages[0].name"},
        Case{R"(registration { stages { name: "1" } stages { name: "1" } })", "registration.stages[1].name"},
        Case{"registration { incomplete_deletion { after { days: 90 } } }",
             "registration.incomplete_deletion"},
        Case{R"(registration { filing { counted_from { event: "customer_registered" } } })",
             "registration.filing"},
        Case{R"(registration { filing { counted_from { event: "customer_registered" } within { days: 1 }
                                        same_day_until { hour: 18 } } })",
             "registration.filing"},
        Case{R"(registration { filing { counted_from { event: "registered" } within { days: 1 } } })",
             "registration.filing.counted_from[0].event"},
        Case{R"(requirements { rule_id: "x.r" effect: REQUIREMENT_EFFECT_FLAG })", "requirements[0].on"},
        Case{R"(requirements { rule_id: "x.r" on { event: "visit_logged" } })", "requirements[0].effect"},
        Case{R"(requirements { rule_id: "x.r" on { event: "visit_logged" where { field: "nobody" } }
                               effect: REQUIREMENT_EFFECT_FLAG })",
             "requirements[0].on[0].where[0].field"},
        Case{R"(requirements { rule_id: "x.r" on { event: "visit_logged" } effect: REQUIREMENT_EFFECT_REFUSE
                               consequence { text: "x" } })",
             "requirements[0].consequence"},
        Case{R"(requirements { rule_id: "x.r" on { event: "visit_logged" } effect: REQUIREMENT_EFFECT_REFUSE
                               needs { field { field: "nobody" } } })",
             "requirements[0].needs[0].field.field"},
        Case{R"(requirements { rule_id: "x.r" on { event: "visit_logged" } effect: REQUIREMENT_EFFECT_REFUSE
                               needs { grade { scheme: "none" } } })",
             "requirements[0].needs[0].grade.scheme"},
        Case{R"(requirements { rule_id: "x.r" on { event: "visit_logged" } effect: REQUIREMENT_EFFECT_REFUSE
                               needs { earlier { events { event: "case_opened" } same_field: "visit_id" } } })",
             "requirements[0].needs[0].earlier.same_field"},
        Case{R"(duties { name: "d" rule_id: "x.r" done_by { event: "visit_logged" } })", "duties[0]"},
        Case{R"(duties { name: "d" rule_id: "x.r" on { event: "visit_logged" } })", "duties[0].done_by"},
        Case{R"(duties { name: "d" rule_id: "x.r" after_overdue: "e" done_by { event: "visit_logged" } })",
             "duties[0].after_overdue"},
        Case{R"(duties { name: "d" rule_id: "x.r" quota { each: CALENDAR_UNIT_DAY }
                         done_by { event: "visit_logged" } })",
             "duties[0].quota.at_least"},
        Case{R"(duties { name: "d" rule_id: "x.r" on { event: "visit_logged" } by { day_of_month: 32 }
                         done_by { event: "visit_logged" } })",
             "duties[0].by.day_of_month"},
        Case{R"(duties { name: "d" rule_id: "x.r" on_staff_status { statuses: "gone"
                           in_charge { event { event: "owner_assigned" } field: "owner.staff_id" } }
                         done_by { event: "owner_assigned" } })",
             "duties[0].on_staff_status.statuses[0]"},
        Case{R"(duties { name: "d" rule_id: "x.r" on { event: "visit_logged" } staff_roles: "x"
                         done_by { event: "visit_logged" } })",
             "duties[0].staff_roles"},
        Case{
            R"(duties { name: "d" rule_id: "x.r" on { event: "visit_logged" } done_by { event: "visit_logged" }
                         consequence { escalations { from_time: 1 } } })",
            "duties[0].consequence.escalations[0].from_time"},
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
        Case{"hand_over { }", "hand_over.procedures"},
        Case{"hand_over { procedures { } }", "hand_over.procedures[0].steps"},
        Case{"hand_over { procedures { steps { step: HAND_OVER_STEP_ACCEPT } } }",
             "hand_over.procedures[0].steps[0].step"},
        Case{"hand_over { procedures { steps { step: HAND_OVER_STEP_PROPOSE } steps { } } }",
             "hand_over.procedures[0].steps[1].step"},
        Case{"hand_over { procedures { steps { step: HAND_OVER_STEP_PROPOSE receiver_owns: true } "
             "steps { step: HAND_OVER_STEP_ACCEPT receiver_owns: true } } }",
             "hand_over.procedures[0].steps"},
        Case{"hand_over { procedures { steps { step: HAND_OVER_STEP_PROPOSE may_be_skipped: true } } }",
             "hand_over.procedures[0].steps[0].may_be_skipped"},
        Case{"hand_over { procedures { kinds: TRANSFER_KIND_POST kinds: TRANSFER_KIND_POST "
             "steps { step: HAND_OVER_STEP_PROPOSE } } }",
             "hand_over.procedures[0].kinds[1]"},
        Case{"hand_over { procedures { without_owner: true owner_meanwhile: OWNER_MEANWHILE_NOBODY "
             "steps { step: HAND_OVER_STEP_PROPOSE } } }",
             "hand_over.procedures[0].owner_meanwhile"},
        Case{R"(dispute { levels { name: "a" reached_by: DISPUTE_STEP_HEARD } })",
             "dispute.levels[0].reached_by"},
        Case{R"(dispute { levels { name: "a" } levels { name: "b" } })", "dispute.levels[1].reached_by"},
        Case{R"(dispute { levels { name: "a" } levels { name: "a" reached_by: DISPUTE_STEP_HEARD } })",
             "dispute.levels[1].name"},
        Case{"dispute { forfeits { } }", "dispute.forfeits[0].steps"},
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
        Case{"call_back { first { hours: 876001 } }", "call_back.first.hours"},
        Case{R"(credit { cases { when: CREDIT_WHEN_OWNED rule_id: "a.b"
                shares { performance { role: CREDIT_ROLE_OWNER basis_points: 9999 } } } })",
             "credit.cases[0].shares.performance"},
        Case{R"(credit { cases { when: CREDIT_WHEN_QUARREL rule_id: "a.b"
                shares { performance { role: CREDIT_ROLE_DEPARTMENT basis_points: 10000 } } } })",
             "credit.department_unit_id"},
        Case{R"(credit { cases { when: CREDIT_WHEN_CLOSED rule_id: "a.b"
                shares { performance { role: CREDIT_ROLE_CLOSER basis_points: 10000 } } }
                needs { need: CREDIT_NEED_PAPERS rule_id: "a.b" } })",
             "credit.papers"},
        Case{R"(credit { queue { rule_id: "a.b" } })", "credit.cases"},
        Case{R"(reception { rotation: true rotation_rule_id: "a.b" takes_turn_when: "here" })",
             "reception.takes_turn_when[0]"}));

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
