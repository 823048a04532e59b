#include "projections/policy/policy_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "projections/policy/entry_key.h"
#include "projections/policy/field_path.h"
#include "projections/policy/policy_words.h"
#include "projections/policy/rule_fields.h"
#include "projections/policy/sentence_pattern.h"
#include "projections/policy/sentences.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::vector<const FieldDescriptor*> SetFields(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

std::string Capitalised(std::string words) {
  if (!words.empty()) words[0] = absl::ascii_toupper(words[0]);
  return words;
}

// True where a period stands in `message`, however deep.
bool HoldsPeriod(const Message& message) {
  bool found = false;
  VisitMessages(message, "", [&found](const std::string&, const Message& inner) {
    found = found || inner.GetDescriptor() == pb::Period::descriptor();
  });
  return found;
}

bool HoldsPeriod(const Message& message, const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return false;
  const auto* reflection = message.GetReflection();
  if (!field.is_repeated()) return HoldsPeriod(reflection->GetMessage(message, &field));
  for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
    if (HoldsPeriod(reflection->GetRepeatedMessage(message, &field, i))) return true;
  }
  return false;
}

// "cited for: first" for first_rule_id.
std::string RuleFieldWords(const FieldDescriptor& field) {
  const std::string words = FieldWords(field);
  absl::string_view stem = words;
  if (!absl::ConsumeSuffix(&stem, " rule id") && !absl::ConsumeSuffix(&stem, " rule ids")) {
    return "cited as a whole";
  }
  return absl::StrCat("cited for: ", stem);
}

// True where a message can be told in one line, as "name value, name value".
bool IsShort(const Message& message) {
  if (IsPhrase(*message.GetDescriptor())) return true;
  if (!SentencesOf(*message.GetDescriptor()).empty()) return false;
  for (const FieldDescriptor* field : SetFields(message)) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsPhrase(*field->message_type()))
      return false;
    if (IsRuleField(*field)) return false;
  }
  return true;
}

// Tells one section. The sentences of a message come first, then its fields that no sentence said, then the
// messages in it, each in the order of the fields' numbers.
class Teller {
 public:
  Teller(const std::map<std::string, std::string>& phrases, ListOrders* orders, pb::PolicySection* section)
      : phrases_(phrases), orders_(orders), section_(section) {}

  // Says all of `message`, or of the policy itself what `only` lists.
  void Tell(const Message& message, const std::string& key, int depth,
            const std::optional<std::set<const FieldDescriptor*>>& only = std::nullopt) {
    const int first = section_->sentences_size();
    const auto meant = [&only](const FieldDescriptor* field) { return !only || only->count(field) != 0; };
    std::set<const FieldDescriptor*> said;
    SaySentences(message, key, depth, &said);
    for (const FieldDescriptor* field : SetFields(message)) {
      if (said.count(field) != 0 || !meant(field) || IsRuleField(*field)) continue;
      if (SayPlainly(message, *field, key, depth)) said.insert(field);
    }
    CiteWhatIsLeft(message, key, depth, said);
    // What belongs to one entry of a list stands below it; what a mechanism says stands side by side.
    const bool is_entry = !key.empty() && key.back() == ']';
    const int below = is_entry && section_->sentences_size() > first ? depth + 1 : depth;
    for (const FieldDescriptor* field : SetFields(message)) {
      if (said.count(field) != 0 || !meant(field) || IsRuleField(*field)) continue;
      TellInner(message, *field, key, field->is_repeated() ? below : depth);
    }
    if (section_->sentences_size() == first && !only) Add(key, "Set, and says nothing further.", depth);
  }

  // A field of the policy, under the section's title.
  void TellSection(const Message& policy, const FieldDescriptor& field) {
    if (field.is_repeated()) return TellInner(policy, field, "", 0);
    Tell(policy.GetReflection()->GetMessage(policy, &field), field.name(), 0);
  }

