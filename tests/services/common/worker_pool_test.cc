#include "services/common/worker_pool.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

TEST(WorkerPoolTest, RunsEveryTaskOnceWhoeverQueuesIt) {
  std::vector<int> runs(4'000);
  {
    WorkerPool pool(3);
    std::vector<std::thread> users;
    users.reserve(4);
    for (size_t user = 0; user < 4; ++user) {
      users.emplace_back([&pool, &runs, user] {
        for (size_t i = 0; i < 1'000; ++i) {
          pool.Run([&run = runs[user * 1'000 + i]] { ++run; });
        }
      });
    }
    for (std::thread& user : users) user.join();
  }
  for (const int run : runs) EXPECT_EQ(run, 1);
}

TEST(WorkerPoolTest, StopRunsWhatIsQueued) {
  std::atomic<int> done{0};
  WorkerPool pool(1);
  for (int i = 0; i < 100; ++i) pool.Run([&done] { ++done; });
  pool.Stop();
  EXPECT_EQ(done.load(), 100);
  pool.Stop();
}

}  // namespace
}  // namespace ledger::services
