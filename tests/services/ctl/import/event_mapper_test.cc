#include "services/ctl/import/event_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ctl/import/mapping_file.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kMapping[] = R"(
  jsonl {}
  customer { field: "who" prefix: "a-" }
  owner { field: "by" ignored: "desk" }
  time { field: "at" }
  activity { fields: "what" fields: "how" }
  attribute_fields: "x"
  attribute_fields: "y"
  note_fields: "n"
  rules { activities: "call" contact { channel: CONTACT_CHANNEL_PHONE direction: DIRECTION_OUTBOUND } }
  rules { activities: "visit/home" visit { direction: DIRECTION_OUTBOUND on_site: true } }
  rules { activities: "grade" grade { scheme: "s" class_field: "class" } }
  rules { activities: "lost" activities: "gone" grade { scheme: "s" fixed_class: "C" } }
  rules { activities: "deal"
          deal { kind: DEAL_KIND_SALE amount_field: "money" currency_code: "CNY" decimals: 2 } }
  rules { activities: "order" deal { kind: DEAL_KIND_ORDER deal_id_field: "id" } }
  rules { activities: "new" registration { source_field: "x" } }
  rules { activities: "given" assignment {} }
  rules { activities: "noise" ignore {} }
)";

EventMapper Mapper(const std::string& text = kMapping) {
  auto mapper = EventMapper::Create(ParseMapping(text, "m").value(), "file.jsonl");
  EXPECT_TRUE(mapper.ok()) << mapper.status();
  return *std::move(mapper);
}

// A record of customer c1 by liu with `more` fields.
SourceRecord Record(SourceFields more) {
  SourceRecord record;
  record.number = 7;
  record.line = 9;
  record.fields = {{"who", "c1"}, {"by", "liu"}, {"at", "2026-03-02T09:00:00+08:00"}};
  record.fields.insert(record.fields.begin(), more.begin(), more.end());  // the first of a name counts
  return record;
}

pb::Event Map(SourceFields more) {
  const auto mapped = Mapper().Map(Record(std::move(more)));
  EXPECT_TRUE(mapped.ok()) << mapped.status();
  return mapped.ok() && mapped->has_value() ? (*mapped)->event() : pb::Event();
}

