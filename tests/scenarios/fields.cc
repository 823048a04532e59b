#include "tests/scenarios/fields.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "customerledger/v1/common.pb.h"
#include "customerledger/v1/deal_events.pb.h"
#include "customerledger/v1/reference_events.pb.h"
#include "customerledger/v1/time.pb.h"
#include "storage/status_macros.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::TextFormat;
using google::protobuf::Timestamp;
using google::protobuf::util::MessageDifferencer;

constexpr absl::string_view kSuffixes[] = {"_id", "_ids", "_time", "_name", "_milli", "_shares"};
constexpr int64_t kBasisPoints = 10'000;

absl::Status Wrong(absl::string_view value, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", value, "\" is no ", what));
}

absl::TimeZone Zone(const Reading& reading) { return absl::FixedTimeZone(reading.utc_offset_seconds); }

std::string EnumPrefix(const EnumDescriptor* type) {
  return std::string(absl::StripSuffix(type->value(0)->name(), "UNSPECIFIED"));
}

// Whether the path's last element asks for thousandths by its short name.
bool InThousandths(const FieldDescriptor* field, absl::string_view name) {
  return absl::EndsWith(field->name(), "_milli") && !absl::EndsWith(name, "_milli");
}

absl::StatusOr<int64_t> ParseInteger(const Reading& reading, const FieldDescriptor* field,
                                     absl::string_view name, absl::string_view value) {
  if (absl::ConsumePrefix(&value, "@")) {
    const auto found = reading.positions.find(std::string(value));
    if (found != reading.positions.end()) return static_cast<int64_t>(found->second);
    return absl::InvalidArgumentError(absl::StrCat("no event before this one has the label @", value));
  }
  if (absl::ConsumeSuffix(&value, "%")) {
    const std::optional<int64_t> share = ParseDecimal(value, 2);
    if (share) return *share;
    return Wrong(value, "percentage with at most two decimals");
  }
  if (InThousandths(field, name)) {
    const std::optional<int64_t> milli = ParseDecimal(value, 3);
    if (milli) return *milli;
    return Wrong(value, "number with at most three decimals");
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(value, &number)) return Wrong(value, "whole number");
  return number;
}

absl::StatusOr<int> ParseEnum(const EnumDescriptor* type, absl::string_view value) {
  const EnumValueDescriptor* found = type->FindValueByName(EnumPrefix(type) + absl::AsciiStrToUpper(value));
  if (found == nullptr) found = type->FindValueByName(std::string(value));
  if (found != nullptr) return found->number();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", value, "\" is none of: ", absl::StrJoin(EnumNames(type), ", ")));
}

absl::StatusOr<Instant> ParseTimeValue(const Reading& reading, absl::string_view value) {
  const std::optional<Instant> instant =
      ParseInstant(absl::StrReplaceAll(value, {{" ", "T"}}), reading.today);
  if (!instant) return Wrong(value, "instant: write 2026-03-01T15:00, or 15:00 of the same day");
  return *instant;
}

absl::Status ParseMoney(absl::string_view value, Message* message) {
  if (value.size() > 3) {
    const absl::string_view currency = value.substr(value.size() - 3);
    const std::optional<int64_t> minor = ParseDecimal(value.substr(0, value.size() - 3), 2);
    if (minor && std::all_of(currency.begin(), currency.end(), absl::ascii_isupper)) {
      pb::Money money;
      money.set_minor_units(*minor);
      money.set_currency_code(std::string(currency));
      message->CopyFrom(money);
      return absl::OkStatus();
    }
  }
  return Wrong(value, "amount: write 300.00CNY");
}

absl::Status ParseOwner(absl::string_view value, Message* message) {
  pb::Owner owner;
  if (absl::ConsumePrefix(&value, "unit:")) {
    owner.set_unit_id(std::string(value));
  } else {
    absl::ConsumePrefix(&value, "staff:");
    owner.set_staff_id(std::string(value));
  }
  if (value.empty()) return Wrong(value, "owner: write A, or unit:dept-1");
  message->CopyFrom(owner);
  return absl::OkStatus();
}

