#include "services/operations/background_task.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

TEST(BackgroundTaskTest, RunsOneAtATime) {
  BackgroundTask task;
  std::promise<void> go;
  std::promise<void> started;
  ASSERT_TRUE(task.Start([&] {
                    started.set_value();
                    go.get_future().wait();
                  })
                  .ok());
  started.get_future().wait();
  EXPECT_TRUE(absl::IsResourceExhausted(task.Start([] { FAIL(); })));
  go.set_value();
  // Once the first has ended another may start.
  std::atomic<bool> ran{false};
  absl::Status status;
  do status = task.Start([&] { ran = true; });
  while (absl::IsResourceExhausted(status));
  EXPECT_TRUE(status.ok());
  task.Stop();
  EXPECT_TRUE(ran);
}

TEST(BackgroundTaskTest, StopWaitsAndTakesNothingMore) {
  BackgroundTask task;
  std::atomic<bool> ran{false};
  ASSERT_TRUE(task.Start([&] { ran = true; }).ok());
  task.Stop();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(absl::IsUnavailable(task.Start([] { FAIL(); })));
  task.Stop();
}

}  // namespace
}  // namespace ledger::services
