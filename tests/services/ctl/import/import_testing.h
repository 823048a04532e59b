#pragma once

#include <zlib.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "services/ctl/import/byte_source.h"
#include "services/ctl/import/record_reader.h"

namespace ledger::ctl {

// What a reader made of a file.
struct ReadResult {
  std::vector<SourceRecord> records;
  std::vector<BadRecord> bad;
  absl::Status status;

  // Field `name` of every record, "(none)" where it is missing.
  std::vector<std::string> Column(const std::string& name) const {
    std::vector<std::string> values;
    for (const SourceRecord& record : records) {
      std::string value = "(none)";
      for (const auto& [key, field] : record.fields) {
        if (key == name) value = field;
      }
      values.push_back(value);
    }
    return values;
  }
};

// `make` takes a ByteSource and a BadRecordSink and returns a reader.
template <typename Make>
ReadResult ReadAll(std::unique_ptr<ByteSource> source, Make make) {
  ReadResult result;
  auto reader = make(std::move(source), [&result](const BadRecord& bad) { result.bad.push_back(bad); });
  SourceRecord record;
  while (true) {
    absl::StatusOr<bool> more = reader->Next(&record);
    result.status = more.status();
    if (!more.ok() || !*more) return result;
    result.records.push_back(record);
  }
}

inline std::string Gzip(const std::string& text) {
  z_stream zlib = {};
  deflateInit2(&zlib, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zlib, text.size()) + 64, '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  deflate(&zlib, Z_FINISH);
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  return out;
}

}  // namespace ledger::ctl
