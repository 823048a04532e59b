#include "tests/projections/runtime/runtime_fixture.h"

#include <stdlib.h>

#include <fstream>
#include <future>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "projections/policy/policy_file.h"
#include "projections/runtime/view_keys.h"

namespace ledger::runtime::testing {

namespace pb = ::customerledger::v1;

namespace {

pb::Event At(absl::Time time) {
  pb::Event event;
  event.mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(time));
  return event;
}

}  // namespace

absl::Time Hour(int64_t hours) {
  return absl::FromCivil(absl::CivilDay(2026, 1, 1), absl::UTCTimeZone()) + absl::Hours(hours);
}

pb::Policy DefaultPolicy() {
  std::ifstream file(LEDGER_POLICIES "/default.textproto");
  std::stringstream text;
  text << file.rdbuf();
  std::vector<policy::PolicyFileError> errors;
  const auto parsed = policy::ParsePolicyText(text.str(), &errors);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *parsed;
}

pb::Owner Staff(const std::string& id) {
  pb::Owner owner;
  owner.set_staff_id(id);
  return owner;
}

pb::Event Registered(const std::string& customer, const std::string& staff, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_customer_registered()->set_customer_id(customer);
  event.mutable_customer_registered()->set_registrar_id(staff);
  return event;
}

pb::Event Contacted(const std::string& customer, const std::string& staff, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_contact_logged()->set_customer_id(customer);
  event.mutable_contact_logged()->set_staff_id(staff);
  event.mutable_contact_logged()->set_outcome(pb::CONTACT_OUTCOME_REACHED);
  return event;
}

pb::Event Graded(const std::string& customer, const std::string& class_name, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_grade_changed()->set_customer_id(customer);
  event.mutable_grade_changed()->set_scheme("intent");
  event.mutable_grade_changed()->set_to_class(class_name);
  return event;
}

pb::Event Assigned(const std::string& customer, const std::string& staff, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_owner_assigned()->set_customer_id(customer);
  *event.mutable_owner_assigned()->mutable_owner() = Staff(staff);
  return event;
}

pb::Event Released(const std::string& customer, const std::string& staff, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_owner_released()->set_customer_id(customer);
  *event.mutable_owner_released()->mutable_owner() = Staff(staff);
  return event;
}

pb::Event Merged(const std::string& goes_on, const std::string& alias, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_customers_merged()->set_customer_id(goes_on);
  event.mutable_customers_merged()->set_absorbed_customer_id(alias);
  return event;
}

pb::Event Unmerged(const std::string& goes_on, const std::string& alias, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_customers_unmerged()->set_customer_id(goes_on);
  event.mutable_customers_unmerged()->set_absorbed_customer_id(alias);
  return event;
}

pb::Event Joined(const std::string& first, const std::string& claimant, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_claim_joined()->set_customer_id(first);
  event.mutable_claim_joined()->set_claimant_customer_id(claimant);
  return event;
}

pb::Event Withdrawn(const std::string& customer, uint64_t position, absl::Time time) {
  pb::Event event = At(time);
  event.mutable_event_corrected()->set_customer_id(customer);
  event.mutable_event_corrected()->set_target_position(position);
  return event;
}

pb::Event Adopted(const pb::Policy& policy, absl::Time time) {
  pb::Event event = At(time);
  *event.mutable_policy_adopted()->mutable_policy() = policy;
  return event;
}

pb::Event Calendar(int year, int holiday_month, int holiday_day, absl::Time time) {
  pb::Event event = At(time);
  pb::CalendarPublished& published = *event.mutable_calendar_published();
  published.set_calendar_id("days");
  published.set_year(year);
  pb::CivilDate& day = *published.add_holidays();
  day.set_year(year);
  day.set_month(holiday_month);
  day.set_day(holiday_day);
  return event;
}

Server::Server(const storage::LogReader& log, const std::string& directory, ProjectorOptions options) {
  auto opened = views::ViewStore::Open(directory);
  EXPECT_TRUE(opened.ok()) << opened.status();
  store = std::move(opened).value();
  timelines = std::make_unique<TimelineStore>(log);
  projector = std::make_unique<Projector>(log, *store, *timelines, std::move(options));
  answers = std::make_unique<Answers>(log, *store, *timelines, *projector);
  const absl::Status started = projector->Start();
  EXPECT_TRUE(started.ok()) << started;
}

RuntimeFixture::RuntimeFixture() {
  std::string pattern = (std::filesystem::temp_directory_path() / "runtime-test-XXXXXX").string();
  root_ = mkdtemp(pattern.data());
  ledger_ = AddLedger();
}

RuntimeFixture::~RuntimeFixture() { std::filesystem::remove_all(root_); }

storage::LedgerNumber RuntimeFixture::AddLedger(const std::string& name) {
  const storage::LedgerNumber ledger = log_.AddLedger(name);
  pb::Event created = At(Hour(0));
  created.mutable_ledger_created()->set_name(name);
  log_.Append(ledger, created, Hour(0));
  log_.Append(ledger, Adopted(DefaultPolicy(), Hour(0)), Hour(0));
  return ledger;
}

