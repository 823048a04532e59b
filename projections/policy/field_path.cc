#include "projections/policy/field_path.h"

#include <google/protobuf/descriptor.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ledger::policy {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

PathStep ReadStep(absl::string_view text) {
  PathStep step;
  const size_t bracket = text.find('[');
  step.name = std::string(text.substr(0, bracket));
  if (bracket == absl::string_view::npos) return step;
  absl::string_view number = text.substr(bracket + 1);
  absl::ConsumeSuffix(&number, "]");
  if (!absl::SimpleAtoi(number, &step.index)) step.index = -1;
  return step;
}

}  // namespace

std::vector<PathStep> ReadPath(absl::string_view path) {
  std::vector<PathStep> steps;
  for (const absl::string_view part : absl::StrSplit(path, '.')) steps.push_back(ReadStep(part));
  return steps;
}

std::string JoinPath(absl::string_view path, absl::string_view field) {
  return path.empty() ? std::string(field) : absl::StrCat(path, ".", field);
}

std::string JoinPath(absl::string_view path, absl::string_view field, int index) {
  return absl::StrCat(JoinPath(path, field), "[", index, "]");
}

void VisitMessages(const Message& message, const std::string& path,
                   const std::function<void(const std::string&, const Message&)>& visit) {
  visit(path, message);
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      VisitMessages(reflection->GetMessage(message, field), JoinPath(path, field->name()), visit);
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      VisitMessages(reflection->GetRepeatedMessage(message, field, i), JoinPath(path, field->name(), i),
                    visit);
    }
  }
}

}  // namespace ledger::policy
