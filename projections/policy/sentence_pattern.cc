#include "projections/policy/sentence_pattern.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "projections/policy/policy_words.h"

namespace ledger::policy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// One {...}.
struct Slot {
  std::string field;
  std::string word;  // after '='
  enum Kind { kValue, kIsSet, kIsWord, kIsNotSet } kind = kValue;
};

Slot ReadSlot(absl::string_view text) {
  Slot slot;
  if (absl::ConsumePrefix(&text, "!")) {
    slot.kind = Slot::kIsNotSet;
  } else if (absl::ConsumeSuffix(&text, "?")) {
    slot.kind = Slot::kIsSet;
  } else if (const size_t equals = text.find('='); equals != absl::string_view::npos) {
    slot.kind = Slot::kIsWord;
    slot.word = std::string(text.substr(equals + 1));
    text = text.substr(0, equals);
  }
  slot.field = std::string(text);
  return slot;
}

bool IsSet(const Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  return field.is_repeated() ? reflection->FieldSize(message, &field) > 0
                             : reflection->HasField(message, &field);
}

void Say(const FieldDescriptor* field, FilledPattern* filled) {
  if (std::find(filled->said.begin(), filled->said.end(), field) == filled->said.end()) {
    filled->said.push_back(field);
  }
}

// Appends a slot's words; false where the message is not as it asks.
bool FillSlot(const Slot& slot, const Message& message, FilledPattern* filled) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(slot.field);
  if (field == nullptr) return false;
  const bool set = IsSet(message, *field);
  if (slot.kind == Slot::kIsNotSet) return !set;
  if (!set) return false;
  const std::string words = ValueWords(message, *field);
  if (slot.kind == Slot::kIsWord && words != slot.word) return false;
  // A boolean may be set to false where it is optional.
  if (slot.kind == Slot::kIsSet && words != "yes") return false;
  if (slot.kind == Slot::kValue) filled->text += words;
  Say(field, filled);
  return true;
}

// A text without [ ].
bool FillPlain(absl::string_view text, const Message& message, FilledPattern* filled) {
  while (!text.empty()) {
    const size_t open = text.find('{');
    filled->text.append(text.substr(0, open).data(), std::min(open, text.size()));
    if (open == absl::string_view::npos) return true;
    const size_t close = text.find('}', open);
    if (close == absl::string_view::npos) return false;
    if (!FillSlot(ReadSlot(text.substr(open + 1, close - open - 1)), message, filled)) return false;
    text.remove_prefix(close + 1);
  }
  return true;
}

void FillChoice(absl::string_view parts, const Message& message, FilledPattern* filled) {
  for (const absl::string_view part : absl::StrSplit(parts, '|')) {
    FilledPattern tried = *filled;
    if (!FillPlain(part, message, &tried)) continue;
    *filled = std::move(tried);
    return;
  }
}

std::string SlotError(const Slot& slot, const Descriptor& type) {
  const FieldDescriptor* field = type.FindFieldByName(slot.field);
  if (field == nullptr) return absl::StrCat(type.name(), " has no field \"", slot.field, "\"");
  // Anything else would be taken for said without its value.
  if (slot.kind == Slot::kIsSet &&
      (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_BOOL)) {
    return absl::StrCat("\"", slot.field, "\" is no boolean, and its value would not be said");
  }
  if (slot.kind != Slot::kIsWord) return "";
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM) {
    return absl::StrCat("\"", slot.field, "\" is no enum");
  }
  for (int i = 0; i < field->enum_type()->value_count(); ++i) {
    if (EnumValueWords(*field->enum_type()->value(i)) == slot.word) return "";
  }
  return absl::StrCat(field->enum_type()->name(), " has no value \"", slot.word, "\"");
}

}  // namespace

std::optional<FilledPattern> FillPattern(absl::string_view pattern, const Message& message) {
  FilledPattern filled;
  while (!pattern.empty()) {
    const size_t open = pattern.find('[');
    if (!FillPlain(pattern.substr(0, open), message, &filled)) return std::nullopt;
    if (open == absl::string_view::npos) break;
    const size_t close = pattern.find(']', open);
    if (close == absl::string_view::npos) return std::nullopt;
    FillChoice(pattern.substr(open + 1, close - open - 1), message, &filled);
    pattern.remove_prefix(close + 1);
  }
  return filled;
}

std::string PatternError(absl::string_view pattern, const Descriptor& type) {
  bool in_choice = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '[' || c == ']') {
      if (in_choice == (c == '[')) return absl::StrCat("'", pattern.substr(i, 1), "' out of place");
      in_choice = c == '[';
    } else if (c == '}') {
      return "'}' out of place";
    } else if (c == '{') {
      const size_t close = pattern.find('}', i);
      if (close == absl::string_view::npos) return "'{' does not close";
      std::string error = SlotError(ReadSlot(pattern.substr(i + 1, close - i - 1)), type);
      if (!error.empty()) return error;
      i = close;
    }
  }
  return in_choice ? "'[' does not close" : "";
}

}  // namespace ledger::policy
