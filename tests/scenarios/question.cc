#include "tests/scenarios/question.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "customerledger/v1/query_service.pb.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

const ServiceDescriptor& Service() {
  return *pb::GetOwnerRequest::descriptor()->file()->FindServiceByName("QueryService");
}

std::string CamelCase(absl::string_view name) {
  std::string camel;
  for (absl::string_view part : absl::StrSplit(name, '_')) {
    camel.append(absl::AsciiStrToUpper(part.substr(0, 1)));
    camel.append(part.data() + std::min<size_t>(1, part.size()),
                 part.size() - std::min<size_t>(1, part.size()));
  }
  return camel;
}

// The questions with words of their own, and the method each asks.
std::string MethodName(absl::string_view question) {
  if (question == "owner" || question == "disputed" || question == "undisputed") return "GetOwner";
  if (question == "tier") return "GetTier";
  if (question == "callback") return "GetNextCallback";
  // The rest goes by the method's own name.
  return "";
}

const MethodDescriptor* FindMethod(absl::string_view question) {
  const std::string name = MethodName(question);
  if (!name.empty()) return Service().FindMethodByName(name);
  for (absl::string_view verb : {"Get", "List", ""}) {
    const MethodDescriptor* method = Service().FindMethodByName(absl::StrCat(verb, CamelCase(question)));
    if (method != nullptr) return method;
  }
  return nullptr;
}

// What the answer is mainly about: its only message field besides what every answer has.
const FieldDescriptor* MainField(const Descriptor* response) {
  const FieldDescriptor* main = nullptr;
  for (int i = 0; i < response->field_count(); ++i) {
    const FieldDescriptor* field = response->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map() ||
        field->message_type() == pb::AnswerContext::descriptor() ||
        field->message_type() == pb::PositionToken::descriptor()) {
      continue;
    }
    // Several: the list, as in GetHistory.
    if (main == nullptr || (!main->is_repeated() && field->is_repeated())) main = field;
  }
  return main;
}

// "since TIME" and its like, which stand for a field of the answer's main part.
struct Modifier {
  absl::string_view word;
  absl::string_view path;
  absl::string_view op;
  enum class Value { kWord, kInstant, kLabels } value;
};

constexpr Modifier kModifiers[] = {
    {"rule", "basis.rule_id", "=", Modifier::Value::kWord},
    {"since", "basis.since_time", "=", Modifier::Value::kInstant},
    {"arithmetic", "basis.arithmetic", "~", Modifier::Value::kWord},
    {"concurring", "basis.concurring_rule_ids", "~", Modifier::Value::kWord},
    {"deciding", "basis.positions", "~", Modifier::Value::kLabels},
    {"policy_version", "basis.policy_version", "=", Modifier::Value::kWord},
    {"until", "lapse_time", "=", Modifier::Value::kInstant},
    {"until_rule", "lapse_basis.rule_id", "=", Modifier::Value::kWord},
    {"until_arithmetic", "lapse_basis.arithmetic", "~", Modifier::Value::kWord},
    {"by", "owner", "=", Modifier::Value::kWord},
};

// Words that say one thing and take no value.
struct Flag {
  absl::string_view word;
  absl::string_view path;
  absl::string_view value;
};

constexpr Flag kFlags[] = {
    {"disputed", "disputed", "true"},
    {"undisputed", "disputed", "false"},
    {"overdue", "overdue", "true"},
    {"in_time", "overdue", "false"},
    {"hidden", "hidden_from_customer", "true"},
};

// One thing that the answer must say.
struct Expectation {
  Word word;                           // its key is the path from the answer's root
  std::optional<Word> otherwise = {};  // where this holds instead, that is enough
};

class Compiler {
 public:
  Compiler(const Ask& ask, Reading reading, std::vector<Problem>* problems)
      : ask_(ask), reading_(std::move(reading)), problems_(problems) {
    reading_.today = absl::CivilDay(ask.at.time) - (ask.at.end_of_day ? 1 : 0);
  }

