#include "services/operations/background_task.h"

#include <atomic>
#include <future>

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

BackgroundTask::End Nothing() {
  return [] {};
}

BackgroundTask::End Unwanted() {
  ADD_FAILURE() << "ran";
  return Nothing();
}

TEST(BackgroundTaskTest, RunsOneAtATimeAndTheNextOnceTheEndIsTold) {
  BackgroundTask task;
  std::promise<void> go;
  std::promise<void> told;
  ASSERT_TRUE(task.Start([&]() -> BackgroundTask::End {
                    go.get_future().wait();
                    return [&told] { told.set_value(); };
                  })
                  .ok());
  EXPECT_TRUE(absl::IsResourceExhausted(task.Start(Unwanted)));
  go.set_value();
  told.get_future().wait();
  std::atomic<bool> ran{false};
  EXPECT_TRUE(task.Start([&] {
                    ran = true;
                    return Nothing();
                  })
                  .ok());
  task.Stop();
  EXPECT_TRUE(ran);
}

TEST(BackgroundTaskTest, StopWaitsAndTakesNothingMore) {
  BackgroundTask task;
  std::atomic<bool> ran{false};
  ASSERT_TRUE(task.Start([&] {
                    ran = true;
                    return Nothing();
                  })
                  .ok());
  task.Stop();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(absl::IsUnavailable(task.Start(Unwanted)));
  task.Stop();
}

}  // namespace
}  // namespace ledger::services
