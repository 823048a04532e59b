#include "projections/policy/policy_words.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "customerledger/v1/common.pb.h"
#include "projections/policy/sentence_pattern.h"
#include "projections/policy/sentences.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string Spaced(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", " "}}); }

// What a field's name says of its unit.
struct Unit {
  absl::string_view suffix;
  absl::string_view one;
  absl::string_view many;
};
constexpr Unit kUnits[] = {
    {"_seconds", "second", "seconds"},  {"_minutes", "minute", "minutes"},    {"_hours", "hour", "hours"},
    {"_days", "day", "days"},           {"_workdays", "workday", "workdays"}, {"_months", "month", "months"},
    {"_percent", "percent", "percent"},
};
constexpr absl::string_view kBasisPoints[] = {"_basis_points", "_bp"};

bool IsWhole(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return true;
    default:
      return false;
  }
}

// Hundredths as "12.5" and "12"; exact.
std::string Hundredths(int64_t value) {
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string text = absl::StrCat(value < 0 ? "-" : "", size / 100);
  if (size % 100 != 0) absl::StrAppendFormat(&text, ".%02d", static_cast<int>(size % 100));
  return text;
}

// Thousandths as "12.5" and "12"; exact.
std::string Thousandths(int64_t value) {
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string text = absl::StrCat(value < 0 ? "-" : "", size / 1000);
  if (size % 1000 != 0) absl::StrAppendFormat(&text, ".%03d", static_cast<int>(size % 1000));
  return text;
}

bool IsBasisPoints(absl::string_view name) {
  return name == "basis_points" ||
         std::any_of(std::begin(kBasisPoints), std::end(kBasisPoints),
                     [name](absl::string_view suffix) { return absl::EndsWith(name, suffix); });
}

std::string NumberWords(const FieldDescriptor& field, int64_t value) {
  const absl::string_view name = field.name();
  if (IsBasisPoints(name)) return absl::StrCat(Hundredths(value), " %");
  if (absl::EndsWith(name, "_minor"))
    return absl::StrCat(Hundredths(value), " (in hundredths of the currency)");
  if (absl::EndsWith(name, "_milli")) return Thousandths(value);
  for (const Unit& unit : kUnits) {
    if (absl::EndsWith(name, unit.suffix)) return absl::StrCat(value, " ", value == 1 ? unit.one : unit.many);
  }
  return absl::StrCat(value);
}

// "CLAIM_ACT_" for ClaimAct.
std::string EnumPrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (const char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  return prefix + "_";
}

std::string EnumWords(const FieldDescriptor& field, int value) {
  const auto* known = field.enum_type()->FindValueByNumber(value);
  return known == nullptr ? absl::StrCat("value ", value) : EnumValueWords(*known);
}

std::string PeriodWords(const pb::Period& period) {
  const auto count = [](uint32_t value, absl::string_view unit) {
    return absl::StrCat(value, " ", unit, value == 1 ? "" : "s");
  };
  switch (period.length_case()) {
    case pb::Period::kDays:
      return count(period.days(), "day");
    case pb::Period::kMonths:
      return count(period.months(), "month");
    case pb::Period::kWorkdays:
      return count(period.workdays(), "workday");
    case pb::Period::kHours:
      return count(period.hours(), "hour");
    case pb::Period::kMinutes:
      return count(period.minutes(), "minute");
    case pb::Period::LENGTH_NOT_SET:
      break;
  }
  return "no length of time";
}

std::string TimeOfDayWords(const pb::TimeOfDay& time) {
  return absl::StrFormat("%02d:%02d", time.hour(), time.minute());
}

std::string FieldMatchWords(const pb::FieldMatch& match) {
  std::string field = Spaced(absl::StrReplaceAll(match.field(), {{".", "'s "}}));
  std::vector<std::string> holds;
  if (!match.any_of().empty()) {
    const std::vector<std::string> values(match.any_of().begin(), match.any_of().end());
    holds.push_back(absl::StrJoin(values, " or "));
  }
  if (match.has_at_least()) holds.push_back(absl::StrCat("of at least ", match.at_least()));
  if (match.has_at_most()) holds.push_back(absl::StrCat("of at most ", match.at_most()));
  if (holds.empty()) return absl::StrCat(match.unless() ? "without " : "with ", field);
  return absl::StrCat(match.unless() ? "unless with " : "with ", field, " ", absl::StrJoin(holds, " and "));
}

// Events whose names read badly as they are.
std::string EventWords(const std::string& event) {
  static const auto* const words = new std::map<std::string, std::string>{
      {"customer_registered", "a registration"},
      {"contact_logged", "a contact"},
      {"visit_logged", "a visit"},
      {"deal_recorded", "a deal"},
      {"consumption_recorded", "a consumption"},
      {"transfer_proposed", "a proposed hand-over"},
      {"grade_changed", "a change of grade"},
  };
  const auto found = words->find(event);
  if (found != words->end()) return found->second;
  return event.empty() ? "no event" : absl::StrCat("an event \"", Spaced(event), "\"");
}

std::string EventMatchWords(const pb::EventMatch& match) {
  std::vector<std::string> where;
  where.reserve(match.where_size());
  for (const pb::FieldMatch& field : match.where()) where.push_back(FieldMatchWords(field));
  return absl::StrCat(EventWords(match.event()), where.empty() ? "" : " ", absl::StrJoin(where, " and "));
}

