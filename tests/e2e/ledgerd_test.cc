// The program itself: its start, its errors, its end.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "services/server/exit_code.h"

namespace ledger::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// ledgerd as a child process; killed at the end unless it has ended.
class Ledgerd {
 public:
  Ledgerd(const std::string& directory, const std::vector<std::string>& arguments)
      : out_(directory + "/out"), err_(directory + "/err") {
    child_ = fork();
    if (child_ != 0) return;
    dup2(open(out_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDOUT_FILENO);
    dup2(open(err_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDERR_FILENO);
    std::vector<char*> argv = {const_cast<char*>("ledgerd")};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execv(LEDGERD_PATH, argv.data());
    _exit(127);
  }
  ~Ledgerd() {
    if (child_ == 0) return;
    kill(child_, SIGKILL);
    Wait();
  }
  Ledgerd(const Ledgerd&) = delete;
  Ledgerd& operator=(const Ledgerd&) = delete;

  void Signal(int number) { kill(child_, number); }
  // The exit code once it has ended; -1 if a signal ended it.
  int Wait() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string out() const { return ReadAll(out_); }
  std::string err() const { return ReadAll(err_); }

 private:
  const std::string out_;
  const std::string err_;
  pid_t child_ = 0;
};

class LedgerdTest : public ::testing::Test {
 protected:
  LedgerdTest()
      : scratch_(mkdtemp((std::filesystem::temp_directory_path() / "ledgerd_test_XXXXXX").string().data())) {
    std::filesystem::create_directory(scratch_ + "/other");
  }
  ~LedgerdTest() override { std::filesystem::remove_all(scratch_); }

  // Waits until a server on a unix socket answers.
  bool Answers(const std::string& socket) {
    const auto channel = grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials());
    return channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  std::string Socket() const { return scratch_ + "/socket"; }
  std::vector<std::string> Serving() const {
    return {"--data", scratch_ + "/data", "--listen", "unix:" + Socket()};
  }

  const std::string scratch_;
};

TEST_F(LedgerdTest, HelpShowsAnExampleAndTheExitCodes) {
  Ledgerd help(scratch_, {"--help"});
  EXPECT_EQ(help.Wait(), services::kExitClean);
  EXPECT_THAT(help.out(), AllOf(HasSubstr("--data"), HasSubstr("Example"), HasSubstr("Exit codes")));
  Ledgerd version(scratch_, {"--version"});
  EXPECT_EQ(version.Wait(), services::kExitClean);
  EXPECT_THAT(version.out(), StartsWith("ledgerd "));
}

TEST_F(LedgerdTest, BadUsageEndsWithTwo) {
  Ledgerd missing(scratch_, {});
  EXPECT_EQ(missing.Wait(), services::kExitUsage);
  EXPECT_THAT(missing.err(), HasSubstr("--data"));
  Ledgerd unknown(scratch_, {"--data", scratch_ + "/data", "--port", "1"});
  EXPECT_EQ(unknown.Wait(), services::kExitUsage);
  EXPECT_THAT(unknown.err(), HasSubstr("--port"));
  std::ofstream(scratch_ + "/config") << "worker_threads: 4\n  colour: \"red\"\n";
  Ledgerd config(scratch_, {"--data", scratch_ + "/data", "--config", scratch_ + "/config"});
  EXPECT_EQ(config.Wait(), services::kExitUsage);
  EXPECT_THAT(config.err(), AllOf(HasSubstr("config:2:"), HasSubstr("colour")));
}

TEST_F(LedgerdTest, ServesUntilItIsToldToStopAndLogsJson) {
  Ledgerd server(scratch_, Serving());
  ASSERT_TRUE(Answers(Socket())) << server.err();
  server.Signal(SIGTERM);
  EXPECT_EQ(server.Wait(), services::kExitClean) << server.err();
  for (const auto& line : absl::StrSplit(server.err(), '\n', absl::SkipEmpty())) {
    EXPECT_THAT(std::string(line), AllOf(StartsWith("{\"time\":"), HasSubstr("\"message\":")));
  }
  EXPECT_THAT(server.err(), HasSubstr("\"stopped\""));
}

TEST_F(LedgerdTest, ALockedDirectoryIsNamed) {
  Ledgerd server(scratch_, Serving());
  ASSERT_TRUE(Answers(Socket())) << server.err();
  Ledgerd second(scratch_ + "/other",
                 {"--data", scratch_ + "/data", "--listen", "unix:" + scratch_ + "/second"});
  EXPECT_EQ(second.Wait(), services::kExitCannotServe);
  EXPECT_THAT(second.err(), AllOf(HasSubstr("DIRECTORY_LOCKED"), HasSubstr(scratch_ + "/data")));
}

TEST_F(LedgerdTest, ATakenPortIsNamed) {
  const std::string port_file = scratch_ + "/port";
  Ledgerd server(scratch_,
                 {"--data", scratch_ + "/data", "--listen", "127.0.0.1:0", "--port-file", port_file});
  // The file appears by a rename within its directory, once the server answers.
  std::string port;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (port.empty() && std::chrono::steady_clock::now() < deadline) port = ReadAll(port_file);
  ASSERT_NE(port, "") << server.err();
  port.pop_back();
  const std::string address = "127.0.0.1:" + port;
  Ledgerd second(scratch_ + "/other", {"--data", scratch_ + "/second", "--listen", address});
  EXPECT_EQ(second.Wait(), services::kExitUsage);
  EXPECT_THAT(second.err(), AllOf(HasSubstr("CANNOT_LISTEN"), HasSubstr(address)));
}

TEST_F(LedgerdTest, DamagedDataIsRefusedWithFour) {
  {
    Ledgerd server(scratch_, Serving());
    ASSERT_TRUE(Answers(Socket())) << server.err();
    server.Signal(SIGINT);
    ASSERT_EQ(server.Wait(), services::kExitClean) << server.err();
  }
  // Both slots of the head: no claim about the log's end is left.
  std::string head = ReadAll(scratch_ + "/data/head");
  ASSERT_FALSE(head.empty());
  for (char& byte : head) byte = static_cast<char>(byte ^ 0x55);
  std::ofstream(scratch_ + "/data/head", std::ios::binary | std::ios::trunc) << head;
  Ledgerd server(scratch_, Serving());
  EXPECT_EQ(server.Wait(), services::kExitDataLoss) << server.err();
}

}  // namespace
}  // namespace ledger::e2e