  Question Compile() {
    const std::string noun = TakeNoun();
    method_ = ask_.question.op.empty() ? FindMethod(noun) : nullptr;
    if (method_ == nullptr) {
      std::string methods;
      for (int i = 0; i < Service().method_count(); ++i) {
        absl::StrAppend(&methods, i == 0 ? "" : ", ", Service().method(i)->name());
      }
      Fail(ask_.question, ask_.question.column,
           absl::StrCat("\"", noun, "\" is no question: owner, tier, callback, disputed, or a method's name ",
                        "without Get or List (", methods, ")"));
      return Question();
    }
    MessageFactory* factory = MessageFactory::generated_factory();
    question_.method = absl::StrCat("/", Service().full_name(), "/", method_->name());
    question_.request.reset(factory->GetPrototype(method_->input_type())->New());
    question_.response.reset(factory->GetPrototype(method_->output_type())->New());
    main_ = MainField(method_->output_type());
    question_.any_instant = method_->input_type()->FindFieldByName("query") != nullptr ||
                            method_->input_type()->FindFieldByName("as_of") != nullptr;
    FillRequest();
    // The scope or scheme comes first: it says which entry of the answer everything else is about.
    size_t next = 0;
    if (noun == "tier" && next < Words().size() && Words()[next].op.empty())
      Choose("scheme", Words()[next++]);
    for (size_t i = next; i + 1 < Words().size(); ++i) {
      if (IsPlain(i, "scope")) Choose("scope", Words()[i + 1]);
    }
    if (next < Words().size() && IsPlain(next, "refused")) {
      // There is no answer to look into.
    } else if (noun == "owner") {
      TakeOwner(&next);
    } else if (noun == "tier") {
      TakeClass(&next);
    } else if (noun == "callback") {
      TakeDue(&next);
    } else if (noun == "credit") {
      TakeCredit(&next);
    } else if (noun == "disputed" || noun == "undisputed") {
      Expect(ask_.question, "disputed", "=", noun == "disputed" ? "true" : "false");
    }
    if (!stopped_) TakeRest(next);
    CheckSubject();
    if (!stopped_ && expectations_.empty() && !question_.refusal_expected) {
      Fail(ask_.question, ask_.question.column, "nothing is expected of the answer");
    }
    for (const Expectation& expectation : expectations_) {
      const absl::StatusOr<std::string> sense = CheckField(reading_, expectation.word, *question_.response);
      if (!sense.ok()) {
        Fail(expectation.word, expectation.word.column, std::string(sense.status().message()));
      }
    }
    return std::move(question_);
  }

  const std::vector<Expectation>& expectations() const { return expectations_; }

 private:
  const std::vector<Word>& Words() const { return ask_.words; }
  bool IsPlain(size_t index, absl::string_view text) const {
    return Words()[index].op.empty() && !Words()[index].quoted &&
           absl::string_view(Words()[index].key) == text;
  }
  void Fail(const Word& word, int column, std::string message) {
    problems_->push_back({word.line, column, std::move(message)});
  }
  // "duties[name=first-call]" asks for the duties and means one of them.
  std::string TakeNoun() {
    const std::string& word = ask_.question.key;
    const size_t bracket = word.find('[');
    if (bracket == std::string::npos || word.back() != ']') return word;
    choice_ = word.substr(bracket + 1, word.size() - bracket - 2);
    return word.substr(0, bracket);
  }

  // True where the line names nobody.
  bool IsAboutNobody() const { return ask_.subject.key == "-" && !ask_.subject.quoted; }

  // The request's field for whom the question is about, besides a CustomerQuery's; null if it has none.
  const FieldDescriptor* SubjectField() const {
    const Descriptor* type = method_->input_type();
    for (const char* name : {"customer_id", "site_id", "staff_id"}) {
      const FieldDescriptor* field = type->FindFieldByName(name);
      if (field != nullptr) return field;
    }
    return nullptr;
  }

