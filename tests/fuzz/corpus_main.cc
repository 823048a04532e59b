// Runs a fuzz target without a fuzzer: over every file of its corpus, and over mutations of them that are the
// same in every run. Usage: NAME CORPUS_FOLDER
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsPerFile = 200;

std::string Mutate(const std::string& seed, const std::string& other, std::mt19937& random) {
  std::string bytes = seed;
  for (uint32_t steps = 1 + random() % 4; steps > 0; --steps) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 6) {
      case 0:  // flip a bit
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 1:  // cut
        bytes.resize(at);
        break;
      case 2:  // remove a piece
        bytes.erase(at, 1 + random() % 8);
        break;
      case 3: {  // repeat a piece
        const std::string piece = bytes.substr(at, 1 + random() % 32);
        for (uint32_t i = random() % 40; i > 0; --i) bytes.insert(at, piece);
        break;
      }
      case 4:  // a byte that often matters
        bytes.insert(at, 1, "\"'<>&{}[],:\\\n\r\t \0\x7f\xff\xef"[random() % 20]);
        break;
      case 5:  // go on as another file does
        bytes.resize(at);
        if (!other.empty()) bytes += other.substr(random() % other.size());
        break;
    }
  }
  return bytes;
}

void RunOne(const std::string& bytes) {
  // A buffer of exactly this size, so that a sanitizer sees a read behind it.
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
    return 2;
  }
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1], error)) paths.push_back(entry.path());
  if (paths.empty()) {
    std::fprintf(stderr, "no corpus in %s\n", argv[1]);
    return 1;
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  std::mt19937 random(20261122);
  size_t runs = 0;
  RunOne("");
  for (const std::string& seed : seeds) {
    RunOne(seed);
    for (int i = 0; i < kMutationsPerFile; ++i) {
      RunOne(Mutate(seed, seeds[random() % seeds.size()], random));
      ++runs;
    }
  }
  std::printf("%zu files, %zu mutations\n", seeds.size(), runs);
  return 0;
}
