#include "projections/rules/requirement/requirement.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

constexpr absl::StatusCode kRefused = absl::StatusCode::kFailedPrecondition;

pb::Event Said(const std::string& text) {
  pb::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

pb::Policy With(const std::string& text) {
  return PolicyFrom(R"(id: "p" phone_region: "CN" utc_offset_seconds: 28800 )" + text);
}

void Post(Scenario* scenario, const std::string& staff, const std::string& role) {
  pb::Event event;
  event.mutable_staff_status_changed()->set_staff_id(staff);
  event.mutable_staff_status_changed()->set_status(pb::STAFF_STATUS_ACTIVE);
  event.mutable_staff_status_changed()->set_role(role);
  scenario->Given("2021-01-01", event);
}

TEST(RequirementTest, AFieldMustBeGivenAndTheRefusalNamesTheRule) {
  Scenario scenario(With(R"(requirements { on { event: "contact_logged" } rule_id: "r.next"
    effect: REQUIREMENT_EFFECT_REFUSE needs { field { field: "next_contact_time" } } })"));
  const auto refused = scenario.WhenProposed("2026-01-05", Contact("liu"));
  EXPECT_EQ(RefusalRuleId(refused.status()), "r.next");
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("next_contact_time must be given"));
  scenario.ThenAccepts("2026-01-05", ContactAgreeing("liu", "2026-01-06"));
  scenario.ThenAccepts("2026-01-05", Visit("liu"));
}

TEST(RequirementTest, AnEarlierEventOfTheSameCustomer) {
  Scenario scenario(
      With(R"(requirements { on { event: "case_opened" where { field: "kind" any_of: "expense" } }
    rule_id: "r.filing" effect: REQUIREMENT_EFFECT_REFUSE
    needs { earlier { events { event: "registration_filed" } } } })"));
  scenario.Given("2026-04-02", Registered("liu"));
  const pb::Event expense =
      Said(R"(case_opened { customer_id: "c1" case_id: "e1" kind: CASE_KIND_EXPENSE })");
  scenario.ThenRefuses("2026-04-08", expense, kRefused, "REQUIREMENT_NOT_MET");
  scenario.Given("2026-04-10", Said(R"(registration_filed { customer_id: "c1" filed_by: "liu" })"));
  scenario.ThenAccepts("2026-04-10", expense);
  scenario.ThenAccepts("2026-04-11", Said(R"(case_opened { customer_id: "c1" kind: CASE_KIND_GIFT })"));
}

TEST(RequirementTest, EarlierEventsWithTheSameValueInAPeriodAndNone) {
  Scenario scenario(With(R"(
    requirements { on { event: "deal_recorded" where { field: "kind" any_of: "sale" } } rule_id: "r.contract"
      effect: REQUIREMENT_EFFECT_REFUSE
      needs { earlier { events { event: "deal_recorded" where { field: "kind" any_of: "contract" } }
                        same_field: "deal_id" within { days: 10 } } } }
    requirements { on { event: "deal_recorded" where { field: "kind" any_of: "contract" } } rule_id: "r.once"
      effect: REQUIREMENT_EFFECT_REFUSE
      needs { earlier { events { event: "deal_recorded" where { field: "kind" any_of: "contract" } }
                        same_field: "deal_id" none: true } } })"));
  const auto deal = [](const char* kind, const char* id) {
    return Said(
        absl::StrCat("deal_recorded { customer_id: 'c1' kind: DEAL_KIND_", kind, " deal_id: '", id, "' }"));
  };
  scenario.Given("2026-01-05", deal("CONTRACT", "d1"));
  scenario.ThenAccepts("2026-01-15 23:59:59", deal("SALE", "d1"));
  scenario.ThenRefuses("2026-01-16", deal("SALE", "d1"), kRefused, "REQUIREMENT_NOT_MET");
  scenario.ThenRefuses("2026-01-06", deal("SALE", "d2"), kRefused, "REQUIREMENT_NOT_MET");
  scenario.ThenRefuses("2026-01-06", deal("CONTRACT", "d1"), kRefused, "REQUIREMENT_NOT_MET");
  scenario.ThenAccepts("2026-01-06", deal("CONTRACT", "d2"));
}

TEST(RequirementTest, TheLastConsentCounts) {
  Scenario scenario(
      With(R"(requirements { on { event: "contact_logged" where { field: "channel" any_of: "mail" } }
    rule_id: "r.consent" effect: REQUIREMENT_EFFECT_REFUSE
    needs { earlier { events { event: "consent_changed" where { field: "channel" any_of: "mail" } }
                      last_where { field: "granted" any_of: "true" } } } })"));
  pb::Event mail = Contact("liu");
  mail.mutable_contact_logged()->set_channel(pb::CONTACT_CHANNEL_MAIL);
  scenario.ThenRefuses("2026-01-05", mail, kRefused, "REQUIREMENT_NOT_MET");
  scenario.Given("2026-01-06",
                 Said(R"(consent_changed { customer_id: "c1" channel: "mail" granted: true })"));
  scenario.ThenAccepts("2026-01-06", mail);
  scenario.Given("2026-01-07", Said(R"(consent_changed { customer_id: "c1" channel: "mail" })"));
  scenario.ThenRefuses("2026-01-07", mail, kRefused, "REQUIREMENT_NOT_MET");
}

constexpr char kRetention[] = R"(
  requirements { on { event: "record_destroyed" } on { event: "deletion_requested" } rule_id: "r.10-years"
    effect: REQUIREMENT_EFFECT_REFUSE
    needs { not_before { events { event: "registration_filed" } events { event: "customer_registered" }
                         period { months: 120 } } } }
  requirements { on { event: "record_destroyed" } rule_id: "r.destruction" effect: REQUIREMENT_EFFECT_REFUSE
    needs { by_role { field: "approver_ids" all_of: "head" all_of: "gm" } }
    needs { field { field: "log_number" } } })";