std::string ErrorOf(SourceFields more) {
  const auto mapped = Mapper().Map(Record(std::move(more)));
  EXPECT_EQ(mapped.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(mapped.status().message());
}

TEST(EventMapperTest, EveryEventIsEvidence) {
  const pb::Event event = Map({{"what", "call"}, {"n", "blue"}});
  EXPECT_EQ(event.evidence().source(), "file.jsonl");
  EXPECT_EQ(event.evidence().record_number(), 7U);
  EXPECT_EQ(event.evidence().recorded_owner().staff_id(), "liu");
  EXPECT_EQ(event.occurred_time().time().seconds(), 1772413200);
  EXPECT_EQ(event.occurred_time().utc_offset_seconds(), 28800);
  EXPECT_EQ(event.note(), "n=blue");
  EXPECT_EQ(EventMapper::CustomerOf(event), "a-c1");
}

TEST(EventMapperTest, ActivitiesBecomeWhatTheRulesSay) {
  const pb::Event call = Map({{"what", "call"}});
  EXPECT_EQ(call.contact_logged().customer_id(), "a-c1");
  EXPECT_EQ(call.contact_logged().staff_id(), "liu");
  EXPECT_EQ(call.contact_logged().channel(), pb::CONTACT_CHANNEL_PHONE);
  EXPECT_EQ(call.contact_logged().direction(), pb::DIRECTION_OUTBOUND);
  EXPECT_TRUE(Map({{"what", "visit"}, {"how", "home"}}).visit_logged().on_site());
  EXPECT_EQ(Map({{"what", "grade"}, {"class", "B"}}).grade_changed().to_class(), "B");
  EXPECT_EQ(Map({{"what", "gone"}}).grade_changed().to_class(), "C");
  const pb::Event deal = Map({{"what", "deal"}, {"money", "90071992547409.93"}});
  EXPECT_EQ(deal.deal_recorded().kind(), pb::DEAL_KIND_SALE);
  EXPECT_EQ(deal.deal_recorded().amount().minor_units(), 9007199254740993);
  EXPECT_EQ(deal.deal_recorded().amount().currency_code(), "CNY");
  EXPECT_EQ(deal.deal_recorded().deal_id(), "7");
  EXPECT_EQ(deal.deal_recorded().closed_by(), "liu");
  EXPECT_EQ(Map({{"what", "order"}, {"id", "o-5"}}).deal_recorded().deal_id(), "o-5");
  EXPECT_FALSE(Map({{"what", "order"}, {"id", "o-5"}}).deal_recorded().has_amount());
  EXPECT_EQ(Map({{"what", "new"}, {"x", "fair"}}).customer_registered().registrar_id(), "liu");
  EXPECT_EQ(Map({{"what", "new"}, {"x", "fair"}}).customer_registered().source(), "fair");
  EXPECT_EQ(Map({{"what", "given"}}).owner_assigned().owner().staff_id(), "liu");
}

TEST(EventMapperTest, TheRestBecomesFactsWithTheChosenFields) {
  const pb::Event fact = Map({{"what", "call"}, {"how", "twice"}, {"x", "1"}, {"z", "3"}});
  EXPECT_EQ(fact.activity_recorded().customer_id(), "a-c1");
  EXPECT_EQ(fact.activity_recorded().activity(), "call/twice");
  EXPECT_EQ(fact.activity_recorded().staff_id(), "liu");
  EXPECT_THAT(fact.activity_recorded().attributes(), UnorderedElementsAre(Pair("x", "1")));
}

TEST(EventMapperTest, AnIgnoredOwnerActsAndDoesNotOwn) {
  const pb::Event event = Map({{"what", "call"}, {"by", "desk"}});
  EXPECT_FALSE(event.evidence().has_recorded_owner());
  EXPECT_EQ(event.contact_logged().staff_id(), "desk");
  EXPECT_FALSE(Map({{"what", "call"}, {"by", ""}}).evidence().has_recorded_owner());
}

TEST(EventMapperTest, AnIgnoredActivityGivesNothing) {
  const auto mapped = Mapper().Map(Record({{"what", "noise"}}));
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_FALSE(mapped->has_value());
}

TEST(EventMapperTest, TheFirstRuleThatNamesAnActivityCounts) {
  const std::string head =
      "jsonl {} customer { field: 'who' } time { field: 'at' } activity { fields: 'what' } ";
  const EventMapper mapper = Mapper(head +
                                    "rules { activities: 'a' fact {} } rules { ignore {} } "
                                    "rules { activities: 'b' fact {} }");
  EXPECT_TRUE(mapper.Map(Record({{"what", "a"}})).value().has_value());
  EXPECT_FALSE(mapper.Map(Record({{"what", "b"}})).value().has_value());
  EXPECT_FALSE(mapper.Map(Record({{"what", "c"}})).value().has_value());
}

TEST(EventMapperTest, CaseFieldsAreFoundBehindTheRecordsOwn) {
  SourceRecord record = Record({{"what", "call"}});
  record.case_fields = {{"case:x", "1"}};
  const EventMapper mapper =
      Mapper("xes {} customer { field: 'case:x' } time { field: 'at' } activity { fields: 'what' }");
  EXPECT_EQ(EventMapper::CustomerOf(mapper.Map(record).value()->event()), "1");
}

TEST(EventMapperTest, WhatCannotBecomeAnEventSaysWhy) {
  EXPECT_THAT(ErrorOf({{"what", "call"}, {"who", ""}}), HasSubstr("'who' is empty"));
  EXPECT_THAT(ErrorOf({{"what", "call"}, {"who", std::string(127, 'x')}}), HasSubstr("1 to 128 bytes"));
  EXPECT_THAT(ErrorOf({{"what", "call"}, {"who", "a\tb"}}), HasSubstr("control characters"));
  EXPECT_THAT(ErrorOf({{"what", "call"}, {"by", std::string(129, 'x')}}), HasSubstr("owner's id"));
  EXPECT_THAT(ErrorOf({{"what", "call"}, {"at", "noon"}}), HasSubstr("ISO 8601"));
  EXPECT_THAT(ErrorOf({{"what", "deal"}}), HasSubstr("'money' is missing"));
  EXPECT_THAT(ErrorOf({{"what", "deal"}, {"money", "1.005"}}), HasSubstr("more than 2 decimals"));
  EXPECT_THAT(ErrorOf({{"what", "grade"}}), HasSubstr("'class' is missing"));
  EXPECT_THAT(ErrorOf({{"what", "new"}, {"by", ""}}), HasSubstr("who registered"));
  EXPECT_THAT(ErrorOf({{"what", "given"}, {"by", ""}}), HasSubstr("names no owner"));
  EXPECT_THAT(ErrorOf({{"what", ""}}), HasSubstr("activity is empty"));
  EXPECT_THAT(ErrorOf({{"what", "z"}, {"n", std::string(4096, 'x')}}), HasSubstr("note"));
  EXPECT_THAT(ErrorOf({{"what", "z"}, {"x", std::string(16385, 'x')}}), HasSubstr("at most 16384"));
  EXPECT_THAT(ErrorOf({{"what", "z"}, {"x", std::string(1, '\0')}}), HasSubstr("zero byte"));
  EXPECT_THAT(ErrorOf({{"what", "call"}, {"who", "liu@example.com"}}), HasSubstr("opaque id"));
}

TEST(EventMapperTest, ANumberAsDialledInTheLedgersRegionIsNoId) {
  Mapping mapping = ParseMapping(kMapping, "m").value();
  mapping.mutable_customer()->clear_prefix();
  const SourceRecord record = Record({{"what", "call"}, {"who", "13912345678"}});
  EXPECT_TRUE(EventMapper::Create(mapping, "f")->Map(record).ok());
  const auto refused = EventMapper::Create(mapping, "f", "CN")->Map(record);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("opaque id"));
}

