#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ledger::scenarios {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

// A line's words with their columns. A `#` that begins a word begins a comment.
class Splitter {
 public:
  Splitter(absl::string_view text, int line, std::vector<Problem>* problems)
      : text_(text), line_(line), problems_(problems) {}

  std::vector<Word> Split() {
    std::vector<Word> words;
    while (SkipBlanks()) words.push_back(TakeWord());
    return words;
  }

 private:
  bool SkipBlanks() {
    while (at_ < text_.size() && IsBlank(text_[at_])) Step();
    return at_ < text_.size() && text_[at_] != '#';
  }

  // Columns count characters: a byte that continues one does not count.
  void Step() {
    ++at_;
    if (at_ >= text_.size() || (static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) ++column_;
  }

  std::string TakeQuoted() {
    const int begin = column_;
    std::string value;
    Step();
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) Step();
      value.push_back(text_[at_]);
      Step();
    }
    if (at_ >= text_.size()) {
      problems_->push_back({line_, begin, "the quote that begins here does not end on this line"});
    } else {
      Step();
      if (at_ < text_.size() && !IsBlank(text_[at_])) {
        problems_->push_back({line_, column_, "a blank must follow the closing quote"});
      }
    }
    return value;
  }

  // Blanks inside brackets belong to the word: tiers[scheme=intent].class_name=A.
  Word TakeWord() {
    Word word;
    word.line = line_;
    word.column = column_;
    word.value_column = column_;
    if (text_[at_] == '"') {
      word.key = TakeQuoted();
      word.quoted = true;
      return word;
    }
    int depth = 0;
    while (at_ < text_.size() && !IsBlank(text_[at_])) {
      const char c = text_[at_];
      if (c == '[') ++depth;
      if (c == ']') --depth;
      if (depth <= 0 && word.op.empty() && !word.key.empty()) {
        if (c == '=' || c == '~') word.op = std::string(1, c);
        if (c == '!' && at_ + 1 < text_.size() && text_[at_ + 1] == '=') word.op = "!=";
        if (!word.op.empty()) {
          for (size_t i = 0; i < word.op.size(); ++i) Step();
          word.value_column = column_;
          if (at_ < text_.size() && text_[at_] == '"') {
            word.value = TakeQuoted();
            word.quoted = true;
            return word;
          }
          continue;
        }
      }
      (word.op.empty() ? word.key : word.value).push_back(c);
      Step();
    }
    return word;
  }

  absl::string_view text_;
  int line_;
  std::vector<Problem>* problems_;
  size_t at_ = 0;
  int column_ = 1;
};

std::optional<int> ParseDigits(absl::string_view text, size_t digits) {
  int value = 0;
  if (text.size() != digits || !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &value)) {
    return std::nullopt;
  }
  return value;
}

struct TimeOfDay {
  int64_t seconds = 0;
  bool end_of_day = false;
};

std::optional<TimeOfDay> ParseTimeOfDay(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  const std::optional<int> hour = ParseDigits(parts[0], 2);
  const std::optional<int> minute = ParseDigits(parts[1], 2);
  const std::optional<int> second = parts.size() == 3 ? ParseDigits(parts[2], 2) : std::optional<int>(0);
  if (!hour || !minute || !second || *minute > 59 || *second > 59 || *hour > 24) return std::nullopt;
  if (*hour == 24 && (*minute != 0 || *second != 0)) return std::nullopt;
  return TimeOfDay{*hour * 3600 + *minute * 60 + *second, *hour == 24};
}

bool IsPlain(const Word& word, absl::string_view key) {
  return word.op.empty() && !word.quoted && absl::string_view(word.key) == key;
}

class Parser {
 public:
  explicit Parser(std::vector<Problem>* problems) : problems_(problems) { scenario_.cases.emplace_back(); }

