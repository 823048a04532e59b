#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/services/ctl/fake_server.h"

// What docs/policies.md shows is what ledgerctl prints.
namespace ledger::ctl {
namespace {

// A command of the page, and the lines shown below it.
struct Shown {
  std::vector<std::string> args;
  std::vector<std::string> lines;
};

// Commands stand in blocks that begin with "```console" and "$ ledgerctl".
std::vector<Shown> ReadPage(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Shown> commands;
  bool in_block = false;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("```", 0) == 0) {
      in_block = line == "```console";
    } else if (in_block && line.rfind("$ ledgerctl ", 0) == 0) {
      commands.push_back({absl::StrSplit(line.substr(12), ' '), {}});
    } else if (in_block && !commands.empty()) {
      commands.back().lines.push_back(line);
    }
  }
  return commands;
}

// Lines of "..." stand for any number of lines.
bool Fits(const std::vector<std::string>& shown, const std::vector<std::string>& printed) {
  size_t at = 0;
  bool anywhere = false;
  for (const std::string& line : shown) {
    if (line == "...") {
      anywhere = true;
      continue;
    }
    while (anywhere && at < printed.size() && printed[at] != line) ++at;
    if (at >= printed.size() || printed[at] != line) return false;
    ++at;
    anywhere = false;
  }
  return anywhere || at == printed.size();
}

TEST(DocumentationTest, PoliciesPageShowsWhatIsPrinted) {
  const std::filesystem::path root = LEDGER_ROOT;
  const std::vector<Shown> commands = ReadPage(root / "docs" / "policies.md");
  ASSERT_GE(commands.size(), 3u);
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(root);
  for (const Shown& shown : commands) {
    const Outcome outcome = CtlHarness::RunAlone(shown.args);
    std::vector<std::string> printed = absl::StrSplit(outcome.out + outcome.err, '\n');
    while (!printed.empty() && printed.back().empty()) printed.pop_back();
    EXPECT_TRUE(Fits(shown.lines, printed)) << "docs/policies.md shows of 'ledgerctl "
                                            << absl::StrJoin(shown.args, " ") << "' something else than\n"
                                            << absl::StrJoin(printed, "\n");
  }
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace ledger::ctl
