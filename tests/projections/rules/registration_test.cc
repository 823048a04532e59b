#include "projections/rules/registration/registration.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "projections/rules/registration/filing.h"
#include "projections/rules/registration/validators.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

pb::Event Said(const std::string& text) {
  pb::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

pb::Policy With(const std::string& registration) {
  return PolicyFrom(absl::StrCat(
      R"(id: "p" phone_region: "CN" utc_offset_seconds: 28800 calendar_id: "cn" registration { )",
      registration, " }"));
}

pb::RegistrationEntry At(const Scenario& scenario, absl::string_view at) {
  const auto entries = ReadRegistrations(scenario.timeline(), scenario.StateAt(at), Local(at));
  return entries.empty() ? pb::RegistrationEntry() : entries[0];
}

pb::Event Submitted(const std::string& stage) {
  return Said(absl::StrCat("profile_submitted { customer_id: 'c1' stage: '", stage, "' }"));
}
pb::Event Reviewed(const std::string& result) {
  return Said(absl::StrCat("profile_reviewed { customer_id: 'c1' result: REVIEW_RESULT_", result, " }"));
}

TEST(ValidatorsTest, Values) {
  struct Case {
    const char* validator;
    const char* value;
    bool passes;
  };
  constexpr char kName[] = "kind: VALIDATOR_KIND_FULL_NAME";
  constexpr char kLandline[] = "kind: VALIDATOR_KIND_NO_LANDLINE mobile_prefix: '1'";
  constexpr char kMobile[] = "kind: VALIDATOR_KIND_MOBILE_DIGITS digits: 11 mobile_prefix: '1'";
  constexpr char kArea[] = "kind: VALIDATOR_KIND_AREA_CODE mobile_prefix: '1'";
  constexpr char kAddress[] = "kind: VALIDATOR_KIND_SPECIFIC_ADDRESS";
  constexpr char kDate[] = "kind: VALIDATOR_KIND_DATE";
  const Case cases[] = {
      {kName, "王先生", false},
      {kName, "李女士", false},
      {kName, "张总", false},
      {kName, "陈小姐", false},
      {kName, "王", false},
      {kName, "欧阳", false},
      {kName, "王**", false},
      {kName, "王建国", true},
      {kName, "李明", true},
      {kName, "李 明", true},
      {kName, "欧阳修", true},
      {kName, "Mr Smith", false},
      {kName, "Smith", false},
      {kName, "Anna Smith", true},
      {kName, "", true},
      {kLandline, "029-8800000", false},
      {kLandline, "029-88000000-801", false},
      {kLandline, "88000000转801", false},
      {kLandline, "88000000", false},
      {kLandline, "400-820-8820", false},
      {kLandline, "13900000001", true},
      {kLandline, "+86 139 0000 0001", true},
      {kMobile, "13900000001", true},
      {kMobile, "+8613900000001", true},
      {kMobile, "1390000000", false},
      {kMobile, "139000000012", false},
      {kMobile, "1390000000a", false},
      {kMobile, "029-88000000", true},  // a fixed number is judged by the others
      {kArea, "029-88000000", true},
      {kArea, "88000000", false},
      {kArea, "13900000001", true},
      {kAddress, "高新路", false},
      {kAddress, "西安市", false},
      {kAddress, "长安县", false},
      {kAddress, "西安市雁塔区高新路", false},
      {kAddress, "高新路12号", true},
      {kAddress, "西安市高新路都市之门A座", true},
      {kAddress, "百姓厨房餐饮有限公司", true},
      {kDate, "2026-02-28", true},
      {kDate, "2026-02-29", false},
      {kDate, "2024-02-29", true},
      {kDate, "2026-13-01", false},
      {kDate, "28 February", false},
      {kDate, "2026-2-8", false},
      {"kind: VALIDATOR_KIND_ONE_OF values: 'a' values: 'b'", "b", true},
      {"kind: VALIDATOR_KIND_ONE_OF values: 'a' values: 'b'", "c", false},
  };
  for (const Case& test : cases) {
    pb::FieldValidator validator;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(test.validator, &validator));
    EXPECT_EQ(ValidatorError(validator, test.value).empty(), test.passes)
        << test.value << ": " << ValidatorError(validator, test.value);
  }
}