// "A:50%", "unit:dept-1:100%".
absl::Status ParseShare(absl::string_view value, Message* message) {
  const size_t colon = value.rfind(':');
  pb::CreditShare share;
  if (colon != absl::string_view::npos && absl::EndsWith(value, "%")) {
    const std::optional<int64_t> points = ParseDecimal(value.substr(colon + 1, value.size() - colon - 2), 2);
    if (points && *points <= kBasisPoints &&
        ParseOwner(value.substr(0, colon), share.mutable_holder()).ok()) {
      share.set_basis_points(static_cast<int32_t>(*points));
      message->CopyFrom(share);
      return absl::OkStatus();
    }
  }
  return Wrong(value, "share: write A:50%");
}

// Keeps what is wrong with a text, instead of printing it.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int /*line*/, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(" (at character ", column + 1, " of it: ", message, ")");
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status ParseTextFormat(absl::string_view value, Message* message) {
  absl::ConsumePrefix(&value, "{");
  if (!absl::ConsumeSuffix(&value, "}")) return Wrong(value, "text format: the closing brace is missing");
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (parser.ParseFromString(std::string(value), message)) return absl::OkStatus();
  return Wrong(value, absl::StrCat("text format of a ", message->GetDescriptor()->name(), error.text()));
}

absl::Status ParseMessage(const Reading& reading, const FieldDescriptor* field, absl::string_view value,
                          Message* message) {
  if (absl::StartsWith(value, "{")) return ParseTextFormat(value, message);
  const Descriptor* type = field->message_type();
  if (type == Timestamp::descriptor() || type == pb::ZonedTime::descriptor()) {
    LEDGER_ASSIGN_OR_RETURN(const Instant instant, ParseTimeValue(reading, value));
    pb::ZonedTime zoned;
    *zoned.mutable_time() = ToTimestamp(reading, instant.time);
    zoned.set_utc_offset_seconds(reading.utc_offset_seconds);
    // Due times are the last instant that is still in time.
    if (instant.end_of_day && type == Timestamp::descriptor() && absl::EndsWith(field->name(), "due_time")) {
      zoned.mutable_time()->set_seconds(zoned.time().seconds() - 1);
    }
    if (type == Timestamp::descriptor()) {
      message->CopyFrom(zoned.time());
    } else {
      message->CopyFrom(zoned);
    }
    return absl::OkStatus();
  }
  if (type == pb::Money::descriptor()) return ParseMoney(value, message);
  if (type == pb::Owner::descriptor()) return ParseOwner(value, message);
  if (type == pb::CreditShare::descriptor()) return ParseShare(value, message);
  if (type == pb::CivilDate::descriptor()) {
    const std::optional<absl::CivilDay> day = ParseDay(value);
    if (!day) return Wrong(value, "day: write 2026-04-06");
    pb::CivilDate date;
    date.set_year(static_cast<int32_t>(day->year()));
    date.set_month(day->month());
    date.set_day(day->day());
    message->CopyFrom(date);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a ", type->name(), " is written in text format: \"{ ... }\""));
}

