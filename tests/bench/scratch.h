#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ledger::bench {

// A directory of its own below `parent`, removed with everything in it when this ends.
class Scratch {
 public:
  static absl::StatusOr<Scratch> Make(const std::string& parent);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch& operator=(Scratch&&) = delete;

  const std::string& path() const { return path_; }
  std::string Below(absl::string_view name) const;

 private:
  explicit Scratch(std::string path);
  std::string path_;
};

// Bytes of all files below `directory`; of a missing one, 0.
uint64_t BytesBelow(const std::string& directory);

}  // namespace ledger::bench