  void ParseLine(absl::string_view text, int number) {
    const size_t problems = problems_->size();
    const std::vector<Word> words = Splitter(text, number, problems_).Split();
    if (words.empty() || problems_->size() > problems) return;
    const Word& first = words[0];
    if (IsPlain(first, "scenario")) return ParseTitle(words);
    if (IsPlain(first, "policy")) return ParsePolicy(words);
    if (IsPlain(first, "rules")) return ParseRules(words, &scenario_.rules);
    if (IsPlain(first, "unnamed")) return ParseRules(words, &scenario_.unnamed_rules);
    if (IsPlain(first, "set")) return ParseSetting(words);
    if (IsPlain(first, "calendar")) return ParseCalendar(words);
    if (IsPlain(first, "late")) return ParseLate(words);
    if (IsPlain(first, "case")) return ParseCase(words);
    Line line;
    line.number = number;
    line.text = std::string(absl::StripAsciiWhitespace(text));
    if (IsPlain(first, "ask")) {
      line.ask = ParseAsk(words);
    } else if (ParseDay(first.key.substr(0, 10)) && first.op.empty()) {
      line.event = ParseEvent(words);
    } else {
      return Fail(
          first.column, first,
          absl::StrCat(
              "\"", first.key,
              "\" begins no line: write scenario, policy, rules, unnamed, set, calendar, late, case, ask, "
              "or the day and time of an event"));
    }
    if (problems_->size() == problems) scenario_.cases.back().lines.push_back(std::move(line));
  }

  Scenario Finish() {
    if (scenario_.id.empty()) problems_->push_back({0, 0, "no line \"scenario ID TITLE\""});
    if (scenario_.policy.key.empty()) problems_->push_back({0, 0, "no line \"policy NAME\""});
    JoinCases();
    for (const Case& one : scenario_.cases) {
      const bool asks = std::any_of(one.lines.begin(), one.lines.end(), [](const Line& line) {
        return line.ask.has_value() || line.event->refused || !line.event->derives.empty() ||
               line.event->derives_nothing || !line.event->answers.empty();
      });
      if (!asks && problems_->empty()) {
        problems_->push_back({one.line, 0, "nothing is asked and nothing is expected: this cannot fail"});
      }
    }
    return std::move(scenario_);
  }

 private:
  void Fail(int column, const Word& word, std::string message) {
    problems_->push_back({word.line, column, std::move(message)});
  }
  void Fail(const Word& word, std::string message) { Fail(word.column, word, std::move(message)); }

  // Requires the word at `index`; reports what is missing otherwise.
  bool Needs(const std::vector<Word>& words, size_t index, absl::string_view what) {
    if (index < words.size()) return true;
    const Word& last = words.back();
    Fail(last, absl::StrCat("after \"", last.key, "\" ", what, " is missing"));
    return false;
  }

  bool OnlyOnce(const Word& word, bool there) {
    if (there) Fail(word, absl::StrCat("a second \"", word.key, "\""));
    return !there;
  }

  bool BeforeCases(const Word& word) {
    if (scenario_.cases.size() == 1) return true;
    Fail(word, absl::StrCat("\"", word.key, "\" holds for the whole file and stands before the first case"));
    return false;
  }

  void ParseTitle(const std::vector<Word>& words) {
    if (!OnlyOnce(words[0], !scenario_.id.empty()) || !Needs(words, 1, "the scenario's id")) return;
    scenario_.id = words[1].key;
    for (size_t i = 2; i < words.size(); ++i) {
      absl::StrAppend(&scenario_.title, i == 2 ? "" : " ", words[i].key, words[i].op, words[i].value);
    }
  }

  void ParsePolicy(const std::vector<Word>& words) {
    if (!OnlyOnce(words[0], !scenario_.policy.key.empty()) || !BeforeCases(words[0]) ||
        !Needs(words, 1, "the name of a policy")) {
      return;
    }
    scenario_.policy = words[1];
    if (words.size() > 2) Fail(words[2], "one policy only; \"set\" changes its fields");
  }

