#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/checks.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

template <typename Steps>
void CheckSteps(const Steps& steps, const std::string& path, Findings* findings) {
  std::set<int> seen;
  for (int i = 0; i < steps.size(); ++i) {
    const std::string step = absl::StrCat(path, "[", i, "]");
    if (steps[i] == pb::DISPUTE_STEP_UNSPECIFIED) {
      findings->Error(step, "names no step; name one such as DISPUTE_STEP_MEDIATED");
    } else if (!seen.insert(steps[i]).second) {
      findings->Error(step, "is listed twice; once is enough");
    }
  }
}

void CheckLevels(const pb::Dispute& rules, Findings* findings) {
  std::set<std::string> names;
  std::map<int, std::string> reached;
  bool ended = false;
  for (int i = 0; i < rules.levels_size(); ++i) {
    const pb::DisputeLevel& level = rules.levels(i);
    const std::string path = absl::StrCat("dispute.levels[", i, "]");
    findings->CheckName(absl::StrCat(path, ".name"), level.name());
    if (!level.name().empty() && !names.insert(level.name()).second) {
      findings->Error(absl::StrCat(path, ".name"),
                      absl::StrCat("\"", level.name(), "\" names two levels; rename one"));
    }
    CheckSteps(level.reached_by(), absl::StrCat(path, ".reached_by"), findings);
    if (i == 0 && !level.reached_by().empty()) {
      findings->Error(absl::StrCat(path, ".reached_by"),
                      "every dispute begins on the first level, whatever happens; remove it");
    }
    if (i > 0 && level.reached_by().empty()) {
      findings->Error(
          absl::StrCat(path, ".reached_by"),
          "is empty: no dispute would ever come to this level; name the steps that bring it here");
    }
    for (const int step : level.reached_by()) {
      const auto [known, added] = reached.emplace(step, path);
      if (added || rules.levels_in_order()) continue;
      findings->Warning(absl::StrCat(path, ".reached_by"),
                        absl::StrCat("has a step that brings a dispute to ", known->second,
                                     "; it comes here only from there, with a second step of the kind"));
    }
    if (ended) {
      findings->Warning(path,
                        "stands above a level whose decision is final; it only decides what is taken here "
                        "before that");
    }
    ended = ended || level.is_final();
  }
}

}  // namespace

void CheckDispute(const pb::Policy& policy, Findings* findings) {
  const pb::Dispute& rules = policy.dispute();
  CheckLevels(rules, findings);
  for (int i = 0; i < rules.forfeits_size(); ++i) {
    const std::string path = absl::StrCat("dispute.forfeits[", i, "].steps");
    if (rules.forfeits(i).steps().empty()) {
      findings->Error(path, "is empty: nothing would ever cost the parties their credit; name the steps");
    }
    CheckSteps(rules.forfeits(i).steps(), path, findings);
  }
  if (rules.levels_in_order() && rules.levels_size() < 2) {
    findings->Warning("dispute.levels_in_order", "does nothing with fewer than two levels");
  }
}

}  // namespace ledger::policy
