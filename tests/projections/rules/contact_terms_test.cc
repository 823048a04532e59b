#include "projections/rules/call_back/contact_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

pb::Event Call(pb::ContactChannel channel, const std::string& purpose = "",
               pb::Direction direction = pb::DIRECTION_OUTBOUND) {
  pb::Event event = Contact("liu");
  event.mutable_contact_logged()->set_channel(channel);
  event.mutable_contact_logged()->set_purpose(purpose);
  event.mutable_contact_logged()->set_direction(direction);
  return event;
}

pb::Event Consent(const std::string& channel, bool granted, const std::string& habit = "",
                  const std::string& value = "true") {
  pb::Event event;
  event.mutable_consent_changed()->set_customer_id("c1");
  event.mutable_consent_changed()->set_channel(channel);
  event.mutable_consent_changed()->set_granted(granted);
  if (!habit.empty()) (*event.mutable_consent_changed()->mutable_habits())[habit] = value;
  return event;
}

pb::Callback CallbackOf(const Scenario& scenario, absl::string_view at) {
  const auto callbacks = ReadCallbacks(scenario.timeline(), scenario.StateAt(at), Local(at));
  return callbacks.empty() ? pb::Callback() : callbacks[0];
}

Scenario Agent() {
  Scenario scenario(ShippedPolicy("estate-agent-callback"));
  scenario.Given("2026-05-13 10:00", Registered("liu"));
  return scenario;
}

TEST(ContactTermsTest, NobodyIsCalledAtNight) {
  Scenario scenario = Agent();
  const pb::Event call = Call(pb::CONTACT_CHANNEL_PHONE);
  scenario.ThenAccepts("2026-05-14 21:59:59", call);
  scenario.ThenRefuses("2026-05-14 22:00", call, absl::StatusCode::kFailedPrecondition, "QUIET_HOURS");
  scenario.ThenRefuses("2026-05-15 00:00", call, absl::StatusCode::kFailedPrecondition, "QUIET_HOURS");
  scenario.ThenRefuses("2026-05-15 08:59:59", call, absl::StatusCode::kFailedPrecondition, "QUIET_HOURS");
  scenario.ThenAccepts("2026-05-15 09:00", call);
  EXPECT_EQ(RefusalRuleId(scenario.WhenProposed("2026-05-14 22:00", call).status()),
            "estate-agent-callback.no-call-after-22");
  // Messages are no calls, and customers call when they like.
  scenario.ThenAccepts("2026-05-14 23:00", Call(pb::CONTACT_CHANNEL_SMS));
  scenario.ThenAccepts("2026-05-14 23:00", Call(pb::CONTACT_CHANNEL_PHONE, "", pb::DIRECTION_INBOUND));
  scenario.Given("2026-05-14", Consent("phone", true, "nightlife"));
  scenario.ThenAccepts("2026-05-14 22:00", call);
  scenario.Given("2026-05-15", Consent("phone", true, "nightlife", "false"));
  scenario.ThenRefuses("2026-05-15 22:00", call, absl::StatusCode::kFailedPrecondition, "QUIET_HOURS");
}