  void ParseRules(const std::vector<Word>& words, std::vector<Word>* rules) {
    if (!BeforeCases(words[0]) || !Needs(words, 1, "a rule's id")) return;
    for (size_t i = 1; i < words.size(); ++i) {
      if (words[i].key.find('.') == std::string::npos || !words[i].op.empty()) {
        Fail(words[i], absl::StrCat("\"", words[i].key, "\" is no rule id: write system.rule"));
      } else {
        rules->push_back(words[i]);
      }
    }
  }

  // "set PATH=VALUE" and "set PATH = VALUE"; further words belong to the value.
  void ParseSetting(const std::vector<Word>& words) {
    if (!Needs(words, 1, "a field of the policy")) return;
    Setting setting;
    setting.path = words[1];
    size_t next = 2;
    if (setting.path.op.empty() && next < words.size() && IsPlain(words[next], "=")) {
      ++next;
      if (!Needs(words, next, "a value")) return;
      setting.path.op = "=";
      setting.path.value_column = words[next].column;
    }
    if (setting.path.op != "=") return Fail(words[1], "write \"set PATH = VALUE\"");
    for (; next < words.size(); ++next) {
      const Word& word = words[next];
      const absl::string_view quote = word.quoted ? "\"" : "";
      absl::StrAppend(&setting.path.value, setting.path.value.empty() ? "" : " ",
                      word.op.empty() ? quote : "", word.key, word.op.empty() ? quote : "", word.op,
                      word.op.empty() ? "" : quote, word.value, word.op.empty() ? "" : quote);
    }
    if (words[1].quoted) setting.path.value = absl::StrCat("\"", setting.path.value, "\"");
    if (setting.path.value.empty())
      return Fail(words[1], "the value is missing; to switch a part off, set it to none");
    scenario_.cases.back().settings.push_back(std::move(setting));
  }

  void ParseCalendar(const std::vector<Word>& words) {
    if (!Needs(words, 1, "the calendar's id") || !Needs(words, 2, "the year")) return;
    Calendar calendar;
    calendar.line = words[0].line;
    calendar.id = words[1].key;
    const std::optional<int> year = ParseDigits(words[2].key, 4);
    if (!year) return Fail(words[2], absl::StrCat("\"", words[2].key, "\" is no year"));
    calendar.year = *year;
    std::vector<absl::CivilDay>* days = nullptr;
    for (size_t i = 3; i < words.size(); ++i) {
      if (IsPlain(words[i], "holidays")) {
        days = &calendar.holidays;
      } else if (IsPlain(words[i], "makeup")) {
        days = &calendar.makeup_workdays;
      } else if (days == nullptr) {
        return Fail(words[i], "write \"calendar ID YEAR holidays DAY ... makeup DAY ...\"");
      } else if (const std::optional<absl::CivilDay> day = ParseDay(words[i].key)) {
        days->push_back(*day);
      } else {
        return Fail(words[i], absl::StrCat("\"", words[i].key, "\" is no day: write 2026-04-06"));
      }
    }
    scenario_.cases.back().calendars.push_back(std::move(calendar));
  }

  void ParseLate(const std::vector<Word>& words) {
    if (words.size() < 2 || !IsPlain(words[1], "off:")) {
      return Fail(words[0], "write \"late off: why\"");
    }
    if (!Needs(words, 2, "the reason why nothing is delivered late")) return;
    if (!OnlyOnce(words[0], scenario_.cases.back().late_off.has_value())) return;
    std::string reason;
    for (size_t i = 2; i < words.size(); ++i) {
      absl::StrAppend(&reason, i == 2 ? "" : " ", words[i].key, words[i].op, words[i].value);
    }
    scenario_.cases.back().late_off = reason;
  }

  void ParseCase(const std::vector<Word>& words) {
    if (!Needs(words, 1, "the case's name")) return;
    Case one;
    one.line = words[0].line;
    for (size_t i = 1; i < words.size(); ++i) {
      absl::StrAppend(&one.name, i == 1 ? "" : " ", words[i].key, words[i].op, words[i].value);
    }
    for (const Case& other : scenario_.cases) {
      if (other.name == one.name) Fail(words[1], absl::StrCat("a second case \"", one.name, "\""));
    }
    scenario_.cases.push_back(std::move(one));
  }

