#include "projections/policy/event_match.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "projections/policy/event_names.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const Message* BodyOf(const pb::Event& event) {
  const uint32_t type = EventTypeOf(event);
  if (type == 0) return nullptr;
  const FieldDescriptor* field = pb::Event::descriptor()->FindFieldByNumber(static_cast<int>(type));
  return &event.GetReflection()->GetMessage(event, field);
}

// "sms" for CONTACT_CHANNEL_SMS; empty for the unspecified value.
std::string EnumText(const EnumDescriptor* type, int number) {
  const EnumValueDescriptor* value = type->FindValueByNumber(number);
  if (value == nullptr) return absl::StrCat(number);
  if (number == 0) return "";
  absl::string_view prefix = type->FindValueByNumber(0)->name();
  absl::ConsumeSuffix(&prefix, "UNSPECIFIED");
  absl::string_view name = value->name();
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

// Entry `index` of a repeated field, or the field itself where `index` is -1. Empty: as good as not set.
std::string ScalarText(const Message& message, const FieldDescriptor* field, int index) {
  const auto* reflection = message.GetReflection();
  const bool repeated = index >= 0;
  const auto number = [](auto value) { return absl::StrCat(value); };
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? reflection->GetRepeatedString(message, field, index)
                      : reflection->GetString(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(field->enum_type(), repeated ? reflection->GetRepeatedEnumValue(message, field, index)
                                                   : reflection->GetEnumValue(message, field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (repeated ? reflection->GetRepeatedBool(message, field, index)
                       : reflection->GetBool(message, field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return number(repeated ? reflection->GetRepeatedInt32(message, field, index)
                             : reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return number(repeated ? reflection->GetRepeatedInt64(message, field, index)
                             : reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(repeated ? reflection->GetRepeatedUInt32(message, field, index)
                             : reflection->GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(repeated ? reflection->GetRepeatedUInt64(message, field, index)
                             : reflection->GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "";  // the contract has none
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "set";
  }
  return "";
}

const FieldDescriptor* FindField(const google::protobuf::Descriptor* type, absl::string_view name) {
  return type->FindFieldByName(std::string(name));
}

void Collect(const Message& message, absl::string_view path, std::vector<std::string>* texts) {
  const size_t dot = path.find('.');
  const FieldDescriptor* field = FindField(message.GetDescriptor(), path.substr(0, dot));
  if (field == nullptr) return;
  const auto* reflection = message.GetReflection();
  const absl::string_view rest = dot == absl::string_view::npos ? absl::string_view() : path.substr(dot + 1);
  if (field->is_map() && !rest.empty()) {
    const FieldDescriptor* key = field->message_type()->map_key();
    const FieldDescriptor* value = field->message_type()->map_value();
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      const Message& entry = reflection->GetRepeatedMessage(message, field, i);
      if (absl::string_view(ScalarText(entry, key, -1)) != rest) continue;
      std::string text = ScalarText(entry, value, -1);
      if (!text.empty()) texts->push_back(std::move(text));
    }
    return;
  }
  if (!rest.empty()) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    if (!field->is_repeated()) {
      if (reflection->HasField(message, field)) Collect(reflection->GetMessage(message, field), rest, texts);
      return;
    }
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      Collect(reflection->GetRepeatedMessage(message, field, i), rest, texts);
    }
    return;
  }
  if (field->is_repeated()) {
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      texts->push_back(ScalarText(message, field, field->is_map() ? 0 : i));
    }
    return;
  }
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !reflection->HasField(message, field)) return;
  if (field->real_containing_oneof() != nullptr && !reflection->HasField(message, field)) return;
  std::string text = ScalarText(message, field, -1);
  if (!text.empty()) texts->push_back(std::move(text));
}

bool InRange(const pb::FieldMatch& match, const std::string& text) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) return false;
  return (!match.has_at_least() || number >= match.at_least()) &&
         (!match.has_at_most() || number <= match.at_most());
}

bool Holds(const pb::FieldMatch& match, const std::vector<std::string>& texts) {
  if (match.has_at_least() || match.has_at_most()) {
    if (!std::any_of(texts.begin(), texts.end(), [&](const auto& text) { return InRange(match, text); }))
      return false;
    if (match.any_of().empty()) return true;
  }
  if (match.any_of().empty()) {
    return std::any_of(texts.begin(), texts.end(), [](const std::string& text) {
      return !text.empty() && text != "false" && text != "0";
    });
  }
  for (const std::string& wanted : match.any_of()) {
    if (wanted.empty() && texts.empty()) return true;
    if (std::find(texts.begin(), texts.end(), wanted) != texts.end()) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> FieldTexts(const pb::Event& event, absl::string_view path) {
  std::vector<std::string> texts;
  const Message* body = BodyOf(event);
  if (body != nullptr) Collect(*body, path, &texts);
  return texts;
}

bool Matches(const pb::FieldMatch& match, const pb::Event& event) {
  return Holds(match, FieldTexts(event, match.field())) != match.unless();
}

bool Matches(const pb::EventMatch& match, const pb::Event& event) {
  if (EventName(EventTypeOf(event)) != absl::string_view(match.event()) || match.event().empty())
    return false;
  return std::all_of(match.where().begin(), match.where().end(),
                     [&event](const pb::FieldMatch& field) { return Matches(field, event); });
}

std::optional<pb::ZonedTime> FieldTime(const pb::Event& event, absl::string_view path) {
  const Message* message = BodyOf(event);
  while (message != nullptr) {
    const size_t dot = path.find('.');
    const FieldDescriptor* field = FindField(message->GetDescriptor(), path.substr(0, dot));
    if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
        !message->GetReflection()->HasField(*message, field)) {
      return std::nullopt;
    }
    message = &message->GetReflection()->GetMessage(*message, field);
    if (dot == absl::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (message == nullptr || message->GetDescriptor() != pb::ZonedTime::descriptor()) return std::nullopt;
  return static_cast<const pb::ZonedTime&>(*message);
}

std::string FieldPathError(absl::string_view event, absl::string_view path) {
  const uint32_t number = EventTypeByName(event);
  if (number == 0) return absl::StrCat("there is no event \"", event, "\"");
  const google::protobuf::Descriptor* type =
      pb::Event::descriptor()->FindFieldByNumber(static_cast<int>(number))->message_type();
  absl::string_view rest = path;
  while (true) {
    const size_t dot = rest.find('.');
    const FieldDescriptor* field = FindField(type, rest.substr(0, dot));
    if (field == nullptr) {
      return absl::StrCat("\"", event, "\" has no field \"", path, "\"");
    }
    if (dot == absl::string_view::npos || field->is_map()) return "";
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return absl::StrCat("\"", event, "\" has no field \"", path, "\": \"", field->name(),
                          "\" holds no fields");
    }
    type = field->message_type();
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace ledger::policy
