#include "projections/policy/policy_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/policy/field_path.h"
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

bool Parse(absl::string_view text, TextFormat::ParseInfoTree* tree, std::vector<PolicyFileError>* errors,
           pb::Policy* policy) {
  Collector collector(errors);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.SetRecursionLimit(kMaxPolicyFileDepth);
  if (tree != nullptr) parser.WriteLocationsTo(tree);
  return parser.ParseFromString(std::string(text), policy) && errors->empty();
}

PolicyFileError Locate(const TextFormat::ParseInfoTree& root, const pb::PolicyFinding& finding) {
  PolicyFileError error{1, 1, absl::StrCat(finding.field(), ": ", finding.message())};
  const TextFormat::ParseInfoTree* tree = &root;
  const Descriptor* message = pb::Policy::descriptor();
  for (const PathStep& step : ReadPath(finding.field())) {
    const FieldDescriptor* field = message->FindFieldByName(step.name);
    if (field == nullptr) break;
    const int index = field->is_repeated() ? std::max(step.index, 0) : -1;
    const TextFormat::ParseLocation location = tree->GetLocation(field, index);
    if (location.line < 0) break;
    error.line = location.line + 1;
    error.column = location.column + 1;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) break;
    tree = tree->GetTreeForNested(field, index);
    message = field->message_type();
    if (tree == nullptr) break;
  }
  return error;
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

std::vector<PolicyFileError> LocateFindings(absl::string_view text,
                                            const std::vector<pb::PolicyFinding>& findings) {
  TextFormat::ParseInfoTree tree;
  std::vector<PolicyFileError> located;
  pb::Policy policy;
  if (!Parse(text, &tree, &located, &policy)) return located;
  for (const pb::PolicyFinding& finding : findings) located.push_back(Locate(tree, finding));
  std::stable_sort(located.begin(), located.end(), [](const PolicyFileError& a, const PolicyFileError& b) {
    return std::make_pair(a.line, a.column) < std::make_pair(b.line, b.column);
  });
  return located;
}

}  // namespace ledger::policy