TEST(RegistrationTest, PersonalFieldsAreRequiredAndCheckedInTheDecision) {
  Scenario scenario(With(R"(required_fields: "name" required_fields: "phone" required_fields: "source"
    required_fields_rule_id: "r.fields"
    validators { field: "name" kind: VALIDATOR_KIND_FULL_NAME rule_id: "r.name" }
    staff_excluded { rule_id: "r.staff" form_field: "staff_id" })"));
  scenario.SetStaff("2025-01-01", "liu", pb::STAFF_STATUS_ACTIVE);
  pb::PersonalData personal;
  pb::Event event = Said(R"(customer_registered { customer_id: "c1" registrar_id: "liu"
                            fields { key: "source" value: "walk-in" } })");
  const CustomerState nobody;
  const auto decide = [&] {
    DecisionContext context;
    context.timeline = &scenario.timeline();
    context.customer = &nobody;
    context.recorded_time = Local("2026-01-05");
    context.personal = &personal;
    return Decide(context, event);
  };
  EXPECT_EQ(RefusalRuleId(decide().status()), "r.fields");
  EXPECT_THAT(std::string(decide().status().message()), HasSubstr("must bring name, phone;"));
  personal.set_name("王先生");
  personal.add_contact_points()->set_kind(pb::CONTACT_POINT_KIND_PHONE);
  personal.mutable_contact_points(0)->set_value("13900000001");
  EXPECT_EQ(RefusalRuleId(decide().status()), "r.name");
  personal.set_name("王建国");
  EXPECT_TRUE(decide().ok()) << decide().status();
  (*event.mutable_customer_registered()->mutable_fields())["staff_id"] = "liu";
  EXPECT_EQ(RefusalRuleId(decide().status()), "r.staff");
  event.mutable_customer_registered()->mutable_fields()->erase("staff_id");
  event.mutable_customer_registered()->set_customer_id("liu");
  EXPECT_EQ(RefusalRuleId(decide().status()), "r.staff");
}

constexpr char kTwoStages[] = R"(
  stages { name: "1" rule_id: "r.stages" } stages { name: "2" rule_id: "r.stages" }
  review { within { hours: 12 } rule_id: "r.12h" again { cause: RE_REVIEW_CAUSE_CHANGE rule_id: "r.change" } }
  incomplete_deletion { after { days: 90 } rule_id: "r.90-days" })";

TEST(RegistrationTest, AnIncompleteOneIsDeletedAfterItsLastDay) {
  Scenario scenario(With(kTwoStages));
  scenario.Given("2026-01-10 14:00", Registered("liu"));
  scenario.Given("2026-01-10 15:00", Submitted("1"));
  EXPECT_EQ(At(scenario, "2026-04-10 23:59:59").state(), pb::REGISTRATION_STATE_DRAFT);
  EXPECT_EQ(LocalText(At(scenario, "2026-04-10 23:59:59").deletion_time()), "2026-04-11 00:00:00");
  const pb::RegistrationEntry deleted = At(scenario, "2026-04-11");
  EXPECT_EQ(deleted.state(), pb::REGISTRATION_STATE_DELETED);
  EXPECT_EQ(deleted.basis().rule_id(), "r.90-days");
  EXPECT_EQ(deleted.basis().arithmetic(), "registered 2026-01-10 + 90 days = 2026-04-10 24:00");
  scenario.ThenRefuses("2026-04-11", Submitted("2"), absl::StatusCode::kFailedPrecondition,
                       "REGISTRATION_DELETED");
  scenario.ThenAccepts("2026-04-10 23:59:59", Submitted("2"));
  scenario.ThenRefuses("2026-01-11", Submitted("3"), absl::StatusCode::kInvalidArgument, "STAGE_UNKNOWN");
  // Registered again it begins again.
  scenario.Given("2026-04-20", Registered("liu"));
  EXPECT_EQ(At(scenario, "2026-04-20").state(), pb::REGISTRATION_STATE_DRAFT);
}

