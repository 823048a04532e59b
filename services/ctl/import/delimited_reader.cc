#include "services/ctl/import/delimited_reader.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/import/limits.h"
#include "services/ctl/import/utf8.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

absl::Status TooLong() {
  return absl::InvalidArgumentError(
      absl::StrCat("a line or quoted record may have at most ", kLineBytesMax, " bytes"));
}

absl::Status CheckFields(const std::vector<std::string>& fields) {
  if (fields.size() > kFieldsMax) {
    return absl::InvalidArgumentError(absl::StrCat("a record may have at most ", kFieldsMax, " fields"));
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].size() > kFieldBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat("field ", i + 1, " is longer than ", kFieldBytesMax, " bytes"));
    }
    if (!IsUtf8(fields[i])) {
      return absl::InvalidArgumentError(
          absl::StrCat("field ", i + 1, " is not UTF-8; convert the file, e.g. with iconv"));
    }
  }
  return absl::OkStatus();
}

void SplitBlanks(const std::string& text, std::vector<std::string>* fields) {
  size_t i = text.find_first_not_of(" \t");
  // One field too many is enough for CheckFields to say so.
  while (i != std::string::npos && fields->size() <= kFieldsMax) {
    const size_t end = std::min(text.find_first_of(" \t", i), text.size());
    fields->push_back(text.substr(i, end - i));
    i = text.find_first_not_of(" \t", end);
  }
}

}  // namespace

DelimitedReader::DelimitedReader(std::unique_ptr<ByteSource> source, DelimitedFormat format,
                                 BadRecordSink bad)
    : source_(std::move(source)),
      format_(std::move(format)),
      bad_(std::move(bad)),
      lines_(source_.get()),
      columns_(format_.columns) {}

absl::StatusOr<bool> DelimitedReader::Next(SourceRecord* record) {
  if (!error_.ok()) return error_;
  absl::StatusOr<bool> result = Read(record);
  if (!result.ok()) error_ = result.status();
  return result;
}

absl::StatusOr<bool> DelimitedReader::Read(SourceRecord* record) {
  if (!started_) {
    started_ = true;
    if (format_.has_header) LEDGER_RETURN_IF_ERROR(ReadHeader());
  }
  std::vector<std::string> fields;
  while (true) {
    uint64_t line = 0;
    absl::Status problem;
    LEDGER_ASSIGN_OR_RETURN(const bool more, ReadRow(&fields, &line, &problem));
    if (!more) return false;
    ++records_;
    if (columns_.empty() && problem.ok()) {
      for (size_t i = 1; i <= fields.size(); ++i) columns_.push_back(absl::StrCat(i));
    }
    if (problem.ok() && fields.size() != columns_.size()) {
      problem = absl::InvalidArgumentError(
          absl::StrCat("there are ", fields.size(), " fields, but ", columns_.size(), " columns"));
    }
    if (!problem.ok()) {
      bad_(BadRecord{line, std::string(problem.message())});
      continue;
    }
    record->number = records_;
    record->line = line;
    record->case_fields.clear();
    record->fields.clear();
    record->fields.reserve(fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      record->fields.emplace_back(columns_[i], std::move(fields[i]));
    }
    return true;
  }
}

absl::Status DelimitedReader::ReadHeader() {
  std::vector<std::string> names;
  uint64_t line = 0;
  absl::Status problem;
  LEDGER_ASSIGN_OR_RETURN(const bool more, ReadRow(&names, &line, &problem));
  if (!more) return absl::OkStatus();  // an empty file has no records either
  if (!problem.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the header, line ", line, ": ", problem.message()));
  }
  if (!columns_.empty()) return absl::OkStatus();
  absl::flat_hash_set<std::string> seen;
  for (const std::string& name : names) {
    if (name.empty() || !seen.insert(name).second) {
      return absl::InvalidArgumentError(absl::StrCat("the header, line ", line, ", ",
                                                     name.empty()
                                                         ? std::string("has a column without a name")
                                                         : absl::StrCat("names column '", name, "' twice"),
                                                     "; name the columns in the mapping instead"));
    }
  }
  columns_ = std::move(names);
  return absl::OkStatus();
}

absl::StatusOr<bool> DelimitedReader::ReadRow(std::vector<std::string>* fields, uint64_t* number,
                                              absl::Status* problem) {
  Line line;
  do {
    LEDGER_ASSIGN_OR_RETURN(const bool more, NextLine(&line));
    if (!more) return false;
  } while (!line.too_long &&
           line.text.find_first_not_of(format_.separator == 0 ? " \t" : "") == line.text.npos);
  *number = line.number;
  fields->clear();
  if (line.too_long) {
    *problem = TooLong();
    return true;
  }
  if (format_.separator == 0) {
    SplitBlanks(line.text, fields);
  } else {
    LEDGER_ASSIGN_OR_RETURN(*problem, SplitQuoted(std::move(line.text), fields));
  }
  if (problem->ok()) *problem = CheckFields(*fields);
  return true;
}

absl::StatusOr<bool> DelimitedReader::NextLine(Line* line) {
  if (again_.empty()) return lines_.Next(line);
  *line = std::move(again_.front());
  again_.pop_front();
  return true;
}

// The outer status is the file's, the inner one the row's. `text` is the row's first line; a quoted field
// draws in the lines that follow.
absl::StatusOr<absl::Status> DelimitedReader::SplitQuoted(std::string text,
                                                          std::vector<std::string>* fields) {
  std::deque<Line> drawn;  // what was drawn in, to be read again if the quote is never closed
  const auto bad = [&](absl::string_view message) {
    while (!drawn.empty()) {
      again_.push_front(std::move(drawn.back()));
      drawn.pop_back();
    }
    return absl::InvalidArgumentError(message);
  };
  size_t bytes = text.size();
  size_t i = 0;
  while (fields->size() <= kFieldsMax) {
    std::string field;
    if (i < text.size() && text[i] == '"') {
      ++i;
      while (true) {
        const size_t quote = text.find('"', i);
        if (quote != std::string::npos) {
          field.append(text, i, quote - i);
          i = quote + 1;
          if (i >= text.size() || text[i] != '"') break;  // closed
          field += '"';
          ++i;
          continue;
        }
        field.append(text, i, std::string::npos);
        field += '\n';
        Line line;
        LEDGER_ASSIGN_OR_RETURN(const bool more, NextLine(&line));
        if (!more) return bad("a quote is opened and never closed");
        const bool too_long = line.too_long;
        bytes += line.text.size() + 1;
        text = line.text;
        i = 0;
        drawn.push_back(std::move(line));
        if (too_long || bytes > kLineBytesMax) {
          return bad(absl::StrCat("a quote is opened and not closed within ", kLineBytesMax, " bytes"));
        }
      }
      if (i < text.size() && text[i] != format_.separator) {
        return bad("text follows a closing quote; write a quote inside a quoted field as two");
      }
    } else {
      const size_t end = std::min(text.find(format_.separator, i), text.size());
      field = text.substr(i, end - i);
      i = end;
      if (field.find('"') != std::string::npos) {
        return bad("a quote stands inside a field without quotes; put the field in quotes, the quote as two");
      }
    }
    fields->push_back(std::move(field));
    if (i >= text.size()) break;
    ++i;  // the separator
  }
  return absl::OkStatus();
}

}  // namespace ledger::ctl