// One value into a singular field, or one more entry of a list.
absl::Status SetOne(const Reading& reading, const FieldDescriptor* field, absl::string_view name,
                    absl::string_view value, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const bool list = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      list ? reflection.AddString(message, field, std::string(value))
           : reflection.SetString(message, field, std::string(value));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool yes = value == "true" || value == "yes";
      if (!yes && value != "false" && value != "no") return Wrong(value, "true or false");
      list ? reflection.AddBool(message, field, yes) : reflection.SetBool(message, field, yes);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      LEDGER_ASSIGN_OR_RETURN(const int number, ParseEnum(field->enum_type(), value));
      list ? reflection.AddEnumValue(message, field, number)
           : reflection.SetEnumValue(message, field, number);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ParseMessage(
          reading, field, value,
          list ? reflection.AddMessage(message, field) : reflection.MutableMessage(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::InvalidArgumentError("floating point fields are not compared");
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      break;
  }
  LEDGER_ASSIGN_OR_RETURN(const int64_t number, ParseInteger(reading, field, name, value));
  const bool is_unsigned = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                           field->cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  const bool is_narrow = field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32 ||
                         field->cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  if ((is_unsigned && number < 0) || (is_narrow && (number > std::numeric_limits<int32_t>::max() ||
                                                    number < std::numeric_limits<int32_t>::min()))) {
    return Wrong(value, "number that fits the field");
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      list ? reflection.AddInt32(message, field, static_cast<int32_t>(number))
           : reflection.SetInt32(message, field, static_cast<int32_t>(number));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      list ? reflection.AddInt64(message, field, number) : reflection.SetInt64(message, field, number);
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      list ? reflection.AddUInt32(message, field, static_cast<uint32_t>(number))
           : reflection.SetUInt32(message, field, static_cast<uint32_t>(number));
      break;
    default:
      list ? reflection.AddUInt64(message, field, static_cast<uint64_t>(number))
           : reflection.SetUInt64(message, field, static_cast<uint64_t>(number));
      break;
  }
  return absl::OkStatus();
}

absl::Status SetValue(const Reading& reading, const FieldDescriptor* field, absl::string_view name,
                      absl::string_view value, bool quoted, Message* message) {
  if (!field->is_repeated() || quoted || absl::StartsWith(value, "{")) {
    return SetOne(reading, field, name, value, message);
  }
  for (absl::string_view part : absl::StrSplit(value, ',', absl::SkipEmpty())) {
    LEDGER_RETURN_IF_ERROR(SetOne(reading, field, name, part, message));
  }
  return absl::OkStatus();
}

// The map entry's message whose key is `key`, added where there is none.
Message* MapEntry(const FieldDescriptor* field, const std::string& key, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const FieldDescriptor* key_field = field->message_type()->map_key();
  for (int i = 0; i < reflection.FieldSize(*message, field); ++i) {
    Message* entry = reflection.MutableRepeatedMessage(message, field, i);
    if (entry->GetReflection()->GetString(*entry, key_field) == key) return entry;
  }
  Message* entry = reflection.AddMessage(message, field);
  entry->GetReflection()->SetString(entry, key_field, key);
  return entry;
}

bool HasStringKey(const FieldDescriptor* field) {
  return field->is_map() && field->message_type()->map_key()->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

// One element of a path: a name, and which entries of the list.
struct Element {
  std::string name;
  std::string choice;  // inside the brackets; empty: no brackets
  bool has_choice = false;
};

absl::StatusOr<std::vector<Element>> SplitPath(absl::string_view path) {
  std::vector<Element> elements(1);
  bool inside = false;
  for (const char c : path) {
    Element& last = elements.back();
    if (inside) {
      if (c == ']') {
        inside = false;
      } else {
        last.choice.push_back(c);
      }
    } else if (c == '[') {
      inside = last.has_choice = true;
    } else if (c == '.') {
      elements.emplace_back();
    } else if (last.has_choice) {
      return Wrong(path, "path: after ] comes a dot");
    } else {
      last.name.push_back(c);
    }
  }
  for (const Element& element : elements) {
    if (inside || element.name.empty() || (element.has_choice && element.choice.empty())) {
      return Wrong(path, "path of fields");
    }
  }
  return elements;
}

// An empty message of the field's type, to be compared with or written to. Owned by the caller.
std::unique_ptr<Message> NewOf(const Message& message) { return std::unique_ptr<Message>(message.New()); }

class Checker {
 public:
  Checker(const Reading& reading, const Word& word) : reading_(reading), word_(word) {}

  absl::StatusOr<std::string> Check(const Message& message) {
    LEDGER_ASSIGN_OR_RETURN(elements_, SplitPath(word_.key));
    return CheckFrom(message, 0);
  }

 private:
  // `message` may be an empty one: the path is followed to its end all the same, so that a wrong path is told from
  // an answer that does not hold.
  absl::StatusOr<std::string> CheckFrom(const Message& message, size_t index) {
    const Element& element = elements_[index];
    LEDGER_ASSIGN_OR_RETURN(const FieldDescriptor* field, FindField(message.GetDescriptor(), element.name));
    const bool last = index + 1 == elements_.size();
    if (element.has_choice && !field->is_repeated()) {
      return absl::InvalidArgumentError(absl::StrCat(field->name(), " is no list: write it without []"));
    }
    if (!last && field->is_repeated() && !element.has_choice && elements_[index + 1].name == "count" &&
        index + 2 == elements_.size()) {
      return CheckCount(message.GetReflection()->FieldSize(message, field));
    }
    if (last && !element.has_choice) return CheckLeaf(message, field, element.name);
    if (last && field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return absl::InvalidArgumentError(absl::StrCat("compare the whole list: ", field->name(), "=a,b,c"));
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return absl::InvalidArgumentError(absl::StrCat(field->name(), " has no fields of its own"));
    }
    if (!field->is_repeated())
      return CheckFrom(message.GetReflection()->GetMessage(message, field), index + 1);
    if (HasStringKey(field) && !element.has_choice) return CheckMapEntry(message, field, index);
    if (!element.has_choice) {
      return absl::InvalidArgumentError(absl::StrCat(field->name(), " is a list: choose an entry, as in ",
                                                     field->name(), "[0], or count them with ", field->name(),
                                                     ".count"));
    }
    return CheckChosen(message, field, index);
  }

  absl::StatusOr<std::string> CheckChosen(const Message& message, const FieldDescriptor* field,
                                          size_t index) {
    std::string missing;
    LEDGER_ASSIGN_OR_RETURN(const Message* chosen, Choose(message, field, elements_[index].choice, &missing));
    const std::unique_ptr<Message> nothing(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(field->message_type())->New());
    const Message& entry = chosen == nullptr ? *nothing : *chosen;
    const bool last = index + 1 == elements_.size();
    if (last && word_.value != "none" && word_.value != "any") {
      return absl::InvalidArgumentError("of an entry as a whole only \"none\" and \"any\" can be said");
    }
    if (last)
      return (chosen == nullptr) == ((word_.value == "none") == (word_.op == "="))
                 ? std::string()
                 : (chosen == nullptr ? missing : "there is one");
    LEDGER_ASSIGN_OR_RETURN(std::string wrong, CheckFrom(entry, index + 1));
    return chosen == nullptr ? missing : wrong;
  }

  // The entry that "0" or "scheme=intent" means; null and a text where there is none.
  absl::StatusOr<const Message*> Choose(const Message& message, const FieldDescriptor* field,
                                        const std::string& choice, std::string* missing) {
    const Reflection& reflection = *message.GetReflection();
    const int size = reflection.FieldSize(message, field);
    *missing = absl::StrCat(field->name(), " has no entry [", choice, "] among ", size);
    uint32_t number = 0;
    if (absl::SimpleAtoi(choice, &number)) {
      return number < static_cast<uint32_t>(size)
                 ? &reflection.GetRepeatedMessage(message, field, static_cast<int>(number))
                 : nullptr;
    }
    const std::vector<std::string> parts = absl::StrSplit(choice, absl::MaxSplits('=', 1));
    if (parts.size() != 2) return Wrong(choice, "choice of an entry: write [0] or [scheme=intent]");
    Word condition = word_;
    condition.key = parts[0];
    condition.op = "=";
    condition.value = std::string(absl::StripPrefix(absl::StripSuffix(parts[1], "\""), "\""));
    const Message* prototype =
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(field->message_type());
    LEDGER_RETURN_IF_ERROR(CheckField(reading_, condition, *prototype).status());
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, field, i);
      LEDGER_ASSIGN_OR_RETURN(const std::string wrong, CheckField(reading_, condition, entry));
      if (wrong.empty()) return &entry;
    }
    return nullptr;
  }

  absl::StatusOr<std::string> CheckMapEntry(const Message& message, const FieldDescriptor* field,
                                            size_t index) {
    const Reflection& reflection = *message.GetReflection();
    const FieldDescriptor* key = field->message_type()->map_key();
    const FieldDescriptor* value = field->message_type()->map_value();
    if (index + 2 != elements_.size()) return Wrong(word_.key, "path: a map's values have no fields");
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, field, i);
      if (entry.GetReflection()->GetString(entry, key) != elements_[index + 1].name) continue;
      return CheckLeaf(entry, value, value->name());
    }
    if (word_.value == "none" && word_.op == "=") return std::string();
    return absl::StrCat("no entry ", elements_[index + 1].name);
  }

  absl::StatusOr<std::string> CheckCount(int count) {
    int expected = 0;
    if (!absl::SimpleAtoi(word_.value, &expected) || word_.op == "~") return Wrong(word_.value, "count");
    return (count == expected) == (word_.op == "=") ? std::string() : absl::StrCat(count);
  }

  absl::StatusOr<std::string> CheckLeaf(const Message& message, const FieldDescriptor* field,
                                        absl::string_view name) {
    const std::string actual = Actual(message, field);
    if (word_.op == "~" && field->is_repeated()) return CheckContains(message, field, name);
    if (word_.op == "~") {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
        return absl::InvalidArgumentError(absl::StrCat("~ looks into texts; ", field->name(), " is none"));
      }
      return absl::StrContains(actual, word_.value) ? std::string() : absl::StrCat("\"", actual, "\"");
    }
    LEDGER_ASSIGN_OR_RETURN(const bool same, IsSame(message, field, name));
    return same == (word_.op == "=") ? std::string() : actual.empty() ? "nothing" : actual;
  }

  // Whether the list has the value among its entries.
  absl::StatusOr<std::string> CheckContains(const Message& message, const FieldDescriptor* field,
                                            absl::string_view name) {
    const std::unique_ptr<Message> expected = NewOf(message);
    LEDGER_RETURN_IF_ERROR(SetOne(reading_, field, name, word_.value, expected.get()));
    std::string wanted;
    TextFormat::PrintFieldValueToString(*expected, field, 0, &wanted);
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      std::string text;
      TextFormat::PrintFieldValueToString(message, field, i, &text);
      if (text == wanted) return std::string();
    }
    return absl::StrCat("[", Actual(message, field), "]");
  }

  absl::StatusOr<bool> IsSame(const Message& message, const FieldDescriptor* field, absl::string_view name) {
    const Reflection& reflection = *message.GetReflection();
    const bool there = field->is_repeated()    ? reflection.FieldSize(message, field) > 0
                       : field->has_presence() ? reflection.HasField(message, field)
                                               : !IsDefault(message, field);
    if (!word_.quoted && word_.value == "none" && CanBeNone(field)) return !there;
    if (!word_.quoted && word_.value == "any" && CanBeNone(field)) return there;
    const std::unique_ptr<Message> expected = NewOf(message);
    LEDGER_RETURN_IF_ERROR(SetValue(reading_, field, name, word_.value, word_.quoted, expected.get()));
    MessageDifferencer differencer;
    std::vector<const FieldDescriptor*> fields{field};
    if (absl::StartsWith(word_.value, "{")) {
      differencer.set_scope(MessageDifferencer::PARTIAL);
    } else {
      // Only what the word can say is compared: an owner's level and a clock's offset are fields of their own.
      differencer.IgnoreField(pb::Owner::descriptor()->FindFieldByName("level"));
      differencer.IgnoreField(pb::ZonedTime::descriptor()->FindFieldByName("utc_offset_seconds"));
    }
    return differencer.CompareWithFields(*expected, message, fields, fields);
  }

  static bool CanBeNone(const FieldDescriptor* field) {
    return field->cpp_type() != FieldDescriptor::CPPTYPE_ENUM ||
           ParseEnum(field->enum_type(), "none").status().code() == absl::StatusCode::kInvalidArgument;
  }

  static bool IsDefault(const Message& message, const FieldDescriptor* field) {
    return !message.GetReflection()->HasField(message, field);
  }

  // What stands there, as a scenario would write it where that is short.
  std::string Actual(const Message& message, const FieldDescriptor* field) const {
    const Reflection& reflection = *message.GetReflection();
    if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return reflection.GetString(message, field);
    }
    if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const std::string name = reflection.GetEnum(message, field)->name();
      return absl::AsciiStrToLower(absl::StripPrefix(name, EnumPrefix(field->enum_type())));
    }
    if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (!reflection.HasField(message, field)) return "nothing";
      return std::string(absl::StripAsciiWhitespace(Show(reading_, reflection.GetMessage(message, field))));
    }
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    std::vector<std::string> texts;
    texts.reserve(static_cast<size_t>(size));
    for (int i = 0; i < size; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        texts.push_back(Show(reading_, reflection.GetRepeatedMessage(message, field, i)));
        continue;
      }
      std::string text;
      TextFormat::PrintFieldValueToString(message, field, field->is_repeated() ? i : -1, &text);
      texts.push_back(std::move(text));
    }
    return absl::StrJoin(texts, ",");
  }

  const Reading& reading_;
  const Word& word_;
  std::vector<Element> elements_;
};