TEST(ContactTermsTest, DueDateHardLimitAndHours) {
  Scenario scenario = Agent();
  scenario.Given("2026-05-13 11:00", Call(pb::CONTACT_CHANNEL_PHONE));
  pb::Callback callback = CallbackOf(scenario, "2026-05-13 12:00");
  EXPECT_EQ(LocalText(callback.due_time()), "2026-05-15 23:59:59");
  EXPECT_EQ(LocalText(callback.hard_due_time()), "2026-05-20 23:59:59");
  EXPECT_EQ(callback.hard_due_basis().rule_id(), "estate-agent-callback.max-1-week");
  EXPECT_EQ(callback.days_left(), 7);
  EXPECT_TRUE(callback.best_weekday());  // a Friday
  EXPECT_FALSE(callback.has_earliest_time());
  EXPECT_FALSE(CallbackOf(scenario, "2026-05-20 23:59:59").overdue());
  EXPECT_EQ(CallbackOf(scenario, "2026-05-20 23:59:59").days_left(), 0);
  EXPECT_TRUE(CallbackOf(scenario, "2026-05-21").overdue());
  EXPECT_EQ(CallbackOf(scenario, "2026-05-21").days_left(), -1);

  scenario.Given("2026-05-13 13:00", Consent("phone", true, "older"));
  callback = CallbackOf(scenario, "2026-05-13 13:00");
  EXPECT_EQ(LocalText(callback.earliest_time()), "2026-05-15 15:00:00");
  EXPECT_THAT(callback.window_rule_ids(), ::testing::ElementsAre("estate-agent-callback.noon-older"));
  // The customer's own hours go before all others.
  scenario.Given("2026-05-13 14:00", Consent("phone", true, "best_time", "19:30-20:00"));
  callback = CallbackOf(scenario, "2026-05-13 14:00");
  EXPECT_EQ(LocalText(callback.earliest_time()), "2026-05-15 19:30:00");
  EXPECT_EQ(LocalText(callback.latest_time()), "2026-05-15 20:00:00");
}

TEST(ContactTermsTest, WindowsMoveTheTimeAndNotTheDay) {
  Scenario scenario = Agent();
  scenario.Given("2026-05-14 11:00", Call(pb::CONTACT_CHANNEL_PHONE));
  const pb::Callback callback = CallbackOf(scenario, "2026-05-14 12:00");
  EXPECT_EQ(LocalText(callback.due_time()), "2026-05-16 23:59:59");  // a Saturday
  EXPECT_EQ(LocalText(callback.earliest_time()), "2026-05-16 10:00:00");
  EXPECT_FALSE(callback.best_weekday());
  ASSERT_EQ(callback.forbidden_size(), 2);
  EXPECT_EQ(LocalText(callback.forbidden(0).until_time()), "2026-05-16 09:00:00");
  EXPECT_EQ(LocalText(callback.forbidden(1).from_time()), "2026-05-16 22:00:00");
  EXPECT_EQ(LocalText(callback.forbidden(1).until_time()), "2026-05-17 09:00:00");
}

TEST(ContactTermsTest, NotConvenientIsCalledAgainSoon) {
  Scenario scenario = Agent();
  scenario.Given("2026-05-15 14:00", Contact("liu", pb::CONTACT_OUTCOME_INCONVENIENT));
  EXPECT_EQ(scenario.CallbackAt("2026-05-15 14:10"), "2026-05-15 14:10:00");
  EXPECT_EQ(scenario.CallbackAt("2026-05-15 14:10:01"), "2026-05-15 14:10:00 overdue");
  scenario.Given("2026-05-15 15:00",
                 ContactAgreeing("liu", "2026-05-15 15:30", pb::CONTACT_OUTCOME_INCONVENIENT));
  EXPECT_EQ(scenario.CallbackAt("2026-05-15 15:10"), "2026-05-15 15:30:00");
  scenario.Given("2026-05-15 15:30", Contact("liu"));
  EXPECT_EQ(scenario.CallbackAt("2026-05-15 15:30"), "2026-05-17 23:59:59");
}

TEST(ContactTermsTest, PrivateCustomersGetShortMessagesOnly) {
  Scenario scenario = Agent();
  EXPECT_TRUE(CallbackOf(scenario, "2026-05-13 12:00").allowed_channels().empty());
  scenario.Given("2026-05-14", Consent("phone", true, "private"));
  EXPECT_THAT(CallbackOf(scenario, "2026-05-14").allowed_channels(),
              ::testing::ElementsAre(pb::CONTACT_CHANNEL_SMS, pb::CONTACT_CHANNEL_VISIT,
                                     pb::CONTACT_CHANNEL_MEETING));
  scenario.ThenRefuses("2026-05-14 12:00", Call(pb::CONTACT_CHANNEL_PHONE),
                       absl::StatusCode::kFailedPrecondition, "CHANNEL_NOT_ALLOWED");
  scenario.ThenAccepts("2026-05-14 12:00", Call(pb::CONTACT_CHANNEL_SMS));
}

