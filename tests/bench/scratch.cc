#include "tests/bench/scratch.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ledger::bench {

namespace fs = std::filesystem;

absl::StatusOr<Scratch> Scratch::Make(const std::string& parent) {
  std::string pattern = absl::StrCat(parent, "/ledger_bench.XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot make a directory in ", parent, "; choose one with --dir"));
  }
  return Scratch(std::move(pattern));
}

Scratch::Scratch(std::string path) : path_(std::move(path)) {}

Scratch::Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, "")) {}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

std::string Scratch::Below(absl::string_view name) const { return absl::StrCat(path_, "/", name); }

uint64_t BytesBelow(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
    const uint64_t size = entry.is_regular_file(error) ? entry.file_size(error) : 0;
    if (!error) bytes += size;
  }
  return bytes;
}

}  // namespace ledger::bench