  void FillRequest() {
    Message& request = *question_.request;
    const Descriptor* type = request.GetDescriptor();
    const FieldDescriptor* query = type->FindFieldByName("query");
    const FieldDescriptor* as_of = type->FindFieldByName("as_of");
    pb::CustomerQuery who_and_when;
    *who_and_when.mutable_as_of()->mutable_true_at() = ToTimestamp(reading_, ask_.at.time);
    if (ask_.known) {
      *who_and_when.mutable_as_of()->mutable_known_time() = ToTimestamp(reading_, ask_.known->time);
    }
    if (query != nullptr) {
      if (!IsAboutNobody()) who_and_when.set_customer_id(ask_.subject.key);
      request.GetReflection()->MutableMessage(&request, query)->CopyFrom(who_and_when);
    } else if (!IsAboutNobody() && SubjectField() != nullptr) {
      request.GetReflection()->SetString(&request, SubjectField(), ask_.subject.key);
    }
    if (as_of != nullptr) {
      request.GetReflection()->MutableMessage(&request, as_of)->CopyFrom(who_and_when.as_of());
    }
    for (const char* instant : {"true_at", "until_time"}) {
      const FieldDescriptor* field = type->FindFieldByName(instant);
      if (field == nullptr) continue;
      request.GetReflection()->MutableMessage(&request, field)->CopyFrom(ToTimestamp(reading_, ask_.at.time));
    }
    if (ask_.known && !question_.any_instant) {
      Fail(ask_.question, ask_.question.column,
           absl::StrCat(method_->name(),
                        " knows no earlier knowledge: leave out \"known\" and \"as_known_then\""));
    }
    const FieldDescriptor* page = type->FindFieldByName("page_size");
    if (page != nullptr) request.GetReflection()->SetUInt32(&request, page, 1000);
  }

  // Whether the question names whom it is about, in the line's column or in a field of the request ("staff=A").
  void CheckSubject() {
    const bool has_query = method_->input_type()->FindFieldByName("query") != nullptr;
    const FieldDescriptor* field = SubjectField();
    const bool named =
        field != nullptr && !question_.request->GetReflection()->GetString(*question_.request, field).empty();
    if (IsAboutNobody() && (has_query || field != nullptr) && !named) {
      Fail(ask_.subject, ask_.subject.column,
           absl::StrCat(method_->name(),
                        " is about somebody: name a customer, or whom it asks for, instead of -"));
    }
    if (!IsAboutNobody() && !has_query && field == nullptr) {
      Fail(ask_.subject, ask_.subject.column,
           absl::StrCat(method_->name(), " is not about one customer: write - instead"));
    }
  }

  // Says which entry of the answer's list is meant.
  void Choose(absl::string_view field, const Word& value) {
    if (main_ != nullptr && main_->message_type()->FindFieldByName(std::string(field)) != nullptr) {
      choice_ = absl::StrCat(field, "=", value.key);
    } else if (method_->input_type()->FindFieldByName(std::string(field)) == nullptr) {
      Fail(value, value.column, absl::StrCat(method_->name(), " knows no ", field));
      return;
    }
    const FieldDescriptor* wish = method_->input_type()->FindFieldByName(std::string(field));
    if (wish != nullptr)
      question_.request->GetReflection()->SetString(question_.request.get(), wish, value.key);
  }

  // The path of the answer's main part. Where it is a list and nobody chose, there must be one entry.
  std::string MainPath(const Word& word) {
    if (main_ == nullptr) return "";
    if (!main_->is_repeated()) return main_->name();
    if (!choice_.empty()) return absl::StrCat(main_->name(), "[", choice_, "]");
    if (!counted_) {
      counted_ = true;
      Word one = word;
      one.key = absl::StrCat(main_->name(), ".count");
      one.op = "=";
      one.value = "1";
      Word nothing = one;
      nothing.value = "0";  // then what is expected of the entry says so itself
      expectations_.push_back({one, nothing});
    }
    return absl::StrCat(main_->name(), "[0]");
  }

