#include "projections/rules/duty/duty.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "projections/rules/requirement/requirement.h"
#include "tests/projections/rules/testing.h"

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

pb::Event Said(const std::string& text) {
  pb::Event event;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &event)) << text;
  return event;
}

pb::Policy With(const std::string& text) {
  return PolicyFrom(R"(id: "p" phone_region: "CN" utc_offset_seconds: 28800 calendar_id: "cn" )" + text);
}

// "name state" of everything, as a customer's answer says it.
std::vector<std::string> DutiesAt(const Scenario& scenario, absl::string_view at) {
  std::vector<std::string> texts;
  for (const pb::DutyEntry& duty :
       ReadDuties(scenario.timeline(), DutyHolder(), scenario.StateAt(at), Local(at))) {
    std::string state = pb::DutyState_Name(duty.state()).substr(std::string("DUTY_STATE_").size());
    texts.push_back(absl::StrCat(duty.name(), " ", state, duty.has_due_time() ? " " : "",
                                 duty.has_due_time() ? LocalText(duty.due_time()) : ""));
  }
  return texts;
}

pb::DutyEntry Only(const Scenario& scenario, absl::string_view at) {
  const auto duties = ReadDuties(scenario.timeline(), DutyHolder(), scenario.StateAt(at), Local(at));
  EXPECT_EQ(duties.size(), 1u);
  return duties.empty() ? pb::DutyEntry() : duties[0];
}

constexpr char kComplaint[] = R"(
  duties { name: "settle" rule_id: "r.3-days" on { event: "complaint_filed" } by { period { days: 3 } }
           same_field: "complaint_id" done_by { event: "complaint_closed" }
           consequence { rule_id: "r.fine" amount { minor_units: 50000 currency_code: "CNY" }
                         borne_by: "head" borne_by: "staff" } }
  duties { name: "move" rule_id: "r.move" after_overdue: "settle"
           done_by { event: "transfer_completed" } done_by { event: "owner_assigned" } })";

TEST(DutyTest, OverdueFromTheFirstInstantAfterTheLastDay) {
  Scenario scenario(With(kComplaint));
  scenario.Given("2026-03-02 15:00", Said(R"(complaint_filed { customer_id: "c1" complaint_id: "k1" })"));
  EXPECT_THAT(DutiesAt(scenario, "2026-03-05 23:59:59"), ElementsAre("settle OPEN 2026-03-05 23:59:59"));
  EXPECT_THAT(DutiesAt(scenario, "2026-03-06"),
              ElementsAre("settle OVERDUE 2026-03-05 23:59:59", "move OPEN"));
  const auto duties =
      ReadDuties(scenario.timeline(), DutyHolder(), scenario.StateAt("2026-03-06"), Local("2026-03-06"));
  EXPECT_EQ(duties[0].consequence().amount().minor_units(), 50000);
  EXPECT_THAT(duties[0].consequence().borne_by(), ElementsAre("head", "staff"));
  EXPECT_EQ(duties[0].basis().arithmetic(), "2026-03-02 + 3 days = 2026-03-05 24:00");
  EXPECT_EQ(LocalText(duties[1].basis().since_time()), "2026-03-06 00:00:00");
  scenario.Given("2026-03-09 10:00", Assigned("chen"));
  EXPECT_THAT(DutiesAt(scenario, "2026-03-09 10:00"),
              ElementsAre("settle OVERDUE 2026-03-05 23:59:59", "move FULFILLED"));
}

TEST(DutyTest, DoneAtTheLastSecondIsInTimeAndOneSecondLaterIsLate) {
  struct Case {
    const char* closed;
    const char* state;
  };
  for (const Case& test : {Case{"2026-03-05 23:59:59", "settle FULFILLED 2026-03-05 23:59:59"},
                           Case{"2026-03-06 00:00:00", "settle LATE 2026-03-05 23:59:59"}}) {
    Scenario scenario(With(kComplaint));
    scenario.Given("2026-03-02 15:00", Said(R"(complaint_filed { customer_id: "c1" complaint_id: "k1" })"));
    scenario.Given("2026-03-03", Said(R"(complaint_closed { customer_id: "c1" complaint_id: "other" })"));
    scenario.Given(test.closed, Said(R"(complaint_closed { customer_id: "c1" complaint_id: "k1" })"));
    EXPECT_EQ(DutiesAt(scenario, "2026-03-07")[0], test.state);
  }
}

