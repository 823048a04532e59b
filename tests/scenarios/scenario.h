#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

// A scenario as text, taken apart: which lines there are and of which words they consist. What an event or a
// question means is looked up later (event_line.h, question.h). README.md explains the language. Pure; any
// thread.
namespace ledger::scenarios {

// What is wrong where; both count from 1, columns in characters. Column 0: the line as a whole; line 0: the file.
struct Problem {
  int line = 0;
  int column = 0;
  std::string message;
};

// "file:line:column: message".
std::string ToText(absl::string_view file, const Problem& problem);

// A local instant. `end_of_day` says that 24:00 was written, which `time` holds as 00:00 of the next day.
struct Instant {
  absl::CivilSecond time;
  bool end_of_day = false;
};

// One word of a line: `key`, `key=value`, `key!=value` or `key~value`. Quotes are taken off.
struct Word {
  std::string key;      // the whole word where there is no `op`
  std::string op;       // "", "=", "!=" or "~"
  std::string value;    // after `op`
  bool quoted = false;  // the value, or the word itself, stood in quotes
  int line = 0;
  int column = 0;
  int value_column = 0;
};

// An event that the rules are expected to add.
struct Derived {
  Word type;
  std::vector<Word> fields;
};

// "TIME SUBJECT EVENT field=value ..."
struct EventLine {
  Instant at;
  std::optional<Instant> recorded;  // recorded=TIME; not set: at `at`
  Word subject;                     // "-": the event names its subject in its fields
  Word type;
  std::vector<Word> fields;
  std::string on_behalf_of;      // "as NAME"
  std::string label;             // "@NAME", without the @
  bool on_time = false;          // "on_time": never delivered late
  bool refused = false;          // "refused": expected
  std::vector<Word> refusal;     // rule ids and reasons that the refusal must name
  std::vector<Derived> derives;  // "derives EVENT field=value ..."
  bool derives_nothing = false;  // "derives nothing"
  std::vector<Word> answers;     // "answers path=value ...": of the AppendedEvent
};

// "ask TIME SUBJECT QUESTION word ..."
struct Ask {
  Instant at;
  Word subject;  // "-": the question is not about one customer
  Word question;
  std::vector<Word> words;
  std::optional<Instant> known;  // "known TIME", or "as_known_then": TIME of the ask
  bool not_late = false;         // "not_late": not asked when events were delivered late
};

// An event or a question, in the file's order.
struct Line {
  int number = 0;
  std::string text;
  std::optional<EventLine> event;
  std::optional<Ask> ask;
};

// "set PATH = VALUE"
struct Setting {
  Word path;  // its value is the VALUE, in protobuf's text format
};

// "calendar ID YEAR holidays DAY ... makeup DAY ..."
struct Calendar {
  int line = 0;
  std::string id;
  int year = 0;
  std::vector<absl::CivilDay> holidays;
  std::vector<absl::CivilDay> makeup_workdays;
};

// One run of a scenario with a ledger of its own: the lines common to all cases and then its own.
struct Case {
  std::string name;  // empty: the file has no cases
  int line = 0;
  std::vector<Setting> settings;
  std::vector<Calendar> calendars;
  std::optional<std::string> late_off;  // the reason why nothing is delivered late
  std::vector<Line> lines;
};

// A whole file.
struct Scenario {
  std::string id;                   // e.g. "SC-01"
  std::string title;                // "Three months without consumption"
  Word policy;                      // its key is the preset's name
  std::vector<Word> rules;          // "rules ID ...": tested here, and named by an answer
  std::vector<Word> unnamed_rules;  // "unnamed ID ...": tested here by what happens, but named by no answer
  std::vector<Case> cases;          // at least one
};

// Takes `text` apart. Problems are appended in the file's order; if there are any, the scenario is incomplete.
Scenario ParseScenario(absl::string_view text, std::vector<Problem>* problems);

// "2026-03-01T15:00[:00]", "2026-03-01" (00:00), or, with `day`, "15:00" of that day; 24:00 is allowed. Nothing:
// it is no instant.
std::optional<Instant> ParseInstant(absl::string_view text, std::optional<absl::CivilDay> day = std::nullopt);
std::optional<absl::CivilDay> ParseDay(absl::string_view text);

// Reads "DAY", "DAY TIME" or "DAYTTIME" from `words` at `*next` and moves `*next` behind it. Nothing: there is none,
// and `*next` has not moved.
std::optional<Instant> TakeInstant(const std::vector<Word>& words, size_t* next);

}  // namespace ledger::scenarios