  void TellInner(const Message& message, const FieldDescriptor& field, const std::string& key, int depth) {
    const auto* reflection = message.GetReflection();
    const std::string path = JoinPath(key, field.name());
    if (!field.is_repeated()) return TellNamed(reflection->GetMessage(message, &field), field, path, depth);
    const std::vector<std::string> keys = EntryKeys(message, field);
    if (orders_ != nullptr) (*orders_)[path] = keys;
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      TellNamed(reflection->GetRepeatedMessage(message, &field, i), field,
                absl::StrCat(path, "[", keys[i], "]"), depth);
    }
  }

  pb::PolicySentence* Add(const std::string& key, std::string text, int depth) {
    pb::PolicySentence* sentence = section_->add_sentences();
    sentence->set_key(FreeKey(key));
    sentence->set_text(std::move(text));
    sentence->set_depth(depth);
    return sentence;
  }

  void Cite(const std::vector<std::string>& rule_ids, pb::PolicySentence* sentence) {
    for (const std::string& id : rule_ids) {
      const auto& known = sentence->rules();
      if (std::any_of(known.begin(), known.end(), [&](const auto& rule) { return rule.rule_id() == id; })) {
        continue;
      }
      pb::CitedRule* rule = sentence->add_rules();
      rule->set_rule_id(id);
      const auto phrase = phrases_.find(id);
      if (phrase != phrases_.end()) rule->set_phrase(phrase->second);
    }
  }

 private:
  // Under a heading of its own, unless its sentences say what it is.
  void TellNamed(const Message& message, const FieldDescriptor& field, const std::string& path, int depth) {
    if (!SentencesOf(*message.GetDescriptor()).empty()) return Tell(message, path, depth);
    Add(path, absl::StrCat(Capitalised(FieldWords(field)), ":"), depth);
    Tell(message, path, depth + 1);
  }

  // Two sentences about one field need two keys.
  std::string FreeKey(const std::string& key) {
    const int count = ++keys_[key];
    return count == 1 ? key : absl::StrCat(key, " #", count);
  }

  void SaySentences(const Message& message, const std::string& key, int depth,
                    std::set<const FieldDescriptor*>* said) {
    for (const absl::string_view pattern : SentencesOf(*message.GetDescriptor())) {
      const std::optional<FilledPattern> filled = FillPattern(pattern, message);
      if (!filled || filled->said.empty()) continue;
      pb::PolicySentence* sentence =
          Add(JoinPath(key, filled->said.front()->name()), Capitalised(filled->text), depth);
      for (const FieldDescriptor* field : filled->said) {
        said->insert(field);
        CiteFor(message, *field, sentence);
        if (HoldsPeriod(message, *field)) sentence->set_has_period(true);
      }
    }
  }

  // "Name of field: value", where that fits on a line.
  bool SayPlainly(const Message& message, const FieldDescriptor& field, const std::string& key, int depth) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsShortField(message, field)) return false;
    pb::PolicySentence* sentence =
        Add(JoinPath(key, field.name()),
            absl::StrCat(Capitalised(FieldWords(field)), ": ", ValueWords(message, field), "."), depth);
    CiteFor(message, field, sentence);
    if (HoldsPeriod(message, field)) sentence->set_has_period(true);
    return true;
  }

  static bool IsShortField(const Message& message, const FieldDescriptor& field) {
    const auto* reflection = message.GetReflection();
    if (!field.is_repeated()) return IsShort(reflection->GetMessage(message, &field));
    for (int i = 0; i < reflection->FieldSize(message, &field); ++i) {
      if (!IsShort(reflection->GetRepeatedMessage(message, &field, i))) return false;
    }
    return true;
  }

  void CiteFor(const Message& message, const FieldDescriptor& field, pb::PolicySentence* sentence) {
    for (const FieldDescriptor* rule : RuleFieldsFor(field)) Cite(RuleIdsOf(message, *rule), sentence);
  }

  // Rules that belong to no field that is set are cited all the same.
  void CiteWhatIsLeft(const Message& message, const std::string& key, int depth,
                      const std::set<const FieldDescriptor*>& said) {
    std::set<const FieldDescriptor*> cited;
    for (const FieldDescriptor* field : said) {
      for (const FieldDescriptor* rule : RuleFieldsFor(*field)) cited.insert(rule);
    }
    for (const FieldDescriptor* field : SetFields(message)) {
      if (!IsRuleField(*field) || cited.count(field) != 0) continue;
      Cite(RuleIdsOf(message, *field),
           Add(JoinPath(key, field->name()), absl::StrCat(Capitalised(RuleFieldWords(*field)), "."), depth));
    }
  }

  const std::map<std::string, std::string>& phrases_;
  ListOrders* const orders_;
  pb::PolicySection* const section_;
  std::map<std::string, int> keys_;
};