  void Expect(const Word& origin, absl::string_view path, absl::string_view op, absl::string_view value,
              bool or_missing = false) {
    Expectation expectation;
    expectation.word = origin;
    const std::string first(path.substr(0, path.find_first_of(".[")));
    const bool at_root = FindField(method_->output_type(), first).ok();
    const std::string main = at_root ? "" : MainPath(origin);
    expectation.word.key = main.empty() ? std::string(path) : absl::StrCat(main, ".", path);
    expectation.word.op = std::string(op);
    expectation.word.value = std::string(value);
    if (or_missing) expectation.otherwise = None(origin, "");
    expectations_.push_back(std::move(expectation));
  }

  void TakeOwner(size_t* next) {
    if (*next >= Words().size() || !Words()[*next].op.empty()) return;
    const Word& who = Words()[(*next)++];
    if (who.key == "none" && !who.quoted) {
      Expect(who, "owner", "=", "none", true);
    } else if (!who.quoted && (who.key == "public" || who.key == "in_transfer" || who.key == "void")) {
      Expect(who, "state", "=", who.key == "public" ? "pooled" : who.key);
      Expect(who, "owner", "=", "none");
    } else {
      Expect(who, "state", "=", "owned");
      Expect(who, "owner", "=", who.key);
    }
  }

  void TakeClass(size_t* next) {
    if (*next >= Words().size() || !Words()[*next].op.empty()) return;
    const Word& name = Words()[(*next)++];
    Expect(name, "class_name", "=", name.key, name.key == "none" && !name.quoted);
  }

  void TakeDue(size_t* next) {
    if (*next >= Words().size() || !Words()[*next].op.empty()) return;
    const Word& first = Words()[*next];
    if (IsPlain(*next, "none")) {
      ++*next;
      Expectation nothing;
      nothing.word = first;
      nothing.word.key = choice_.empty() ? "callbacks.count" : absl::StrCat("callbacks[", choice_, "]");
      nothing.word.op = "=";
      nothing.word.value = choice_.empty() ? "0" : "none";
      expectations_.push_back(std::move(nothing));
      return;
    }
    TakeInstantOf(first, "due_time", "=", next);
  }

  // "D1": the deal, where the first word is not about all of them.
  void TakeCredit(size_t* next) {
    if (*next >= Words().size() || !Words()[*next].op.empty()) return;
    const Word& word = Words()[*next];
    const auto says = [&word](const auto& entry) { return entry.word == absl::string_view(word.key); };
    if (!word.quoted && (word.key == "performance" || word.key == "bonus" ||
                         std::any_of(std::begin(kModifiers), std::end(kModifiers), says) ||
                         std::any_of(std::begin(kFlags), std::end(kFlags), says))) {
      return;
    }
    Choose("deal_id", word);
    ++*next;
  }

  // "performance A 50% B 25% C 25%", "bonus A 5000.51 B 2500.25 C 2500.25": who holds which share or amount, and nobody
  // else.
  void TakeHoldings(absl::string_view list, size_t* next) {
    const Word& origin = Words()[(*next)++];
    const bool nobody = *next < Words().size() && IsPlain(*next, "none");
    if (nobody) ++*next;
    int holders = 0;
    int without = 0;  // those who are said to hold nothing, and may be left out of the answer
    while (!nobody && *next + 1 < Words().size() && IsShare(Words()[*next + 1])) {
      const Word& holder = Words()[*next];
      const Word& share = Words()[*next + 1];
      *next += 2;
      const std::string entry = absl::StrCat(list, "[holder=", holder.key, "]");
      const bool percent = absl::EndsWith(share.key, "%");
      const std::optional<int64_t> number = Hundredths(share);
      if (!percent && !number.has_value()) {
        Expect(share, absl::StrCat(entry, ".amount"), "=", share.key);
      } else {
        Expect(share, absl::StrCat(entry, percent ? ".basis_points" : ".amount.minor_units"), "=",
               absl::StrCat(number.value_or(0)));
      }
      const bool zero = number.has_value() && *number == 0;
      if (zero) expectations_.back().otherwise = None(share, entry);
      ++(zero ? without : holders);
    }
    if (!nobody && holders + without == 0) {
      stopped_ = true;
      return Fail(
          origin, origin.column,
          absl::StrCat("after \"", origin.key, "\" comes who holds how much, as in A 75% B 25%, or none"));
    }
    Expect(origin, absl::StrCat(list, ".count"), "=", absl::StrCat(holders));
    Word all = expectations_.back().word;
    all.value = absl::StrCat(holders + without);
    expectations_.back().otherwise = all;
  }

