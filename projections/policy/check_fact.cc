#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/checks.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr uint32_t kMostTimes = 1000;

// Fields that name a fact, in the blocks that ask for facts.
bool NamesAFact(const FieldDescriptor& field) {
  static const auto* const kFiles = new std::set<std::string>{pb::FactNeeded::descriptor()->file()->name(),
                                                              pb::GradeScheme::descriptor()->file()->name(),
                                                              pb::CallBack::descriptor()->file()->name()};
  static const auto* const kNames = new std::set<std::string>{"fact",      "unless_fact", "needs_fact",
                                                              "date_fact", "habit_fact",  "given_by_facts"};
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && kNames->contains(field.name()) &&
         kFiles->contains(field.file()->name());
}

void CheckNamed(const std::set<std::string>& known, const std::string& path, const std::string& name,
                Findings* findings) {
  if (known.contains(name)) return;
  findings->Error(path, name.empty() ? "is empty, and no customer could ever have it; name one of facts"
                                     : absl::StrCat("there is no fact \"", name,
                                                    "\", so it would never hold; name one of facts"));
}

// Facts whose value is read must say where it stands.
void CheckValue(const pb::Policy& policy, const std::string& path, const std::string& name,
                Findings* findings) {
  for (const pb::CustomerFact& fact : policy.facts()) {
    if (name.empty() || fact.name() != name || !fact.value_field().empty()) continue;
    findings->Error(path, absl::StrCat("\"", name, "\" has no value to read; set its value_field"));
  }
}

}  // namespace

void CheckFacts(const pb::Policy& policy, Findings* findings) {
  std::set<std::string> known;
  for (int i = 0; i < policy.facts_size(); ++i) {
    const pb::CustomerFact& fact = policy.facts(i);
    const std::string path = JoinPath("", "facts", i);
    findings->CheckName(JoinPath(path, "name"), fact.name());
    if (!fact.name().empty() && !known.insert(fact.name()).second) {
      findings->Error(JoinPath(path, "name"),
                      absl::StrCat("\"", fact.name(),
                                   "\" names two facts and nothing could tell which; rename "
                                   "one"));
    }
    if (fact.established_by().empty()) {
      findings->Error(JoinPath(path, "established_by"),
                      "is empty, so the fact would never hold; name an event");
    }
    if (fact.times() > kMostTimes) {
      findings->Error(JoinPath(path, "times"), absl::StrCat("is ", fact.times(), "; 1 to 1000 are allowed"));
    }
  }
  VisitMessages(policy, "", [&](const std::string& path, const Message& message) {
    const auto* reflection = message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = message.GetDescriptor()->field(i);
      if (!NamesAFact(*field)) continue;
      if (field->is_repeated()) {
        for (int entry = 0; entry < reflection->FieldSize(message, field); ++entry) {
          CheckNamed(known, JoinPath(path, field->name(), entry),
                     reflection->GetRepeatedString(message, field, entry), findings);
        }
        continue;
      }
      // What cannot do without one is checked where it stands.
      const std::string name = reflection->GetString(message, field);
      if (!name.empty()) CheckNamed(known, JoinPath(path, field->name()), name, findings);
    }
    if (message.GetDescriptor() == pb::FactNeeded::descriptor() ||
        message.GetDescriptor() == pb::RangeVariant::descriptor() ||
        message.GetDescriptor() == pb::ManagedAs::descriptor()) {
      const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName("fact");
      if (reflection->GetString(message, field).empty())
        CheckNamed(known, JoinPath(path, "fact"), "", findings);
    }
  });
  CheckValue(policy, "call_back.habit_fact", policy.call_back().habit_fact(), findings);
  for (int i = 0; i < policy.call_back().occasions_size(); ++i) {
    CheckValue(policy, JoinPath(JoinPath("call_back", "occasions", i), "date_fact"),
               policy.call_back().occasions(i).date_fact(), findings);
  }
}

}  // namespace ledger::policy
