#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "projections/runtime/projection_kind.h"
#include "projections/runtime/timelines.h"
#include "storage/event_log.h"
#include "storage/views/view_store.h"

namespace ledger::runtime {

// What a rebuild has just done; a process may die after any of these.
enum class RebuildStep {
  kRecorded,      // that it runs is on disk
  kBatchWritten,  // some of the log is in the new generation
  kCaughtUp,      // it has reached the live generation
  kCompared,      // both were compared
  kFlushed,       // the new generation is on disk
  kSwitched,      // the new generation is live, perhaps not on disk yet
  kSettled,       // that is on disk
  kCleaned,       // the generation before the former live one is gone
};

struct ProjectorOptions {
  size_t records_per_turn = 1000;  // of one ledger, before another ledger's turn
  size_t bytes_per_turn = 4 << 20;
  size_t max_waiters = 10'000;
  // Asked before every turn; false: nothing is written for now, e.g. because the disk is nearly full.
  std::function<bool()> may_write;
  // The version of the rules; RuleVersion if not set. For tests of newer and older views.
  std::function<uint32_t(ProjectionKind)> rule_version;
  // Called on the rebuild thread after each step.
  std::function<void(RebuildStep)> on_rebuild_step;
};

// How a projection of one ledger is doing.
struct ProjectionStatus {
  uint32_t generation = 0;           // the live one
  uint32_t previous_generation = 0;  // what RollBack goes back to; 0: nothing
  uint64_t applied_position = 0;
  uint64_t parked_customers = 0;
  bool is_newer = false;    // a newer release wrote the live generation
  RebuildProgress rebuild;  // the one that runs or waits, or how the last one of this process ended
  absl::Status error;       // not OK: why it stands still; it tries again
};

// Keeps the views of all ledgers up to date with the log, and rebuilds them beside themselves. One thread
// follows the log of every ledger, in turns, so that no ledger waits for another's backlog; a second one
// rebuilds, one projection at a time. Thread-safe. Borrows the log, the store and the timelines.
class Projector {
 public:
  using WaitCallback = std::function<void(absl::Status)>;
  // Returns false to hear no more.
  using RebuildObserver = std::function<bool(const RebuildProgress&)>;

  Projector(const storage::LogReader& log, views::ViewStore& store, TimelineStore& timelines,
            ProjectorOptions options = {});
  ~Projector();  // stops
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;

  // Looks at what the store holds for every ledger of the log, discards views of another lineage or from
  // beyond the log's end, takes up rebuilds that a crash interrupted, and starts the threads. Once.
  absl::Status Start();
  // Stops after the batch at hand; waiting callbacks get kUnavailable "SHUTTING_DOWN". A rebuild goes on
  // after the next start. Idempotent.
  void Stop();

  // Tells that a ledger (perhaps a new one) has more committed records. Cheap; may be called too often.
  void Notify(storage::LedgerNumber ledger);

  // Calls `callback` once: with OK as soon as the projection has applied `position`; at the deadline with
  // kUnavailable "VIEW_BEHIND"; with kFailedPrecondition "VIEW_IS_NEWER" where the view cannot be used. It
  // runs on the projector's thread, or inside this call where nothing is to be waited for; it must not block.
  void WaitFor(storage::LedgerNumber ledger, ProjectionKind kind, uint64_t position, absl::Time deadline,
               WaitCallback callback);

  ProjectionStatus Status(storage::LedgerNumber ledger, ProjectionKind kind) const;
  // OK, or kFailedPrecondition "VIEW_IS_NEWER" with the command that rebuilds.
  absl::Status Usable(storage::LedgerNumber ledger, ProjectionKind kind) const;

  // Starts a rebuild, or joins the one that runs or waits. `observer` may be empty; it is called on the
  // rebuild thread with each step of progress, the last time with kSwitched or kFailed, or with kBuilding and
  // an error when the server stops before. kNotFound: no such ledger. kUnavailable: stopped.
  absl::Status StartRebuild(storage::LedgerNumber ledger, ProjectionKind kind, RebuildObserver observer);

  // Brings the generation that was live before up to the live one's position and makes it live again;
  // `callback` gets its number, on the rebuild thread (or inside this call on an immediate refusal).
  // kFailedPrecondition "NO_PREVIOUS_GENERATION", "REBUILD_RUNNING" or "VIEW_IS_NEWER".
  void RollBack(storage::LedgerNumber ledger, ProjectionKind kind,
                std::function<void(absl::StatusOr<uint32_t> generation)> callback);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ledger::runtime