  // "50%", "5000.51" or "5000.51CNY".
  static bool IsShare(const Word& word) {
    if (!word.op.empty() || word.quoted) return false;
    const absl::string_view text = word.key;
    return Hundredths(word).has_value() ||
           (text.size() > 3 && ParseDecimal(text.substr(0, text.size() - 3), 2).has_value());
  }
  static std::optional<int64_t> Hundredths(const Word& word) {
    return ParseDecimal(absl::StripSuffix(word.key, "%"), 2);
  }

  // That the entry of the answer's main part is not there.
  Word None(const Word& origin, absl::string_view entry) {
    Word none = origin;
    const std::string main = MainPath(origin);
    none.key = main.empty() ? std::string(entry) : entry.empty() ? main : absl::StrCat(main, ".", entry);
    none.op = "=";
    none.value = "none";
    none.quoted = false;
    return none;
  }

  void TakeInstantOf(const Word& origin, absl::string_view path, absl::string_view op, size_t* next) {
    const size_t first = *next;
    if (!TakeInstant(Words(), next)) {
      stopped_ = true;
      return Fail(origin, origin.column,
                  absl::StrCat("\"", origin.key, "\" is no instant: write 2026-03-01 09:00"));
    }
    std::string value = Words()[first].key;
    if (*next == first + 2) absl::StrAppend(&value, "T", Words()[first + 1].key);
    Expect(origin, path, op, value);
  }

  void TakeRest(size_t next) {
    while (next < Words().size()) {
      const Word& word = Words()[next++];
      if (!word.op.empty()) {
        TakeField(word);
      } else if (IsPlain(next - 1, "scope")) {
        if (!Needs(word, next++)) return;
      } else if (IsPlain(next - 1, "refused")) {
        question_.refusal_expected = true;
        question_.refusal.assign(Words().begin() + static_cast<ptrdiff_t>(next), Words().end());
        if (!expectations_.empty()) Fail(word, word.column, "a refused question has no answer to look into");
        return;
      } else if (ask_.question.key.substr(0, 6) == "credit" &&
                 (IsPlain(next - 1, "performance") || IsPlain(next - 1, "bonus"))) {
        --next;
        TakeHoldings(word.key == "bonus" ? "bonus_holdings" : "performance", &next);
        if (stopped_) return;
      } else if (!TakeFlag(word) && !TakeModifier(word, &next)) {
        return;
      }
    }
  }

  bool Needs(const Word& word, size_t next) {
    if (next < Words().size()) return true;
    Fail(word, word.column, absl::StrCat("after \"", word.key, "\" a value is missing"));
    return false;
  }

  bool TakeFlag(const Word& word) {
    for (const Flag& flag : kFlags) {
      if (word.quoted || flag.word != absl::string_view(word.key)) continue;
      Expect(word, flag.path, "=", flag.value);
      return true;
    }
    return false;
  }