// Prints instants in local time and positions as numbers: lineages are random.
class ShortPrinter : public TextFormat::MessagePrinter {
 public:
  explicit ShortPrinter(const Reading& reading) : reading_(reading) {}
  void Print(const Message& message, bool single_line,
             TextFormat::BaseTextGenerator* generator) const override {
    const Timestamp* time = google::protobuf::DynamicCastToGenerated<Timestamp>(&message);
    const auto* token = google::protobuf::DynamicCastToGenerated<pb::PositionToken>(&message);
    if (time != nullptr) generator->PrintString(LocalText(reading_, *time));
    if (token != nullptr) generator->PrintString(absl::StrCat(token->position()));
    generator->PrintLiteral(single_line ? " " : "\n");
  }

 private:
  const Reading& reading_;
};

// "since_time {", "2026-03-01 00:00:00", "}" on one line.
std::string Joined(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  std::vector<std::string> joined;
  joined.reserve(lines.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i + 2 < lines.size() && absl::EndsWith(lines[i], " {") &&
        absl::StripAsciiWhitespace(lines[i + 2]) == "}" && !absl::StrContains(lines[i + 1], ": ") &&
        !absl::StrContains(lines[i + 1], "{") && !absl::StrContains(lines[i + 1], "}")) {
      joined.push_back(
          absl::StrCat(absl::StripSuffix(lines[i], " {"), ": ", absl::StripAsciiWhitespace(lines[i + 1])));
      i += 2;
    } else {
      joined.push_back(std::move(lines[i]));
    }
  }
  return absl::StrJoin(joined, "\n");
}

}  // namespace

