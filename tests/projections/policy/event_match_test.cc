#include "projections/policy/event_match.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "projections/policy/policy_index.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::TextFormat;
using testing::ElementsAre;
using testing::IsEmpty;

template <typename Message>
Message From(const std::string& text) {
  Message message;
  EXPECT_TRUE(TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

struct Case {
  const char* match;
  const char* event;
  bool matches;
};

TEST(EventMatchTest, FieldsAsPoliciesWriteThem) {
  const Case cases[] = {
      {R"(event: "contact_logged")", "contact_logged {}", true},
      {R"(event: "contact_logged")", "visit_logged {}", false},
      {R"(event: "nothing_of_the_kind")", "visit_logged {}", false},
      {R"(event: "contact_logged" where { field: "channel" any_of: "sms" })",
       "contact_logged { channel: CONTACT_CHANNEL_SMS }", true},
      {R"(event: "contact_logged" where { field: "channel" any_of: "sms" any_of: "mail" })",
       "contact_logged { channel: CONTACT_CHANNEL_PHONE }", false},
      {R"(event: "contact_logged" where { field: "channel" any_of: "sms" unless: true })",
       "contact_logged { channel: CONTACT_CHANNEL_PHONE }", true},
      {R"(event: "contact_logged" where { field: "next_contact_time" })", "contact_logged {}", false},
      {R"(event: "contact_logged" where { field: "next_contact_time" })",
       "contact_logged { next_contact_time { time { seconds: 1 } } }", true},
      {R"(event: "visit_logged" where { field: "on_site" any_of: "true" })", "visit_logged { on_site: true }",
       true},
      {R"(event: "visit_logged" where { field: "on_site" any_of: "false" })", "visit_logged {}", true},
      {R"(event: "visit_logged" where { field: "findings.units" at_least: 4 })",
       R"(visit_logged { findings { key: "units" value: "4" } })", true},
      {R"(event: "visit_logged" where { field: "findings.units" at_least: 4 })",
       R"(visit_logged { findings { key: "units" value: "3" } })", false},
      {R"(event: "visit_logged" where { field: "findings.units" at_least: 4 })", "visit_logged {}", false},
      {R"(event: "metric_recorded" where { field: "value_milli" at_most: 20000 })",
       "metric_recorded { value_milli: 0 }", true},
      {R"(event: "owner_assigned" where { field: "owner.staff_id" any_of: "liu" })",
       R"(owner_assigned { owner { staff_id: "liu" } })", true},
      {R"(event: "owner_assigned" where { field: "owner.unit_id" })",
       R"(owner_assigned { owner { staff_id: "liu" } })", false},
      {R"(event: "access_decided" where { field: "approver_ids" any_of: "gm" })",
       R"(access_decided { approver_ids: "head" approver_ids: "gm" })", true},
      {R"(event: "consent_changed" where { field: "scope" any_of: "" any_of: "product" })",
       "consent_changed {}", true},
      {R"(event: "visit_logged" where { field: "no_such_field" })", "visit_logged {}", false},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(Matches(From<pb::EventMatch>(test.match), From<pb::Event>(test.event)), test.matches)
        << test.match << " on " << test.event;
  }
}

TEST(EventMatchTest, TextsAndTimes) {
  const auto event =
      From<pb::Event>(R"(complaint_step_taken { complaint_id: "k1" due_time { time { seconds: 5 } } })");
  EXPECT_THAT(FieldTexts(event, "complaint_id"), ElementsAre("k1"));
  EXPECT_THAT(FieldTexts(event, "level"), IsEmpty());
  EXPECT_EQ(FieldTime(event, "due_time")->time().seconds(), 5);
  EXPECT_FALSE(FieldTime(event, "complaint_id").has_value());
}

TEST(EventMatchTest, PathsThatDoNotExistAreNamed) {
  EXPECT_EQ(FieldPathError("contact_logged", "channel"), "");
  EXPECT_EQ(FieldPathError("customer_registered", "fields.whatever"), "");
  EXPECT_EQ(FieldPathError("owner_assigned", "owner.staff_id"), "");
  EXPECT_NE(FieldPathError("contact_logged", "chanel"), "");
  EXPECT_NE(FieldPathError("contact_logged", "channel.name"), "");
  EXPECT_NE(FieldPathError("contact_lodged", "channel"), "");
}

TEST(PolicyIndexTest, SilentPoliciesCostNothing) {
  EXPECT_EQ(IndexPolicy(pb::Policy()), nullptr);
  EXPECT_EQ(Remember(nullptr, pb::Policy()), nullptr);
}

TEST(PolicyIndexTest, AVersionThatAsksForNothingNewKeepsTheMemory) {
  const auto policy = From<pb::Policy>(R"(
    requirements { on { event: "case_opened" } effect: REQUIREMENT_EFFECT_REFUSE
                   needs { earlier { events { event: "registration_filed" } } } })");
  const auto first = Remember(nullptr, policy);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(Remember(first, policy), first);
  pb::Policy more = policy;
  *more.add_requirements() =
      From<pb::Requirement>(R"(on { event: "visit_logged" } needs { profile { field: "top" } })");
  EXPECT_NE(Remember(first, more), first);
}

}  // namespace
}  // namespace ledger::policy
