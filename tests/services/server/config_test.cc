#include "services/server/config.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ledger::services {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(ConfigTest, ReadsTheTextFormat) {
  const auto config = ParseConfig(
      "data: '/tmp/x'\nlisten: '127.0.0.1:0'\ntls { key_file: 'k' certificate_file: 'c' }", "conf");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->data(), "/tmp/x");
  EXPECT_EQ(config->tls().key_file(), "k");
}

TEST(ConfigTest, NamesFileLineAndColumnOfWhatItDoesNotKnow) {
  const auto config = ParseConfig("data: '/tmp/x'\n  colour: 3\n", "conf");
  EXPECT_TRUE(absl::IsInvalidArgument(config.status()));
  EXPECT_THAT(std::string(config.status().message()), AllOf(HasSubstr("conf:2:"), HasSubstr("colour")));
}

TEST(ConfigTest, FillsInDefaults) {
  ServerConfig config;
  config.set_data("/tmp/x");
  const auto complete = CompleteConfig(config);
  ASSERT_TRUE(complete.ok()) << complete.status();
  EXPECT_EQ(complete->listen(), "127.0.0.1:7420");
  EXPECT_EQ(complete->message_bytes_max(), 8u << 20);
  EXPECT_EQ(complete->worker_threads(), 8u);
}

TEST(ConfigTest, RefusesWhatCannotWork) {
  const auto refused = [](const std::string& text) {
    const auto config = ParseConfig("data: '/tmp/x' " + text, "conf");
    return absl::IsInvalidArgument(CompleteConfig(config.value()).status());
  };
  EXPECT_FALSE(refused(""));
  EXPECT_FALSE(refused("listen: 'unix:/tmp/socket'"));
  EXPECT_TRUE(refused("listen: 'nowhere'"));
  EXPECT_TRUE(refused("listen: '127.0.0.1:99999'"));
  EXPECT_TRUE(refused("worker_threads: 1000"));
  EXPECT_TRUE(refused("message_bytes_max: 10"));
  EXPECT_TRUE(refused("log_level: 'loud'"));
  EXPECT_TRUE(refused("tls { key_file: 'k' }"));
  EXPECT_TRUE(absl::IsInvalidArgument(CompleteConfig(ServerConfig()).status()));  // no data directory
}

TEST(ConfigTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(LoadConfig("/nonexistent/config").status()));
}

}  // namespace
}  // namespace ledger::services
