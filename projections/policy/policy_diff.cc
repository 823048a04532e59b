#include "projections/policy/policy_diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "projections/policy/policy_text.h"
#include "projections/policy/policy_words.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using SentencesByKey = std::map<std::string, const pb::PolicySentence*>;

SentencesByKey ByKey(const pb::PolicySection& section) {
  SentencesByKey sentences;
  for (const pb::PolicySentence& sentence : section.sentences()) sentences[sentence.key()] = &sentence;
  return sentences;
}

// Phrases are told once, with the rules; the ids alone say whether a sentence cites something else.
bool SaysTheSame(const pb::PolicySentence& a, const pb::PolicySentence& b) {
  if (a.text() != b.text() || a.rules_size() != b.rules_size()) return false;
  for (int i = 0; i < a.rules_size(); ++i) {
    if (a.rules(i).rule_id() != b.rules(i).rule_id()) return false;
  }
  return true;
}

pb::PolicyChange* Add(pb::PolicyChangeKind kind, pb::PolicyDiffSection* section) {
  pb::PolicyChange* change = section->add_changes();
  change->set_kind(kind);
  return change;
}

void DiffSentences(const pb::PolicySection& from, const pb::PolicySection& to, pb::PolicyDiffSection* diff) {
  const SentencesByKey before = ByKey(from);
  const SentencesByKey after = ByKey(to);
  for (const pb::PolicySentence& sentence : to.sentences()) {
    const auto found = before.find(sentence.key());
    if (found == before.end()) {
      *Add(pb::POLICY_CHANGE_KIND_ADDED, diff)->mutable_to() = sentence;
    } else if (!SaysTheSame(*found->second, sentence)) {
      pb::PolicyChange* change = Add(pb::POLICY_CHANGE_KIND_CHANGED, diff);
      *change->mutable_from() = *found->second;
      *change->mutable_to() = sentence;
    }
  }
  for (const pb::PolicySentence& sentence : from.sentences()) {
    if (after.find(sentence.key()) == after.end()) {
      *Add(pb::POLICY_CHANGE_KIND_REMOVED, diff)->mutable_from() = sentence;
    }
  }
}

// The entries that both lists have, in the order of the first.
std::vector<std::string> Common(const std::vector<std::string>& keys,
                                const std::vector<std::string>& others) {
  const std::set<std::string> known(others.begin(), others.end());
  std::vector<std::string> common;
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(common),
               [&known](const std::string& key) { return known.count(key) != 0; });
  return common;
}

// The changes of order among the lists of the section whose keys begin with `field`.
void DiffOrders(const std::string& field, const ListOrders& from, const ListOrders& to,
                pb::PolicyDiffSection* diff) {
  for (const auto& [list, keys] : to) {
    if (list.substr(0, list.find_first_of(".[")) != field) continue;
    const auto found = from.find(list);
    if (found == from.end()) continue;
    const std::vector<std::string> before = Common(found->second, keys);
    const std::vector<std::string> after = Common(keys, found->second);
    if (before == after) continue;
    pb::PolicyChange* change = Add(pb::POLICY_CHANGE_KIND_CHANGED, diff);
    for (const bool first : {true, false}) {
      pb::PolicySentence* sentence = first ? change->mutable_from() : change->mutable_to();
      sentence->set_key(absl::StrCat(list, " order"));
      sentence->set_text(absl::StrCat("The order of ", list, " is ", JoinWords(first ? before : after), "."));
    }
  }
}

// What a change means for whoever is in the midst of a period when the second policy comes into force.
std::string RunningPeriods(const pb::PolicyDiffSection& diff) {
  bool shorter_or_longer = false;
  bool begins = false;
  bool ends = false;
  for (const pb::PolicyChange& change : diff.changes()) {
    const bool before = change.from().has_period();
    const bool after = change.to().has_period();
    shorter_or_longer = shorter_or_longer || (before && after);
    begins = begins || (after && !before);
    ends = ends || (before && !after);
  }
  std::vector<std::string> parts;
  if (shorter_or_longer) {
    parts.push_back(
        "a period that is running when the second policy comes into force keeps the length it began with; "
        "one that "
        "begins then or later has the new length");
  }
  if (ends) {
    parts.push_back(
        "a removed period that is running then goes on to its end under the first policy; none begins any "
        "more");
  }
  if (begins) {
    parts.push_back(
        "an added period runs only for what begins then or later, and not for what the first policy left "
        "unlimited");
  }
  std::string text;
  for (const std::string& part : parts) absl::StrAppend(&text, text.empty() ? "" : "; ", part);
  if (text.empty()) return text;
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return absl::StrCat(text, " (conv.policy-version).");
}

// The first step of a section's keys; "" for what the policy says of itself.
std::string FieldOf(const pb::PolicySection& section) {
  if (section.title() == "The policy" || section.sentences().empty()) return "";
  const std::string& key = section.sentences(0).key();
  return key.substr(0, key.find_first_of(".["));
}

const pb::PolicySection* FindSection(const pb::PolicyText& text, const std::string& title) {
  for (const pb::PolicySection& section : text.sections()) {
    if (section.title() == title) return &section;
  }
  return nullptr;
}

}  // namespace

pb::PolicyDiff DiffPolicies(const pb::Policy& from, const pb::Policy& to) {
  ListOrders orders_before;
  ListOrders orders_after;
  const pb::PolicyText before = ExplainPolicy(from, &orders_before);
  const pb::PolicyText after = ExplainPolicy(to, &orders_after);
  pb::PolicyDiff diff;
  diff.set_from_policy_id(from.id());
  diff.set_to_policy_id(to.id());
  const auto compare = [&](const pb::PolicySection& a, const pb::PolicySection& b) {
    pb::PolicyDiffSection section;
    section.set_title(b.title());
    DiffSentences(a, b, &section);
    DiffOrders(FieldOf(b), orders_before, orders_after, &section);
    if (section.changes().empty()) return;
    section.set_running_periods(RunningPeriods(section));
    *diff.add_sections() = std::move(section);
  };
  for (const pb::PolicySection& section : after.sections()) {
    const pb::PolicySection* other = FindSection(before, section.title());
    compare(other == nullptr ? pb::PolicySection() : *other, section);
  }
  for (const pb::PolicySection& section : before.sections()) {
    if (FindSection(after, section.title()) != nullptr) continue;
    pb::PolicySection gone;
    gone.set_title(section.title());
    compare(section, gone);
  }
  return diff;
}

}  // namespace ledger::policy