TEST(DutyTest, TheVersionInForceWhenItBecameDueGovernsIt) {
  Scenario scenario(With(kComplaint));
  scenario.Given("2026-03-02 15:00", Said(R"(complaint_filed { customer_id: "c1" complaint_id: "k1" })"));
  pb::Policy longer = With(kComplaint);
  longer.mutable_duties(0)->mutable_by()->mutable_period()->set_days(30);
  scenario.Adopt("2026-03-03", longer);
  scenario.Given("2026-03-04 15:00", Said(R"(complaint_filed { customer_id: "c1" complaint_id: "k2" })"));
  EXPECT_THAT(DutiesAt(scenario, "2026-03-06"), ElementsAre("settle OVERDUE 2026-03-05 23:59:59",
                                                            "settle OPEN 2026-04-03 23:59:59", "move OPEN"));
}

TEST(DutyTest, Deadlines) {
  struct Case {
    const char* by;
    const char* at;
    const char* due;
  };
  const Case cases[] = {
      {"same_day: true", "2026-03-02 15:00", "2026-03-02 23:59:59"},
      {"same_day: true at { hour: 18 }", "2026-03-02 18:00", "2026-03-02 18:00:00"},
      {"same_day: true at { hour: 18 }", "2026-03-02 18:00:01", "2026-03-03 18:00:00"},
      {"day_of_month: 10", "2026-03-10 15:00", "2026-03-10 23:59:59"},
      {"day_of_month: 10", "2026-03-11", "2026-04-10 23:59:59"},
      {"day_of_month: 31", "2026-02-11", "2026-02-28 23:59:59"},
      {"workday_of_month: 3", "2026-06-01", "2026-06-03 23:59:59"},
      {"workday_of_month: 3", "2026-06-04", "2026-07-03 23:59:59"},
      {"end_of: CALENDAR_UNIT_HALF_YEAR", "2026-06-30 23:00", "2026-06-30 23:59:59"},
      {"end_of: CALENDAR_UNIT_QUARTER", "2026-07-01", "2026-09-30 23:59:59"},
      {"end_of: CALENDAR_UNIT_WEEK", "2026-03-05", "2026-03-08 23:59:59"},
      {"period { hours: 12 }", "2026-02-01 21:00", "2026-02-02 09:00:00"},
      {"period { workdays: 5 }", "2026-04-02", "2026-04-09 23:59:59"},
      {R"(field: "due_time")", "2026-04-02", "2026-05-01 00:00:00"},
  };
  for (const Case& test : cases) {
    Scenario scenario(With(absl::StrCat(
        R"(duties { name: "d" rule_id: "r" on { event: "commitment_logged" }
           done_by { event: "commitment_settled" } by { )",
        test.by, " } }")));
    pb::Event event = Said(R"(commitment_logged { customer_id: "c1" commitment_id: "k" })");
    event.mutable_commitment_logged()->mutable_due_time()->mutable_time()->set_seconds(
        absl::ToUnixSeconds(Local("2026-05-01")));
    scenario.Given(test.at, event);
    EXPECT_EQ(LocalText(Only(scenario, test.at).due_time()), test.due) << test.by << " from " << test.at;
  }
}

constexpr char kLeaders[] = R"(
  duties { name: "quarterly" rule_id: "r.q" when { profile { field: "top_10" any_of: "yes" } }
           quota { each: CALENDAR_UNIT_QUARTER at_least: 1 }
           done_by { event: "visit_logged" where { field: "visitor_level" any_of: "leader" any_of: "top" } } }
  duties { name: "on-site" rule_id: "r.half" when { profile { field: "top_10" any_of: "yes" } }
           quota { each: CALENDAR_UNIT_YEAR share_where { field: "on_site" any_of: "true" }
                   share_basis_points: 5000 }
           done_by { event: "visit_logged" where { field: "visitor_level" any_of: "leader" any_of: "top" } } })";

pb::Event LeaderVisit(bool on_site) {
  pb::Event event = Said(R"(visit_logged { customer_id: "c1" visitor_level: VISITOR_LEVEL_LEADER })");
  event.mutable_visit_logged()->set_on_site(on_site);
  return event;
}

Scenario TopCustomer() {
  Scenario scenario(With(kLeaders));
  scenario.Given("2026-01-01", Said(R"(customer_registered { customer_id: "c1" registrar_id: "liu"
                                       fields { key: "top_10" value: "yes" } })"));
  return scenario;
}

TEST(DutyTest, QuotasOfAQuarterAndTheShareOfAYear) {
  for (const bool last_on_site : {true, false}) {
    Scenario scenario = TopCustomer();
    scenario.Given("2026-02-10", LeaderVisit(true));
    scenario.Given("2026-05-12", LeaderVisit(false));
    scenario.Given("2026-08-20", LeaderVisit(false));
    scenario.Given("2026-11-05", LeaderVisit(last_on_site));
    const auto duties = DutiesAt(scenario, "2027-01-01");
    for (int quarter = 0; quarter < 4; ++quarter)
      EXPECT_THAT(duties[quarter], HasSubstr("quarterly FULFILLED"));
    EXPECT_THAT(duties[5], HasSubstr(last_on_site ? "on-site FULFILLED" : "on-site MISSED"));
    EXPECT_THAT(DutiesAt(scenario, "2026-12-31 23:59:59").back(), HasSubstr("on-site OPEN"));
  }
}

