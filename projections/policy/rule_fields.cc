#include "projections/policy/rule_fields.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "customerledger/v1/terms.pb.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// "first" of "first_rule_id"; "" of "rule_id".
absl::string_view Stem(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, "rule_id")) absl::ConsumeSuffix(&name, "rule_ids");
  absl::ConsumeSuffix(&name, "_");
  return name;
}

// True where `stem` stands in `name` as whole words.
bool HasWords(absl::string_view name, absl::string_view stem) {
  return absl::StrContains(absl::StrCat("_", name, "_"), absl::StrCat("_", stem, "_"));
}

}  // namespace

bool IsRuleField(const FieldDescriptor& field) {
  // A RuleText does not cite its rule: it says what the rule is.
  if (field.containing_type() == pb::RuleText::descriptor()) return false;
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) return false;
  for (const absl::string_view form : {"rule_id", "rule_ids"}) {
    if (field.name() == form || absl::EndsWith(field.name(), absl::StrCat("_", form))) return true;
  }
  return false;
}

std::vector<const FieldDescriptor*> RuleFieldsFor(const FieldDescriptor& field) {
  std::vector<const FieldDescriptor*> named;
  std::vector<const FieldDescriptor*> common;
  const Descriptor* message = field.containing_type();
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* other = message->field(i);
    if (!IsRuleField(*other)) continue;
    const absl::string_view stem = Stem(other->name());
    if (stem.empty()) {
      common.push_back(other);
    } else if (HasWords(field.name(), stem)) {
      named.push_back(other);
    }
  }
  return named.empty() ? common : named;
}

std::vector<std::string> RuleIdsOf(const google::protobuf::Message& message,
                                   const FieldDescriptor& rule_field) {
  const auto* reflection = message.GetReflection();
  std::vector<std::string> ids;
  if (!rule_field.is_repeated()) {
    ids.push_back(reflection->GetString(message, &rule_field));
  } else {
    ids.reserve(reflection->FieldSize(message, &rule_field));
    for (int i = 0; i < reflection->FieldSize(message, &rule_field); ++i) {
      ids.push_back(reflection->GetRepeatedString(message, &rule_field, i));
    }
  }
  std::erase(ids, "");
  return ids;
}

}  // namespace ledger::policy