TEST(ContactTermsTest, ConsentByChannelAndPurpose) {
  Scenario scenario(ShippedPolicy("contact-channels"));
  scenario.Given("2026-05-01", Registered("liu"));
  const auto refused = [&](const pb::Event& event) {
    return RefusalRuleId(scenario.WhenProposed("2026-05-10 10:00", event).status());
  };
  EXPECT_EQ(refused(Call(pb::CONTACT_CHANNEL_MAIL)), "contact-channels.email-consent");
  EXPECT_EQ(refused(Call(pb::CONTACT_CHANNEL_SMS, "product")), "contact-channels.sms-product-notice");
  EXPECT_EQ(refused(Call(pb::CONTACT_CHANNEL_SMS, "cold")), "contact-channels.no-cold-sms");
  scenario.ThenAccepts("2026-05-10", Call(pb::CONTACT_CHANNEL_SMS, "care"));
  pb::Event notified;
  notified.mutable_customer_notified()->set_customer_id("c1");
  notified.mutable_customer_notified()->set_channel(pb::CONTACT_CHANNEL_SMS);
  notified.mutable_customer_notified()->set_cause("promotion");
  EXPECT_EQ(refused(notified), "contact-channels.sms-product-notice");

  scenario.Given("2026-05-02", Consent("mail", true));
  scenario.Given("2026-05-03", Consent("sms", true));
  scenario.ThenAccepts("2026-05-10", Call(pb::CONTACT_CHANNEL_MAIL));
  scenario.ThenAccepts("2026-05-10", Call(pb::CONTACT_CHANNEL_SMS, "product"));
  scenario.ThenAccepts("2026-05-10", notified);
  EXPECT_EQ(refused(Call(pb::CONTACT_CHANNEL_SMS, "cold")), "contact-channels.no-cold-sms");
  scenario.Given("2026-05-04", Consent("mail", false));
  EXPECT_EQ(refused(Call(pb::CONTACT_CHANNEL_MAIL)), "contact-channels.email-consent");
}

TEST(ContactTermsTest, NumbersFromABoughtListGetNoMessages) {
  Scenario scenario(ShippedPolicy("contact-channels"));
  pb::Event registered = Registered("liu");
  registered.mutable_customer_registered()->set_source("bought list");
  scenario.Given("2026-05-01", registered);
  const auto refusal = scenario.WhenProposed("2026-05-10", Call(pb::CONTACT_CHANNEL_SMS, "care")).status();
  EXPECT_EQ(RefusalRuleId(refusal), "contact-channels.no-cold-sms");
  scenario.ThenAccepts("2026-05-10", Call(pb::CONTACT_CHANNEL_PHONE));
}

TEST(ContactTermsTest, ARefusalHoldsUntilItsTime) {
  pb::Policy policy = ShippedPolicy("default");
  policy.mutable_call_back()->set_refusal_holds(true);
  policy.mutable_call_back()->set_refusal_rule_id("p.refusal");
  Scenario scenario(policy);
  scenario.Given("2026-05-01", Registered("liu"));
  scenario.Given("2026-05-02", ContactAgreeing("liu", "2026-06-01 10:00", pb::CONTACT_OUTCOME_REFUSED));
  EXPECT_EQ(scenario.CallbackAt("2026-05-03"), "2026-06-01 10:00:00");
  EXPECT_EQ(LocalText(CallbackOf(scenario, "2026-05-03").refused_until_time()), "2026-06-01 10:00:00");
  const auto refusal = scenario.WhenProposed("2026-06-01 09:59:59", Call(pb::CONTACT_CHANNEL_PHONE)).status();
  EXPECT_EQ(RefusalRuleId(refusal), "p.refusal");
  scenario.ThenAccepts("2026-06-01 10:00", Call(pb::CONTACT_CHANNEL_PHONE));
  scenario.ThenAccepts("2026-05-20", Call(pb::CONTACT_CHANNEL_PHONE, "", pb::DIRECTION_INBOUND));
}

}  // namespace
}  // namespace ledger::rules::testing
