#include "services/ctl/import/mapping_file.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/import/delimited_reader.h"
#include "services/ctl/import/jsonl_reader.h"
#include "services/ctl/import/xes_reader.h"
#include "storage/status_macros.h"

namespace ledger::ctl {
namespace {

constexpr size_t kMappingBytesMax = 1 << 20;

// Keeps the first error: the later ones mostly follow from it.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text.empty()) text = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  std::string text;
};

absl::StatusOr<DelimitedFormat> FormatOf(const DelimitedInput& input) {
  DelimitedFormat format;
  format.has_header = input.has_header();
  format.columns.assign(input.columns().begin(), input.columns().end());
  if (input.separator() == "blank") {
    format.separator = 0;
    return format;
  }
  const std::string& separator = input.separator();
  if (separator.size() != 1 || separator[0] == '"' || separator[0] == '\n' || separator[0] == '\r' ||
      separator[0] == '\0' || static_cast<unsigned char>(separator[0]) >= 0x80) {
    return absl::InvalidArgumentError(
        "the mapping's delimited.separator must be one ASCII character, not a quote or line end, or the word "
        "'blank'");
  }
  format.separator = separator[0];
  return format;
}

}  // namespace

absl::StatusOr<Mapping> ParseMapping(const std::string& text, absl::string_view name) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(20);
  Mapping mapping;
  if (!parser.ParseFromString(text, &mapping)) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", error.text));
  }
  return mapping;
}

absl::StatusOr<Mapping> LoadMapping(const std::string& path) {
  LEDGER_ASSIGN_OR_RETURN(const std::unique_ptr<ByteSource> source, OpenFile(path));
  std::string text;
  std::vector<char> buffer(64 << 10);
  while (true) {
    LEDGER_ASSIGN_OR_RETURN(const size_t got, source->Read(buffer.data(), buffer.size()));
    if (got == 0) return ParseMapping(text, path);
    text.append(buffer.data(), got);
    if (text.size() > kMappingBytesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, " is longer than ", kMappingBytesMax, " bytes; is it a mapping?"));
    }
  }
}

absl::StatusOr<std::unique_ptr<RecordReader>> MakeReader(const Mapping& mapping,
                                                         std::unique_ptr<ByteSource> source,
                                                         BadRecordSink bad) {
  switch (mapping.input_case()) {
    case Mapping::kXes:
      return std::make_unique<XesReader>(std::move(source), std::move(bad));
    case Mapping::kJsonl:
      return std::make_unique<JsonlReader>(std::move(source), std::move(bad));
    case Mapping::kDelimited: {
      LEDGER_ASSIGN_OR_RETURN(DelimitedFormat format, FormatOf(mapping.delimited()));
      return std::make_unique<DelimitedReader>(std::move(source), std::move(format), std::move(bad));
    }
    case Mapping::INPUT_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the mapping names no input: set xes {}, delimited {...} or jsonl {}");
}

}  // namespace ledger::ctl
