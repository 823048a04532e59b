#include "projections/policy/policy_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/policy/field_path.h"
#include "projections/policy/nearest_name.h"
#include "projections/policy/utf8.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

// Keeps at most so many errors: after the first few the rest are consequences.
constexpr size_t kMaxErrors = 20;

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  explicit Collector(std::vector<PolicyFileError>* errors) : errors_(errors) {}

  // The parser counts from 0, and says -1 where it means the whole file.
  void AddError(int line, int column, const std::string& message) override {
    if (errors_->size() >= kMaxErrors) return;
    errors_->push_back({std::max(line, 0) + 1, std::max(column, 0) + 1, message});
  }
  // What the parser only warns of would be passed over: fields that it does not know.
  void AddWarning(int line, int column, const std::string& message) override {
    AddError(line, column, message);
  }

 private:
  std::vector<PolicyFileError>* const errors_;
};

PolicyFileError At(absl::string_view text, size_t offset, std::string message) {
  PolicyFileError error{1, 1, std::move(message)};
  for (const char c : text.substr(0, offset)) {
    ++error.column;
    if (c == '\n') {
      ++error.line;
      error.column = 1;
    }
  }
  return error;
}

// The offset of the place of `error`, or the end of its line where that comes first. The tokenizer counts a tab as the
// way to the next multiple of eight columns.
size_t OffsetOf(absl::string_view text, const PolicyFileError& error) {
  size_t offset = 0;
  for (int line = 1; line < error.line; ++line) {
    const size_t end = text.find('\n', offset);
    if (end == absl::string_view::npos) return text.size();
    offset = end + 1;
  }
  int column = 0;
  while (column < error.column - 1 && offset < text.size() && text[offset] != '\n') {
    column += text[offset++] == '\t' ? 8 - column % 8 : 1;
  }
  return offset;
}

// The text between the first `before` of `message` and the next quotation mark; "" if there is none.
std::string Quoted(absl::string_view message, absl::string_view before) {
  const size_t found = message.find(before);
  if (found == absl::string_view::npos) return "";
  message.remove_prefix(found + before.size());
  const size_t end = message.find('"');
  return end == absl::string_view::npos ? "" : std::string(message.substr(0, end));
}

// Adds the names of the values of every enum that a field called `field` holds, somewhere in a policy.
void AddEnumValues(const Descriptor* message, const std::string& field, std::set<const Descriptor*>* seen,
                   std::vector<std::string>* names) {
  if (!seen->insert(message).second) return;
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* known = message->field(i);
    if (known->message_type() != nullptr) AddEnumValues(known->message_type(), field, seen, names);
    if (known->enum_type() == nullptr || known->name() != field) continue;
    for (int value = 0; value < known->enum_type()->value_count(); ++value) {
      names->push_back(known->enum_type()->value(value)->name());
    }
  }
}

std::string DidYouMean(absl::string_view written, const std::vector<std::string>& names) {
  const std::string nearest = NearestName(written, names);
  return nearest.empty() ? "" : absl::StrCat(" Did you mean \"", nearest, "\"?");
}

// Puts an error at the last `name` before it: the parser complains of a name once it has read what follows.
void MoveTo(const std::string& name, absl::string_view text, PolicyFileError* error) {
  const size_t found = text.substr(0, OffsetOf(text, *error)).rfind(name);
  if (found == absl::string_view::npos) return;
  const PolicyFileError there = At(text, found, "");
  error->line = there.line;
  error->column = there.column;
}

