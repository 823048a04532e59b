#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// Sentences about a policy's messages, as patterns over their fields.
//
//   {field}       the field's value in words; the sentence is said only where the field is set
//   {field?}      nothing is inserted; said only where the field is true; for booleans alone
//   {field=word}  the same, where the field holds this value: an enum's in words, e.g. {by=registration}
//   {!field}      said only where the field is not set
//   [a|b|c]       the first of the parts whose fields are as they ask; none of them: nothing. Not nested
namespace ledger::policy {

// A pattern filled in.
struct FilledPattern {
  std::string text;
  // The fields that the text says, in the pattern's order, each once.
  std::vector<const google::protobuf::FieldDescriptor*> said;
};

// Fills `pattern` in for `message`; nothing where it does not fit. A pattern with a field that the message type does
// not have never fits.
std::optional<FilledPattern> FillPattern(absl::string_view pattern, const google::protobuf::Message& message);

// What is wrong with a pattern for `type`: brackets that do not close, fields and enum values that do not exist;
// empty: nothing.
std::string PatternError(absl::string_view pattern, const google::protobuf::Descriptor& type);

}  // namespace ledger::policy