TEST(DutyTest, AMissedQuarterIsMissedFromTheFirstInstantAfterIt) {
  Scenario scenario = TopCustomer();
  scenario.Given("2026-02-10", LeaderVisit(true));
  scenario.Given("2026-05-12", LeaderVisit(false));
  EXPECT_THAT(DutiesAt(scenario, "2026-09-30 23:59:59")[2], HasSubstr("quarterly OPEN"));
  const auto duties = DutiesAt(scenario, "2026-10-01");
  EXPECT_EQ(duties[2], "quarterly MISSED 2026-09-30 23:59:59");
}

TEST(DutyTest, AStretchCountsIfItsConditionHoldsAtItsEnd) {
  Scenario scenario(With(kLeaders));
  scenario.Given("2026-01-01", Registered("liu"));
  EXPECT_THAT(DutiesAt(scenario, "2026-07-01"), IsEmpty());
  scenario.Given("2026-09-01",
                 Said(R"(profile_changed { customer_id: "c1" changes { key: "top_10" value: "yes" } })"));
  EXPECT_THAT(DutiesAt(scenario, "2026-10-01")[0], HasSubstr("quarterly MISSED 2026-09-30"));
}

TEST(DutyTest, WhoeverIsInChargeLeavesAndTwoTasksAreOpenUntilBothAreDone) {
  Scenario scenario(With(R"(
    duties { name: "tell" rule_id: "r.tell"
             on_staff_status { statuses: "left"
                               in_charge { event { event: "customer_registered" } field: "registrar_id" }
                               in_charge { event { event: "owner_assigned" } field: "owner.staff_id" } }
             done_by { event: "customer_notified" where { field: "cause" any_of: "transfer" } } }
    duties { name: "replace" rule_id: "r.replace"
             on_staff_status { statuses: "left"
                               in_charge { event { event: "customer_registered" } field: "registrar_id" }
                               in_charge { event { event: "owner_assigned" } field: "owner.staff_id" } }
             done_by { event: "owner_assigned" } })"));
  scenario.Given("2026-03-01", Registered("liu"));
  scenario.SetStaff("2026-04-15", "liu", pb::STAFF_STATUS_LEFT);
  EXPECT_THAT(DutiesAt(scenario, "2026-04-14 23:59:59"), IsEmpty());
  EXPECT_THAT(DutiesAt(scenario, "2026-04-15"), ElementsAre("tell OPEN", "replace OPEN"));
  scenario.Given("2026-04-16", Assigned("chen"));
  EXPECT_THAT(DutiesAt(scenario, "2026-04-16"), ElementsAre("tell OPEN", "replace FULFILLED"));
  scenario.Given("2026-04-17", Said(R"(customer_notified { customer_id: "c1" cause: "transfer" })"));
  EXPECT_THAT(DutiesAt(scenario, "2026-04-17"), ElementsAre("tell FULFILLED", "replace FULFILLED"));
  // Nobody in charge any more, so nothing more is asked.
  scenario.SetStaff("2026-05-01", "chen", pb::STAFF_STATUS_LEFT);
  EXPECT_EQ(DutiesAt(scenario, "2026-05-01").size(), 4u);
}

constexpr char kDaily[] = R"(
  duties { name: "met" rule_id: "r.quota" subject: DUTY_SUBJECT_STAFF staff_roles: "specialist"
           quota { each: CALENDAR_UNIT_WORKDAY at_least: 2 } done_by { event: "visit_logged" }
           consequence { rule_id: "r.fine" group: "quota" amount { minor_units: 2000 currency_code: "CNY" }
                         escalations { from_time: 6 text: "asked to leave" } } }
  duties { name: "called" rule_id: "r.quota" subject: DUTY_SUBJECT_STAFF staff_roles: "specialist"
           quota { each: CALENDAR_UNIT_WORKDAY at_least: 5 } done_by { event: "contact_logged" }
           consequence { rule_id: "r.fine" group: "quota" amount { minor_units: 2000 currency_code: "CNY" }
                         escalations { from_time: 6 text: "asked to leave" }
                         counted_events { event: "breach_recorded" } } })";

