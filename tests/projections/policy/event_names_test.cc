#include "projections/policy/event_names.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

std::vector<std::string> Names(const pb::Event& event) {
  std::vector<std::string> names;
  for (const pb::Subject& subject : SubjectsOf(event)) {
    names.push_back(pb::SubjectKind_Name(subject.kind()).substr(13) + ":" + subject.id());
  }
  return names;
}

TEST(EventNamesTest, NamesAndNumbersAgreeForEveryBody) {
  const auto* oneof = pb::Event::descriptor()->FindOneofByName("body");
  ASSERT_GT(oneof->field_count(), 60);
  for (int i = 0; i < oneof->field_count(); ++i) {
    const uint32_t number = oneof->field(i)->number();
    EXPECT_EQ(EventTypeByName(EventName(number)), number);
  }
  EXPECT_EQ(EventName(200), "customer_registered");
  EXPECT_EQ(EventName(199), "");
  EXPECT_EQ(EventName(4'000'000'000u), "");
  EXPECT_EQ(EventTypeByName("note"), 0u);
}

TEST(SubjectsTest, EveryBodyHasASubject) {
  const auto* oneof = pb::Event::descriptor()->FindOneofByName("body");
  for (int i = 0; i < oneof->field_count(); ++i) {
    pb::Event event;
    event.GetReflection()->MutableMessage(&event, oneof->field(i));
    EXPECT_FALSE(SubjectsOf(event).empty()) << oneof->field(i)->name();
  }
  EXPECT_TRUE(SubjectsOf(pb::Event()).empty());
}

TEST(SubjectsTest, PrincipalFirstAndNoneTwice) {
  pb::Event event;
  event.mutable_contact_logged()->set_customer_id("c1");
  EXPECT_THAT(Names(event), testing::ElementsAre("CUSTOMER:c1"));
  EXPECT_EQ(CustomerIdOf(event), "c1");

  event.mutable_customers_merged()->set_customer_id("c1");
  event.mutable_customers_merged()->set_absorbed_customer_id("c2");
  EXPECT_THAT(Names(event), testing::ElementsAre("CUSTOMER:c1", "CUSTOMER:c2"));

  event.mutable_customers_linked()->set_customer_id("c1");
  event.mutable_customers_linked()->set_other_customer_id("c1");
  EXPECT_THAT(Names(event), testing::ElementsAre("CUSTOMER:c1"));

  event.mutable_claim_joined()->set_customer_id("c1");
  event.mutable_claim_joined()->set_claimant_customer_id("c9");
  EXPECT_THAT(Names(event), testing::ElementsAre("CUSTOMER:c1", "CUSTOMER:c9"));
}

TEST(SubjectsTest, EventsThatAreNotAboutACustomer) {
  pb::Event event;
  event.mutable_staff_status_changed()->set_staff_id("liu");
  EXPECT_THAT(Names(event), testing::ElementsAre("STAFF:liu"));
  event.mutable_rotation_set()->set_site_id("s1");
  EXPECT_THAT(Names(event), testing::ElementsAre("SITE:s1"));
  event.mutable_calendar_published()->set_calendar_id("cn");
  EXPECT_THAT(Names(event), testing::ElementsAre("CALENDAR:cn"));
  event.mutable_policy_adopted();
  EXPECT_THAT(Names(event), testing::ElementsAre("POLICY:policy"));
  event.mutable_ledger_created();
  EXPECT_THAT(Names(event), testing::ElementsAre("LEDGER:ledger"));
  event.mutable_case_opened()->set_case_id("k1");
  EXPECT_THAT(Names(event), testing::ElementsAre("RECORD:k1"));
  event.mutable_case_opened()->set_customer_id("c1");
  EXPECT_THAT(Names(event), testing::ElementsAre("CUSTOMER:c1"));
  event.mutable_list_submitted()->set_list_id("l1");
  EXPECT_THAT(Names(event), testing::ElementsAre("RECORD:l1"));
  event.mutable_reward_granted()->set_staff_id("liu");
  EXPECT_THAT(Names(event), testing::ElementsAre("STAFF:liu"));
  event.mutable_reward_granted()->set_customer_id("c1");
  EXPECT_THAT(Names(event), testing::ElementsAre("CUSTOMER:c1"));
  event.mutable_deadline_lapsed()->mutable_subject()->set_id("c1");
  EXPECT_THAT(Names(event), testing::ElementsAre("RECORD:deadline_lapsed"));
}

}  // namespace
}  // namespace ledger::policy
