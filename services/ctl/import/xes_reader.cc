#include "services/ctl/import/xes_reader.h"

#include <expat.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/ctl/import/limits.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
// Beyond this depth the parser's own stack would grow without bound; no log is that deep.
constexpr size_t kDepthMax = 16 * kNestingMax;

XesReader* Self(void* user) { return static_cast<XesReader*>(user); }

void OnStartElement(void* user, const XML_Char* name, const XML_Char** attributes) {
  Self(user)->OnStart(name, attributes);
}
void OnEndElement(void* user, const XML_Char*) { Self(user)->OnEnd(); }
void OnStartDoctype(void* user, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  Self(user)->OnDoctype();
}
void OnDefault(void* user, const XML_Char*, int) { Self(user)->OnAnything(); }

// The name without a namespace prefix.
absl::string_view LocalName(const char* name) {
  const char* colon = std::strrchr(name, ':');
  return colon == nullptr ? name : colon + 1;
}

bool IsAttributeType(absl::string_view name) {
  for (const absl::string_view type :
       {"string", "date", "int", "float", "boolean", "id", "list", "container"}) {
    if (name == type) return true;
  }
  return false;
}

const char* Find(const char** attributes, absl::string_view name) {
  for (; *attributes != nullptr; attributes += 2) {
    if (name == *attributes) return attributes[1];
  }
  return nullptr;
}

}  // namespace

XesReader::XesReader(std::unique_ptr<ByteSource> source, BadRecordSink bad)
    : source_(std::move(source)),
      bad_(std::move(bad)),
      parser_(XML_ParserCreate(nullptr)),
      buffer_(kBufferBytes) {
  if (parser_ == nullptr) {
    error_ = absl::ResourceExhaustedError("no memory to parse XML with");
    return;
  }
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, OnStartElement, OnEndElement);
  XML_SetStartDoctypeDeclHandler(parser_, OnStartDoctype);
  XML_SetDefaultHandler(parser_, OnDefault);
}

XesReader::~XesReader() {
  if (parser_ != nullptr) XML_ParserFree(parser_);
}

absl::StatusOr<bool> XesReader::Next(SourceRecord* record) {
  while (true) {
    while (!finished_.empty()) {
      Finished next = std::move(finished_.front());
      finished_.pop_front();
      if (!next.problem.ok()) {
        bad_(BadRecord{next.record.line, std::string(next.problem.message())});
        continue;
      }
      *record = std::move(next.record);
      return true;
    }
    if (!error_.ok()) return error_;
    if (ended_) return false;
    error_ = ParseMore();
  }
}

absl::Status XesReader::ParseMore() {
  absl::StatusOr<size_t> got = source_->Read(buffer_.data(), buffer_.size());
  if (!got.ok()) {
    return absl::Status(got.status().code(),
                        absl::StrCat("line ", CurrentLine(), ": ", got.status().message()));
  }
  fed_bytes_ += *got;
  const bool last = *got == 0;
  if (XML_Parse(parser_, buffer_.data(), static_cast<int>(*got), last ? 1 : 0) != XML_STATUS_OK) {
    return error_.ok() ? XmlError() : error_;
  }
  // The parser keeps an unfinished token in memory until its end comes.
  if (fed_bytes_ - finished_bytes_ > kLineBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", CurrentLine(), ": a tag or comment is longer than ", kLineBytesMax, " bytes"));
  }
  ended_ = last;
  return absl::OkStatus();
}

absl::Status XesReader::XmlError() {
  const XML_Error code = XML_GetErrorCode(parser_);
  const std::string place =
      absl::StrCat("line ", CurrentLine(), ", column ", XML_GetCurrentColumnNumber(parser_) + 1);
  if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN) {
    return absl::DataLossError(
        absl::StrCat(place, ": the XML ends too early; the file is cut off: fetch it again"));
  }
  return absl::InvalidArgumentError(absl::StrCat(place, ": the XML is malformed: ", XML_ErrorString(code)));
}

void XesReader::Stop(absl::Status error) {
  if (error_.ok()) error_ = std::move(error);
  XML_StopParser(parser_, XML_FALSE);
}

uint64_t XesReader::CurrentLine() const { return XML_GetCurrentLineNumber(parser_); }

void XesReader::OnAnything() {
  finished_bytes_ = static_cast<uint64_t>(XML_GetCurrentByteIndex(parser_)) +
                    static_cast<uint64_t>(XML_GetCurrentByteCount(parser_));
}