// A parser's complaint about a name that nobody knows, in words that help; other complaints stay as they are.
void Explain(absl::string_view text, PolicyFileError* error) {
  const std::string complaint = error->message;
  const std::string field = Quoted(complaint, "has no field named \"");
  const std::string value = Quoted(complaint, "Unknown enumeration value of \"");
  if (!field.empty()) {
    const Descriptor* message =
        pb::Policy::descriptor()->file()->pool()->FindMessageTypeByName(Quoted(complaint, "Message type \""));
    if (message == nullptr) return;
    std::vector<std::string> names;
    names.reserve(message->field_count());
    for (int i = 0; i < message->field_count(); ++i) names.push_back(message->field(i)->name());
    error->message =
        absl::StrCat("unknown field \"", field, "\": ", message->name(),
                     " has none of that name, and what it says would not be run.", DidYouMean(field, names));
    MoveTo(field, text, error);
  } else if (!value.empty()) {
    const std::string holder = Quoted(complaint, "for field \"");
    std::set<const Descriptor*> seen;
    std::vector<std::string> names;
    AddEnumValues(pb::Policy::descriptor(), holder, &seen, &names);
    error->message = absl::StrCat("unknown value \"", value, "\" of ", holder, ".", DidYouMean(value, names));
    MoveTo(value, text, error);
  }
}

bool Parse(absl::string_view text, TextFormat::ParseInfoTree* tree, std::vector<PolicyFileError>* errors,
           pb::Policy* policy) {
  Collector collector(errors);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.SetRecursionLimit(kMaxPolicyFileDepth);
  if (tree != nullptr) parser.WriteLocationsTo(tree);
  // So that all unknown fields are named at once, and not the first alone; each is an error all the same.
  parser.AllowUnknownField(true);
  const bool parsed = parser.ParseFromString(std::string(text), policy) && errors->empty();
  for (PolicyFileError& error : *errors) Explain(text, &error);
  return parsed;
}

LocatedFinding Locate(const TextFormat::ParseInfoTree& root, const pb::PolicyFinding& finding) {
  LocatedFinding place{1, 1, finding};
  const TextFormat::ParseInfoTree* tree = &root;
  const Descriptor* message = pb::Policy::descriptor();
  for (const PathStep& step : ReadPath(finding.field())) {
    const FieldDescriptor* field = message->FindFieldByName(step.name);
    if (field == nullptr) break;
    const int index = field->is_repeated() ? std::max(step.index, 0) : -1;
    const TextFormat::ParseLocation location = tree->GetLocation(field, index);
    if (location.line < 0) break;
    place.line = location.line + 1;
    place.column = location.column + 1;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) break;
    tree = tree->GetTreeForNested(field, index);
    message = field->message_type();
    if (tree == nullptr) break;
  }
  return place;
}

}  // namespace

absl::StatusOr<pb::Policy> ParsePolicyText(absl::string_view text, std::vector<PolicyFileError>* errors) {
  errors->clear();
  pb::Policy policy;
  if (text.size() > kMaxPolicyFileBytes) {
    errors->push_back({1, 1,
                       absl::StrCat("the file has ", text.size(), " bytes; at most ", kMaxPolicyFileBytes,
                                    " are allowed")});
  } else if (const size_t bad = FirstInvalidUtf8(text); bad != absl::string_view::npos) {
    errors->push_back(At(text, bad, "not UTF-8; save the file in UTF-8"));
  } else if (Parse(text, nullptr, errors, &policy)) {
    return policy;
  }
  if (errors->empty()) errors->push_back({1, 1, "not the text format of a policy"});
  const PolicyFileError& first = errors->front();
  return absl::InvalidArgumentError(
      absl::StrCat("BAD_POLICY_FILE: ", first.line, ":", first.column, ": ", first.message));
}

std::vector<LocatedFinding> LocateFindings(absl::string_view text,
                                           const std::vector<pb::PolicyFinding>& findings) {
  TextFormat::ParseInfoTree tree;
  std::vector<PolicyFileError> errors;
  std::vector<LocatedFinding> located;
  pb::Policy policy;
  Parse(text, &tree, &errors, &policy);
  located.reserve(findings.size());
  for (const pb::PolicyFinding& finding : findings) located.push_back(Locate(tree, finding));
  std::stable_sort(located.begin(), located.end(), [](const LocatedFinding& a, const LocatedFinding& b) {
    return std::make_pair(a.line, a.column) < std::make_pair(b.line, b.column);
  });
  return located;
}

}  // namespace ledger::policy
