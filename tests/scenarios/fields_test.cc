#include "tests/scenarios/fields.h"

#include <string>

#include "absl/strings/string_view.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/query_service.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

Reading China() {
  Reading reading;
  reading.utc_offset_seconds = 8 * 3600;
  reading.today = absl::CivilDay(2026, 3, 2);
  reading.positions["call"] = 7;
  return reading;
}

absl::Status Set(absl::string_view path, absl::string_view value, google::protobuf::Message* message) {
  return SetField(China(), path, value, false, message);
}

// What there is instead; "?" and the message where it makes no sense.
std::string Check(const std::string& key, const std::string& op, const std::string& value,
                  const google::protobuf::Message& message) {
  Word word;
  word.key = key;
  word.op = op;
  word.value = value;
  const absl::StatusOr<std::string> wrong = CheckField(China(), word, message);
  return wrong.ok() ? *wrong : "?" + std::string(wrong.status().message());
}

TEST(FieldsTest, SetsFieldsByShortNames) {
  pb::VisitLogged visit;
  EXPECT_TRUE(Set("staff", "A", &visit).ok());
  EXPECT_TRUE(Set("direction", "inbound", &visit).ok());
  EXPECT_TRUE(Set("named_staff", "B,C", &visit).ok());
  EXPECT_TRUE(Set("next_contact", "15:00", &visit).ok());
  EXPECT_TRUE(Set("on_site", "yes", &visit).ok());
  EXPECT_TRUE(Set("findings.budget", "high", &visit).ok());
  EXPECT_EQ(visit.staff_id(), "A");
  EXPECT_EQ(visit.direction(), pb::DIRECTION_INBOUND);
  EXPECT_EQ(visit.named_staff_ids_size(), 2);
  EXPECT_EQ(visit.next_contact_time().time().seconds(), 1772434800);  // 2026-03-02 07:00 UTC
  EXPECT_EQ(visit.next_contact_time().utc_offset_seconds(), 28800);
  EXPECT_TRUE(visit.on_site());
  EXPECT_EQ(visit.findings().at("budget"), "high");
}

