#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "absl/time/time.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/policy.pb.h"
#include "projections/runtime/answers.h"
#include "projections/runtime/projector.h"
#include "projections/runtime/timelines.h"
#include "storage/views/view_store.h"
#include "tests/projections/runtime/fake_log.h"

namespace ledger::runtime::testing {

// Instants of these tests: so many hours after 2026-01-01 00:00 UTC.
absl::Time Hour(int64_t hours);
customerledger::v1::Policy DefaultPolicy();
customerledger::v1::Owner Staff(const std::string& id);

// Events, which occurred at `time`.
customerledger::v1::Event Registered(const std::string& customer, const std::string& staff, absl::Time time);
customerledger::v1::Event Contacted(const std::string& customer, const std::string& staff, absl::Time time);
customerledger::v1::Event Graded(const std::string& customer, const std::string& class_name, absl::Time time);
customerledger::v1::Event Assigned(const std::string& customer, const std::string& staff, absl::Time time);
customerledger::v1::Event Released(const std::string& customer, const std::string& staff, absl::Time time);
customerledger::v1::Event Merged(const std::string& goes_on, const std::string& alias, absl::Time time);
customerledger::v1::Event Unmerged(const std::string& goes_on, const std::string& alias, absl::Time time);
customerledger::v1::Event Joined(const std::string& first, const std::string& claimant, absl::Time time);
customerledger::v1::Event Withdrawn(const std::string& customer, uint64_t position, absl::Time time);
customerledger::v1::Event Adopted(const customerledger::v1::Policy& policy, absl::Time time);
customerledger::v1::Event Calendar(int year, int holiday_month, int holiday_day, absl::Time time);

// Everything that answers, over one log and one directory.
struct Server {
  Server(const storage::LogReader& log, const std::string& directory, ProjectorOptions options = {});

  std::unique_ptr<views::ViewStore> store;
  std::unique_ptr<TimelineStore> timelines;
  std::unique_ptr<Projector> projector;
  std::unique_ptr<Answers> answers;
};

class RuntimeFixture : public ::testing::Test {
 protected:
  RuntimeFixture();
  ~RuntimeFixture() override;

  // A ledger under the default policy; its first two events are there.
  storage::LedgerNumber AddLedger(const std::string& name = "shop");
  uint64_t Append(const customerledger::v1::Event& event, absl::Time recorded) {
    return log_.Append(ledger_, event, recorded);
  }
  // A random event about one of a few customers: late, corrected, merged, parted, and so on. `hour` moves on.
  uint64_t AppendRandom(std::mt19937& random, int64_t* hour);

  std::string NewDirectory();
  storage::LedgerIdentity Identity() const { return *log_.FindLedger("shop"); }
  // Waits until a projection, or all of them, have applied everything.
  static absl::Status Wait(Server& server, storage::LedgerNumber ledger, ProjectionKind kind,
                           uint64_t position);
  void WaitForAll(Server& server, storage::LedgerNumber ledger);
  // Runs a rebuild to its end.
  static RebuildProgress Rebuild(Server& server, storage::LedgerNumber ledger, ProjectionKind kind);
  // Every row of the live generation, without its generation.
  static std::map<std::string, std::string> Rows(const Server& server, storage::LedgerNumber ledger,
                                                 ProjectionKind kind);
  absl::StatusOr<std::string> OwnerOf(const Server& server, const std::string& customer,
                                      absl::Time now) const;

  FakeLog log_;
  storage::LedgerNumber ledger_ = 0;
  std::filesystem::path root_;
  int directories_ = 0;
};

}  // namespace ledger::runtime::testing