  // The day and the time of a line; both must be there, so that nobody has to guess which end of the day is meant.
  std::optional<Instant> TakeTime(const std::vector<Word>& words, size_t* next) {
    if (!Needs(words, *next, "a day and a time")) return std::nullopt;
    const size_t first = *next;
    const std::optional<Instant> at = TakeInstant(words, next);
    if (!at) {
      Fail(words[first], absl::StrCat("\"", words[first].key, "\" is no day: write 2026-03-01 09:00"));
    } else if (*next == first + 1 && words[first].key.size() == 10) {
      const Word& after = words[std::min(*next, words.size() - 1)];
      Fail(after, "after the day the time is missing: write 2026-03-01 09:00, or 00:00");
      return std::nullopt;
    }
    return at;
  }

  // The instant in `word`'s value.
  std::optional<Instant> ValueTime(const Word& word, absl::CivilDay day) {
    const std::optional<Instant> instant = ParseInstant(word.value, day);
    if (!instant) {
      Fail(word.value_column, word,
           absl::StrCat("\"", word.value, "\" is no instant: write 2026-03-01T15:00 or 15:00"));
    }
    return instant;
  }

  std::optional<EventLine> ParseEvent(const std::vector<Word>& words) {
    EventLine event;
    size_t next = 0;
    const std::optional<Instant> at = TakeTime(words, &next);
    if (!at) return std::nullopt;
    event.at = *at;
    if (!Needs(words, next, "whom the event is about (or -)")) return std::nullopt;
    event.subject = words[next++];
    if (!Needs(words, next, "the event")) return std::nullopt;
    event.type = words[next++];
    enum class Part { kFields, kRefusal, kDerived, kAnswers } part = Part::kFields;
    for (; next < words.size(); ++next) {
      const Word& word = words[next];
      if (!word.op.empty()) {
        if (part == Part::kFields && word.key == "recorded") {
          event.recorded = ValueTime(word, absl::CivilDay(event.at.time));
        } else if (part == Part::kFields) {
          event.fields.push_back(word);
        } else if (part == Part::kDerived) {
          event.derives.back().fields.push_back(word);
        } else if (part == Part::kAnswers) {
          event.answers.push_back(word);
        } else {
          Fail(word, "a refused event's fields stand before \"refused\"");
        }
      } else if (word.key[0] == '@' && !word.quoted && part == Part::kFields) {
        if (OnlyOnce(word, !event.label.empty())) event.label = word.key.substr(1);
      } else if (IsPlain(word, "on_time")) {
        event.on_time = true;
      } else if (IsPlain(word, "as")) {
        if (!Needs(words, ++next, "for whom the caller acts")) return std::nullopt;
        event.on_behalf_of = words[next].key;
      } else if (IsPlain(word, "refused")) {
        event.refused = true;
        part = Part::kRefusal;
      } else if (IsPlain(word, "derives")) {
        part = Part::kDerived;
        if (!Needs(words, ++next, "the event that the rules add (or nothing)")) return std::nullopt;
        if (IsPlain(words[next], "nothing")) {
          event.derives_nothing = true;
          part = Part::kFields;
        } else {
          event.derives.push_back({words[next], {}});
        }
      } else if (IsPlain(word, "answers")) {
        part = Part::kAnswers;
      } else if (part == Part::kRefusal && !word.quoted) {
        event.refusal.push_back(word);
      } else {
        Fail(word,
             absl::StrCat("\"", word.key,
                          "\" is neither field=value nor one of: refused, derives, answers, as, on_time, "
                          "@label"));
      }
    }
    if (event.refused && (!event.derives.empty() || !event.answers.empty())) {
      Fail(words[0], "a refused event derives and answers nothing");
    }
    return event;
  }

