// Every *.scenario file of this folder as tests: one for each case in order, one with everything delivered late. With
// arguments, those files and folders instead.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/scenarios/runner.h"
#include "tests/scenarios/scenario.h"

namespace ledger::scenarios {
namespace {

// The one server of this program; null before the first test that needs it.
std::unique_ptr<World>& Server() {
  static auto* const server = new std::unique_ptr<World>();
  return *server;
}

class ServerEnvironment : public ::testing::Environment {
 public:
  void TearDown() override { Server().reset(); }
};

class ScenarioTest : public ::testing::Test {
 public:
  explicit ScenarioTest(std::function<void()> body) : body_(std::move(body)) {}
  void TestBody() override { body_(); }

 private:
  std::function<void()> body_;
};

void Register(const std::string& name, std::function<void()> body) {
  ::testing::RegisterTest("Scenarios", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [body]() -> ::testing::Test* { return new ScenarioTest(body); });
}

void StartServer() {
  if (Server() == nullptr) {
    absl::StatusOr<std::unique_ptr<World>> world = World::Start();
    ASSERT_TRUE(world.ok()) << world.status();
    Server() = *std::move(world);
  }
}

void RunAndReport(const std::string& file, const Scenario& scenario, const Case& one, Mode mode,
                  uint64_t seed) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  for (const std::string& failure : RunCase(*Server(), file, scenario, one, mode, seed)) {
    ADD_FAILURE() << failure;
  }
}

// A name that test programs accept.
std::string TestName(const std::string& text) {
  std::string name;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  return name;
}

void RegisterFile(const std::filesystem::path& path, uint64_t seed) {
  std::ifstream stream(path);
  if (!stream)
    return Register(TestName(path.string()), [path] { ADD_FAILURE() << path << " cannot be read"; });
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  const std::string file = path.parent_path() == LEDGER_SCENARIOS
                               ? absl::StrCat("tests/scenarios/", path.filename().string())
                               : path.string();
  const std::string stem = TestName(path.stem().string());
  std::vector<Problem> problems;
  auto scenario = std::make_shared<const Scenario>(ParseScenario(text, &problems));
  if (problems.empty()) problems = CheckScenario(*scenario);
  if (!problems.empty()) {
    return Register(stem, [file, problems] {
      for (const Problem& problem : problems) ADD_FAILURE() << ToText(file, problem);
    });
  }
  if (!scenario->rules.empty() || !scenario->unnamed_rules.empty()) {
    Register(stem + "_names_its_rules", [file, scenario] {
      ASSERT_NO_FATAL_FAILURE(StartServer());
      for (const Problem& problem : FindMisnamedRules(*Server(), file, *scenario)) {
        ADD_FAILURE() << ToText(file, problem);
      }
    });
  }
  for (const Case& one : scenario->cases) {
    const std::string name = one.name.empty() ? stem : absl::StrCat(stem, "_", TestName(one.name));
    const Case* borrowed = &one;
    Register(name + "_in_order", [=] { RunAndReport(file, *scenario, *borrowed, Mode::kInOrder, seed); });
    if (!HasLateMode(*scenario, one)) continue;
    Register(name + "_late", [=] { RunAndReport(file, *scenario, *borrowed, Mode::kLate, seed); });
  }
}

uint64_t Seed() {
  uint64_t seed = 0;
  const char* given = std::getenv("LEDGER_SCENARIO_SEED");
  if (given != nullptr && absl::SimpleAtoi(given, &seed)) return seed;
  return std::random_device()();
}

void RegisterAll(const std::vector<std::string>& places) {
  std::vector<std::filesystem::path> files;
  for (const std::string& place : places) {
    if (!std::filesystem::is_directory(place)) {
      files.emplace_back(place);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(place)) {
      if (entry.path().extension() == ".scenario") files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  const uint64_t seed = Seed();
  std::cout << "LEDGER_SCENARIO_SEED=" << seed << "\n";
  for (const std::filesystem::path& file : files) RegisterFile(file, seed);
  if (files.empty()) Register("no_scenario_found", [] { ADD_FAILURE() << "there is no file to run"; });
}

}  // namespace
}  // namespace ledger::scenarios

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(new ledger::scenarios::ServerEnvironment());
  std::vector<std::string> places(argv + 1, argv + argc);
  if (places.empty()) places.emplace_back(LEDGER_SCENARIOS);
  ledger::scenarios::RegisterAll(places);
  return RUN_ALL_TESTS();
}
