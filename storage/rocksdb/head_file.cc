#include "storage/rocksdb/head_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "storage/status_macros.h"

namespace ledger::storage {
namespace {

constexpr char kMagic[] = "CLHEAD01";
constexpr uint64_t kSlotOffset = 4096;
constexpr uint64_t kSlotStride = 512;
constexpr size_t kSlotBytes = 52;
constexpr uint64_t kEntryOffset = 8192;
constexpr size_t kEntryBytes = 16;
constexpr uint64_t kGrowth = 65536;

void AppendLittleEndian(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

uint64_t LittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

uint32_t Checksum(absl::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string WithChecksum(std::string bytes) {
  AppendLittleEndian(bytes, Checksum(bytes), 4);
  return bytes;
}

bool ChecksumMatches(absl::string_view bytes) {
  return Checksum(bytes.substr(0, bytes.size() - 4)) == LittleEndian(bytes.substr(bytes.size() - 4));
}

std::string HeaderBytes(absl::string_view lineage) {
  std::string bytes(kMagic, 8);
  AppendLittleEndian(bytes, HeadFile::kFormat, 4);
  AppendLittleEndian(bytes, 0, 4);
  bytes.append(lineage.data(), lineage.size());
  return WithChecksum(std::move(bytes));
}

std::string SlotBytes(const HeadCommit& commit) {
  std::string bytes;
  AppendLittleEndian(bytes, commit.number, 8);
  bytes += commit.hash;
  AppendLittleEndian(bytes, commit.flushed, 8);
  return WithChecksum(std::move(bytes));
}

std::string EntryBytes(uint64_t position) {
  std::string bytes;
  AppendLittleEndian(bytes, position, 8);
  AppendLittleEndian(bytes, 0, 4);
  return WithChecksum(std::move(bytes));
}

std::optional<HeadCommit> ParseSlot(absl::string_view bytes) {
  if (bytes.size() < kSlotBytes || !ChecksumMatches(bytes.substr(0, kSlotBytes))) return std::nullopt;
  HeadCommit commit;
  commit.number = LittleEndian(bytes.substr(0, 8));
  commit.hash = std::string(bytes.substr(8, 32));
  commit.flushed = LittleEndian(bytes.substr(40, 8));
  return commit;
}

absl::Status Refused(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("DISK_REFUSED: ", what, " ", path, ": ", std::strerror(errno)));
}

absl::Status SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Refused("cannot open", directory);
  const bool synced = ::fsync(fd) == 0;
  ::close(fd);
  return synced ? absl::OkStatus() : Refused("cannot sync", directory);
}

}  // namespace

absl::Status HeadFile::Create(const std::string& path, absl::string_view lineage) {
  if (::access(path.c_str(), F_OK) == 0) return absl::AlreadyExistsError(absl::StrCat("HEAD_EXISTS: ", path));
  const std::string unfinished = path + ".new";
  const int fd = ::open(unfinished.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0640);
  if (fd < 0) return Refused("cannot create", unfinished);
  HeadFile head(fd, unfinished);
  std::string image(kEntryOffset + kGrowth, '\0');
  const std::string header = HeaderBytes(lineage);
  const std::string slot = SlotBytes(HeadCommit());
  image.replace(0, header.size(), header);
  image.replace(kSlotOffset, slot.size(), slot);
  image.replace(kSlotOffset + kSlotStride, slot.size(), slot);
  LEDGER_RETURN_IF_ERROR(head.WriteAt(image, 0));
  if (::fsync(fd) != 0) return Refused("cannot sync", unfinished);
  // Under its name only when it is whole: a half-written head would look like damage for ever after.
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return Refused("cannot create", path);
  return SyncDirectoryOf(path);
}

absl::StatusOr<std::unique_ptr<HeadFile>> HeadFile::Open(const std::string& path, bool writable) {
  const int fd = ::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) {
      return absl::DataLossError(
          absl::StrCat("HEAD_MISSING: ", path,
                       " is not there, so nobody can tell whether the log beside it is complete. Restore a "
                       "backup, or bring the file back."));
    }
    return Refused("cannot open", path);
  }
  std::unique_ptr<HeadFile> head(new HeadFile(fd, path));
  if (writable && ::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return absl::UnavailableError(absl::StrCat("DIRECTORY_LOCKED: another process has ", path,
                                               " open; stop it, or name another data directory"));
  }
  LEDGER_RETURN_IF_ERROR(head->Load());
  return head;
}