TEST(RequirementTest, NotBeforeThePeriodIsOverAndOnlyWithBothApprovals) {
  Scenario scenario(With(kRetention));
  Post(&scenario, "h1", "head");
  Post(&scenario, "g1", "gm");
  scenario.Given("2016-04-30 10:00", Registered("liu"));
  const pb::Event request = Said(R"(deletion_requested { customer_id: "c1" })");
  const auto early = scenario.WhenProposed("2026-04-30 23:59:59", request);
  EXPECT_EQ(RefusalRuleId(early.status()), "r.10-years");
  EXPECT_THAT(std::string(early.status().message()), HasSubstr("2016-04-30 + 120 months = 2026-04-30 24:00"));
  scenario.ThenAccepts("2026-05-01", request);
  const auto destroyed = [](const char* approvers) {
    return Said(absl::StrCat("record_destroyed { customer_id: 'c1' log_number: '7' ", approvers, " }"));
  };
  const auto alone = scenario.WhenProposed("2026-05-06", destroyed("approver_ids: 'h1'"));
  EXPECT_EQ(RefusalRuleId(alone.status()), "r.destruction");
  scenario.ThenRefuses("2026-05-06", destroyed("approver_ids: 'h1' approver_ids: 'h1'"), kRefused,
                       "REQUIREMENT_NOT_MET");
  scenario.ThenAccepts("2026-05-06", destroyed("approver_ids: 'h1' approver_ids: 'g1'"));
}