TEST(RegistrationTest, ReviewIsDueOverdueAndStillPendingUntilADecision) {
  Scenario scenario(With(kTwoStages));
  scenario.Given("2026-02-01 20:00", Registered("liu"));
  scenario.Given("2026-02-01 20:30", Submitted("1"));
  EXPECT_FALSE(At(scenario, "2026-02-01 20:30").has_review_due_time());
  scenario.Given("2026-02-01 21:00", Submitted("2"));
  EXPECT_EQ(LocalText(At(scenario, "2026-02-02 09:00:00").review_due_time()), "2026-02-02 09:00:00");
  EXPECT_FALSE(At(scenario, "2026-02-02 09:00:00").review_overdue());
  EXPECT_TRUE(At(scenario, "2026-02-02 09:00:01").review_overdue());
  EXPECT_EQ(At(scenario, "2026-02-03").state(), pb::REGISTRATION_STATE_PENDING);
  EXPECT_FALSE(IsApproved(scenario.timeline(), scenario.StateAt("2026-02-03"), "", Local("2026-02-03")));
  scenario.Given("2026-02-03", Reviewed("REJECTED"));
  EXPECT_EQ(At(scenario, "2026-02-03").state(), pb::REGISTRATION_STATE_REJECTED);
  scenario.Given("2026-02-04", Submitted("2"));
  scenario.Given("2026-02-05", Reviewed("APPROVED"));
  EXPECT_TRUE(IsApproved(scenario.timeline(), scenario.StateAt("2026-02-05"), "", Local("2026-02-05")));
  EXPECT_EQ(At(scenario, "2027-02-05").state(), pb::REGISTRATION_STATE_APPROVED);
  scenario.Given("2027-03-01", Submitted("change"));
  EXPECT_EQ(At(scenario, "2027-03-01").state(), pb::REGISTRATION_STATE_PENDING);
}

TEST(RegistrationTest, OnlyTheNamedRolesReview) {
  pb::Policy policy = With(kTwoStages);
  policy.mutable_registration()->mutable_review()->add_roles("store_manager");
  Scenario scenario(policy);
  pb::Event staff =
      Said(R"(staff_status_changed { staff_id: "x" status: STAFF_STATUS_ACTIVE role: "waiter" })");
  scenario.Given("2026-01-01", staff);
  pb::Event review = Reviewed("APPROVED");
  review.mutable_profile_reviewed()->set_reviewer_id("x");
  scenario.ThenRefuses("2026-02-01", review, absl::StatusCode::kPermissionDenied, "NOT_A_REVIEWER");
  staff.mutable_staff_status_changed()->set_role("store_manager");
  scenario.Given("2026-01-15", staff);
  scenario.ThenAccepts("2026-02-01", review);
}

TEST(RegistrationTest, AStageLacksWhatNobodyGave) {
  pb::Policy policy = With(kTwoStages);
  policy.mutable_registration()->mutable_stages(1)->add_required_fields("work");
  Scenario scenario(policy);
  scenario.Given("2026-02-01", Registered("liu"));
  scenario.ThenRefuses("2026-02-02", Submitted("2"), absl::StatusCode::kFailedPrecondition,
                       "STAGE_INCOMPLETE");
  scenario.Given("2026-02-03",
                 Said(R"(profile_changed { customer_id: "c1" changes { key: "work" value: "x" } })"));
  scenario.ThenAccepts("2026-02-04", Submitted("2"));
}

constexpr char kDailyForm[] = R"(filing {
  counted_from { event: "customer_registered" } same_day_until { hour: 18 } rule_id: "r.daily"
  grace { next_day_until { hour: 10 } rule_id: "r.grace" }
  late: LATE_FILING_RECEIPT_COUNTS late_rule_id: "r.late" })";

TEST(FilingTest, InTimeWithGraceOrAtTheReceipt) {
  struct Case {
    const char* received;
    const char* reason;
    pb::FilingState state;
    const char* effective;
    const char* rule;
  };
  const Case cases[] = {
      {"2026-04-07 18:00:00", "", pb::FILING_STATE_IN_TIME, "2026-04-07 16:20:00", "r.daily"},
      {"2026-04-07 18:00:01", "", pb::FILING_STATE_LATE, "2026-04-07 18:00:01", "r.late"},
      {"2026-04-08 09:40", "customer stayed late", pb::FILING_STATE_IN_TIME, "2026-04-07 16:20:00",
       "r.grace"},
      {"2026-04-08 10:00:00", "customer stayed late", pb::FILING_STATE_IN_TIME, "2026-04-07 16:20:00",
       "r.grace"},
      {"2026-04-08 10:00:01", "customer stayed late", pb::FILING_STATE_LATE, "2026-04-08 10:00:01", "r.late"},
      {"2026-04-08 09:40", "", pb::FILING_STATE_LATE, "2026-04-08 09:40:00", "r.late"},
  };
  for (const Case& test : cases) {
    Scenario scenario(With(kDailyForm));
    const uint64_t position = scenario.Given("2026-04-07 16:20", Registered("m1"));
    scenario.Given("2026-04-07 17:05", Registered("m2"));
    EXPECT_EQ(At(scenario, "2026-04-07 18:00").filings(0).state(), pb::FILING_STATE_DUE);
    EXPECT_EQ(At(scenario, "2026-04-07 18:00:01").filings(0).state(), pb::FILING_STATE_OVERDUE);
    scenario.Given("2026-04-07 17:30", Said(R"(registration_filed { customer_id: "c1" filed_by: "m2" })"));
    pb::Event filed = Said(R"(registration_filed { customer_id: "c1" filed_by: "m1" })");
    filed.mutable_registration_filed()->set_reason(test.reason);
    scenario.Given(test.received, filed);
    const pb::FilingEntry filing = At(scenario, "2026-04-09").filings(0);
    EXPECT_EQ(filing.state(), test.state) << test.received;
    EXPECT_EQ(LocalText(filing.effective_time()), test.effective) << test.received;
    EXPECT_EQ(filing.basis().rule_id(), test.rule) << test.received;
    EXPECT_EQ(At(scenario, "2026-04-09").filings(1).filed_by(), "m2");
    EXPECT_EQ(At(scenario, "2026-04-09").filings(1).state(), pb::FILING_STATE_IN_TIME);
    const auto claim =
        EffectiveClaim(scenario.timeline(), scenario.StateAt("2026-04-09"), position, Local("2026-04-09"));
    ASSERT_TRUE(claim.has_value());
    EXPECT_EQ(*claim->effective, Local(test.effective));
  }
}

