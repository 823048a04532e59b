#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "projections/policy/checks.h"
#include "projections/policy/field_path.h"
#include "projections/policy/policy_words.h"
#include "projections/policy/rule_fields.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kMaxRuleIdBytes = 128;
constexpr size_t kMaxPhraseBytes = 256;
constexpr size_t kMaxSentenceBytes = 512;

// "system.rule-id": two or more parts of a-z, 0-9 and hyphens.
bool IsRuleId(absl::string_view id) {
  if (id.size() > kMaxRuleIdBytes) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(id, '.');
  return parts.size() >= 2 && std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
             return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
           });
         });
}

void CheckId(const std::string& path, const std::string& id, Findings* findings) {
  if (IsRuleId(id)) return;
  findings->Error(path, absl::StrCat("\"", id,
                                     "\" is no rule id, and whoever is told it could not look the rule up; "
                                     "write it like \"system.rule-name\", a-z, 0-9 and hyphens"));
}

// Collects what `message` cites.
void CheckCitations(const std::string& path, const Message& message, std::set<std::string>* cited,
                    Findings* findings) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!IsRuleField(*field)) continue;
    std::set<std::string> seen;
    for (int i = 0; i < (field->is_repeated() ? reflection->FieldSize(message, field) : 1); ++i) {
      const std::string here =
          field->is_repeated() ? JoinPath(path, field->name(), i) : JoinPath(path, field->name());
      const std::string id = field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                                  : reflection->GetString(message, field);
      CheckId(here, id, findings);
      if (!seen.insert(id).second) findings->Warning(here, absl::StrCat("\"", id, "\" is cited twice here"));
      cited->insert(id);
    }
  }
}

bool Cites(const Message& message, const std::vector<const FieldDescriptor*>& rules) {
  return std::any_of(rules.begin(), rules.end(),
                     [&message](const FieldDescriptor* rule) { return !RuleIdsOf(message, *rule).empty(); });
}

// True where the message cites a rule for all that it holds.
bool CitesForAll(const Message& message) {
  const auto* type = message.GetDescriptor();
  for (const char* name : {"rule_id", "rule_ids"}) {
    const FieldDescriptor* field = type->FindFieldByName(name);
    if (field != nullptr && IsRuleField(*field) && !RuleIdsOf(message, *field).empty()) return true;
  }
  return false;
}

bool HasRuleFields(const Descriptor& type) {
  for (int i = 0; i < type.field_count(); ++i) {
    if (IsRuleField(*type.field(i))) return true;
  }
  return false;
}

// Warns of parameters with room for a rule and none there, unless a rule of the message or of one around it stands in.
// One warning for all the fields that lack the same rule.
void CheckGaps(const std::string& path, const Message& message, bool stands_in, Findings* findings) {
  const auto* reflection = message.GetReflection();
  stands_in = stands_in || CitesForAll(message);
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  std::map<std::string, std::vector<std::string>> lacking;
  for (const FieldDescriptor* field : fields) {
    const Descriptor* inner = field->message_type();
    for (int i = 0; inner != nullptr && field->is_repeated() && i < reflection->FieldSize(message, field);
         ++i) {
      CheckGaps(JoinPath(path, field->name(), i), reflection->GetRepeatedMessage(message, field, i),
                stands_in, findings);
    }
    if (inner != nullptr && !field->is_repeated()) {
      CheckGaps(JoinPath(path, field->name()), reflection->GetMessage(message, field), stands_in, findings);
    }
    // A message that has room for its own rules is asked itself.
    if (stands_in || IsRuleField(*field) || (inner != nullptr && HasRuleFields(*inner))) continue;
    const std::vector<const FieldDescriptor*> rules = RuleFieldsFor(*field);
    if (!rules.empty() && !Cites(message, rules)) lacking[rules[0]->name()].push_back(field->name());
  }
  for (const auto& [rule, names] : lacking) {
    findings->Warning(
        JoinPath(path, rule),
        absl::StrCat("is missing although ", JoinWords(names), names.size() == 1 ? " is" : " are",
                     " set: what is decided by it could not name its rule; cite one"));
  }
}

void CheckText(const pb::RuleText& rule, const std::string& path, Findings* findings) {
  if (rule.rule_id().empty()) {
    findings->Error(JoinPath(path, "rule_id"),
                    "is missing; nobody could tell whose words these are. Name a rule");
  } else {
    CheckId(JoinPath(path, "rule_id"), rule.rule_id(), findings);
  }
  if (rule.phrase().size() > kMaxPhraseBytes) {
    findings->Error(
        JoinPath(path, "phrase"),
        absl::StrCat("is ", rule.phrase().size(), " bytes long; at most ", kMaxPhraseBytes, " are allowed"));
  }
  if (rule.sentence().size() > kMaxSentenceBytes) {
    findings->Error(JoinPath(path, "sentence"),
                    absl::StrCat("is ", rule.sentence().size(), " bytes long; at most ", kMaxSentenceBytes,
                                 " are allowed"));
  }
  if (rule.phrase().empty() && rule.sentence().empty()) {
    findings->Warning(path, "says nothing of the rule; give a phrase or a sentence, or leave it out");
  }
}

}  // namespace

void CheckRules(const pb::Policy& policy, Findings* findings) {
  std::set<std::string> cited;
  VisitMessages(policy, "", [&](const std::string& path, const Message& message) {
    CheckCitations(path, message, &cited, findings);
  });
  CheckGaps("", policy, /*stands_in=*/false, findings);
  std::set<std::string> told;
  for (int i = 0; i < policy.rule_texts_size(); ++i) {
    const pb::RuleText& rule = policy.rule_texts(i);
    const std::string path = JoinPath("", "rule_texts", i);
    CheckText(rule, path, findings);
    if (rule.rule_id().empty()) continue;
    if (!told.insert(rule.rule_id()).second) {
      findings->Error(JoinPath(path, "rule_id"),
                      absl::StrCat("\"", rule.rule_id(),
                                   "\" has a text already, and this one would never be "
                                   "shown; keep one of the two"));
    } else if (cited.count(rule.rule_id()) == 0) {
      findings->Warning(
          JoinPath(path, "rule_id"),
          absl::StrCat("no parameter cites \"", rule.rule_id(),
                       "\", so no answer will ever show this text; cite it where it is decided"));
    }
  }
}

}  // namespace ledger::policy
