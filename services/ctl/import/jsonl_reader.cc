#include "services/ctl/import/jsonl_reader.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/import/limits.h"
#include "services/ctl/import/utf8.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

// Protobuf's JSON reader would do the same into google.protobuf.Struct, but a Struct holds every number as a
// double: an amount or a long id would come out as another number.
class ObjectParser {
 public:
  ObjectParser(absl::string_view text, SourceFields* fields) : text_(text), fields_(fields) {}

  absl::Status Parse() {
    SkipBlanks();
    if (Peek() != '{') return Error("a line must hold one JSON object: '{' expected");
    LEDGER_RETURN_IF_ERROR(Value("", 1));
    SkipBlanks();
    if (at_ != text_.size()) return Error("something follows the object; one object a line");
    return absl::OkStatus();
  }

 private:
  absl::Status Error(absl::string_view message) const {
    return absl::InvalidArgumentError(absl::StrCat("column ", at_ + 1, ": ", message));
  }
  int Peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }
  void SkipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }

  absl::Status Value(const std::string& path, int depth) {
    const int c = Peek();
    if (c == '{' || c == '[') {
      if (depth > kNestingMax) {
        return Error(absl::StrCat("objects and arrays may nest at most ", kNestingMax, " deep"));
      }
      return c == '{' ? Object(path, depth) : Array(path, depth);
    }
    if (c == '"') {
      std::string value;
      LEDGER_RETURN_IF_ERROR(String(&value));
      return Emit(path, std::move(value));
    }
    if (c == '-' || absl::ascii_isdigit(static_cast<unsigned char>(c))) return Number(path);
    for (const absl::string_view word : {"true", "false", "null"}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return word == "null" ? absl::OkStatus() : Emit(path, std::string(word));
    }
    return Error("a JSON value expected");
  }

  absl::Status Object(const std::string& path, int depth) {
    absl::flat_hash_set<std::string> names;
    ++at_;
    SkipBlanks();
    if (Peek() == '}') {
      ++at_;
      return absl::OkStatus();
    }
    while (true) {
      if (Peek() != '"') return Error("a name in double quotes expected");
      std::string name;
      LEDGER_RETURN_IF_ERROR(String(&name));
      if (!names.insert(name).second) return Error(absl::StrCat("the name '", name, "' stands here twice"));
      if (names.size() > kFieldsMax) return TooMany();
      SkipBlanks();
      if (Peek() != ':') return Error("':' expected");
      ++at_;
      SkipBlanks();
      LEDGER_ASSIGN_OR_RETURN(const std::string inner, Path(path, name));
      LEDGER_RETURN_IF_ERROR(Value(inner, depth + 1));
      LEDGER_ASSIGN_OR_RETURN(const bool more, MoreUntil('}'));
      if (!more) return absl::OkStatus();
    }
  }

  absl::Status Array(const std::string& path, int depth) {
    ++at_;
    SkipBlanks();
    if (Peek() == ']') {
      ++at_;
      return absl::OkStatus();
    }
    for (size_t i = 0;; ++i) {
      if (i >= kFieldsMax) return TooMany();
      LEDGER_ASSIGN_OR_RETURN(const std::string inner, Path(path, absl::StrCat(i)));
      LEDGER_RETURN_IF_ERROR(Value(inner, depth + 1));
      LEDGER_ASSIGN_OR_RETURN(const bool more, MoreUntil(']'));
      if (!more) return absl::OkStatus();
    }
  }

  // After a value: true for a comma, false for `close`.
  absl::StatusOr<bool> MoreUntil(char close) {
    SkipBlanks();
    const int c = Peek();
    if (c != ',' && c != close) return Error(absl::StrCat("',' or '", std::string(1, close), "' expected"));
    ++at_;
    SkipBlanks();
    return c == ',';
  }

  absl::StatusOr<std::string> Path(const std::string& outer, absl::string_view name) const {
    // Long names in deep objects would multiply, so the path is held to a field's limit too.
    if (outer.size() + name.size() + 1 > kFieldBytesMax) return Error("a field's name is too long");
    return outer.empty() ? std::string(name) : absl::StrCat(outer, ".", name);
  }

  absl::Status TooMany() const {
    return Error(absl::StrCat("a record may have at most ", kFieldsMax, " fields"));
  }

  absl::Status Emit(const std::string& path, std::string value) {
    if (value.size() > kFieldBytesMax) {
      return Error(absl::StrCat("field '", path, "' is longer than ", kFieldBytesMax, " bytes"));
    }
    // All names and values together stay within a few lines' size, however the names nest.
    bytes_ += path.size() + value.size();
    if (fields_->size() >= kFieldsMax || bytes_ > 4 * kLineBytesMax) return TooMany();
    fields_->emplace_back(path, std::move(value));
    return absl::OkStatus();
  }

  absl::Status Number(const std::string& path) {
    const size_t start = at_;
    const auto digits = [this] {
      const size_t first = at_;
      while (absl::ascii_isdigit(static_cast<unsigned char>(Peek()))) ++at_;
      return at_ - first;
    };
    if (Peek() == '-') ++at_;
    const bool leading_zero = Peek() == '0';
    const size_t whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) return Error("a number expected, without leading zeros");
    if (Peek() == '.') {
      ++at_;
      if (digits() == 0) return Error("a digit expected after the point");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (digits() == 0) return Error("a digit expected in the exponent");
    }
    return Emit(path, std::string(text_.substr(start, at_ - start)));
  }

  absl::Status String(std::string* value) {
    ++at_;
    while (true) {
      const int c = Peek();
      if (c < 0) return Error("the string does not end");
      if (c < 0x20) return Error("a control character inside a string; write it as \\u00XX");
      ++at_;
      if (c == '"') return absl::OkStatus();
      if (c != '\\') {
        *value += static_cast<char>(c);
        continue;
      }
      LEDGER_RETURN_IF_ERROR(Escape(value));
    }
  }

  absl::Status Escape(std::string* value) {
    const int c = Peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        *value += static_cast<char>(c);
        return absl::OkStatus();
      case 'b':
        *value += '\b';
        return absl::OkStatus();
      case 'f':
        *value += '\f';
        return absl::OkStatus();
      case 'n':
        *value += '\n';
        return absl::OkStatus();
      case 'r':
        *value += '\r';
        return absl::OkStatus();
      case 't':
        *value += '\t';
        return absl::OkStatus();
      case 'u':
        break;
      default:
        return Error("no such escape");
    }
    LEDGER_ASSIGN_OR_RETURN(uint32_t code, Hex4());
    if (code >= 0xD800 && code <= 0xDBFF && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      LEDGER_ASSIGN_OR_RETURN(const uint32_t low, Hex4());
      if (low < 0xDC00 || low > 0xDFFF) return Error("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (code >= 0xD800 && code <= 0xDFFF) return Error("half a surrogate pair");
    AppendUtf8(code, value);
    return absl::OkStatus();
  }

  absl::StatusOr<uint32_t> Hex4() {
    uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int c = Peek();
      if (c < 0 || !absl::ascii_isxdigit(static_cast<unsigned char>(c))) {
        return Error("four hex digits expected");
      }
      code = code * 16 + static_cast<uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
  }

  static void AppendUtf8(uint32_t code, std::string* out) {
    const auto put = [out](uint32_t byte) { *out += static_cast<char>(byte); };
    if (code < 0x80) {
      put(code);
    } else if (code < 0x800) {
      put(0xC0 | (code >> 6));
      put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      put(0xE0 | (code >> 12));
      put(0x80 | ((code >> 6) & 0x3F));
      put(0x80 | (code & 0x3F));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
      put(0x80 | ((code >> 6) & 0x3F));
      put(0x80 | (code & 0x3F));
    }
  }

  absl::string_view text_;
  SourceFields* fields_;
  size_t at_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

absl::Status ParseJsonObject(absl::string_view line, SourceFields* fields) {
  fields->clear();
  if (!IsUtf8(line)) return absl::InvalidArgumentError("the line is not UTF-8; convert the file first");
  return ObjectParser(line, fields).Parse();
}

JsonlReader::JsonlReader(std::unique_ptr<ByteSource> source, BadRecordSink bad)
    : source_(std::move(source)), bad_(std::move(bad)), lines_(source_.get()) {}

absl::StatusOr<bool> JsonlReader::Next(SourceRecord* record) {
  if (!error_.ok()) return error_;
  Line line;
  while (true) {
    absl::StatusOr<bool> more = lines_.Next(&line);
    if (!more.ok()) error_ = more.status();
    if (!more.ok() || !*more) return more;
    if (!line.too_long && absl::StripAsciiWhitespace(line.text).empty()) continue;
    ++records_;
    const absl::Status parsed =
        line.too_long
            ? absl::InvalidArgumentError(absl::StrCat("a line may have at most ", kLineBytesMax, " bytes"))
            : ParseJsonObject(line.text, &record->fields);
    if (!parsed.ok()) {
      bad_(BadRecord{line.number, std::string(parsed.message())});
      continue;
    }
    record->number = records_;
    record->line = line.number;
    record->case_fields.clear();
    return true;
  }
}

}  // namespace ledger::ctl