  bool TakeModifier(const Word& word, size_t* next) {
    for (const Modifier& modifier : kModifiers) {
      if (word.quoted || modifier.word != absl::string_view(word.key)) continue;
      if (!Needs(word, *next)) return false;
      const Word value = Words()[*next];
      switch (modifier.value) {
        case Modifier::Value::kWord:
          ++*next;
          Expect(value, modifier.path, modifier.op, value.key);
          return true;
        case Modifier::Value::kInstant:
          TakeInstantOf(value, modifier.path, modifier.op, next);
          return !stopped_;
        case Modifier::Value::kLabels:
          if (value.key[0] != '@') Fail(value, value.column, "write the labels of events: @visit");
          for (; *next < Words().size() && Words()[*next].key[0] == '@'; ++*next) {
            Expect(Words()[*next], modifier.path, modifier.op, Words()[*next].key);
          }
          return true;
      }
    }
    std::string known;
    for (const Modifier& modifier : kModifiers) absl::StrAppend(&known, modifier.word, ", ");
    Fail(word, word.column,
         absl::StrCat("\"", word.key, "\" is not understood: write field=value or one of ", known,
                      "scope, disputed, undisputed, overdue, in_time, hidden, refused"));
    return false;
  }

  // A field of the request, or of the answer: from its root where it has such a field, else of its main part.
  void TakeField(const Word& word) {
    const std::string name = word.key.substr(0, word.key.find_first_of(".["));
    const auto wish = FindField(method_->input_type(), name);
    if (word.op == "=" && wish.ok() && (*wish)->name() != "query") {
      const absl::Status set = SetField(reading_, word.key, word.value, word.quoted, question_.request.get());
      if (!set.ok()) Fail(word, word.value_column, std::string(set.message()));
      return;
    }
    Expect(word, word.key, word.op, word.value);
  }

  const Ask& ask_;
  Reading reading_;
  std::vector<Problem>* problems_;
  const MethodDescriptor* method_ = nullptr;
  const FieldDescriptor* main_ = nullptr;
  std::string choice_;
  bool counted_ = false;
  bool stopped_ = false;  // at a word that makes no sense: what follows it would only be guessed at
  Question question_;
  std::vector<Expectation> expectations_;
};

}  // namespace

Question BuildQuestion(const Ask& ask, Reading reading, std::vector<Problem>* problems) {
  return Compiler(ask, std::move(reading), problems).Compile();
}

void Address(const std::string& ledger, const pb::PositionToken& position, Message* request) {
  Message* target = request;
  const FieldDescriptor* query = request->GetDescriptor()->FindFieldByName("query");
  if (query != nullptr) target = request->GetReflection()->MutableMessage(request, query);
  const Descriptor* type = target->GetDescriptor();
  target->GetReflection()->SetString(target, type->FindFieldByName("ledger"), ledger);
  const FieldDescriptor* minimum = type->FindFieldByName("min_position");
  if (minimum != nullptr) target->GetReflection()->MutableMessage(target, minimum)->CopyFrom(position);
}

std::vector<std::string> CheckAnswer(const Ask& ask, Reading reading, const Message& response) {
  std::vector<Problem> problems;
  Compiler compiler(ask, reading, &problems);
  compiler.Compile();
  reading.today = absl::CivilDay(ask.at.time) - (ask.at.end_of_day ? 1 : 0);
  std::vector<std::string> wrong;
  for (const Expectation& expectation : compiler.expectations()) {
    const Word& word = expectation.word;
    const absl::StatusOr<std::string> instead = CheckField(reading, word, response);
    if (instead.ok() && instead->empty()) continue;
    if (expectation.otherwise.has_value()) {
      const absl::StatusOr<std::string> otherwise = CheckField(reading, *expectation.otherwise, response);
      if (otherwise.ok() && otherwise->empty()) continue;
    }
    wrong.push_back(absl::StrCat("expected ", word.key, word.op, word.value, ", got ",
                                 instead.ok() ? *instead : std::string(instead.status().message())));
  }
  return wrong;
}

}  // namespace ledger::scenarios
