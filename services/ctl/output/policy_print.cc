#include "services/ctl/output/policy_print.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/ctl/output/table.h"
#include "services/ctl/output/wrap.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

constexpr size_t kColumns = 100;

std::string WithRules(const pb::PolicySentence& sentence) {
  std::vector<std::string> rules;
  rules.reserve(sentence.rules_size());
  for (const pb::CitedRule& rule : sentence.rules()) {
    rules.push_back(rule.phrase().empty() ? rule.rule_id()
                                          : absl::StrCat(rule.rule_id(), " 「", rule.phrase(), "」"));
  }
  if (rules.empty()) return sentence.text();
  return absl::StrCat(sentence.text(), " [", absl::StrJoin(rules, "; "), "]");
}

void PrintChange(std::ostream& out, const pb::PolicyChange& change) {
  switch (change.kind()) {
    case pb::POLICY_CHANGE_KIND_ADDED:
      out << Wrapped("  added    ", WithRules(change.to()), kColumns);
      return;
    case pb::POLICY_CHANGE_KIND_REMOVED:
      out << Wrapped("  removed  ", WithRules(change.from()), kColumns);
      return;
    default:
      out << Wrapped("  changed  from ", WithRules(change.from()), kColumns)
          << Wrapped("           to   ", WithRules(change.to()), kColumns);
      return;
  }
}

}  // namespace

void PrintPolicyText(std::ostream& out, const pb::PolicyText& text) {
  bool first = true;
  for (const pb::PolicySection& section : text.sections()) {
    out << (first ? "" : "\n") << Printable(section.title()) << '\n';
    first = false;
    for (const pb::PolicySentence& sentence : section.sentences()) {
      const std::string bullet = absl::StrCat(std::string(2 + 2 * sentence.depth(), ' '), "- ");
      out << Wrapped(bullet, WithRules(sentence), kColumns);
    }
  }
}

void PrintPolicyDiff(std::ostream& out, const pb::PolicyDiff& diff) {
  bool first = true;
  for (const pb::PolicyDiffSection& section : diff.sections()) {
    out << (first ? "" : "\n") << Printable(section.title()) << '\n';
    first = false;
    for (const pb::PolicyChange& change : section.changes()) PrintChange(out, change);
    if (!section.running_periods().empty())
      out << Wrapped("  running  ", section.running_periods(), kColumns);
  }
}

}  // namespace ledger::ctl
