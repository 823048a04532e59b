#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "services/ctl/import/limits.h"
#include "services/ctl/import/utf8.h"
#include "services/ctl/import/xes_reader.h"

// Whatever the bytes: no crash, records within the limits, and an end.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ledger::ctl::BadRecord;
  uint64_t bad = 0;
  ledger::ctl::XesReader reader(
      ledger::ctl::OpenMemory(std::string(reinterpret_cast<const char*>(data), size)),
      [&bad](const BadRecord& record) {
        if (record.line == 0 || record.message.empty()) std::abort();
        ++bad;
      });
  ledger::ctl::SourceRecord record;
  uint64_t good = 0;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(&record);
    if (!more.ok()) {
      // An error stays.
      if (reader.Next(&record).status() != more.status()) std::abort();
      return 0;
    }
    if (!*more) return 0;
    if (record.number != ++good + bad) std::abort();
    if (record.fields.size() > ledger::ctl::kFieldsMax) std::abort();
    for (const auto& [name, value] : record.fields) {
      if (value.size() > ledger::ctl::kFieldBytesMax || !ledger::ctl::IsUtf8(value)) std::abort();
    }
  }
}
