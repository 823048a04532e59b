#include <google/protobuf/text_format.h>

#include <fstream>
#include <future>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/services/ledger/writer_fixture.h"

// Visitors of a site are given to its staff as they are written.
namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using Outcome = absl::StatusOr<pb::AppendResponse>;

pb::Policy OfficePolicy() {
  std::ifstream file(std::string(LEDGER_POLICIES) + "/property-sales-office.textproto");
  std::stringstream text;
  text << file.rdbuf();
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text.str(), &policy));
  return policy;
}

class ReceptionWriterTest : public WriterTest {
 protected:
  void SetUp() override {
    WriterTest::SetUp();
    CreateLedger("l", false, OfficePolicy());
    pb::AppendRequest rotation = OfSite("rotation");
    pb::RotationSet* set = rotation.mutable_events(0)->mutable_event()->mutable_rotation_set();
    set->set_site_id("hall");
    for (const char* staff : {"ann", "bo", "cy"}) set->add_staff_ids(staff);
    const Outcome rotated = Append(rotation);
    ASSERT_TRUE(rotated.ok()) << rotated.status();
  }

  static pb::AppendRequest OfSite(const std::string& id) {
    pb::AppendRequest request = Contact(id, "c-0", "liu");
    request.mutable_events(0)->mutable_event()->clear_contact_logged();
    request.mutable_checks(0)->mutable_subject()->set_kind(pb::SUBJECT_KIND_SITE);
    request.mutable_checks(0)->mutable_subject()->set_id("hall");
    return request;
  }

  static pb::AppendRequest Visit(const std::string& id, const std::string& customer) {
    pb::AppendRequest request = Contact(id, customer, "liu");
    pb::VisitLogged* visit = request.mutable_events(0)->mutable_event()->mutable_visit_logged();
    visit->set_customer_id(customer);
    visit->set_visit_id(id);
    visit->set_direction(pb::DIRECTION_INBOUND);
    visit->set_came_before(pb::CAME_BEFORE_NO);
    visit->set_site_id("hall");
    return request;
  }

  pb::Record ReceptionOf(const Outcome& outcome) {
    EXPECT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_EQ(outcome->events_size(), 2);
    return RecordAt(outcome->events(1).position());
  }
  std::string ReceiverOf(const Outcome& outcome) {
    return ReceptionOf(outcome).event().reception_assigned().staff_id();
  }
};

TEST_F(ReceptionWriterTest, AVisitorIsGivenToTheNextInTurn) {
  const pb::Record reception = ReceptionOf(Append(Visit("v-1", "c-1")));
  EXPECT_EQ(reception.event().reception_assigned().staff_id(), "ann");
  EXPECT_TRUE(reception.header().derived());
  EXPECT_EQ(reception.header().rule_id(), "property-sales-office.rotation-order");
  EXPECT_EQ(reception.header().caused_by(), reception.header().position() - 1);
  EXPECT_EQ(ReceiverOf(Append(Visit("v-2", "c-2"))), "bo");
}

TEST_F(ReceptionWriterTest, TwoVisitorsInsideOneGroupCommitGetTwoPeople) {
  gated_->Close();
  std::promise<Outcome> blocker;
  ASSERT_TRUE(Submit(Visit("block", "c-0"), [&](Outcome o) { blocker.set_value(std::move(o)); }).ok());
  gated_->AwaitCommitAtGate();
  std::promise<Outcome> first;
  std::promise<Outcome> second;
  ASSERT_TRUE(Submit(Visit("v-1", "c-1"), [&](Outcome o) { first.set_value(std::move(o)); }).ok());
  ASSERT_TRUE(Submit(Visit("v-2", "c-2"), [&](Outcome o) { second.set_value(std::move(o)); }).ok());
  gated_->Open();
  EXPECT_EQ(ReceiverOf(blocker.get_future().get()), "ann");
  EXPECT_EQ(ReceiverOf(first.get_future().get()), "bo");
  EXPECT_EQ(ReceiverOf(second.get_future().get()), "cy");
}

TEST_F(ReceptionWriterTest, TheTurnOutlivesARestart) {
  EXPECT_EQ(ReceiverOf(Append(Visit("v-1", "c-1"))), "ann");
  Restart();
  EXPECT_EQ(ReceiverOf(Append(Visit("v-2", "c-2"))), "bo");
}

TEST_F(ReceptionWriterTest, TwoVisitsOfOneRequestTakeTwoTurns) {
  pb::AppendRequest request = Visit("v-1", "c-1");
  const pb::AppendRequest other = Visit("v-2", "c-2");
  *request.add_events() = other.events(0);
  *request.add_checks() = other.checks(0);
  const Outcome outcome = Append(request);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->events_size(), 4);
  EXPECT_EQ(RecordAt(outcome->events(1).position()).event().reception_assigned().staff_id(), "ann");
  EXPECT_EQ(RecordAt(outcome->events(3).position()).event().reception_assigned().staff_id(), "bo");
}

}  // namespace
}  // namespace ledger::services
