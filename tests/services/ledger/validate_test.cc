#include "services/ledger/validate.h"

#include <functional>
#include <string>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::StartsWith;

pb::AppendRequest Good() {
  pb::AppendRequest request;
  request.set_ledger("l");
  request.set_request_id("r-1");
  pb::SubjectCheck& check = *request.add_checks();
  check.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  check.mutable_subject()->set_id("c-1");
  check.mutable_any();
  pb::Event& event = *request.add_events()->mutable_event();
  event.mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
  event.mutable_contact_logged()->set_customer_id("c-1");
  return request;
}

struct BadCase {
  std::string name;
  std::string reason;
  std::function<void(pb::AppendRequest&)> spoil;
};

class ValidateBadTest : public ::testing::TestWithParam<BadCase> {};

TEST_P(ValidateBadTest, IsRefusedWithItsReason) {
  pb::AppendRequest request = Good();
  GetParam().spoil(request);
  const absl::Status status = ValidateAppend(request, false, absl::Now());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), StartsWith(GetParam().reason + ": "));
}

pb::Event& EventOf(pb::AppendRequest& request) { return *request.mutable_events(0)->mutable_event(); }

INSTANTIATE_TEST_SUITE_P(
    All, ValidateBadTest,
    ::testing::Values(
        BadCase{"NoRequestId", "BAD_ID", [](auto& r) { r.clear_request_id(); }},
        BadCase{"LongRequestId", "BAD_ID", [](auto& r) { r.set_request_id(std::string(129, 'x')); }},
        BadCase{"NoEvents", "BAD_REQUEST", [](auto& r) { r.clear_events(); }},
        BadCase{"TooManyEvents", "BAD_REQUEST",
                [](auto& r) {
                  for (int i = 0; i < kEventsMax; ++i) *r.add_events() = r.events(0);
                }},
        BadCase{"NoBody", "UNKNOWN_EVENT_TYPE", [](auto& r) { EventOf(r).clear_body(); }},
        BadCase{"UnknownBody", "UNKNOWN_EVENT_TYPE",
                [](auto& r) {
                  EventOf(r).clear_body();
                  EventOf(r).GetReflection()->MutableUnknownFields(&EventOf(r))->AddLengthDelimited(449, "");
                }},
        BadCase{"UnknownField", "UNKNOWN_FIELD",
                [](auto& r) {
                  auto& contact = *EventOf(r).mutable_contact_logged();
                  contact.GetReflection()->MutableUnknownFields(&contact)->AddVarint(77, 1);
                }},
        BadCase{"ServerOnly", "SET_BY_SERVER", [](auto& r) { EventOf(r).mutable_ledger_created(); }},
        BadCase{"NoTime", "BAD_TIME", [](auto& r) { EventOf(r).clear_occurred_time(); }},
        BadCase{
            "AncientTime", "BAD_TIME",
            [](auto& r) { EventOf(r).mutable_occurred_time()->mutable_time()->set_seconds(-3'000'000'000); }},
        BadCase{
            "FutureTime", "BAD_TIME",
            [](auto& r) { EventOf(r).mutable_occurred_time()->mutable_time()->set_seconds(5'000'000'000); }},
        BadCase{"AbsurdOffset", "BAD_TIME",
                [](auto& r) { EventOf(r).mutable_occurred_time()->set_utc_offset_seconds(100'000); }},
        BadCase{
            "AbsurdPlan", "BAD_TIME",
            [](auto& r) {
              EventOf(r).mutable_contact_logged()->mutable_next_contact_time()->mutable_time()->set_seconds(
                  90'000'000'000);
            }},
        BadCase{"LongNote", "TOO_LONG", [](auto& r) { EventOf(r).set_note(std::string(5000, 'n')); }},
        BadCase{"LargeEvent", "TOO_LARGE",
                [](auto& r) { EventOf(r).mutable_contact_logged()->set_content(std::string(70'000, 'x')); }},
        BadCase{"LongText", "TOO_LONG",
                [](auto& r) { EventOf(r).mutable_contact_logged()->set_content(std::string(20'000, 'x')); }},
        BadCase{"ZeroByte", "BAD_TEXT",
                [](auto& r) { EventOf(r).mutable_contact_logged()->set_content(std::string("a\0b", 3)); }},
        BadCase{"UnknownEnum", "UNKNOWN_VALUE",
                [](auto& r) {
                  EventOf(r).mutable_contact_logged()->set_channel(static_cast<pb::ContactChannel>(99));
                }},
        BadCase{"EmptyCustomer", "BAD_ID",
                [](auto& r) { EventOf(r).mutable_contact_logged()->clear_customer_id(); }},
        BadCase{"ControlInId", "BAD_ID",
                [](auto& r) { EventOf(r).mutable_contact_logged()->set_customer_id("c\n1"); }},
        BadCase{"EvidenceWithoutProducer", "PRODUCER_MISSING",
                [](auto& r) { EventOf(r).mutable_evidence()->set_source("s"); }},
        BadCase{"NoCheck", "CHECK_MISSING", [](auto& r) { r.clear_checks(); }},
        BadCase{"NoCondition", "BAD_CHECK", [](auto& r) { r.mutable_checks(0)->clear_condition(); }},
        BadCase{"VersionZero", "BAD_CHECK", [](auto& r) { r.mutable_checks(0)->set_version(0); }},
        BadCase{"CheckTwice", "BAD_CHECK", [](auto& r) { *r.add_checks() = r.checks(0); }},
        BadCase{"CheckOfContactPoint", "BAD_CHECK",
                [](auto& r) {
                  r.mutable_checks(0)->mutable_subject()->set_kind(pb::SUBJECT_KIND_CONTACT_POINT);
                }},
        BadCase{"EmptyContactPoint", "BAD_CONTACT_POINT",
                [](auto& r) { r.mutable_events(0)->mutable_personal()->add_contact_points(); }}),
    [](const auto& info) { return info.param.name; });

TEST(ValidateTest, TakesAGoodRequest) { EXPECT_TRUE(ValidateAppend(Good(), false, absl::Now()).ok()); }

TEST(ValidateTest, AnImportNeedsEvidenceAndNoRequestId) {
  pb::AppendRequest request = Good();
  request.clear_request_id();
  EXPECT_THAT(std::string(ValidateAppend(request, true, absl::Now()).message()),
              StartsWith("EVIDENCE_MISSING"));
  EventOf(request).mutable_evidence()->set_source("s");
  EXPECT_TRUE(ValidateAppend(request, true, absl::Now()).ok());
}

TEST(ValidateTest, LedgerNames) {
  EXPECT_TRUE(ValidateLedgerName("demo-1.a_b").ok());
  for (const char* bad : {"", "Demo", "-x", "a b", "a/b"}) EXPECT_FALSE(ValidateLedgerName(bad).ok()) << bad;
  EXPECT_FALSE(ValidateLedgerName(std::string(65, 'a')).ok());
}

}  // namespace
}  // namespace ledger::services