TEST(FilingTest, AFormEnteredLaterCarriesItsOwnTime) {
  Scenario scenario(With(kDailyForm));
  pb::Event event = Registered("m1");
  event.mutable_customer_registered()->mutable_form_time()->mutable_time()->set_seconds(
      absl::ToUnixSeconds(Local("2026-04-07 16:20")));
  scenario.Given("2026-04-07 17:50", event);
  EXPECT_EQ(LocalText(At(scenario, "2026-04-08").filings(0).effective_time()), "2026-04-07 16:20:00");
  Scenario late(With(kDailyForm));
  late.Given("2026-04-08 09:00", event);
  EXPECT_EQ(LocalText(At(late, "2026-04-08 09:00").filings(0).effective_time()), "2026-04-08 09:00:00");
}

TEST(FilingTest, AfterClosingTimeItIsFiledOnTheFollowingDay) {
  Scenario scenario(With(kDailyForm));
  scenario.Given("2026-04-07 18:00:01", Registered("m1"));
  EXPECT_EQ(LocalText(At(scenario, "2026-04-08").filings(0).due_time()), "2026-04-08 18:00:00");
}

constexpr char kFiveWorkdays[] = R"(filing {
  counted_from { event: "contact_logged" } counted_from { event: "visit_logged" } first_only: true
  within { workdays: 5 } rule_id: "r.5"
  done_by { event: "registration_filed" } done_by { event: "customer_registered" } })";

TEST(FilingTest, WorkdaysFromTheFirstContact) {
  struct Case {
    const char* filed;
    pb::FilingState state;
  };
  for (const Case& test :
       {Case{"2026-04-10 23:00", pb::FILING_STATE_IN_TIME}, Case{"2026-04-13", pb::FILING_STATE_LATE}}) {
    Scenario scenario(With(kFiveWorkdays));
    pb::Event calendar = Said(R"(calendar_published { calendar_id: "cn" year: 2026
                                 holidays { year: 2026 month: 4 day: 6 } })");
    scenario.Given("2026-01-01", calendar);
    scenario.Given("2026-04-02 10:00", Contact("liu"));
    scenario.Given("2026-04-03 10:00", Contact("liu"));
    EXPECT_EQ(LocalText(At(scenario, "2026-04-04").filings(0).due_time()), "2026-04-10 23:59:59");
    scenario.Given(test.filed, Said(R"(registration_filed { customer_id: "c1" filed_by: "liu" })"));
    EXPECT_EQ(At(scenario, "2026-04-20").filings_size(), 1);
    EXPECT_EQ(At(scenario, "2026-04-20").filings(0).state(), test.state);
  }
}

TEST(FilingTest, WhatWasFiledBeforeTheFirstContactIsInTime) {
  Scenario scenario(With(kFiveWorkdays));
  scenario.Given("2026-04-01", Registered("liu"));
  scenario.Given("2026-04-02", Contact("liu"));
  EXPECT_EQ(At(scenario, "2026-05-20").filings(0).state(), pb::FILING_STATE_IN_TIME);
}

}  // namespace
}  // namespace ledger::rules::testing