void XesReader::OnDoctype() {
  Stop(absl::InvalidArgumentError(
      absl::StrCat("line ", CurrentLine(),
                   ": the file has a DOCTYPE, which an XES log never needs and which could name other files "
                   "or expand without end; remove it")));
}

void XesReader::OnStart(const char* name, const char** attributes) {
  OnAnything();
  const absl::string_view local = LocalName(name);
  if (open_.empty() && local != "log") {
    return Stop(absl::InvalidArgumentError(absl::StrCat("line ", CurrentLine(), ": this is not an XES log: <",
                                                        local, "> stands where <log> is expected")));
  }
  if (open_.size() >= kDepthMax) {
    return Stop(absl::InvalidArgumentError(
        absl::StrCat("line ", CurrentLine(), ": elements stand more than ", kDepthMax, " deep")));
  }
  const Element outer = open_.empty() ? Element::kOther : open_.back();
  Element element = Element::kOther;
  if (open_.empty()) {
    element = Element::kLog;
  } else if (local == "trace" && outer == Element::kLog) {
    element = Element::kTrace;
    case_fields_.clear();
    case_problem_ = absl::OkStatus();
  } else if (local == "event" && (outer == Element::kTrace || outer == Element::kLog)) {
    element = Element::kEvent;
    in_event_ = true;
    event_ = Finished();
    event_.record.number = ++events_;
    event_.record.line = CurrentLine();
  } else if (IsAttributeType(local) &&
             (outer == Element::kEvent || outer == Element::kTrace || !outer_keys_.empty())) {
    element = Element::kAttribute;
    StartAttribute(local, attributes);
  }
  open_.push_back(element);
}

void XesReader::StartAttribute(absl::string_view type, const char** attributes) {
  absl::Status& problem = in_event_ ? event_.problem : case_problem_;
  SourceFields& fields = in_event_ ? event_.record.fields : case_fields_;
  const char* key = Find(attributes, "key");
  const char* value = Find(attributes, "value");
  outer_keys_.emplace_back(key == nullptr ? "" : key);
  if (!problem.ok()) return;
  const absl::string_view where = in_event_ ? "the event" : "the event's trace";
  if (open_.size() >= static_cast<size_t>(kNestingMax)) {
    problem = absl::InvalidArgumentError(
        absl::StrCat("attributes of ", where, " stand more than ", kNestingMax, " elements deep"));
    return;
  }
  const bool holds_others = type == "list" || type == "container";
  if (key == nullptr || (value == nullptr && !holds_others)) {
    problem = absl::InvalidArgumentError(absl::StrCat("an attribute of ", where, " has no ",
                                                      key == nullptr ? "key" : "value", " (line ",
                                                      CurrentLine(), ")"));
    return;
  }
  if (value == nullptr) return;
  size_t path_bytes = 0;
  for (const std::string& outer : outer_keys_) path_bytes += outer.size() + 1;
  if (path_bytes > kFieldBytesMax || std::strlen(value) > kFieldBytesMax) {
    problem = absl::InvalidArgumentError(absl::StrCat("an attribute of ", where, " is longer than ",
                                                      kFieldBytesMax, " bytes (line ", CurrentLine(), ")"));
    return;
  }
  if (fields.size() >= kFieldsMax) {
    problem = absl::InvalidArgumentError(absl::StrCat(where, " has more than ", kFieldsMax, " attributes"));
    return;
  }
  fields.emplace_back(absl::StrCat(in_event_ ? "" : "case:", absl::StrJoin(outer_keys_, "/")), value);
}

void XesReader::OnEnd() {
  OnAnything();
  if (open_.empty()) return;
  const Element element = open_.back();
  open_.pop_back();
  switch (element) {
    case Element::kAttribute:
      outer_keys_.pop_back();
      break;
    case Element::kEvent:
      EndEvent();
      break;
    case Element::kTrace:
      case_fields_.clear();
      case_problem_ = absl::OkStatus();
      break;
    case Element::kLog:
    case Element::kOther:
      break;
  }
}

void XesReader::EndEvent() {
  in_event_ = false;
  if (event_.problem.ok()) event_.problem = case_problem_;
  event_.record.case_fields = case_fields_;
  finished_.push_back(std::move(event_));
  event_ = Finished();
}

}  // namespace ledger::ctl