TEST(DutyTest, AStaffMembersDailyQuotasAreCountedTogether) {
  Scenario scenario(With(kDaily));
  pb::Event staff =
      Said(R"(staff_status_changed { staff_id: "a" status: STAFF_STATUS_ACTIVE role: "specialist" })");
  scenario.Given("2026-05-18", staff);
  std::vector<pb::Record> own;
  uint64_t position = 100;
  const auto given = [&](absl::string_view at, pb::Event event) {
    pb::Record record;
    record.mutable_header()->set_position(++position);
    record.mutable_header()->mutable_recorded_time()->set_seconds(absl::ToUnixSeconds(Local(at)));
    event.mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(Local(at)));
    *record.mutable_event() = event;
    own.push_back(record);
  };
  for (int i = 0; i < 5; ++i)
    given("2026-05-15", Said(R"(breach_recorded { staff_id: "a" rule_id: "r.fine" })"));
  given("2026-05-18 10:00", Visit("a"));
  given("2026-05-18 11:00", Visit("a"));
  for (int i = 0; i < 4; ++i) given("2026-05-18 15:00", Contact("a"));
  given("2026-05-18 16:00", Contact("b"));
  const History history = BuildHistory(scenario.timeline(), own);
  const CustomerState state = FoldStaff(scenario.timeline(), "a", history, Local("2026-05-19"));
  std::vector<std::string> missed;
  for (const pb::DutyEntry& duty :
       ReadDuties(scenario.timeline(), DutyHolder{"a"}, state, Local("2026-05-19"))) {
    if (duty.state() != pb::DUTY_STATE_MISSED) continue;
    missed.push_back(duty.name());
    EXPECT_EQ(duty.consequence().amount().minor_units(), 2000);
    EXPECT_EQ(duty.consequence().time_number(), 6u);
    EXPECT_THAT(duty.consequence().texts(), ElementsAre("asked to leave"));
  }
  EXPECT_THAT(missed, ElementsAre("called"));
}

TEST(DutyTest, TheEventsOfStaffDutiesNameTheStaff) {
  Scenario scenario(With(kDaily));
  EXPECT_THAT(StaffConcerned(scenario.timeline().Latest(), Contact("a")), ElementsAre("a"));
  EXPECT_THAT(StaffConcerned(scenario.timeline().Latest(), Deal()), IsEmpty());
  Scenario silent(With(kComplaint));
  EXPECT_THAT(StaffConcerned(silent.timeline().Latest(), Contact("a")), IsEmpty());
}

// In how many steps time is advanced, and in which order events arrive, must not matter.
TEST(DutyTest, RandomHistoriesAnswerTheSameInWhateverOrderTheyArrive) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 30; ++round) {
    Scenario ordered(With(absl::StrCat(kLeaders, kComplaint)));
    Scenario shuffled(With(absl::StrCat(kLeaders, kComplaint)));
    std::vector<std::pair<absl::Time, pb::Event>> events;
    for (int i = 0; i < 25; ++i) {
      const absl::Time at = Local("2026-01-01") + absl::Hours(random() % 9000) + absl::Seconds(i);
      pb::Event event = LeaderVisit(random() % 2 == 0);
      const std::string id = absl::StrCat("k", random() % 4);
      switch (random() % 4) {
        case 0:
          event = Said(R"(complaint_filed { customer_id: "c1" })");
          event.mutable_complaint_filed()->set_complaint_id(id);
          break;
        case 1:
          event = Said(R"(complaint_closed { customer_id: "c1" })");
          event.mutable_complaint_closed()->set_complaint_id(id);
          break;
        case 2:
          event = Said(R"(profile_changed { customer_id: "c1" changes { key: "top_10" value: "yes" } })");
          break;
        default:
          break;
      }
      events.emplace_back(at, event);
    }
    const auto give = [](const auto& given, Scenario* scenario) {
      for (const auto& [at, event] : given) {
        const std::string text =
            absl::FormatTime("%Y-%m-%d %H:%M:%S", at + absl::Hours(8), absl::UTCTimeZone());
        scenario->Given(text, event, "2027-06-01");
      }
    };
    std::shuffle(events.begin(), events.end(), random);
    give(events, &shuffled);
    std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    give(events, &ordered);
    for (const char* at : {"2026-04-01", "2026-10-01", "2027-02-01"}) {
      EXPECT_EQ(absl::StrJoin(DutiesAt(ordered, at), "\n"), absl::StrJoin(DutiesAt(shuffled, at), "\n"));
      // Advancing day by day comes to the same as at once.
      CustomerState slow = ordered.StateAt(at);
      CustomerState fast = slow;
      for (int day = 0; day < 400; ++day) {
        AdvanceDuties(ordered.timeline(), DutyHolder(), Local(at) + absl::Hours(24 * day), &slow);
      }
      AdvanceDuties(ordered.timeline(), DutyHolder(), Local(at) + absl::Hours(24 * 399), &fast);
      EXPECT_EQ(slow.SerializeAsString(), fast.SerializeAsString());
    }
  }
}

}  // namespace
}  // namespace ledger::rules::testing