Timestamp ToTimestamp(const Reading& reading, absl::CivilSecond time) {
  Timestamp timestamp;
  timestamp.set_seconds(absl::ToUnixSeconds(absl::FromCivil(time, Zone(reading))));
  return timestamp;
}

std::string LocalText(const Reading& reading, const Timestamp& time) {
  const absl::Time instant = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return absl::FormatTime(time.nanos() == 0 ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M:%E*S", instant,
                          Zone(reading));
}

std::string Show(const Reading& reading, const Message& message) {
  std::string text;
  if (message.GetDescriptor() == Timestamp::descriptor()) {
    Timestamp time;
    time.CopyFrom(message);
    return LocalText(reading, time);
  }
  TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  // The printer owns them.
  printer.RegisterMessagePrinter(Timestamp::descriptor(), new ShortPrinter(reading));
  printer.RegisterMessagePrinter(pb::PositionToken::descriptor(), new ShortPrinter(reading));
  printer.PrintToString(message, &text);
  return Joined(text);
}

std::optional<int64_t> ParseDecimal(absl::string_view text, size_t digits) {
  const bool negative = absl::ConsumePrefix(&text, "-");
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('.', 1));
  std::string all(parts[0]);
  const absl::string_view fraction = parts.size() == 2 ? parts[1] : absl::string_view();
  if (parts[0].empty() || (parts.size() == 2 && fraction.empty()) || fraction.size() > digits) {
    return std::nullopt;
  }
  absl::StrAppend(&all, fraction, std::string(digits - fraction.size(), '0'));
  int64_t value = 0;
  if (!std::all_of(all.begin(), all.end(), absl::ascii_isdigit) || !absl::SimpleAtoi(all, &value)) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::vector<std::string> EnumNames(const EnumDescriptor* type) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(type->value_count()));
  const std::string prefix = EnumPrefix(type);
  for (int i = 0; i < type->value_count(); ++i) {
    names.push_back(absl::AsciiStrToLower(absl::StripPrefix(type->value(i)->name(), prefix)));
  }
  return names;
}