// "UTC+08:00".
std::string OffsetWords(int32_t seconds) {
  const int64_t size = seconds < 0 ? -static_cast<int64_t>(seconds) : seconds;
  std::string text =
      absl::StrFormat("UTC%c%02d:%02d", seconds < 0 ? '-' : '+', size / 3600, size % 3600 / 60);
  if (size % 60 != 0) absl::StrAppendFormat(&text, ":%02d", size % 60);
  return text;
}

// A rule's own words: its sentence, or that it has none.
void TellRules(const pb::Policy& policy, Teller* teller, ListOrders* orders) {
  const auto* list = pb::Policy::descriptor()->FindFieldByNumber(pb::Policy::kRuleTextsFieldNumber);
  const std::vector<std::string> keys = EntryKeys(policy, *list);
  if (orders != nullptr) (*orders)["rule_texts"] = keys;
  for (int i = 0; i < policy.rule_texts_size(); ++i) {
    const pb::RuleText& rule = policy.rule_texts(i);
    std::string text = rule.rule_id();
    if (!rule.phrase().empty()) absl::StrAppend(&text, " 「", rule.phrase(), "」");
    if (!rule.sentence().empty()) absl::StrAppend(&text, ": ", rule.sentence());
    teller->Add(absl::StrCat("rule_texts[", keys[i], "]"), text, 0);
  }
}

}  // namespace

pb::PolicyText ExplainPolicy(const pb::Policy& policy) { return ExplainPolicy(policy, nullptr); }

pb::PolicyText ExplainPolicy(const pb::Policy& policy, ListOrders* orders) {
  std::map<std::string, std::string> phrases;
  for (const pb::RuleText& rule : policy.rule_texts()) {
    if (!rule.phrase().empty()) phrases.emplace(rule.rule_id(), rule.phrase());
  }
  pb::PolicyText text;
  text.set_policy_id(policy.id());
  pb::PolicySection* head = text.add_sections();
  head->set_title("The policy");
  std::set<const FieldDescriptor*> plain;
  for (const FieldDescriptor* field : SetFields(policy)) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) plain.insert(field);
  }
  plain.erase(pb::Policy::descriptor()->FindFieldByNumber(pb::Policy::kUtcOffsetSecondsFieldNumber));
  Teller teller(phrases, orders, head);
  teller.Tell(policy, "", 0, plain);
  teller.Add(
      "utc_offset_seconds",
      absl::StrCat("Days begin at 00:00 of the local time ", OffsetWords(policy.utc_offset_seconds()), "."),
      0);
  for (const FieldDescriptor* field : SetFields(policy)) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    pb::PolicySection* section = text.add_sections();
    section->set_title(SectionTitle(*field));
    Teller inner(phrases, orders, section);
    if (field->number() == pb::Policy::kRuleTextsFieldNumber) {
      TellRules(policy, &inner, orders);
    } else {
      inner.TellSection(policy, *field);
    }
  }
  return text;
}

}  // namespace ledger::policy
