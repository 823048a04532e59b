#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>

#include "services/ctl/import/event_mapper.h"
#include "services/ctl/import/mapping_file.h"

namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;

// What the mapped events say, counted as plainly as possible: an owner change is an event whose recorded owner
// differs from the customer's last known one.
struct Figures {
  uint64_t events = 0;
  std::set<std::string> customers;
  uint64_t owner_changes = 0;
  std::set<std::string> returning_customers;  // came back to an owner they had left
  std::map<std::string, uint64_t> owners;     // owner -> customers at the end
  std::vector<pb::Event> first_events;        // a few, to look at
  int64_t amount_minor_units = 0;
  std::vector<BadRecord> bad;
};

absl::StatusOr<Figures> CountFile(const std::string& path, const std::string& mapping_name) {
  const auto mapping = LoadMapping(std::string(LEDGER_SOURCE_DIR) + "/deploy/mappings/" + mapping_name);
  if (!mapping.ok()) return mapping.status();
  const auto mapper = EventMapper::Create(*mapping, path);
  if (!mapper.ok()) return mapper.status();
  auto source = OpenFile(path);
  if (!source.ok()) return source.status();
  Figures figures;
  auto reader = MakeReader(*mapping, *std::move(source),
                           [&figures](const BadRecord& bad) { figures.bad.push_back(bad); });
  if (!reader.ok()) return reader.status();
  std::map<std::string, std::string> owner_of;
  std::map<std::string, std::set<std::string>> owners_before;
  SourceRecord record;
  while (true) {
    const auto more = (*reader)->Next(&record);
    if (!more.ok()) return more.status();
    if (!*more) break;
    const auto mapped = mapper->Map(record);
    if (!mapped.ok()) return mapped.status();
    if (!mapped->has_value()) continue;
    const pb::Event& event = (*mapped)->event();
    ++figures.events;
    if (event.evidence().record_number() != figures.events) return absl::InternalError("numbers have gaps");
    const std::string& customer = EventMapper::CustomerOf(event);
    figures.customers.insert(customer);
    if (figures.first_events.size() < 3) figures.first_events.push_back(event);
    figures.amount_minor_units += event.deal_recorded().amount().minor_units();
    const std::string& owner = event.evidence().recorded_owner().staff_id();
    if (owner.empty()) continue;
    std::string& last = owner_of[customer];
    if (!last.empty() && last != owner) {
      ++figures.owner_changes;
      owners_before[customer].insert(last);
      if (owners_before[customer].contains(owner)) figures.returning_customers.insert(customer);
    }
    last = owner;
  }
  for (const auto& [customer, owner] : owner_of) ++figures.owners[owner];
  return figures;
}

// The folder with the reference data; empty where it is absent.
std::string SharedData() {
  const char* given = std::getenv("LEDGER_SHARED");
  const std::string folder =
      (given != nullptr ? std::string(given) : std::string(LEDGER_SOURCE_DIR) + "/../shared") + "/data";
  return access(folder.c_str(), R_OK) == 0 ? folder : "";
}

#define SKIP_WITHOUT_SHARED_DATA() \
  if (SharedData().empty()) GTEST_SKIP() << "no reference data beside the repository; set LEDGER_SHARED"

TEST(ReferenceDataTest, BpicIncidents) {
  SKIP_WITHOUT_SHARED_DATA();
  const auto figures = CountFile(SharedData() + "/bpic2013-incidents/bpic2013_incidents.xes.gz",
                                 "bpic2013-incidents.textproto");
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->events, 65533U);
  EXPECT_EQ(figures->customers.size(), 7554U);
  EXPECT_EQ(figures->owner_changes, 20649U);
  EXPECT_EQ(figures->returning_customers.size(), 1879U);
  EXPECT_EQ(figures->owners.at("Siebel"), 5264U);
  EXPECT_TRUE(figures->bad.empty());
  const pb::Event& first = figures->first_events[0];
  EXPECT_EQ(first.activity_recorded().activity(), "Accepted/In Progress");
  EXPECT_EQ(first.activity_recorded().customer_id(), "1-364285768");
  EXPECT_EQ(first.activity_recorded().attributes().at("org:group"), "V30");
  EXPECT_EQ(first.occurred_time().utc_offset_seconds(), 7200);
}

TEST(ReferenceDataTest, Helpdesk) {
  SKIP_WITHOUT_SHARED_DATA();
  const auto figures =
      CountFile(SharedData() + "/helpdesk-italy/helpdesk.xes.gz", "helpdesk-italy.textproto");
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->events, 21348U);
  EXPECT_EQ(figures->customers.size(), 4580U);
  EXPECT_EQ(figures->owner_changes, 8648U);
  EXPECT_EQ(figures->returning_customers.size(), 291U);
  EXPECT_TRUE(figures->bad.empty());
}

TEST(ReferenceDataTest, Cdnow) {
  SKIP_WITHOUT_SHARED_DATA();
  const auto figures = CountFile(SharedData() + "/cdnow/CDNOW_master.txt.gz", "cdnow.textproto");
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->events, 69659U);
  EXPECT_EQ(figures->customers.size(), 23570U);
  EXPECT_EQ(figures->owner_changes, 0U);
  EXPECT_TRUE(figures->owners.empty());
  EXPECT_TRUE(figures->bad.empty());
  // Two rows of customer 00002 on one day keep the file's order.
  EXPECT_EQ(figures->first_events[1].deal_recorded().customer_id(), "00002");
  EXPECT_EQ(figures->first_events[1].deal_recorded().amount().minor_units(), 1200);
  EXPECT_EQ(figures->first_events[1].note(), "number_of_cds=1");
  EXPECT_EQ(figures->first_events[2].deal_recorded().amount().minor_units(), 7700);
  EXPECT_EQ(figures->first_events[2].deal_recorded().amount().currency_code(), "USD");
  EXPECT_NE(figures->first_events[1].deal_recorded().deal_id(),
            figures->first_events[2].deal_recorded().deal_id());
}

TEST(ReferenceDataTest, TheRepositorysOwnExample) {
  const auto figures =
      CountFile(std::string(LEDGER_SOURCE_DIR) + "/deploy/example/history.csv", "example.textproto");
  ASSERT_TRUE(figures.ok()) << figures.status();
  EXPECT_EQ(figures->events, 302U);
  EXPECT_EQ(figures->customers.size(), 60U);
  EXPECT_EQ(figures->owners.size(), 6U);
  EXPECT_EQ(figures->owner_changes, 38U);
  EXPECT_EQ(figures->returning_customers.size(), 7U);
  EXPECT_EQ(figures->owners.at("liu"), 19U);
  EXPECT_GT(figures->amount_minor_units, 0);
  EXPECT_TRUE(figures->bad.empty());
}

}  // namespace
}  // namespace ledger::ctl