absl::StatusOr<const FieldDescriptor*> FindField(const Descriptor* type, absl::string_view name) {
  const FieldDescriptor* found = type->FindFieldByName(std::string(name));
  if (found != nullptr) return found;
  std::vector<std::string> names;
  std::vector<std::string> matching;
  names.reserve(static_cast<size_t>(type->field_count()));
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    names.push_back(field->name());
    for (absl::string_view suffix : kSuffixes) {
      if (field->name() != absl::StrCat(name, suffix)) continue;
      found = field;
      matching.push_back(field->name());
    }
  }
  // "customers" for customer_ids.
  const absl::string_view singular = absl::StripSuffix(name, "s");
  if (matching.empty() && singular != name) {
    const FieldDescriptor* list = type->FindFieldByName(absl::StrCat(singular, "_ids"));
    if (list != nullptr) return list;
  }
  if (matching.size() == 1) return found;
  if (matching.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" could be ", absl::StrJoin(matching, " or "), ": write the whole name"));
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is no field of ", type->name(),
                                                 "; its fields: ", absl::StrJoin(names, ", ")));
}

absl::Status SetField(const Reading& reading, absl::string_view path, absl::string_view value, bool quoted,
                      Message* message) {
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (size_t i = 0; i < names.size(); ++i) {
    LEDGER_ASSIGN_OR_RETURN(const FieldDescriptor* field, FindField(message->GetDescriptor(), names[i]));
    if (i + 1 == names.size()) return SetValue(reading, field, names[i], value, quoted, message);
    if (HasStringKey(field)) {
      const std::string key = absl::StrJoin(names.begin() + static_cast<ptrdiff_t>(i) + 1, names.end(), ".");
      Message* entry = MapEntry(field, key, message);
      const FieldDescriptor* map_value = field->message_type()->map_value();
      // The scores of a survey and the like are in thousandths where the map's name says so.
      if (InThousandths(field, names[i])) {
        const std::optional<int64_t> milli = ParseDecimal(value, 3);
        if (!milli) return Wrong(value, "number with at most three decimals");
        entry->GetReflection()->SetInt64(entry, map_value, *milli);
        return absl::OkStatus();
      }
      return SetOne(reading, map_value, map_value->name(), value, entry);
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_repeated()) {
      return absl::InvalidArgumentError(absl::StrCat(field->name(), " has no fields of its own"));
    }
    message = message->GetReflection()->MutableMessage(message, field);
  }
  return absl::OkStatus();
}