TEST(RequirementTest, WhenSaysWhereItIsAsked) {
  Scenario scenario(With(R"(
    requirements { on { event: "access_decided" where { field: "decision" any_of: "approved" } } rule_id: "r.borrow"
      effect: REQUIREMENT_EFFECT_REFUSE
      when { earlier { events { event: "access_requested" where { field: "kind" any_of: "borrow" } }
                       same_field: "request_id" } }
      needs { by_role { field: "approver_ids" all_of: "head" all_of: "gm" } } })"));
  Post(&scenario, "h1", "head");
  scenario.Given("2026-01-05",
                 Said(R"(access_requested { customer_id: "c1" request_id: "b" kind: ACCESS_KIND_BORROW })"));
  scenario.Given("2026-01-05",
                 Said(R"(access_requested { customer_id: "c1" request_id: "v" kind: ACCESS_KIND_VIEW })"));
  const auto approved = [](const char* id) {
    return Said(
        absl::StrCat("access_decided { customer_id: 'c1' decision: REQUEST_DECISION_APPROVED request_id: '",
                     id, "' approver_ids: 'h1' }"));
  };
  scenario.ThenRefuses("2026-01-06", approved("b"), kRefused, "REQUIREMENT_NOT_MET");
  scenario.ThenAccepts("2026-01-06", approved("v"));
  scenario.ThenAccepts("2026-01-06", Said(R"(access_decided { customer_id: "c1" request_id: "b"
                                             decision: REQUEST_DECISION_REFUSED })"));
}

TEST(RequirementTest, NothingOpenAndTimesOfDay) {
  Scenario scenario(With(R"(
    requirements { on { event: "deletion_requested" } rule_id: "r.hold" effect: REQUIREMENT_EFFECT_REFUSE
      needs { settled { opened { event: "complaint_filed" } closed { event: "complaint_closed" }
                        same_field: "complaint_id" } } }
    requirements { on { event: "visit_planned" } rule_id: "r.hours" effect: REQUIREMENT_EFFECT_REFUSE
      needs { time_of_day { from { hour: 9 } until { hour: 18 } } } })"));
  scenario.Given("2026-01-05", Said(R"(complaint_filed { customer_id: "c1" complaint_id: "k" })"));
  const pb::Event request = Said(R"(deletion_requested { customer_id: "c1" })");
  scenario.ThenRefuses("2026-01-06", request, kRefused, "REQUIREMENT_NOT_MET");
  scenario.Given("2026-01-07", Said(R"(complaint_closed { customer_id: "c1" complaint_id: "k" })"));
  scenario.ThenAccepts("2026-01-07", request);
  const pb::Event plan = Said(R"(visit_planned { customer_id: "c1" visit_id: "v" })");
  scenario.ThenRefuses("2026-01-08 08:59:59", plan, kRefused, "REQUIREMENT_NOT_MET");
  scenario.ThenAccepts("2026-01-08 18:00:00", plan);
  scenario.ThenRefuses("2026-01-08 18:00:01", plan, kRefused, "REQUIREMENT_NOT_MET");
}

TEST(RequirementTest, FlagsAreKeptWithTheirConsequence) {
  Scenario scenario(
      With(R"(requirements { on { event: "contact_reviewed" where { field: "verdict" any_of: "false" } }
    rule_id: "r.false" effect: REQUIREMENT_EFFECT_FLAG
    consequence { rule_id: "r.fine" amount { minor_units: 10000 currency_code: "CNY" }
                  escalations { from_time: 2 amount { minor_units: 20000 currency_code: "CNY" } } } })"));
  const pb::Event review = Said(R"(contact_reviewed { customer_id: "c1" verdict: CONTACT_VERDICT_FALSE })");
  scenario.ThenAccepts("2026-01-05", review);
  scenario.Given("2026-01-05", review);
  scenario.Given("2026-01-06",
                 Said(R"(contact_reviewed { customer_id: "c1" verdict: CONTACT_VERDICT_VALID })"));
  scenario.Given("2026-01-07", review);
  const auto flags = ReadFlags(scenario.timeline(), scenario.StateAt("2026-01-08"));
  ASSERT_EQ(flags.size(), 2u);
  EXPECT_EQ(flags[0].consequence().amount().minor_units(), 10000);
  EXPECT_EQ(flags[1].consequence().amount().minor_units(), 20000);
  EXPECT_EQ(flags[1].basis().rule_id(), "r.false");
  EXPECT_EQ(LocalText(flags[1].basis().since_time()), "2026-01-07 00:00:00");
}

TEST(RequirementTest, APolicyAdoptedLaterLooksBack) {
  Scenario scenario(With(""));
  scenario.Given("2026-01-05", Said(R"(registration_filed { customer_id: "c1" })"));
  scenario.Adopt("2026-02-01", With(R"(requirements { on { event: "case_opened" } rule_id: "r"
    effect: REQUIREMENT_EFFECT_REFUSE needs { earlier { events { event: "registration_filed" } } } })"));
  scenario.ThenAccepts("2026-02-02", Said(R"(case_opened { customer_id: "c1" case_id: "e" })"));
}

TEST(RequirementTest, PoliciesWithoutRequirementsRememberNothing) {
  Scenario scenario;
  scenario.Given("2026-01-05", Registered("liu"));
  scenario.Given("2026-01-06", Contact("liu"));
  const CustomerState state = scenario.StateAt("2026-01-07");
  EXPECT_EQ(state.remembered_size() + state.duties_size() + state.flags_size() + state.profile_size(), 0);
}

}  // namespace
}  // namespace ledger::rules::testing
