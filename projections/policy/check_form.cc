#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "projections/policy/checks.h"
#include "projections/policy/field_path.h"
#include "projections/policy/utf8.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kMaxText = 4096;
constexpr int kMaxList = 1000;

void CheckText(const std::string& path, const std::string& text, Findings* findings) {
  if (text.size() > kMaxText) {
    findings->Error(path,
                    absl::StrCat("is ", text.size(), " bytes long; at most ", kMaxText, " are allowed"));
  } else if (FirstInvalidUtf8(text) != absl::string_view::npos) {
    findings->Error(path, "is not UTF-8 and could not be stored; write it in UTF-8");
  }
}

void CheckEnum(const std::string& path, const FieldDescriptor* field, int value, Findings* findings) {
  if (field->enum_type()->FindValueByNumber(value) != nullptr) return;
  findings->Error(path,
                  absl::StrCat("has the value ", value, ", which this release does not know; use a name of ",
                               field->enum_type()->name()));
}

void CheckValue(const Message& message, const FieldDescriptor* field, int index, const std::string& path,
                Findings* findings) {
  const auto* reflection = message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    CheckText(path,
              field->is_repeated() ? reflection->GetRepeatedString(message, field, index)
                                   : reflection->GetString(message, field),
              findings);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
    CheckEnum(path, field,
              field->is_repeated() ? reflection->GetRepeatedEnumValue(message, field, index)
                                   : reflection->GetEnumValue(message, field),
              findings);
  }
}

void CheckMessage(const std::string& path, const Message& message, Findings* findings) {
  const auto* reflection = message.GetReflection();
  if (!reflection->GetUnknownFields(message).empty()) {
    findings->Error(
        path,
        "holds a field that this release does not know and would pass over; adopt it with a release "
        "that knows it");
  }
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) {
      CheckValue(message, field, -1, JoinPath(path, field->name()), findings);
      continue;
    }
    const int size = reflection->FieldSize(message, field);
    if (size > kMaxList) {
      findings->Error(JoinPath(path, field->name()),
                      absl::StrCat("has ", size, " entries; at most ", kMaxList, " are allowed"));
      continue;
    }
    for (int i = 0; i < size; ++i) {
      CheckValue(message, field, i, JoinPath(path, field->name(), i), findings);
    }
  }
}

}  // namespace

void CheckForm(const pb::Policy& policy, Findings* findings) {
  VisitMessages(policy, "", [findings](const std::string& path, const Message& message) {
    CheckMessage(path, message, findings);
  });
}

}  // namespace ledger::policy
