#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "services/ctl/import/delimited_reader.h"
#include "services/ctl/import/limits.h"
#include "services/ctl/import/utf8.h"

// The first byte chooses the layout, the rest is the file. Whatever the bytes: no crash, records within the
// limits, every record as wide as the header, and an end.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ledger::ctl::BadRecord;
  if (size == 0) return 0;
  ledger::ctl::DelimitedFormat format;
  format.separator = ",;\t\0"[data[0] % 4];
  format.has_header = (data[0] & 4) != 0;
  uint64_t bad = 0;
  ledger::ctl::DelimitedReader reader(
      ledger::ctl::OpenMemory(std::string(reinterpret_cast<const char*>(data) + 1, size - 1)), format,
      [&bad](const BadRecord& record) {
        if (record.line == 0 || record.message.empty()) std::abort();
        ++bad;
      });
  ledger::ctl::SourceRecord record;
  uint64_t good = 0;
  uint64_t line = 0;
  size_t columns = 0;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(&record);
    if (!more.ok() || !*more) return 0;
    if (record.number != ++good + bad || record.line <= line) std::abort();
    line = record.line;
    if (columns == 0) columns = record.fields.size();
    if (record.fields.size() != columns || columns > ledger::ctl::kFieldsMax) std::abort();
    for (const auto& [name, value] : record.fields) {
      if (value.size() > ledger::ctl::kFieldBytesMax || !ledger::ctl::IsUtf8(value)) std::abort();
    }
  }
}