std::string MoneyWords(const pb::Money& money) {
  return absl::StrCat(Hundredths(money.minor_units()), money.currency_code().empty() ? "" : " ",
                      money.currency_code());
}

// The messages with words of their own.
using Phrase = std::string (*)(const Message&);
const std::map<const Descriptor*, Phrase>& Phrases() {
  static const auto* const phrases = new std::map<const Descriptor*, Phrase>{
      {pb::Period::descriptor(),
       [](const Message& m) { return PeriodWords(static_cast<const pb::Period&>(m)); }},
      {pb::TimeOfDay::descriptor(),
       [](const Message& m) { return TimeOfDayWords(static_cast<const pb::TimeOfDay&>(m)); }},
      {pb::FieldMatch::descriptor(),
       [](const Message& m) { return FieldMatchWords(static_cast<const pb::FieldMatch&>(m)); }},
      {pb::EventMatch::descriptor(),
       [](const Message& m) { return EventMatchWords(static_cast<const pb::EventMatch&>(m)); }},
      {pb::Money::descriptor(),
       [](const Message& m) { return MoneyWords(static_cast<const pb::Money&>(m)); }},
  };
  return *phrases;
}

// What a message without hand-written words says: its pattern, and every field that the pattern does not say.
std::string FieldByField(const Message& message) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  std::vector<std::string> parts;
  parts.reserve(fields.size() + 1);
  const std::optional<FilledPattern> filled = FillPattern(PhrasePatternOf(*message.GetDescriptor()), message);
  if (filled && !filled->said.empty()) parts.push_back(filled->text);
  for (const FieldDescriptor* field : fields) {
    if (filled && std::find(filled->said.begin(), filled->said.end(), field) != filled->said.end()) continue;
    parts.push_back(absl::StrCat(FieldWords(*field), " ", ValueWords(message, *field)));
  }
  return parts.empty() ? "nothing further" : absl::StrJoin(parts, ", ");
}

int64_t WholeOf(const Message& message, const FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return one ? reflection->GetInt32(message, &field)
                 : reflection->GetRepeatedInt32(message, &field, index);
    case FieldDescriptor::CPPTYPE_INT64:
      return one ? reflection->GetInt64(message, &field)
                 : reflection->GetRepeatedInt64(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT32:
      return one ? reflection->GetUInt32(message, &field)
                 : reflection->GetRepeatedUInt32(message, &field, index);
    default:
      return static_cast<int64_t>(one ? reflection->GetUInt64(message, &field)
                                      : reflection->GetRepeatedUInt64(message, &field, index));
  }
}

std::string OneValue(const Message& message, const FieldDescriptor& field, int index) {
  const auto* reflection = message.GetReflection();
  const bool one = index < 0;
  if (IsWhole(field)) return NumberWords(field, WholeOf(message, field, index));
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return (one ? reflection->GetBool(message, &field)
                  : reflection->GetRepeatedBool(message, &field, index))
                 ? "yes"
                 : "no";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumWords(field, one ? reflection->GetEnumValue(message, &field)
                                  : reflection->GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return PhraseOf(one ? reflection->GetMessage(message, &field)
                          : reflection->GetRepeatedMessage(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? reflection->GetString(message, &field)
                 : reflection->GetRepeatedString(message, &field, index);
    default:
      // A policy has no floating point.
      return "?";
  }
}

}  // namespace

std::string FieldWords(const FieldDescriptor& field) {
  absl::string_view name = field.name();
  if (IsWhole(field)) {
    for (const Unit& unit : kUnits) {
      if (absl::ConsumeSuffix(&name, unit.suffix)) break;
    }
    for (const absl::string_view suffix : kBasisPoints) absl::ConsumeSuffix(&name, suffix);
    absl::ConsumeSuffix(&name, "_minor");
  }
  return Spaced(name);
}

std::string EnumValueWords(const google::protobuf::EnumValueDescriptor& value) {
  absl::string_view name = value.name();
  const std::string prefix = EnumPrefix(*value.type());
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(Spaced(name));
}

std::string JoinWords(const std::vector<std::string>& words) {
  if (words.size() < 2) return words.empty() ? "" : words[0];
  const std::vector<std::string> head(words.begin(), words.end() - 1);
  return absl::StrCat(absl::StrJoin(head, ", "), " and ", words.back());
}

std::string ValueWords(const Message& message, const FieldDescriptor& field, int index) {
  if (!field.is_repeated() || index >= 0) return OneValue(message, field, index);
  const int size = message.GetReflection()->FieldSize(message, &field);
  std::vector<std::string> values;
  values.reserve(size);
  for (int i = 0; i < size; ++i) values.push_back(OneValue(message, field, i));
  return JoinWords(values);
}

std::string PhraseOf(const Message& message) {
  const auto found = Phrases().find(message.GetDescriptor());
  return found == Phrases().end() ? FieldByField(message) : found->second(message);
}

bool IsPhrase(const Descriptor& type) {
  return Phrases().find(&type) != Phrases().end() || !PhrasePatternOf(type).empty();
}

}  // namespace ledger::policy
