#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "rocksdb/file_system.h"
#include "storage/mutex.h"

namespace ledger::storage {

// The machine's file system with faults: syncs and writes of the write-ahead log that fail, tables that never get
// written, and a power loss that keeps of each file what was synced. Thread-safe.
class FaultFileSystem : public rocksdb::FileSystemWrapper {
 public:
  enum class AppendFault { kNone, kNoSpace, kShort };

  FaultFileSystem() : rocksdb::FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FaultFileSystem"; }

  // From now on every sync of a write-ahead log fails as an EIO of the disk does.
  void FailLogSyncs() {
    MutexLock lock(mutex_);
    fail_log_syncs_ = true;
  }
  // What writes to a write-ahead log do from now on; kShort writes half and fails.
  void SetLogAppend(AppendFault fault) {
    MutexLock lock(mutex_);
    log_append_ = fault;
  }
  // Whoever makes a table file from now on waits for ever: flushes begin and never end.
  void HoldTables() {
    MutexLock lock(mutex_);
    hold_tables_ = true;
  }
  // Called before and after each sync of a write-ahead log, by the thread that syncs.
  void OnLogSync(std::function<void(bool synced)> hook) {
    MutexLock lock(mutex_);
    on_log_sync_ = std::move(hook);
  }

  // Calls `copy` with the lengths of the files written through this, some of what is not synced included: what a disk
  // holds after the power is gone. Until it returns no file is made, renamed or deleted, so that it sees one instant.
  void AtPowerLoss(std::mt19937_64& random,
                   const std::function<void(const std::map<std::string, uint64_t>& lengths)>& copy) {
    MutexLock lock(mutex_);
    std::map<std::string, uint64_t> lengths;
    for (const auto& [path, file] : files_) {
      const uint64_t unsynced = file->written - file->synced;
      lengths[path] = file->synced + (random() % 2 == 0 ? 0 : random() % (unsynced + 1));
    }
    copy(lengths);
  }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* context) override {
    if (EndsWith(path, ".sst")) {
      MutexLock lock(mutex_);
      while (hold_tables_) released_.Wait(mutex_);
    }
    std::unique_ptr<rocksdb::FSWritableFile> file;
    auto lengths = std::make_shared<Lengths>();
    {
      MutexLock lock(mutex_);
      rocksdb::IOStatus status = target()->NewWritableFile(path, options, &file, context);
      if (!status.ok()) return status;
      files_[path] = lengths;
    }
    *result = std::make_unique<File>(std::move(file), *this, std::move(lengths), EndsWith(path, ".log"));
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
    MutexLock lock(mutex_);
    rocksdb::IOStatus status = target()->RenameFile(from, to, options, context);
    const auto found = files_.find(from);
    if (status.ok() && found != files_.end()) {
      files_[to] = found->second;
      files_.erase(from);
    }
    return status;
  }
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* context) override {
    MutexLock lock(mutex_);
    files_.erase(path);
    return target()->DeleteFile(path, options, context);
  }

 private:
  struct Lengths {
    uint64_t written = 0;
    uint64_t synced = 0;
  };

  class File : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(std::unique_ptr<rocksdb::FSWritableFile> file, FaultFileSystem& system,
         std::shared_ptr<Lengths> lengths, bool is_log)
        : FSWritableFileOwnerWrapper(std::move(file)),
          system_(system),
          lengths_(std::move(lengths)),
          is_log_(is_log) {}

    using FSWritableFileOwnerWrapper::Append;
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* context) override {
      const AppendFault fault = is_log_ ? system_.log_append() : AppendFault::kNone;
      if (fault == AppendFault::kNoSpace) return rocksdb::IOStatus::NoSpace("no space left on device");
      const rocksdb::Slice part(data.data(), fault == AppendFault::kShort ? data.size() / 2 : data.size());
      rocksdb::IOStatus status = FSWritableFileOwnerWrapper::Append(part, options, context);
      {
        MutexLock lock(system_.mutex_);
        if (status.ok()) lengths_->written += part.size();
      }
      return fault == AppendFault::kShort ? rocksdb::IOStatus::IOError("short write") : status;
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo&,
                             rocksdb::IODebugContext* context) override {
      return Append(data, options, context);
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
      return Synced([&] { return FSWritableFileOwnerWrapper::Sync(options, context); });
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* context) override {
      return Synced([&] { return FSWritableFileOwnerWrapper::Fsync(options, context); });
    }

   private:
    rocksdb::IOStatus Synced(const std::function<rocksdb::IOStatus()>& sync) {
      std::function<void(bool)> hook;
      {
        MutexLock lock(system_.mutex_);
        if (is_log_ && system_.fail_log_syncs_) return rocksdb::IOStatus::IOError("input/output error");
        if (is_log_) hook = system_.on_log_sync_;
      }
      if (hook) hook(false);
      rocksdb::IOStatus status = sync();
      {
        MutexLock lock(system_.mutex_);
        if (status.ok()) lengths_->synced = lengths_->written;
      }
      if (hook) hook(true);
      return status;
    }

    FaultFileSystem& system_;
    const std::shared_ptr<Lengths> lengths_;
    const bool is_log_;
  };

  static bool EndsWith(const std::string& path, const std::string& end) {
    return path.size() >= end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
  }
  AppendFault log_append() {
    MutexLock lock(mutex_);
    return log_append_;
  }

  Mutex mutex_;
  CondVar released_;
  bool fail_log_syncs_ ABSL_GUARDED_BY(mutex_) = false;
  bool hold_tables_ ABSL_GUARDED_BY(mutex_) = false;
  AppendFault log_append_ ABSL_GUARDED_BY(mutex_) = AppendFault::kNone;
  std::function<void(bool)> on_log_sync_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Lengths>> files_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ledger::storage