  std::optional<Ask> ParseAsk(const std::vector<Word>& words) {
    Ask ask;
    size_t next = 1;
    const std::optional<Instant> at = TakeTime(words, &next);
    if (!at) return std::nullopt;
    ask.at = *at;
    if (!Needs(words, next, "whom the question is about (or -)")) return std::nullopt;
    ask.subject = words[next++];
    if (!Needs(words, next, "the question")) return std::nullopt;
    ask.question = words[next++];
    while (next < words.size()) {
      if (IsPlain(words[next], "as_known_then")) {
        ask.known = ask.at;
        ++next;
      } else if (IsPlain(words[next], "not_late")) {
        ask.not_late = true;
        ++next;
      } else if (IsPlain(words[next], "known")) {
        ++next;
        ask.known = TakeTime(words, &next);
        if (!ask.known) return std::nullopt;
      } else {
        ask.words.push_back(words[next++]);
      }
    }
    return ask;
  }

  // What stands before the first case belongs to every case.
  void JoinCases() {
    if (scenario_.cases.size() == 1) return;
    Case common = std::move(scenario_.cases.front());
    scenario_.cases.erase(scenario_.cases.begin());
    for (Case& one : scenario_.cases) {
      one.settings.insert(one.settings.begin(), common.settings.begin(), common.settings.end());
      one.calendars.insert(one.calendars.begin(), common.calendars.begin(), common.calendars.end());
      one.lines.insert(one.lines.begin(), common.lines.begin(), common.lines.end());
      if (!one.late_off) one.late_off = common.late_off;
    }
  }

  std::vector<Problem>* problems_;
  Scenario scenario_;
};

}  // namespace

std::string ToText(absl::string_view file, const Problem& problem) {
  std::string text(file);
  if (problem.line > 0) absl::StrAppend(&text, ":", problem.line);
  if (problem.column > 0) absl::StrAppend(&text, ":", problem.column);
  return absl::StrCat(text, ": ", problem.message);
}

std::optional<absl::CivilDay> ParseDay(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '-');
  if (parts.size() != 3) return std::nullopt;
  const std::optional<int> year = ParseDigits(parts[0], 4);
  const std::optional<int> month = ParseDigits(parts[1], 2);
  const std::optional<int> day = ParseDigits(parts[2], 2);
  if (!year || !month || !day) return std::nullopt;
  const absl::CivilDay civil(*year, *month, *day);
  if (civil.month() != *month || civil.day() != *day) return std::nullopt;  // 31 June
  return civil;
}

std::optional<Instant> ParseInstant(absl::string_view text, std::optional<absl::CivilDay> day) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('T', 1));
  std::optional<TimeOfDay> time;
  if (parts.size() == 2) {
    day = ParseDay(parts[0]);
    time = ParseTimeOfDay(parts[1]);
  } else if (const std::optional<absl::CivilDay> bare = ParseDay(text)) {
    day = bare;
    time = TimeOfDay{};
  } else {
    time = ParseTimeOfDay(text);
  }
  if (!day || !time) return std::nullopt;
  return Instant{absl::CivilSecond(*day) + time->seconds, time->end_of_day};
}

std::optional<Instant> TakeInstant(const std::vector<Word>& words, size_t* next) {
  if (*next >= words.size() || !words[*next].op.empty() || words[*next].quoted) return std::nullopt;
  const std::optional<absl::CivilDay> day = ParseDay(words[*next].key);
  if (day && *next + 1 < words.size() && words[*next + 1].op.empty() &&
      ParseTimeOfDay(words[*next + 1].key)) {
    *next += 2;
    return ParseInstant(words[*next - 1].key, day);
  }
  std::optional<Instant> instant = ParseInstant(words[*next].key);
  if (instant) ++*next;
  return instant;
}

Scenario ParseScenario(absl::string_view text, std::vector<Problem>* problems) {
  Parser parser(problems);
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    parser.ParseLine(absl::StripSuffix(line, "\r"), ++number);
  }
  return parser.Finish();
}

}  // namespace ledger::scenarios
