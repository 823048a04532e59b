#include "projections/policy/entry_key.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "projections/policy/policy_words.h"
#include "projections/policy/rule_fields.h"

namespace ledger::policy {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Fields that say which entry it is, and not what holds for it.
bool IsNaming(const FieldDescriptor& field) {
  if (field.is_repeated() || field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return false;
  for (const absl::string_view word : {"name", "id", "scheme", "class", "role", "kind", "field"}) {
    if (field.name() == word || absl::EndsWith(field.name(), absl::StrCat("_", word))) {
      return !IsRuleField(field);
    }
  }
  return false;
}

std::string KeyOf(const Message& entry) {
  const auto* reflection = entry.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(entry, &fields);
  std::vector<std::string> parts;
  // A name is enough by itself.
  for (const FieldDescriptor* field : fields) {
    if (field->name() == "name" && IsNaming(*field)) return reflection->GetString(entry, field);
  }
  for (const FieldDescriptor* field : fields) {
    if (IsNaming(*field)) parts.push_back(reflection->GetString(entry, field));
  }
  if (!parts.empty()) return absl::StrJoin(parts, " ");
  for (const FieldDescriptor* field : fields) {
    if (!IsRuleField(*field)) continue;
    for (std::string& id : RuleIdsOf(entry, *field)) parts.push_back(std::move(id));
  }
  return parts.empty() ? PhraseOf(entry) : absl::StrJoin(parts, " ");
}

}  // namespace

std::vector<std::string> EntryKeys(const Message& message, const FieldDescriptor& list) {
  std::vector<std::string> keys;
  std::map<std::string, int> seen;
  const auto* reflection = message.GetReflection();
  const int size = reflection->FieldSize(message, &list);
  keys.reserve(size);
  for (int i = 0; i < size; ++i) {
    std::string key = KeyOf(reflection->GetRepeatedMessage(message, &list, i));
    const int count = ++seen[key];
    if (count > 1) absl::StrAppend(&key, " #", count);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace ledger::policy
