#pragma once

#include <cstddef>

namespace ledger::ctl {

// What the readers accept. They keep one record in memory, so these limits bound what a hostile file can
// take. A record beyond a limit is bad: reported and skipped.
inline constexpr size_t kLineBytesMax = 1 << 20;    // one line, or one quoted record over several lines
inline constexpr size_t kFieldBytesMax = 64 << 10;  // one field's value
inline constexpr size_t kFieldsMax = 1024;          // fields of one record, those of its case counted apart
inline constexpr int kNestingMax = 64;              // elements within elements, objects within objects

}  // namespace ledger::ctl
