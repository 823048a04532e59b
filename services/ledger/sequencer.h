#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/operations_service.pb.h"
#include "projections/runtime/timelines.h"
#include "services/ledger/append_job.h"
#include "services/ledger/decider.h"
#include "services/ledger/prepare.h"
#include "services/ledger/recording_clock.h"
#include "storage/event_log.h"
#include "storage/mutex.h"

namespace ledger::services {

// A ledger to create.
struct CreateLedgerJob {
  std::string name;
  customerledger::v1::Policy policy;
  bool simulated = false;
  std::string request_id;
  customerledger::v1::Who who;
  absl::Time recorded_time;                                           // of a simulated ledger's first events
  std::function<void(absl::StatusOr<storage::LedgerIdentity>)> done;  // as AppendJob's
};

struct SequencerOptions {
  size_t jobs_max = 4096;            // waiting, of all ledgers; more are refused
  size_t jobs_of_ledger_max = 2048;  // waiting, of one
  size_t jobs_of_turn = 128;         // of one ledger, before another's turn
  size_t group_bytes_max = 4 << 20;  // of one commit
  size_t group_jobs_max = 4096;      // of one commit
  // Called on the completion thread after a commit, for each ledger it touched.
  std::function<void(storage::LedgerNumber)> on_commit;
  // Called once, when a write failed and the outcome of what waited is unknown: the server must stop.
  std::function<void(const absl::Status&)> on_failure;
};

// Brings requests into their one order and makes them durable: one thread decides and stages the next group while
// another syncs the one before; a third answers. Ledgers take turns, so that a busy one delays no other by more than
// its turn. Thread-safe. Borrows the log, the timelines and the preparer.
class Sequencer {
 public:
  Sequencer(storage::EventLog& log, runtime::TimelineStore& timelines, Preparer& preparer,
            RecordingClock clock, SequencerOptions options);
  ~Sequencer();  // stops
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  // Takes a job; its `done` will be called once.
  // kResourceExhausted "BUSY": the queue is full (never for a job of a stream: streams bound themselves).
  // kUnavailable "SHUTTING_DOWN". On an error the job was not taken.
  absl::Status Submit(AppendJob job) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Submit(CreateLedgerJob job) ABSL_LOCKS_EXCLUDED(mutex_);

  // Takes nothing more, finishes what it has, and ends the threads. Idempotent.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  using Completion = std::function<void(const absl::Status& commit)>;
  struct Group {
    std::unique_ptr<storage::CommitGroup> commit;  // nullptr: nothing to write, answers only
    std::vector<storage::LedgerNumber> ledgers;
    std::vector<Completion> completions;
  };
  struct Finished {
    absl::Status status;
    Group group;
  };

  void Sequence() ABSL_LOCKS_EXCLUDED(mutex_);
  void CommitGroups() ABSL_LOCKS_EXCLUDED(mutex_);
  void Complete() ABSL_LOCKS_EXCLUDED(mutex_);
  bool TakeTurn(std::vector<AppendJob>* jobs, std::vector<CreateLedgerJob>* creations)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Process(AppendJob job);
  void Process(CreateLedgerJob job);

  storage::EventLog& log_;
  RecordingClock clock_;  // the sequencing thread's
  Decider decider_;       // the sequencing thread's
  const SequencerOptions options_;
  Group open_;                     // the sequencing thread's
  bool committed_failed_ = false;  // the committing thread's

  Mutex mutex_;
  CondVar work_;  // jobs arrived, a group was taken, or stopping
  CondVar sealed_wake_;
  CondVar finished_wake_;
  std::map<storage::LedgerNumber, std::deque<AppendJob>> queues_ ABSL_GUARDED_BY(mutex_);
  std::deque<storage::LedgerNumber> turns_ ABSL_GUARDED_BY(mutex_);  // ledgers with jobs, the next one first
  std::deque<CreateLedgerJob> creations_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool sequenced_ ABSL_GUARDED_BY(mutex_) = false;  // the sequencing thread has ended
  bool committed_ ABSL_GUARDED_BY(mutex_) = false;  // the committing thread has ended
  bool has_sealed_ ABSL_GUARDED_BY(mutex_) = false;
  Group sealed_ ABSL_GUARDED_BY(mutex_);  // waits for the committing thread; at most one
  std::deque<Finished> finished_ ABSL_GUARDED_BY(mutex_);
  std::thread sequencing_;
  std::thread committing_;
  std::thread completing_;
};

}  // namespace ledger::services