TEST(EventMapperTest, AnEventMayHaveSixtyFourKibibytesInAll) {
  std::string text = "jsonl {} customer { field: 'who' } time { field: 'at' } activity { fixed: 'a' }";
  SourceFields fields;
  for (const char* name : {"f1", "f2", "f3", "f4"}) {
    text += std::string(" attribute_fields: '") + name + "'";
    fields.emplace_back(name, std::string(16384, 'x'));
  }
  const auto mapped = Mapper(text).Map(Record(fields));
  EXPECT_EQ(mapped.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(mapped.status().message()), HasSubstr("at most 65536"));
}

TEST(EventMapperTest, AMappingThatMakesNoSenseIsRefused) {
  const std::string head = "jsonl {} ";
  const std::string customer = "customer { field: 'c' } ";
  const std::string time = "time { field: 't' } ";
  const std::string activity = "activity { fixed: 'a' } ";
  const std::string all = head + customer + time + activity;
  const std::string civil = head + customer + activity + "time { field: 't' ";
  EXPECT_TRUE(EventMapper::Create(ParseMapping(all, "m").value(), "f").ok());
  EXPECT_TRUE(EventMapper::Create(ParseMapping(civil + "civil { format: '%Y' } }", "m").value(), "f").ok());
  for (const std::string& text :
       {head + time + activity, head + customer + activity, head + customer + time,
        head + customer + time + "activity { fixed: 'a' fields: 'b' }", all + "rules { activities: 'a' }",
        all + "rules { deal { amount_field: 'x' currency_code: 'CNY' } }",
        all + "rules { deal { kind: DEAL_KIND_SALE amount_field: 'x' } }",
        all + "rules { deal { kind: DEAL_KIND_SALE amount_field: 'x' currency_code: 'yen' } }",
        all + "rules { deal { kind: DEAL_KIND_SALE amount_field: 'x' currency_code: 'JPY' decimals: 7 } }",
        all + "rules { grade { scheme: 's' } }", all + "rules { grade { fixed_class: 'A' } }",
        civil + "civil {} }", civil + "civil { format: '%Y %Ez' } }",
        civil + "civil { format: '%Y' utc_offset_seconds: 70000 } }"}) {
    EXPECT_EQ(EventMapper::Create(ParseMapping(text, "m").value(), "f").status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace ledger::ctl