TEST(FieldsTest, SetsMoneyOwnersSharesAndNumbersExactly) {
  pb::DealRecorded deal;
  EXPECT_TRUE(Set("amount", "10001.01CNY", &deal).ok());
  EXPECT_EQ(deal.amount().minor_units(), 1'000'101);
  EXPECT_TRUE(Set("bonus", "-5CNY", &deal).ok());
  EXPECT_EQ(deal.bonus().minor_units(), -500);
  pb::CreditAllocated credit;
  EXPECT_TRUE(Set("performance", "A:50%,unit:dept-1:12.5%", &credit).ok());
  EXPECT_EQ(credit.performance_shares(0).basis_points(), 5000);
  EXPECT_EQ(credit.performance_shares(1).holder().unit_id(), "dept-1");
  EXPECT_EQ(credit.performance_shares(1).basis_points(), 1250);
  pb::MetricRecorded metric;
  EXPECT_TRUE(Set("value", "20.1", &metric).ok());
  EXPECT_EQ(metric.value_milli(), 20'100);
  EXPECT_TRUE(Set("value_milli", "20", &metric).ok());
  EXPECT_EQ(metric.value_milli(), 20);
  pb::EventCorrected corrected;
  EXPECT_TRUE(Set("target_position", "@call", &corrected).ok());
  EXPECT_EQ(corrected.target_position(), 7U);
}

TEST(FieldsTest, ListsOfIdsMayBePlural) {
  pb::ListSubmitted list;
  EXPECT_TRUE(Set("customers", "G,H", &list).ok());
  EXPECT_EQ(list.customer_ids_size(), 2);
}

TEST(FieldsTest, RefusesWhatMakesNoSense) {
  pb::VisitLogged visit;
  pb::DealRecorded deal;
  EXPECT_THAT(Set("nonsense", "1", &visit).message(), HasSubstr("no field of VisitLogged"));
  EXPECT_THAT(Set("direction", "sideways", &visit).message(), HasSubstr("inbound, outbound"));
  EXPECT_THAT(Set("on_site", "maybe", &visit).message(), HasSubstr("true or false"));
  EXPECT_THAT(Set("next_contact", "soon", &visit).message(), HasSubstr("no instant"));
  EXPECT_THAT(Set("staff.name", "x", &visit).message(), HasSubstr("no fields of its own"));
  for (const char* money : {"12", "1.001CNY", "x CNY", "CNY", "1,00CNY", ".5CNY"}) {
    EXPECT_THAT(Set("amount", money, &deal).message(), HasSubstr("no amount")) << money;
  }
  pb::CreditAllocated credit;
  EXPECT_THAT(Set("bonus", "A", &credit).message(), HasSubstr("no share"));
  pb::EventCorrected corrected;
  EXPECT_THAT(Set("target_position", "@other", &corrected).message(), HasSubstr("label @other"));
  EXPECT_THAT(Set("target_position", "-1", &corrected).message(), HasSubstr("fits"));
}

TEST(FieldsTest, ComparesAnswers) {
  pb::GetOwnerResponse answer;
  pb::Ownership& one = *answer.add_ownerships();
  one.set_scope("S1");
  one.mutable_owner()->set_staff_id("A");
  one.mutable_owner()->set_level(pb::OWNER_LEVEL_CITY);
  one.set_state(pb::CUSTODY_STATE_OWNED);
  one.mutable_basis()->set_arithmetic("30 Nov + 3 months");
  one.mutable_basis()->add_positions(7);
  one.mutable_lapse_time()->set_seconds(1772294400);  // 2026-03-01 00:00 +08:00
  EXPECT_EQ(Check("ownerships[0].owner", "=", "A", answer), "");
  EXPECT_THAT(Check("ownerships[0].owner", "=", "B", answer), HasSubstr("staff_id: \"A\""));
  EXPECT_EQ(Check("ownerships[0].owner", "!=", "B", answer), "");
  EXPECT_EQ(Check("ownerships[scope=S1].state", "=", "owned", answer), "");
  EXPECT_EQ(Check("ownerships[scope=S1].state", "=", "pooled", answer), "owned");
  EXPECT_THAT(Check("ownerships[scope=S2].state", "=", "pooled", answer), HasSubstr("no entry [scope=S2]"));
  EXPECT_EQ(Check("ownerships[scope=S2]", "=", "none", answer), "");
  EXPECT_NE(Check("ownerships[scope=S1]", "=", "none", answer), "");
  EXPECT_EQ(Check("ownerships.count", "=", "1", answer), "");
  EXPECT_EQ(Check("ownerships.count", "=", "2", answer), "1");
  EXPECT_EQ(Check("ownerships[0].basis.arithmetic", "~", "3 months", answer), "");
  EXPECT_NE(Check("ownerships[0].basis.arithmetic", "~", "4 months", answer), "");
  EXPECT_EQ(Check("ownerships[0].basis.positions", "~", "@call", answer), "");
  EXPECT_NE(Check("ownerships[0].basis.positions", "~", "8", answer), "");
  EXPECT_EQ(Check("ownerships[0].lapse", "=", "2026-02-28T24:00", answer), "");
  EXPECT_EQ(Check("ownerships[0].lapse", "=", "none", answer), "2026-03-01 00:00:00");
  EXPECT_EQ(Check("ownerships[0].transfer", "=", "none", answer), "");
  EXPECT_EQ(Check("ownerships[0].owner", "=", "{level: OWNER_LEVEL_CITY}", answer), "");
  EXPECT_NE(Check("ownerships[0].owner", "=", "{level: OWNER_LEVEL_AREA}", answer), "");
}

TEST(FieldsTest, ADueTimeIsTheLastInstantInTime) {
  pb::Callback callback;
  callback.mutable_due_time()->set_seconds(1772294399);  // 2026-02-28 23:59:59 +08:00
  EXPECT_EQ(Check("due", "=", "2026-02-28T24:00", callback), "");
  EXPECT_NE(Check("due", "=", "2026-03-01T00:00", callback), "");
}

TEST(FieldsTest, TellsWrongWordsFromWrongAnswers) {
  const pb::GetOwnerResponse empty;
  EXPECT_THAT(Check("owner", "=", "A", empty), HasSubstr("?\"owner\" is no field of GetOwnerResponse"));
  EXPECT_THAT(Check("ownerships[0].ownr", "=", "A", empty), HasSubstr("?\"ownr\" is no field of Ownership"));
  EXPECT_THAT(Check("ownerships[colour=red].owner", "=", "A", empty), HasSubstr("?\"colour\" is no field"));
  EXPECT_THAT(Check("ownerships.owner", "=", "A", empty), HasSubstr("?ownerships is a list"));
  EXPECT_THAT(Check("ownerships[0].state", "=", "happy", empty), HasSubstr("?\"happy\" is none of"));
  EXPECT_THAT(Check("ownerships[0]", "=", "x", empty), HasSubstr("?of an entry as a whole"));
  EXPECT_THAT(Check("context[0]", "=", "none", empty), HasSubstr("?context is no list"));
  EXPECT_THAT(Check("ownerships[0.owner", "=", "A", empty), HasSubstr("?"));
}

TEST(FieldsTest, ShowsInstantsInLocalTimeAndPositionsWithoutLineage) {
  pb::GetHistoryResponse answer;
  answer.mutable_context()->mutable_position()->set_position(9);
  answer.mutable_context()->mutable_position()->set_lineage("random");
  answer.add_entries()->mutable_business_time()->set_seconds(1772294400);
  answer.mutable_entries(0)->mutable_who();
  answer.mutable_entries(0)->add_changes("owner: none -> 李");
  EXPECT_EQ(Show(China(), answer),
            "context {\n  position: 9\n}\nentries {\n  business_time: 2026-03-01 00:00:00\n"
            "  changes: \"owner: none -> 李\"\n  who {\n  }\n}\n");
}

TEST(FieldsTest, ChangesPolicies) {
  pb::Policy policy;
  pb::GradeScheme& scheme = *policy.add_grade_schemes();
  scheme.set_name("intent");
  scheme.add_classes()->set_name("H");
  EXPECT_TRUE(SetFromText("lapse.dormancy.period", "{ months: 4 }", &policy).ok());
  EXPECT_EQ(policy.lapse().dormancy().period().months(), 4U);
  EXPECT_TRUE(SetFromText("lapse.dormancy.period.days", "9", &policy).ok());
  EXPECT_EQ(policy.lapse().dormancy().period().days(), 9U);
  EXPECT_TRUE(SetFromText("grade_schemes[name=intent].hidden_from_customer", "true", &policy).ok());
  EXPECT_TRUE(policy.grade_schemes(0).hidden_from_customer());
  EXPECT_TRUE(SetFromText("grade_schemes[0].classes", "{ name: \"A\" }", &policy).ok());
  EXPECT_EQ(policy.grade_schemes(0).classes_size(), 2);
  EXPECT_TRUE(SetFromText("grade_schemes[0].classes[name=H]", "none", &policy).ok());
  EXPECT_EQ(policy.grade_schemes(0).classes(0).name(), "A");
  EXPECT_TRUE(SetFromText("lapse.dormancy", "none", &policy).ok());
  EXPECT_FALSE(policy.lapse().has_dormancy());
  EXPECT_THAT(SetFromText("lapse.sleep", "1", &policy).message(), HasSubstr("no field of Lapse"));
  EXPECT_THAT(SetFromText("grade_schemes[4].name", "\"x\"", &policy).message(), HasSubstr("no entry [4]"));
  EXPECT_THAT(SetFromText("title", "no quotes", &policy).message(), HasSubstr("no quotes"));
}

}  // namespace
}  // namespace ledger::scenarios
