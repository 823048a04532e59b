#pragma once

#include <atomic>
#include <cstdint>
#include <deque>

#include "rocksdb/db.h"
#include "rocksdb/listener.h"
#include "storage/mutex.h"

namespace ledger::storage {

// Knows up to which commit everything is in table files. Thread-safe.
class FlushTracker : public rocksdb::EventListener {
 public:
  // Commit `number` of `bytes` ends at RocksDB's `sequence`.
  void NoteCommit(uint64_t sequence, uint64_t number, uint64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    unflushed_.push_back({sequence, number, bytes});
    unflushed_bytes_ += bytes;
  }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& info) override
      ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    while (!unflushed_.empty() && unflushed_.front().sequence <= info.largest_seqno) {
      flushed_.store(unflushed_.front().number);
      unflushed_bytes_ -= unflushed_.front().bytes;
      unflushed_.pop_front();
    }
  }

  uint64_t flushed() const { return flushed_.load(); }
  // What a flush will have to write, before compression.
  uint64_t unflushed_bytes() const { return unflushed_bytes_.load(); }
  // Opening a database for writing flushes all that it found.
  void SetFlushed(uint64_t number) { flushed_.store(number); }

 private:
  struct Commit {
    uint64_t sequence = 0;
    uint64_t number = 0;
    uint64_t bytes = 0;
  };

  Mutex mutex_;
  std::deque<Commit> unflushed_ ABSL_GUARDED_BY(mutex_);
  std::atomic<uint64_t> unflushed_bytes_{0};
  std::atomic<uint64_t> flushed_{0};
};

}  // namespace ledger::storage