uint64_t RuntimeFixture::AppendRandom(std::mt19937& random, int64_t* hour) {
  const auto pick = [&random](uint32_t below) { return static_cast<int>(random() % below); };
  *hour += pick(40);
  const absl::Time now = Hour(*hour);
  // One in four is told late.
  const absl::Time when = pick(4) == 0 ? Hour(*hour - pick(2000)) : now;
  const std::string customer = absl::StrCat("c", pick(12));
  const std::string other = absl::StrCat("c", pick(12));
  const std::string staff = std::string(std::array{"liu", "chen", "wang"}[static_cast<size_t>(pick(3))]);
  switch (pick(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return Append(Registered(customer, staff, when), now);
    case 5:
    case 6:
    case 7:
    case 8:
      return Append(Contacted(customer, staff, when), now);
    case 9:
    case 10:
      return Append(Graded(customer, std::string(1, "HABC"[pick(4)]), when), now);
    case 11:
      return Append(Assigned(customer, staff, when), now);
    case 12:
      return Append(Released(customer, staff, when), now);
    case 13:
    case 14: {
      // A correction of one of the customer's own events, so that it says something.
      std::vector<uint64_t> own;
      EXPECT_TRUE(log_.ScanSubject(ledger_, {pb::SUBJECT_KIND_CUSTOMER, customer}, 1,
                                   storage::Order::kForward,
                                   [&own](uint64_t, uint64_t position) {
                                     own.push_back(position);
                                     return true;
                                   })
                      .ok());
      if (own.empty()) return Append(Registered(customer, staff, when), now);
      return Append(
          Withdrawn(customer, own[static_cast<size_t>(pick(static_cast<uint32_t>(own.size())))], now), now);
    }
    case 15:
      if (customer == other) return Append(Contacted(customer, staff, when), now);
      return Append(Merged(customer, other, when), now);
    case 16:
      if (customer == other) return Append(Contacted(customer, staff, when), now);
      return Append(Joined(customer, other, when), now);
    case 17:
      if (customer == other) return Append(Contacted(customer, staff, when), now);
      return Append(Unmerged(customer, other, when), now);
    case 18: {
      if (pick(4) != 0) return Append(Contacted(customer, staff, when), now);
      pb::Policy policy = DefaultPolicy();
      policy.mutable_lapse()->mutable_dormancy()->mutable_period()->set_days(
          static_cast<uint32_t>(20 + pick(90)));
      return Append(Adopted(policy, now), now);
    }
    default:
      // A body that this release does not know: the customer is parked.
      if (pick(6) != 0) return Append(Contacted(customer, staff, when), now);
      return log_.Append(ledger_, Contacted(customer, staff, when), now, 449);
  }
}

std::string RuntimeFixture::NewDirectory() {
  return (root_ / absl::StrCat("views", directories_++)).string();
}

absl::Status RuntimeFixture::Wait(Server& server, storage::LedgerNumber ledger, ProjectionKind kind,
                                  uint64_t position) {
  std::promise<absl::Status> promise;
  server.projector->WaitFor(ledger, kind, position, absl::Now() + absl::Seconds(60),
                            [&promise](absl::Status status) { promise.set_value(std::move(status)); });
  return promise.get_future().get();
}

void RuntimeFixture::WaitForAll(Server& server, storage::LedgerNumber ledger) {
  server.projector->Notify(ledger);
  for (const ProjectionKind kind : kProjectionKinds) {
    const absl::Status status = Wait(server, ledger, kind, log_.CommittedPosition(ledger));
    ASSERT_TRUE(status.ok()) << status << "; " << server.projector->Status(ledger, kind).error;
  }
}

RebuildProgress RuntimeFixture::Rebuild(Server& server, storage::LedgerNumber ledger, ProjectionKind kind) {
  std::promise<RebuildProgress> promise;
  const absl::Status started =
      server.projector->StartRebuild(ledger, kind, [&promise](const RebuildProgress& progress) {
        if (progress.state != RebuildState::kBuilding || !progress.error.empty()) promise.set_value(progress);
        return true;
      });
  EXPECT_TRUE(started.ok()) << started;
  return promise.get_future().get();
}

std::map<std::string, std::string> RuntimeFixture::Rows(const Server& server, storage::LedgerNumber ledger,
                                                        ProjectionKind kind) {
  std::map<std::string, std::string> rows;
  const std::string prefix = RowPrefix(ledger, kind, server.projector->Status(ledger, kind).generation);
  EXPECT_TRUE(server.store
                  ->ScanPrefix(prefix,
                               [&](absl::string_view key, absl::string_view value) {
                                 rows[std::string(key.substr(prefix.size()))] = std::string(value);
                                 return true;
                               })
                  .ok());
  return rows;
}

absl::StatusOr<std::string> RuntimeFixture::OwnerOf(const Server& server, const std::string& customer,
                                                    absl::Time now) const {
  pb::GetOwnerRequest request;
  request.mutable_query()->set_customer_id(customer);
  const auto response = server.answers->GetOwner(Identity(), request, now);
  if (!response.ok()) return response.status();
  if (response->ownerships().empty()) return std::string("none");
  switch (response->ownerships(0).state()) {
    case pb::CUSTODY_STATE_OWNED:
      return response->ownerships(0).owner().staff_id();
    case pb::CUSTODY_STATE_POOLED:
      return std::string("pool");
    default:
      return std::string("none");
  }
}

}  // namespace ledger::runtime::testing