HeadFile::~HeadFile() { ::close(fd_); }

absl::Status HeadFile::Load() {
  struct stat info;
  if (::fstat(fd_, &info) != 0) return Refused("cannot examine", path_);
  allocated_ = static_cast<uint64_t>(info.st_size);
  std::string image(allocated_, '\0');
  if (::pread(fd_, image.data(), image.size(), 0) != static_cast<ssize_t>(image.size())) {
    return Refused("cannot read", path_);
  }
  const absl::string_view bytes = image;
  const size_t header_bytes = HeaderBytes(std::string(16, '\0')).size();
  if (bytes.size() < kEntryOffset || bytes.substr(0, 8) != absl::string_view(kMagic, 8)) {
    return absl::DataLossError(absl::StrCat("HEAD_DAMAGED: ", path_, " is not a head file"));
  }
  const uint64_t format = LittleEndian(bytes.substr(8, 4));
  const bool header_intact = ChecksumMatches(bytes.substr(0, header_bytes));
  if (header_intact && format > kFormat) {
    return absl::FailedPreconditionError(absl::StrCat("FORMAT_IS_NEWER: ", path_, " has format ", format,
                                                      "; this release reads up to ", kFormat));
  }
  if (!header_intact) {
    return absl::DataLossError(absl::StrCat("HEAD_DAMAGED: the first part of ", path_, " is damaged"));
  }
  lineage_ = std::string(bytes.substr(16, 16));

  std::optional<HeadCommit> newest;
  for (int slot = 0; slot < 2; ++slot) {
    const auto parsed = ParseSlot(bytes.substr(kSlotOffset + slot * kSlotStride, kSlotBytes));
    if (!parsed) {
      findings_.push_back(absl::StrCat("head slot ", slot, " is damaged; the other one is used"));
    } else if (!newest || parsed->number > newest->number) {
      newest = parsed;
    }
  }
  if (!newest)
    return absl::DataLossError(absl::StrCat("HEAD_DAMAGED: neither slot of ", path_, " can be read"));
  commit_ = *newest;

  for (uint64_t offset = kEntryOffset; offset + kEntryBytes <= allocated_; offset += kEntryBytes) {
    const absl::string_view entry = bytes.substr(offset, kEntryBytes);
    if (entry == absl::string_view(std::string(kEntryBytes, '\0'))) continue;
    const LedgerNumber ledger = static_cast<LedgerNumber>((offset - kEntryOffset) / kEntryBytes + 1);
    if (ChecksumMatches(entry)) {
      positions_[ledger] = LittleEndian(entry.substr(0, 8));
    } else {
      findings_.push_back(absl::StrCat("the head's entry for ledger number ", ledger, " is damaged"));
    }
  }
  return absl::OkStatus();
}

absl::Status HeadFile::Write(const HeadCommit& commit,
                             const std::vector<std::pair<LedgerNumber, uint64_t>>& positions) {
  for (const auto& [ledger, position] : positions) {
    const uint64_t offset = kEntryOffset + (ledger - 1) * kEntryBytes;
    if (offset + kEntryBytes > allocated_) {
      LEDGER_RETURN_IF_ERROR(WriteAt(std::string(offset + kGrowth - allocated_, '\0'), allocated_));
    }
    LEDGER_RETURN_IF_ERROR(WriteAt(EntryBytes(position), offset));
    positions_[ledger] = position;
  }
  LEDGER_RETURN_IF_ERROR(WriteAt(SlotBytes(commit), kSlotOffset + (commit.number % 2) * kSlotStride));
  LEDGER_RETURN_IF_ERROR(Sync());
  commit_ = commit;
  return absl::OkStatus();
}

absl::Status HeadFile::SetLineage(absl::string_view lineage) {
  LEDGER_RETURN_IF_ERROR(WriteAt(HeaderBytes(lineage), 0));
  LEDGER_RETURN_IF_ERROR(Sync());
  lineage_ = std::string(lineage);
  return absl::OkStatus();
}

absl::Status HeadFile::WriteAt(absl::string_view bytes, uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Refused("cannot write", path_);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<uint64_t>(written);
    if (offset > allocated_) allocated_ = offset;
  }
  return absl::OkStatus();
}

absl::Status HeadFile::Sync() {
  return ::fdatasync(fd_) == 0 ? absl::OkStatus() : Refused("cannot sync", path_);
}

}  // namespace ledger::storage
