#include "projections/policy/timeline.h"

#include <gtest/gtest.h>

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

absl::Time At(int day, int hour = 0) {
  return absl::FromCivil(absl::CivilHour(2026, 1, day, hour), absl::UTCTimeZone());
}

google::protobuf::Timestamp Stamp(absl::Time time) {
  google::protobuf::Timestamp stamp;
  stamp.set_seconds(absl::ToUnixSeconds(time));
  return stamp;
}

class TimelineTest : public testing::Test {
 protected:
  pb::Record Record(absl::Time time) {
    pb::Record record;
    record.mutable_header()->set_position(++position_);
    *record.mutable_header()->mutable_recorded_time() = Stamp(time);
    *record.mutable_event()->mutable_occurred_time()->mutable_time() = Stamp(time);
    return record;
  }
  void Adopt(const char* id, absl::Time recorded, const absl::Time* effective) {
    pb::Record record = Record(recorded);
    pb::PolicyAdopted* adopted = record.mutable_event()->mutable_policy_adopted();
    adopted->mutable_policy()->set_id(id);
    if (effective != nullptr) *adopted->mutable_effective_time()->mutable_time() = Stamp(*effective);
    timeline_.Apply(record);
  }
  void Staff(const char* id, pb::StaffStatus status, absl::Time time) {
    pb::Record record = Record(time);
    record.mutable_event()->mutable_staff_status_changed()->set_staff_id(id);
    record.mutable_event()->mutable_staff_status_changed()->set_status(status);
    timeline_.Apply(record);
  }

  Timeline timeline_;
  uint64_t position_ = 0;
};

TEST_F(TimelineTest, TheFirstPolicyReachesBackForEverAndOthersAreNeverBackDated) {
  EXPECT_TRUE(timeline_.empty());
  Adopt("one", At(10), nullptr);
  const absl::Time early = At(5), late = At(20);
  Adopt("two", At(12), &early);
  Adopt("three", At(13), &late);
  EXPECT_EQ(timeline_.PolicyAt(absl::InfinitePast()).policy.id(), "one");
  EXPECT_EQ(timeline_.PolicyAt(At(11, 23)).policy.id(), "one");
  EXPECT_EQ(timeline_.PolicyAt(At(12)).policy.id(), "two");
  EXPECT_EQ(timeline_.PolicyAt(At(19, 23)).policy.id(), "two");
  EXPECT_EQ(timeline_.PolicyAt(At(20)).policy.id(), "three");
  EXPECT_EQ(timeline_.Latest().number, 3u);
  EXPECT_EQ(timeline_.Version(2)->policy.id(), "two");
  EXPECT_EQ(timeline_.Version(0), nullptr);
  EXPECT_EQ(timeline_.Version(4), nullptr);
}

TEST_F(TimelineTest, StaffStatusFollowsOccurredTimeAlsoWhenRecordedLate) {
  Staff("liu", pb::STAFF_STATUS_LEFT, At(20));
  Staff("liu", pb::STAFF_STATUS_ACTIVE, At(10));
  EXPECT_EQ(timeline_.StaffStatusAt("liu", At(9)), pb::STAFF_STATUS_UNSPECIFIED);
  EXPECT_EQ(timeline_.StaffStatusAt("liu", At(15)), pb::STAFF_STATUS_ACTIVE);
  EXPECT_EQ(timeline_.StaffStatusAt("liu", At(20)), pb::STAFF_STATUS_LEFT);
  EXPECT_EQ(timeline_.StaffStatusAt("wang", At(20)), pb::STAFF_STATUS_UNSPECIFIED);
  EXPECT_EQ(timeline_.staff().at("liu").status(), pb::STAFF_STATUS_ACTIVE);  // what was said last
}

TEST_F(TimelineTest, AChangeThatNamesNoRoleOrUnitLeavesThem) {
  EXPECT_FALSE(timeline_.StaffAt("liu", At(10)).has_value());
  pb::Record record = Record(At(10));
  pb::StaffStatusChanged* joined = record.mutable_event()->mutable_staff_status_changed();
  joined->set_staff_id("liu");
  joined->set_status(pb::STAFF_STATUS_TRIAL);
  joined->set_role("salesperson");
  joined->set_unit_id("north");
  joined->set_mentor_id("wang");
  timeline_.Apply(record);
  Staff("liu", pb::STAFF_STATUS_LONG_LEAVE, At(20));
  EXPECT_FALSE(timeline_.StaffAt("liu", At(9)).has_value());
  EXPECT_EQ(timeline_.StaffAt("liu", At(10))->mentor_id, "wang");
  EXPECT_EQ(timeline_.StaffAt("liu", At(20))->status, pb::STAFF_STATUS_LONG_LEAVE);
  EXPECT_EQ(timeline_.StaffAt("liu", At(20))->role, "salesperson");
  EXPECT_EQ(timeline_.StaffAt("liu", At(20))->unit_id, "north");
  EXPECT_EQ(timeline_.StaffAt("liu", At(20))->mentor_id, "");
}

TEST_F(TimelineTest, WorkdaysFollowThePublishedCalendar) {
  const absl::CivilDay saturday(2026, 1, 3), monday(2026, 1, 5);
  EXPECT_FALSE(timeline_.IsWorkday("cn", saturday));
  EXPECT_TRUE(timeline_.IsWorkday("cn", monday));
  pb::Record record = Record(At(1));
  pb::CalendarPublished* published = record.mutable_event()->mutable_calendar_published();
  published->set_calendar_id("cn");
  published->set_year(2026);
  pb::CivilDate* holiday = published->add_holidays();
  holiday->set_year(2026), holiday->set_month(1), holiday->set_day(5);
  pb::CivilDate* makeup = published->add_makeup_workdays();
  makeup->set_year(2026), makeup->set_month(1), makeup->set_day(3);
  timeline_.Apply(record);
  EXPECT_TRUE(timeline_.IsWorkday("cn", saturday));
  EXPECT_FALSE(timeline_.IsWorkday("cn", monday));
  EXPECT_TRUE(timeline_.IsWorkday("other", monday));
  EXPECT_EQ(timeline_.position(), 1u);
}

TEST_F(TimelineTest, PassesOverOtherRecords) {
  pb::Record record = Record(At(1));
  record.mutable_event()->mutable_contact_logged()->set_customer_id("c1");
  timeline_.Apply(record);
  EXPECT_EQ(timeline_.position(), 0u);
  EXPECT_FALSE(Timeline::IsReference(pb::Event::kContactLogged));
  EXPECT_TRUE(Timeline::IsReference(pb::Event::kPolicyAdopted));
}

}  // namespace
}  // namespace ledger::policy
