#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/ctl/import/byte_source.h"
#include "services/ctl/import/record_reader.h"

struct XML_ParserStruct;

namespace ledger::ctl {

// Reads the events of an event log in XES (IEEE 1849), streamed. A record is an event; its fields are the
// event's attributes, its case fields the attributes of its trace that stand before it, named "case:KEY". An
// attribute inside another is named "OUTER/INNER". Defaults that the log declares ("global") are not applied:
// only what an event says is evidence.
//
// A document with a DOCTYPE is refused: no entity is ever expanded, no other file ever opened. An event is bad
// where an attribute lacks its key or value, or where it breaks a limit. Not thread-safe.
class XesReader : public RecordReader {
 public:
  XesReader(std::unique_ptr<ByteSource> source, BadRecordSink bad);
  ~XesReader() override;
  XesReader(const XesReader&) = delete;
  XesReader& operator=(const XesReader&) = delete;

  absl::StatusOr<bool> Next(SourceRecord* record) override;

  // For Expat's callbacks alone.
  void OnStart(const char* name, const char** attributes);
  void OnEnd();
  void OnDoctype();
  void OnAnything();

 private:
  // What an open element is.
  enum class Element { kLog, kTrace, kEvent, kAttribute, kOther };

  absl::Status ParseMore();
  absl::Status XmlError();
  void Stop(absl::Status error);
  void StartAttribute(absl::string_view type, const char** attributes);
  void EndEvent();
  uint64_t CurrentLine() const;

  std::unique_ptr<ByteSource> source_;
  BadRecordSink bad_;
  XML_ParserStruct* parser_;
  std::vector<char> buffer_;
  uint64_t fed_bytes_ = 0;       // given to the parser
  uint64_t finished_bytes_ = 0;  // up to the end of the last token the parser reported
  bool ended_ = false;           // the document is complete

  // A finished event: a record, or what is wrong with it.
  struct Finished {
    SourceRecord record;
    absl::Status problem;
  };
  std::deque<Finished> finished_;  // from one buffer of bytes at most

  std::vector<Element> open_;
  std::vector<std::string> outer_keys_;  // keys of the open attributes, outermost first
  uint64_t events_ = 0;
  bool in_event_ = false;
  Finished event_;             // the open event
  SourceFields case_fields_;   // of the open trace
  absl::Status case_problem_;  // an attribute of the open trace is bad, and so are its events
  absl::Status error_;
};

}  // namespace ledger::ctl
