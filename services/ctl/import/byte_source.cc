#include "services/ctl/import/byte_source.h"

#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ledger::ctl {
namespace {

class FileSource : public ByteSource {
 public:
  FileSource(std::FILE* file, uint64_t total) : file_(file), total_(total) {}
  ~FileSource() override { std::fclose(file_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t got = std::fread(buffer, 1, size, file_);
    if (got == 0 && std::ferror(file_) != 0) {
      return absl::UnavailableError(absl::StrCat("reading failed after byte ", read_));
    }
    read_ += got;
    return got;
  }
  uint64_t file_bytes_read() const override { return read_; }
  uint64_t file_bytes_total() const override { return total_; }

 private:
  std::FILE* file_;
  uint64_t total_;
  uint64_t read_ = 0;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t got = std::min(size, bytes_.size() - read_);
    std::memcpy(buffer, bytes_.data() + read_, got);
    read_ += got;
    return got;
  }
  uint64_t file_bytes_read() const override { return read_; }
  uint64_t file_bytes_total() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  size_t read_ = 0;
};

// Passes `inner` through, or decompresses it where its first bytes are gzip's. Several gzip members one after
// another read as one stream, as gunzip does.
class MaybeGzipSource : public ByteSource {
 public:
  explicit MaybeGzipSource(std::unique_ptr<ByteSource> inner) : inner_(std::move(inner)), input_(64 << 10) {}
  ~MaybeGzipSource() override {
    if (inflating_) inflateEnd(&zlib_);
  }
  MaybeGzipSource(const MaybeGzipSource&) = delete;
  MaybeGzipSource& operator=(const MaybeGzipSource&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (!error_.ok()) return error_;
    if (!started_) {
      error_ = Start();
      if (!error_.ok()) return error_;
    }
    return inflating_ ? Inflate(buffer, size) : PassThrough(buffer, size);
  }
  uint64_t file_bytes_read() const override { return inner_->file_bytes_read(); }
  uint64_t file_bytes_total() const override { return inner_->file_bytes_total(); }

 private:
  absl::Status Start() {
    started_ = true;
    // Two bytes may take two reads.
    while (available_ < 2) {
      absl::StatusOr<size_t> got = inner_->Read(input_.data() + available_, input_.size() - available_);
      if (!got.ok()) return got.status();
      if (*got == 0) break;
      available_ += *got;
    }
    if (available_ < 2 || input_[0] != '\x1f' || input_[1] != '\x8b') return absl::OkStatus();
    if (inflateInit2(&zlib_, 16 + MAX_WBITS) != Z_OK) {
      return absl::ResourceExhaustedError("no memory to decompress with");
    }
    inflating_ = true;
    return absl::OkStatus();
  }

  // Makes `next_` and `available_` name unread input. False at the end of the file.
  absl::StatusOr<bool> Fill() {
    if (available_ > 0) return true;
    absl::StatusOr<size_t> got = inner_->Read(input_.data(), input_.size());
    if (!got.ok()) return got.status();
    next_ = 0;
    available_ = *got;
    return available_ > 0;
  }

  absl::StatusOr<size_t> PassThrough(char* buffer, size_t size) {
    absl::StatusOr<bool> more = Fill();
    if (!more.ok()) return error_ = more.status();
    const size_t got = std::min(size, available_);
    std::memcpy(buffer, input_.data() + next_, got);
    Consume(got);
    return got;
  }

  absl::StatusOr<size_t> Inflate(char* buffer, size_t size) {
    size_t produced = 0;
    while (produced == 0) {
      absl::StatusOr<bool> more = Fill();
      if (!more.ok()) return error_ = more.status();
      if (!*more) {
        if (member_ended_) return size_t{0};
        return error_ = absl::DataLossError(absl::StrCat("the gzip data end too early, after byte ",
                                                         file_bytes_read(),
                                                         "; the file is cut off: fetch it again"));
      }
      if (member_ended_) {
        inflateReset(&zlib_);
        member_ended_ = false;
      }
      const auto output_max = static_cast<uInt>(std::min<size_t>(size, 1U << 30));
      zlib_.next_in = reinterpret_cast<Bytef*>(input_.data() + next_);
      zlib_.avail_in = static_cast<uInt>(available_);
      zlib_.next_out = reinterpret_cast<Bytef*>(buffer);
      zlib_.avail_out = output_max;
      const int result = inflate(&zlib_, Z_NO_FLUSH);
      Consume(available_ - zlib_.avail_in);
      produced = output_max - zlib_.avail_out;
      if (result == Z_STREAM_END) {
        member_ended_ = true;
      } else if (result != Z_OK) {
        // What was produced before the damage is good; the error is the next call's answer.
        error_ = absl::DataLossError(absl::StrCat("the gzip data are damaged near byte ",
                                                  file_bytes_read() - available_, ": ",
                                                  zlib_.msg != nullptr ? zlib_.msg : "unexpected data"));
        if (produced == 0) return error_;
      }
    }
    return produced;
  }

  void Consume(size_t bytes) {
    next_ += bytes;
    available_ -= bytes;
  }

  std::unique_ptr<ByteSource> inner_;
  std::vector<char> input_;
  size_t next_ = 0;
  size_t available_ = 0;
  bool started_ = false;
  bool inflating_ = false;
  bool member_ended_ = false;
  z_stream zlib_ = {};
  absl::Status error_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFile(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  }
  struct stat status = {};
  const bool known = fstat(fileno(file), &status) == 0;
  if (known && S_ISDIR(status.st_mode)) {
    std::fclose(file);
    return absl::InvalidArgumentError(absl::StrCat(path, " is a directory, not a file"));
  }
  const uint64_t total = known && S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0;
  return std::make_unique<MaybeGzipSource>(std::make_unique<FileSource>(file, total));
}

std::unique_ptr<ByteSource> OpenMemory(std::string bytes) {
  return std::make_unique<MaybeGzipSource>(std::make_unique<MemorySource>(std::move(bytes)));
}

}  // namespace ledger::ctl
