#include <atomic>
#include <filesystem>
#include <iterator>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocksdb/maintenance.h"
#include "tests/e2e/e2e_fixture.h"

namespace ledger::e2e {
namespace {

namespace fs = std::filesystem;

size_t EntriesOf(const std::string& directory) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

class LifecycleTest : public E2eTest {
 protected:
  LifecycleTest() { Start(); }
};

TEST_F(LifecycleTest, HealthAnswersForTheServerAndForAppends) {
  // grpc.health.v1: field 1 of the request is the service's name, of the answer the status; 1 is SERVING.
  for (const std::string service : {"", "customerledger.v1.LedgerService"}) {
    const std::string request =
        service.empty() ? ""
                        : absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
    std::string response;
    const grpc::Status status = RawCall(channel_, "/grpc.health.v1.Health/Check", request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_EQ(response, std::string("\x08\x01", 2)) << service;
  }
}

TEST_F(LifecycleTest, ReflectionListsTheServices) {
  std::string response;
  const grpc::Status status =
      RawCall(channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x01*", 3), &response);  // field 7: list the services
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (const char* service : {"LedgerService", "QueryService", "OperationsService"}) {
    EXPECT_TRUE(absl::StrContains(response, absl::StrCat("customerledger.v1.", service))) << service;
  }
}

TEST_F(LifecycleTest, StopsInOrderWithASubscriptionOpen) {
  CreateLedger("shop");
  const pb::AppendResponse appended = Append("shop", {Registration("c", "liu")});
  pb::SubscribeRequest request;
  request.set_ledger("shop");
  grpc::ClientContext context;
  const auto reader = ledger_->Subscribe(&context, request);
  pb::SubscribeResponse response;
  uint64_t records = 0;
  while (reader->Read(&response) && !response.has_caught_up()) {
    records += static_cast<uint64_t>(response.batch().records_size());
  }
  EXPECT_EQ(records, appended.position().position());
  Stop();
  while (reader->Read(&response)) {
  }
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "SHUTTING_DOWN");
  Start();
  EXPECT_EQ(OwnerOf("shop", "c", appended.position()), "liu");
}

TEST_F(LifecycleTest, AStopKeepsWhatWasAcknowledgedAndARetrySettlesTheRest) {
  CreateLedger("shop");
  std::atomic<int> acknowledged{0};
  std::vector<std::string> customers;
  pb::AppendRequest unsettled;
  grpc::Status end;
  std::thread writer([&] {
    while (true) {
      const std::string customer = absl::StrCat("c", customers.size());
      unsettled = Request("shop", {Registration(customer, "liu")});
      pb::AppendResponse response;
      end = TryAppend(unsettled, &response);
      if (!end.ok()) return;
      customers.push_back(customer);
      ++acknowledged;
      acknowledged.notify_all();
    }
  });
  for (int seen = 0; seen < 20; seen = acknowledged.load()) acknowledged.wait(seen);
  Stop();
  writer.join();
  // CANCELLED is gRPC's own word to a call that meets the closing of its connection.
  EXPECT_TRUE(end.error_code() == grpc::StatusCode::UNAVAILABLE ||
              end.error_code() == grpc::StatusCode::CANCELLED)
      << end.error_code() << " " << end.error_message();
  Start();
  pb::AppendResponse settled;
  ASSERT_TRUE(TryAppend(unsettled, &settled).ok());
  for (const std::string& customer : customers)
    EXPECT_EQ(OwnerOf("shop", customer, settled.position()), "liu");
  // Exactly one copy of everything: the two events of the creation, and one a customer.
  pb::GetStatsRequest request;
  request.set_ledger("shop");
  *request.mutable_min_position() = settled.position();
  pb::GetStatsResponse stats;
  Context context;
  ASSERT_TRUE(query_->GetStats(&context, request, &stats).ok());
  EXPECT_EQ(stats.customers(), customers.size() + 1);
  EXPECT_EQ(stats.events(), customers.size() + 1 + 2);
}

TEST_F(LifecycleTest, ARestoreKeepsTheAnswersAndRefusesEarlierPositions) {
  CreateLedger("shop");
  const pb::AppendResponse appended = Append("shop", {Registration("c", "liu")});
  const std::string backup = scratch_ + "/backup";
  pb::BackupRequest request;
  request.set_directory(backup);
  {
    Context context;
    const auto reader = operations_->Backup(&context, request);
    pb::BackupResponse response;
    pb::BackupResponse last;
    while (reader->Read(&response)) last = response;
    const grpc::Status status = reader->Finish();
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(last.done());
    EXPECT_GT(last.commit_number(), 0u);
  }
  const pb::AppendResponse lost = Append("shop", {Registration("lost", "chen")});
  Stop();
  const std::string restored = scratch_ + "/restored";
  ASSERT_TRUE(storage::RestoreBackup(backup, restored, [](absl::string_view) {}).ok());
  StartOn(restored);

  pb::GetOwnerResponse response;
  for (const pb::AppendResponse& earlier : {appended, lost}) {
    const grpc::Status status = TryGetOwner("shop", "c", earlier.position(), &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
    EXPECT_EQ(ReasonOf(status), "LINEAGE_CHANGED");
  }
  const pb::PositionToken now = Summary("shop").position();
  EXPECT_NE(now.lineage(), appended.position().lineage());
  EXPECT_EQ(OwnerOf("shop", "c", now), "liu");
  EXPECT_EQ(TryGetOwner("shop", "lost", now, &response).error_code(), grpc::StatusCode::NOT_FOUND);

  pb::SubscribeRequest subscribe;
  subscribe.set_ledger("shop");
  *subscribe.mutable_after() = lost.position();
  Context context;
  const auto reader = ledger_->Subscribe(&context, subscribe);
  pb::SubscribeResponse nothing;
  EXPECT_FALSE(reader->Read(&nothing));
  EXPECT_EQ(ReasonOf(reader->Finish()), "LINEAGE_CHANGED");
}

TEST_F(LifecycleTest, ABackupIntoTheDataDirectoryIsRefused) {
  pb::BackupRequest request;
  for (const std::string& directory : {data_ + "/backup", std::string("relative"), std::string()}) {
    request.set_directory(directory);
    Context context;
    const auto reader = operations_->Backup(&context, request);
    pb::BackupResponse response;
    EXPECT_FALSE(reader->Read(&response));
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT) << directory;
  }
}

TEST_F(LifecycleTest, AThousandLedgersCostNoThreadAndNoFileEach) {
  constexpr int kLedgers = 1'000;
  constexpr int kClients = 16;
  const auto create = [&](int from, int to) {
    std::vector<std::thread> clients;
    std::atomic<int> next{from};
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([&] {
        for (int n = next++; n < to; n = next++) {
          const std::string name = absl::StrCat("ledger-", n);
          CreateLedger(name);
          const pb::AppendResponse appended = Append(name, {Registration("same", absl::StrCat("staff-", n))});
          EXPECT_EQ(OwnerOf(name, "same", appended.position()), absl::StrCat("staff-", n));
        }
      });
    }
    for (std::thread& client : clients) client.join();
  };
  create(0, 100);
  const size_t threads = EntriesOf("/proc/self/task");
  const size_t files = EntriesOf("/proc/self/fd");
  create(100, kLedgers);
  // gRPC and RocksDB keep a few of either at will; nine hundred more ledgers would show.
  EXPECT_LT(EntriesOf("/proc/self/task"), threads + 50);
  EXPECT_LT(EntriesOf("/proc/self/fd"), files + 50);
  // The same id in each of them is another customer.
  for (const int n : {0, 1, 500, kLedgers - 1}) {
    const std::string name = absl::StrCat("ledger-", n);
    pb::GetOwnerResponse owner;
    ASSERT_TRUE(TryGetOwner(name, "same", {}, &owner).ok());
    ASSERT_EQ(owner.ownerships_size(), 1);
    EXPECT_EQ(owner.ownerships(0).owner().staff_id(), absl::StrCat("staff-", n));
    EXPECT_EQ(owner.ownerships(0).claims_size(), 1);
  }
  std::set<std::string> identities;
  pb::ListLedgersRequest request;
  request.set_page_size(1'000);
  pb::ListLedgersResponse page;
  Context context;
  ASSERT_TRUE(operations_->ListLedgers(&context, request, &page).ok());
  for (const pb::LedgerSummary& ledger : page.ledgers()) identities.insert(ledger.ledger_id());
  EXPECT_EQ(identities.size(), static_cast<size_t>(kLedgers));
}

}  // namespace
}  // namespace ledger::e2e