absl::Status SetFromText(absl::string_view path, absl::string_view text, Message* message) {
  LEDGER_ASSIGN_OR_RETURN(const std::vector<Element> elements, SplitPath(path));
  for (size_t i = 0; i < elements.size(); ++i) {
    const Element& element = elements[i];
    const Reflection& reflection = *message->GetReflection();
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(element.name);
    // Here a name is written in full: the line is read beside a policy file.
    if (field == nullptr) {
      std::vector<std::string> names;
      names.reserve(static_cast<size_t>(message->GetDescriptor()->field_count()));
      for (int f = 0; f < message->GetDescriptor()->field_count(); ++f) {
        names.push_back(message->GetDescriptor()->field(f)->name());
      }
      return absl::InvalidArgumentError(absl::StrCat("\"", element.name, "\" is no field of ",
                                                     message->GetDescriptor()->name(),
                                                     "; its fields: ", absl::StrJoin(names, ", ")));
    }
    if (i + 1 == elements.size() && !element.has_choice) {
      if (text == "none") {
        reflection.ClearField(message, field);
        return absl::OkStatus();
      }
      if (!field->is_repeated()) reflection.ClearField(message, field);
      FirstError error;
      TextFormat::Parser parser;
      parser.RecordErrorsTo(&error);
      if (parser.ParseFieldValueFromString(std::string(text), field, message)) return absl::OkStatus();
      return Wrong(
          text, absl::StrCat("value of ", field->name(), ", as a policy file would have it", error.text()));
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      return absl::InvalidArgumentError(absl::StrCat(field->name(), " has no fields of its own"));
    }
    if (!element.has_choice && field->is_repeated()) {
      return absl::InvalidArgumentError(
          absl::StrCat(field->name(), " is a list: choose an entry, as in ", field->name(), "[0]"));
    }
    if (!element.has_choice) {
      message = reflection.MutableMessage(message, field);
      continue;
    }
    const auto chosen = [&]() -> int {
      uint32_t number = 0;
      const int size = field->is_repeated() ? reflection.FieldSize(*message, field) : 0;
      if (absl::SimpleAtoi(element.choice, &number)) {
        return number < static_cast<uint32_t>(size) ? static_cast<int>(number) : -1;
      }
      const std::vector<std::string> parts = absl::StrSplit(element.choice, absl::MaxSplits('=', 1));
      for (int n = 0; n < size && parts.size() == 2; ++n) {
        Word condition;
        condition.key = parts[0];
        condition.op = "=";
        condition.value = parts[1];
        const auto wrong =
            CheckField(Reading(), condition, reflection.GetRepeatedMessage(*message, field, n));
        if (wrong.ok() && wrong->empty()) return n;
      }
      return -1;
    }();
    if (chosen < 0) {
      return absl::InvalidArgumentError(absl::StrCat(field->name(), " has no entry [", element.choice, "]"));
    }
    if (i + 1 == elements.size()) {
      if (text != "none") return absl::InvalidArgumentError("an entry as a whole can only be set to none");
      for (int n = chosen; n + 1 < reflection.FieldSize(*message, field); ++n) {
        reflection.SwapElements(message, field, n, n + 1);
      }
      reflection.RemoveLast(message, field);
      return absl::OkStatus();
    }
    message = reflection.MutableRepeatedMessage(message, field, chosen);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckField(const Reading& reading, const Word& word, const Message& message) {
  return Checker(reading, word).Check(message);
}

}  // namespace ledger::scenarios
