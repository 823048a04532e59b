#include "projections/runtime/projector.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/record.pb.h"
#include "projections/runtime/generation_compare.h"
#include "projections/runtime/generation_runner.h"
#include "projections/runtime/view_keys.h"
#include "projections/runtime/view_row.pb.h"
#include "storage/mutex.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;
using storage::LedgerNumber;

// How long to wait before trying again what the disk or a damaged row refused.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

size_t IndexOf(ProjectionKind kind) { return static_cast<size_t>(kind) - 1; }

absl::Status ShuttingDown() {
  return absl::UnavailableError("SHUTTING_DOWN: the server stops; ask again once it is back");
}

std::chrono::nanoseconds ToChrono(absl::Duration duration) {
  // A wait without an end is cut into hours; whoever waits looks again.
  return absl::ToChronoNanoseconds(std::clamp(duration, absl::ZeroDuration(), absl::Hours(1)));
}

}  // namespace

class Projector::Impl {
 public:
  Impl(const storage::LogReader& log, views::ViewStore& store, TimelineStore& timelines,
       ProjectorOptions options)
      : log_(log), store_(store), timelines_(timelines), options_(std::move(options)) {}
  ~Impl() { Stop(); }

  absl::Status Start() ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);
  void Notify(LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  void WaitFor(LedgerNumber ledger, ProjectionKind kind, uint64_t position, absl::Time deadline,
               WaitCallback callback) ABSL_LOCKS_EXCLUDED(mutex_);
  ProjectionStatus Status(LedgerNumber ledger, ProjectionKind kind) const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Usable(LedgerNumber ledger, ProjectionKind kind) const ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status StartRebuild(LedgerNumber ledger, ProjectionKind kind, RebuildObserver observer)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void RollBack(LedgerNumber ledger, ProjectionKind kind,
                std::function<void(absl::StatusOr<uint32_t>)> callback) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Waiter {
    ProjectionKind kind;
    uint64_t position;
    absl::Time deadline;
    WaitCallback callback;
  };
  // One projection of one ledger.
  struct Kind {
    ProjectionMeta meta;  // as stored; written by the rebuild thread once the ledger is loaded
    uint64_t applied = 0;
    uint64_t parked = 0;
    bool is_newer = false;
    bool is_sweeping = false;
    absl::Status error;
    bool job = false;  // a rebuild or a roll-back waits or runs
    RebuildProgress rebuild;
    std::vector<RebuildObserver> observers;
    // Of the live generation. Only for the thread that holds the ledger.
    std::unique_ptr<GenerationRunner> live;
  };
  struct Ledger {
    bool queued = false;   // stands in ready_
    bool held = false;     // a thread works on it
    bool news = false;     // came while it was held
    bool delayed = false;  // stands in delayed_
    bool loaded = false;   // its kinds say what is stored
    std::array<Kind, kProjectionKinds.size()> kinds;
    std::vector<Waiter> waiters;
  };
  struct Job {
    LedgerNumber ledger = 0;
    ProjectionKind kind = ProjectionKind::kOwner;
    // Set: a roll-back. Empty: a rebuild.
    std::function<void(absl::StatusOr<uint32_t>)> roll_back;
  };
  // Callbacks to run once no lock is held.
  using Calls = std::vector<std::pair<WaitCallback, absl::Status>>;

  uint32_t RuleVersionOf(ProjectionKind kind) const {
    return options_.rule_version ? options_.rule_version(kind) : RuleVersion(kind);
  }
  bool MayWrite() const { return !options_.may_write || options_.may_write(); }
  void TellStep(RebuildStep step) const {
    if (options_.on_rebuild_step) options_.on_rebuild_step(step);
  }

  Ledger& Find(LedgerNumber ledger) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enqueue(LedgerNumber ledger, Ledger& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Delay(LedgerNumber ledger, Ledger& state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string LedgerName(LedgerNumber ledger) const;
  absl::Status NewerError(LedgerNumber ledger, ProjectionKind kind) const;

  // Loading. The caller holds the ledger (or no thread runs yet).
  absl::Status LoadLedger(LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status LoadKind(LedgerNumber ledger, ProjectionKind kind, Kind* loaded, bool* rebuild) const;
  bool IsValid(const Checkpoint& checkpoint, LedgerNumber ledger) const {
    return checkpoint.lineage() == log_.lineage() && checkpoint.position() <= log_.CommittedPosition(ledger);
  }
  absl::Status DeleteGeneration(LedgerNumber ledger, ProjectionKind kind, uint32_t generation,
                                const ProjectionMeta& meta) const;
  absl::Status WriteMeta(LedgerNumber ledger, ProjectionKind kind, const ProjectionMeta& meta) const;
  std::unique_ptr<GenerationRunner> MakeRunner(LedgerNumber ledger, ProjectionKind kind,
                                               uint32_t generation) const;

  // The worker.
  void RunWorker() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Time NextWakeUp() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeExpired(absl::Time now, Calls* calls) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeServed(LedgerNumber ledger, Ledger& state, Calls* calls) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Turn(LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::vector<pb::Record>> ReadRecords(LedgerNumber ledger, uint64_t from) const;
  absl::Status StepKind(Ledger& state, ProjectionKind kind, const std::vector<pb::Record>& records);

  // The rebuild thread.
  void RunRebuilds() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Rebuild(LedgerNumber ledger, ProjectionKind kind, RebuildProgress* progress)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<uint32_t> SwitchBack(LedgerNumber ledger, ProjectionKind kind) ABSL_LOCKS_EXCLUDED(mutex_);
  // Brings `runner` to the live generation's position and returns with the ledger held.
  absl::Status CatchUpAndHold(LedgerNumber ledger, ProjectionKind kind, GenerationRunner& runner,
                              RebuildProgress* progress) ABSL_LOCKS_EXCLUDED(mutex_);
  // The position to reach; waits while the live generation folds all customers again.
  absl::StatusOr<uint64_t> AwaitTarget(LedgerNumber ledger, ProjectionKind kind) ABSL_LOCKS_EXCLUDED(mutex_);
  // As AwaitTarget for one who holds the ledger; kAborted: the live generation folds all customers again.
  absl::StatusOr<uint64_t> HeldTarget(LedgerNumber ledger, ProjectionKind kind) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status StepTowards(LedgerNumber ledger, uint64_t target, GenerationRunner& runner);
  void AwaitDisk() ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Hold(LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(LedgerNumber ledger) ABSL_LOCKS_EXCLUDED(mutex_);
  void Tell(LedgerNumber ledger, ProjectionKind kind, const RebuildProgress& progress, bool last)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes `meta` what is stored and `runner`'s generation the live one. The caller holds the ledger.
  absl::Status SwitchTo(LedgerNumber ledger, ProjectionKind kind, const ProjectionMeta& meta,
                        std::unique_ptr<GenerationRunner> runner) ABSL_LOCKS_EXCLUDED(mutex_);
  bool Stopping() const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    return stopping_;
  }

  const storage::LogReader& log_;
  views::ViewStore& store_;
  TimelineStore& timelines_;
  const ProjectorOptions options_;

  mutable Mutex mutex_;
  CondVar work_;      // for the worker: ready_, waiters, stopping_
  CondVar rebuilds_;  // for the rebuild thread: jobs_, held, applied, stopping_
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<LedgerNumber, std::unique_ptr<Ledger>> ledgers_ ABSL_GUARDED_BY(mutex_);
  std::deque<LedgerNumber> ready_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::pair<absl::Time, LedgerNumber>> delayed_ ABSL_GUARDED_BY(mutex_);  // by time
  std::multimap<absl::Time, LedgerNumber> deadlines_ ABSL_GUARDED_BY(mutex_);  // of waiters, perhaps gone
  size_t waiters_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
  std::thread worker_;
  std::thread rebuilder_;
};

// --- Starting, stopping, loading.

absl::Status Projector::Impl::Start() {
  for (const storage::LedgerIdentity& identity : log_.Ledgers()) {
    LEDGER_RETURN_IF_ERROR(LoadLedger(identity.number));
    MutexLock lock(mutex_);
    Ledger& state = Find(identity.number);
    for (const ProjectionKind kind : kProjectionKinds) {
      if (state.kinds[IndexOf(kind)].applied < log_.CommittedPosition(identity.number)) {
        Enqueue(identity.number, state);
      }
    }
  }
  MutexLock lock(mutex_);
  started_ = true;
  worker_ = std::thread([this] { RunWorker(); });
  rebuilder_ = std::thread([this] { RunRebuilds(); });
  return absl::OkStatus();
}

void Projector::Impl::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    work_.NotifyAll();
    rebuilds_.NotifyAll();
  }
  if (worker_.joinable()) worker_.join();
  if (rebuilder_.joinable()) rebuilder_.join();
  Calls calls;
  {
    MutexLock lock(mutex_);
    for (auto& [number, state] : ledgers_) {
      for (Waiter& waiter : state->waiters) calls.emplace_back(std::move(waiter.callback), ShuttingDown());
      state->waiters.clear();
    }
    waiters_ = 0;
  }
  for (auto& [callback, status] : calls) callback(status);
}

Projector::Impl::Ledger& Projector::Impl::Find(LedgerNumber ledger) {
  std::unique_ptr<Ledger>& state = ledgers_[ledger];
  if (state == nullptr) state = std::make_unique<Ledger>();
  return *state;
}

void Projector::Impl::Enqueue(LedgerNumber ledger, Ledger& state) {
  if (state.held) {
    state.news = true;
  } else if (!state.queued && !state.delayed) {
    state.queued = true;
    ready_.push_back(ledger);
    work_.NotifyOne();
  }
}

void Projector::Impl::Delay(LedgerNumber ledger, Ledger& state) {
  if (state.delayed || state.queued) return;
  state.delayed = true;
  delayed_.emplace_back(absl::Now() + kRetryAfter, ledger);
}

std::string Projector::Impl::LedgerName(LedgerNumber ledger) const {
  for (const storage::LedgerIdentity& identity : log_.Ledgers()) {
    if (identity.number == ledger) return identity.name;
  }
  return absl::StrCat(ledger);
}

absl::Status Projector::Impl::NewerError(LedgerNumber ledger, ProjectionKind kind) const {
  const absl::string_view name = ProjectionName(kind);
  return absl::FailedPreconditionError(
      absl::StrCat("VIEW_IS_NEWER: a later release wrote the view '", name,
                   "', whose rules this release does not know; run `ledgerctl --ledger ", LedgerName(ledger),
                   " rebuild ", name, "` to compute it by this release's rules, or start the later release"));
}

absl::Status Projector::Impl::WriteMeta(LedgerNumber ledger, ProjectionKind kind,
                                        const ProjectionMeta& meta) const {
  views::ViewBatch batch;
  batch.Put(MetaKey(ledger, kind), meta.SerializeAsString());
  return store_.Write(std::move(batch));
}

absl::Status Projector::Impl::DeleteGeneration(LedgerNumber ledger, ProjectionKind kind, uint32_t generation,
                                               const ProjectionMeta& meta) const {
  views::ViewBatch batch;
  const std::string prefix = RowPrefix(ledger, kind, generation);
  batch.DeleteRange(prefix, views::PrefixEnd(prefix));
  batch.Delete(CheckpointKey(ledger, kind, generation));
  batch.Put(MetaKey(ledger, kind), meta.SerializeAsString());
  return store_.Write(std::move(batch));
}

std::unique_ptr<GenerationRunner> Projector::Impl::MakeRunner(LedgerNumber ledger, ProjectionKind kind,
                                                              uint32_t generation) const {
  return std::make_unique<GenerationRunner>(log_, store_, timelines_,
                                            GenerationName{ledger, kind, generation}, RuleVersionOf(kind));
}

absl::Status Projector::Impl::LoadLedger(LedgerNumber ledger) {
  for (const ProjectionKind kind : kProjectionKinds) {
    Kind loaded;
    bool rebuild = false;
    LEDGER_RETURN_IF_ERROR(LoadKind(ledger, kind, &loaded, &rebuild));
    MutexLock lock(mutex_);
    Kind& state = Find(ledger).kinds[IndexOf(kind)];
    state.meta = loaded.meta;
    state.applied = loaded.applied;
    state.parked = loaded.parked;
    state.is_newer = loaded.is_newer;
    state.is_sweeping = loaded.is_sweeping;
    state.live = std::move(loaded.live);
    if (rebuild && !state.job) {
      state.job = true;
      state.rebuild = RebuildProgress();
      state.rebuild.state = RebuildState::kBuilding;
      jobs_.push_back(Job{ledger, kind, nullptr});
      rebuilds_.NotifyAll();
    }
  }
  MutexLock lock(mutex_);
  Find(ledger).loaded = true;
  return absl::OkStatus();
}

// Reads what is stored, puts away what cannot be used, and says whether a rebuild must go on or begin.
absl::Status Projector::Impl::LoadKind(LedgerNumber ledger, ProjectionKind kind, Kind* loaded,
                                       bool* rebuild) const {
  LEDGER_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, store_.Get(MetaKey(ledger, kind)));
  ProjectionMeta& meta = loaded->meta;
  if (bytes.has_value() && (!meta.ParseFromString(*bytes) || meta.live() == 0)) {
    return absl::DataLossError(absl::StrCat("VIEW_DAMAGED: the generations of projection ",
                                            ProjectionName(kind), " of ledger number ", ledger,
                                            " make no sense"));
  }
  if (!bytes.has_value()) {
    meta.set_live(1);
    LEDGER_RETURN_IF_ERROR(WriteMeta(ledger, kind, meta));
  }
  if (meta.deleting() != 0) {
    const uint32_t generation = meta.deleting();
    meta.clear_deleting();
    LEDGER_RETURN_IF_ERROR(DeleteGeneration(ledger, kind, generation, meta));
  }
  if (meta.previous() != 0) {
    auto runner = MakeRunner(ledger, kind, meta.previous());
    LEDGER_RETURN_IF_ERROR(runner->Open());
    if (!IsValid(runner->checkpoint(), ledger)) {
      const uint32_t generation = meta.previous();
      meta.clear_previous();
      LEDGER_RETURN_IF_ERROR(DeleteGeneration(ledger, kind, generation, meta));
    }
  }
  if (meta.building() != 0) {
    auto runner = MakeRunner(ledger, kind, meta.building());
    LEDGER_RETURN_IF_ERROR(runner->Open());
    if (!IsValid(runner->checkpoint(), ledger) ||
        runner->checkpoint().rule_version() != RuleVersionOf(kind)) {
      LEDGER_RETURN_IF_ERROR(DeleteGeneration(ledger, kind, meta.building(), meta));
    }
    *rebuild = true;
  }
  loaded->live = MakeRunner(ledger, kind, meta.live());
  LEDGER_RETURN_IF_ERROR(loaded->live->Open());
  if (!IsValid(loaded->live->checkpoint(), ledger)) {
    // Rows that say what the log does not: the log was restored, or is another one.
    LEDGER_RETURN_IF_ERROR(DeleteGeneration(ledger, kind, meta.live(), meta));
    LEDGER_RETURN_IF_ERROR(loaded->live->Open());
  }
  const Checkpoint& checkpoint = loaded->live->checkpoint();
  loaded->applied = checkpoint.position();
  loaded->parked = checkpoint.parked_customers();
  loaded->is_sweeping = loaded->live->sweeping();
  loaded->is_newer = checkpoint.rule_version() > RuleVersionOf(kind);
  if (checkpoint.rule_version() < RuleVersionOf(kind)) *rebuild = true;
  return absl::OkStatus();
}

// --- What other threads call.

void Projector::Impl::Notify(LedgerNumber ledger) {
  MutexLock lock(mutex_);
  Enqueue(ledger, Find(ledger));
}

void Projector::Impl::WaitFor(LedgerNumber ledger, ProjectionKind kind, uint64_t position,
                              absl::Time deadline, WaitCallback callback) {
  absl::Status status;
  {
    MutexLock lock(mutex_);
    Ledger& state = Find(ledger);
    const Kind& projection = state.kinds[IndexOf(kind)];
    if (projection.is_newer) {
      status = NewerError(ledger, kind);
    } else if (projection.applied >= position) {
      status = absl::OkStatus();
    } else if (stopping_) {
      status = ShuttingDown();
    } else if (waiters_ >= options_.max_waiters) {
      status = absl::ResourceExhaustedError(absl::StrCat(
          "TOO_MANY_WAITERS: ", waiters_, " questions wait for a view; ask again a little later"));
    } else {
      state.waiters.push_back(Waiter{kind, position, deadline, std::move(callback)});
      deadlines_.emplace(deadline, ledger);
      ++waiters_;
      work_.NotifyOne();
      return;
    }
  }
  callback(status);
}

ProjectionStatus Projector::Impl::Status(LedgerNumber ledger, ProjectionKind kind) const {
  MutexLock lock(mutex_);
  ProjectionStatus status;
  const auto state = ledgers_.find(ledger);
  if (state == ledgers_.end()) return status;
  const Kind& projection = state->second->kinds[IndexOf(kind)];
  status.generation = projection.meta.live();
  status.previous_generation = projection.meta.previous();
  status.applied_position = projection.applied;
  status.parked_customers = projection.parked;
  status.is_newer = projection.is_newer;
  status.rebuild = projection.rebuild;
  status.error = projection.error;
  return status;
}

absl::Status Projector::Impl::Usable(LedgerNumber ledger, ProjectionKind kind) const {
  {
    MutexLock lock(mutex_);
    const auto state = ledgers_.find(ledger);
    if (state == ledgers_.end() || !state->second->kinds[IndexOf(kind)].is_newer) return absl::OkStatus();
  }
  return NewerError(ledger, kind);
}

absl::Status Projector::Impl::StartRebuild(LedgerNumber ledger, ProjectionKind kind,
                                           RebuildObserver observer) {
  const std::vector<storage::LedgerIdentity> known = log_.Ledgers();
  if (std::none_of(known.begin(), known.end(),
                   [&](const auto& identity) { return identity.number == ledger; })) {
    return absl::NotFoundError(absl::StrCat("LEDGER_NOT_FOUND: there is no ledger number ", ledger));
  }
  MutexLock lock(mutex_);
  if (stopping_ || !started_) return ShuttingDown();
  Kind& projection = Find(ledger).kinds[IndexOf(kind)];
  if (observer) projection.observers.push_back(std::move(observer));
  if (projection.job) return absl::OkStatus();
  projection.job = true;
  projection.rebuild = RebuildProgress();
  projection.rebuild.state = RebuildState::kBuilding;
  jobs_.push_back(Job{ledger, kind, nullptr});
  rebuilds_.NotifyAll();
  return absl::OkStatus();
}

void Projector::Impl::RollBack(LedgerNumber ledger, ProjectionKind kind,
                               std::function<void(absl::StatusOr<uint32_t>)> callback) {
  absl::Status refusal;
  {
    MutexLock lock(mutex_);
    Kind& projection = Find(ledger).kinds[IndexOf(kind)];
    if (stopping_ || !started_) {
      refusal = ShuttingDown();
    } else if (projection.job) {
      refusal = absl::FailedPreconditionError(
          absl::StrCat("REBUILD_RUNNING: the projection '", ProjectionName(kind),
                       "' is being rebuilt or rolled back; wait until that has ended and decide again"));
    } else if (projection.meta.previous() == 0) {
      refusal = absl::FailedPreconditionError(
          absl::StrCat("NO_PREVIOUS_GENERATION: the projection '", ProjectionName(kind),
                       "' has not been rebuilt, so there is nothing to go back to"));
    } else {
      projection.job = true;
      jobs_.push_back(Job{ledger, kind, std::move(callback)});
      rebuilds_.NotifyAll();
      return;
    }
  }
  callback(refusal);
}

// --- The worker.

absl::Time Projector::Impl::NextWakeUp() const {
  absl::Time next = absl::InfiniteFuture();
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!delayed_.empty()) next = std::min(next, delayed_.front().first);
  return next;
}

void Projector::Impl::TakeExpired(absl::Time now, Calls* calls) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const LedgerNumber ledger = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    Ledger& state = Find(ledger);
    for (size_t i = 0; i < state.waiters.size();) {
      Waiter& waiter = state.waiters[i];
      if (waiter.deadline > now) {
        ++i;
        continue;
      }
      calls->emplace_back(std::move(waiter.callback),
                          absl::UnavailableError(absl::StrCat(
                              "VIEW_BEHIND: the view '", ProjectionName(waiter.kind), "' is at position ",
                              state.kinds[IndexOf(waiter.kind)].applied, " and did not reach ",
                              waiter.position, " in time; ask again, or with a later deadline")));
      state.waiters.erase(state.waiters.begin() + static_cast<ptrdiff_t>(i));
      --waiters_;
    }
  }
  while (!delayed_.empty() && delayed_.front().first <= now) {
    const LedgerNumber ledger = delayed_.front().second;
    delayed_.pop_front();
    Ledger& state = Find(ledger);
    state.delayed = false;
    Enqueue(ledger, state);
  }
}

void Projector::Impl::TakeServed(LedgerNumber ledger, Ledger& state, Calls* calls) {
  for (size_t i = 0; i < state.waiters.size();) {
    Waiter& waiter = state.waiters[i];
    const Kind& projection = state.kinds[IndexOf(waiter.kind)];
    if (!projection.is_newer && projection.applied < waiter.position) {
      ++i;
      continue;
    }
    calls->emplace_back(std::move(waiter.callback),
                        projection.is_newer ? NewerError(ledger, waiter.kind) : absl::OkStatus());
    for (auto [at, end] = deadlines_.equal_range(waiter.deadline); at != end; ++at) {
      if (at->second != ledger) continue;
      deadlines_.erase(at);
      break;
    }
    state.waiters.erase(state.waiters.begin() + static_cast<ptrdiff_t>(i));
    --waiters_;
  }
}

void Projector::Impl::RunWorker() {
  while (true) {
    Calls calls;
    LedgerNumber ledger = 0;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && ready_.empty() && NextWakeUp() > absl::Now()) {
        work_.WaitFor(mutex_, ToChrono(NextWakeUp() - absl::Now()));
      }
      if (stopping_) return;
      TakeExpired(absl::Now(), &calls);
      if (!ready_.empty()) {
        ledger = ready_.front();
        ready_.pop_front();
        Ledger& state = Find(ledger);
        state.queued = false;
        if (state.held) {
          state.news = true;
          ledger = 0;
        } else {
          state.held = true;
        }
      }
    }
    for (auto& [callback, status] : calls) callback(status);
    if (ledger != 0) Turn(ledger);
  }
}

absl::StatusOr<std::vector<pb::Record>> Projector::Impl::ReadRecords(LedgerNumber ledger,
                                                                     uint64_t from) const {
  std::vector<pb::Record> records;
  size_t bytes = 0;
  absl::Status damaged;
  LEDGER_RETURN_IF_ERROR(
      log_.Scan(ledger, from, storage::Order::kForward, [&](uint64_t, absl::string_view record) {
        absl::StatusOr<pb::Record> parsed = storage::ParseRecord(record);
        if (!parsed.ok()) {
          damaged = parsed.status();
          return false;
        }
        records.push_back(*std::move(parsed));
        bytes += record.size();
        return records.size() < options_.records_per_turn && bytes < options_.bytes_per_turn;
      }));
  LEDGER_RETURN_IF_ERROR(damaged);
  return records;
}

absl::Status Projector::Impl::StepKind(Ledger& state, ProjectionKind kind,
                                       const std::vector<pb::Record>& records) {
  GenerationRunner& runner = *state.kinds[IndexOf(kind)].live;
  absl::Status status = runner.Step(records);
  // What is in memory may be ahead of the store now.
  if (!status.ok()) runner.Open().IgnoreError();
  return status;
}

// One ledger's turn. The ledger is held, so nobody else touches its runners.
void Projector::Impl::Turn(LedgerNumber ledger) {
  Ledger* state = nullptr;
  bool loaded = false;
  {
    MutexLock lock(mutex_);
    state = &Find(ledger);
    loaded = state->loaded;
  }
  absl::Status failed;
  if (!loaded) failed = LoadLedger(ledger);
  const bool may_write = MayWrite();
  std::array<absl::Status, kProjectionKinds.size()> errors;
  std::array<bool, kProjectionKinds.size()> follows = {};
  std::array<bool, kProjectionKinds.size()> alone = {};
  const uint64_t committed = log_.CommittedPosition(ledger);
  if (failed.ok() && may_write) {
    uint64_t from = committed;
    {
      MutexLock lock(mutex_);
      for (size_t i = 0; i < follows.size(); ++i) {
        follows[i] = !state->kinds[i].is_newer && state->kinds[i].live->position() < committed;
        alone[i] = !state->kinds[i].error.ok();
      }
    }
    for (size_t i = 0; i < follows.size(); ++i) {
      if (follows[i] && !alone[i]) from = std::min(from, state->kinds[i].live->position());
    }
    // A view that failed reads for itself, so that those that are well need not begin where it stands.
    for (const ProjectionKind kind : kProjectionKinds) {
      const size_t i = IndexOf(kind);
      if (!follows[i] || !alone[i]) continue;
      auto records = ReadRecords(ledger, state->kinds[i].live->position() + 1);
      errors[i] = records.ok() ? StepKind(*state, kind, *records) : records.status();
    }
    if (from < committed) {
      auto records = ReadRecords(ledger, from + 1);
      failed = records.status();
      if (records.ok() && !records->empty()) {
        std::vector<const pb::Record*> references;
        for (const pb::Record& record : *records) {
          if (policy::Timeline::IsReference(record.header().event_type())) references.push_back(&record);
        }
        timelines_.Advance(ledger, from + 1, records->back().header().position(), references);
        for (const ProjectionKind kind : kProjectionKinds) {
          const size_t i = IndexOf(kind);
          if (follows[i] && !alone[i]) errors[i] = StepKind(*state, kind, *records);
        }
      }
    }
  }
  Calls calls;
  {
    MutexLock lock(mutex_);
    bool again = state->news;
    bool error = !failed.ok() || !may_write;
    for (size_t i = 0; i < follows.size(); ++i) {
      Kind& projection = state->kinds[i];
      projection.error = failed.ok() ? errors[i] : failed;
      if (projection.live == nullptr) continue;
      projection.applied = projection.live->position();
      projection.parked = projection.live->checkpoint().parked_customers();
      projection.is_sweeping = projection.live->sweeping();
      if (!errors[i].ok()) error = true;
      if (follows[i] && projection.applied < log_.CommittedPosition(ledger)) again = true;
      if (!again) projection.live->Rest();
    }
    TakeServed(ledger, *state, &calls);
    state->held = false;
    state->news = false;
    if (error) {
      Delay(ledger, *state);
    } else if (again) {
      Enqueue(ledger, *state);
    }
    rebuilds_.NotifyAll();
  }
  for (auto& [callback, status] : calls) callback(status);
}

// --- The rebuild thread.

absl::Status Projector::Impl::Hold(LedgerNumber ledger) {
  MutexLock lock(mutex_);
  Ledger& state = Find(ledger);
  while (!stopping_ && state.held) rebuilds_.Wait(mutex_);
  if (stopping_) return ShuttingDown();
  state.held = true;
  return absl::OkStatus();
}

void Projector::Impl::Release(LedgerNumber ledger) {
  Calls calls;
  {
    MutexLock lock(mutex_);
    Ledger& state = Find(ledger);
    state.held = false;
    state.news = false;
    TakeServed(ledger, state, &calls);
    Enqueue(ledger, state);
  }
  for (auto& [callback, status] : calls) callback(status);
}

void Projector::Impl::Tell(LedgerNumber ledger, ProjectionKind kind, const RebuildProgress& progress,
                           bool last) {
  std::vector<RebuildObserver> observers;
  {
    MutexLock lock(mutex_);
    Kind& projection = Find(ledger).kinds[IndexOf(kind)];
    projection.rebuild = progress;
    if (last) projection.job = false;
    observers = std::move(projection.observers);
    projection.observers.clear();
  }
  std::vector<RebuildObserver> staying;
  for (RebuildObserver& observer : observers) {
    if (observer(progress) && !last) staying.push_back(std::move(observer));
  }
  if (staying.empty()) return;
  MutexLock lock(mutex_);
  std::vector<RebuildObserver>& waiting = Find(ledger).kinds[IndexOf(kind)].observers;
  waiting.insert(waiting.begin(), std::make_move_iterator(staying.begin()),
                 std::make_move_iterator(staying.end()));
}

void Projector::Impl::RunRebuilds() {
  while (true) {
    Job job;
    bool stopping = false;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && jobs_.empty()) rebuilds_.Wait(mutex_);
      stopping = stopping_;
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    if (job.roll_back) {
      absl::StatusOr<uint32_t> generation = ShuttingDown();
      if (!stopping) generation = SwitchBack(job.ledger, job.kind);
      {
        MutexLock lock(mutex_);
        Find(job.ledger).kinds[IndexOf(job.kind)].job = false;
      }
      job.roll_back(std::move(generation));
      continue;
    }
    RebuildProgress progress;
    progress.state = RebuildState::kBuilding;
    progress.log_position = log_.CommittedPosition(job.ledger);
    const absl::Status status = stopping ? ShuttingDown() : Rebuild(job.ledger, job.kind, &progress);
    if (!status.ok()) {
      progress.error = std::string(status.message());
      // After a stop it goes on with the next start.
      if (!Stopping()) progress.state = RebuildState::kFailed;
    } else {
      progress.state = RebuildState::kSwitched;
    }
    Tell(job.ledger, job.kind, progress, /*last=*/true);
  }
}

absl::StatusOr<uint64_t> Projector::Impl::AwaitTarget(LedgerNumber ledger, ProjectionKind kind) {
  MutexLock lock(mutex_);
  const Kind& projection = Find(ledger).kinds[IndexOf(kind)];
  // A live generation that cannot follow is not waited for, nor compared with while its rows are of two
  // minds.
  while (!stopping_ && !projection.is_newer && projection.error.ok() && projection.is_sweeping) {
    rebuilds_.Wait(mutex_);
  }
  if (stopping_) return ShuttingDown();
  if (projection.is_newer || !projection.error.ok()) return log_.CommittedPosition(ledger);
  return projection.applied;
}

absl::StatusOr<uint64_t> Projector::Impl::HeldTarget(LedgerNumber ledger, ProjectionKind kind) {
  MutexLock lock(mutex_);
  const Kind& projection = Find(ledger).kinds[IndexOf(kind)];
  if (projection.is_newer || !projection.error.ok()) return log_.CommittedPosition(ledger);
  if (projection.is_sweeping)
    return absl::AbortedError("SWEEPING: the live generation is between two policies");
  return projection.applied;
}

absl::Status Projector::Impl::StepTowards(LedgerNumber ledger, uint64_t target, GenerationRunner& runner) {
  LEDGER_ASSIGN_OR_RETURN(auto records, ReadRecords(ledger, runner.position() + 1));
  while (!records.empty() && records.back().header().position() > target) records.pop_back();
  return runner.Step(records);
}

void Projector::Impl::AwaitDisk() {
  while (!MayWrite()) {
    MutexLock lock(mutex_);
    if (stopping_) return;
    rebuilds_.WaitFor(mutex_, ToChrono(kRetryAfter));
  }
}

absl::Status Projector::Impl::CatchUpAndHold(LedgerNumber ledger, ProjectionKind kind,
                                             GenerationRunner& runner, RebuildProgress* progress) {
  const auto told = [&] {
    if (progress == nullptr) return;
    progress->applied_position = runner.position();
    progress->log_position = log_.CommittedPosition(ledger);
    TellStep(RebuildStep::kBatchWritten);
    Tell(ledger, kind, *progress, /*last=*/false);
  };
  while (true) {
    AwaitDisk();
    LEDGER_ASSIGN_OR_RETURN(uint64_t target, AwaitTarget(ledger, kind));
    // Far from the end the live generation goes its way.
    if (runner.sweeping() || target > runner.position() + options_.records_per_turn) {
      LEDGER_RETURN_IF_ERROR(StepTowards(ledger, target, runner));
      told();
      continue;
    }
    LEDGER_RETURN_IF_ERROR(Hold(ledger));
    const absl::StatusOr<uint64_t> held_target = HeldTarget(ledger, kind);
    if (!held_target.ok()) {
      Release(ledger);
      continue;
    }
    absl::Status status;
    bool stepped = false;
    while (status.ok() && !runner.sweeping() && runner.position() < *held_target) {
      status = StepTowards(ledger, *held_target, runner);
      stepped = true;
    }
    if (status.ok() && !runner.sweeping()) {
      // Nobody is told while the ledger is held: observers are others' code.
      if (progress != nullptr) progress->applied_position = runner.position();
      return absl::OkStatus();
    }
    Release(ledger);
    LEDGER_RETURN_IF_ERROR(status);
    if (stepped) told();
  }
}

absl::Status Projector::Impl::SwitchTo(LedgerNumber ledger, ProjectionKind kind, const ProjectionMeta& meta,
                                       std::unique_ptr<GenerationRunner> runner) {
  LEDGER_RETURN_IF_ERROR(WriteMeta(ledger, kind, meta));
  MutexLock lock(mutex_);
  Kind& projection = Find(ledger).kinds[IndexOf(kind)];
  projection.meta = meta;
  projection.applied = runner->position();
  projection.parked = runner->checkpoint().parked_customers();
  projection.is_newer = false;
  projection.is_sweeping = false;
  projection.error = absl::OkStatus();
  runner->Rest();
  projection.live = std::move(runner);
  return absl::OkStatus();
}

absl::Status Projector::Impl::Rebuild(LedgerNumber ledger, ProjectionKind kind, RebuildProgress* progress) {
  ProjectionMeta meta;
  bool loaded = false;
  LEDGER_RETURN_IF_ERROR(Hold(ledger));
  {
    MutexLock lock(mutex_);
    loaded = Find(ledger).loaded;
  }
  const absl::Status load = loaded ? absl::OkStatus() : LoadLedger(ledger);
  bool is_newer = false;
  {
    MutexLock lock(mutex_);
    const Kind& projection = Find(ledger).kinds[IndexOf(kind)];
    meta = projection.meta;
    is_newer = projection.is_newer;
  }
  Release(ledger);
  LEDGER_RETURN_IF_ERROR(load);

  const uint32_t before_live = meta.previous();
  if (meta.building() == 0) {
    meta.set_building(std::max(meta.live(), meta.previous()) + 1);
    LEDGER_RETURN_IF_ERROR(WriteMeta(ledger, kind, meta));
    LEDGER_RETURN_IF_ERROR(store_.Flush());
    MutexLock lock(mutex_);
    Find(ledger).kinds[IndexOf(kind)].meta = meta;
  }
  progress->generation = meta.building();
  TellStep(RebuildStep::kRecorded);
  Tell(ledger, kind, *progress, /*last=*/false);

  auto runner = MakeRunner(ledger, kind, meta.building());
  LEDGER_RETURN_IF_ERROR(runner->Open());
  const auto give_up = [&](const absl::Status& why) -> absl::Status {
    if (Stopping()) return why;
    // Nothing of a failed attempt is kept; if the disk refuses this too, the next start goes on with it.
    const uint32_t generation = meta.building();
    ProjectionMeta without = meta;
    without.clear_building();
    if (DeleteGeneration(ledger, kind, generation, without).ok()) {
      MutexLock lock(mutex_);
      Find(ledger).kinds[IndexOf(kind)].meta = without;
    }
    return why;
  };
  if (const absl::Status status = CatchUpAndHold(ledger, kind, *runner, progress); !status.ok()) {
    return give_up(status);
  }
  std::shared_ptr<const views::ViewSnapshot> moment = store_.Snapshot();
  const uint64_t compared_at = runner->position();
  Release(ledger);
  TellStep(RebuildStep::kCaughtUp);
  if (!is_newer) {
    absl::StatusOr<uint64_t> differing =
        CountDiffering(store_, *moment, timelines_, {ledger, kind, meta.live()},
                       {ledger, kind, meta.building()}, compared_at);
    // A live generation that cannot be read is a reason to switch, not to stay.
    if (differing.ok()) progress->differing_customers = *differing;
  }
  moment.reset();
  TellStep(RebuildStep::kCompared);
  if (const absl::Status status = store_.Flush(); !status.ok()) return give_up(status);
  if (const absl::Status status = CatchUpAndHold(ledger, kind, *runner, progress); !status.ok()) {
    return give_up(status);
  }
  absl::Status status = store_.Flush();
  if (status.ok()) {
    TellStep(RebuildStep::kFlushed);
    meta.set_deleting(before_live);
    meta.set_previous(meta.live());
    meta.set_live(meta.building());
    meta.clear_building();
    progress->applied_position = runner->position();
    progress->log_position = log_.CommittedPosition(ledger);
    status = SwitchTo(ledger, kind, meta, std::move(runner));
    if (status.ok()) TellStep(RebuildStep::kSwitched);
  }
  Release(ledger);
  LEDGER_RETURN_IF_ERROR(status);
  LEDGER_RETURN_IF_ERROR(store_.Flush());
  TellStep(RebuildStep::kSettled);
  if (meta.deleting() != 0) {
    meta.clear_deleting();
    LEDGER_RETURN_IF_ERROR(DeleteGeneration(ledger, kind, before_live, meta));
    MutexLock lock(mutex_);
    Find(ledger).kinds[IndexOf(kind)].meta = meta;
  }
  TellStep(RebuildStep::kCleaned);
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> Projector::Impl::SwitchBack(LedgerNumber ledger, ProjectionKind kind) {
  ProjectionMeta meta;
  {
    MutexLock lock(mutex_);
    meta = Find(ledger).kinds[IndexOf(kind)].meta;
  }
  auto runner = MakeRunner(ledger, kind, meta.previous());
  LEDGER_RETURN_IF_ERROR(runner->Open());
  if (runner->checkpoint().rule_version() > RuleVersionOf(kind)) return NewerError(ledger, kind);
  LEDGER_RETURN_IF_ERROR(CatchUpAndHold(ledger, kind, *runner, nullptr));
  const uint32_t generation = meta.previous();
  meta.set_previous(meta.live());
  meta.set_live(generation);
  absl::Status status = store_.Flush();
  if (status.ok()) status = SwitchTo(ledger, kind, meta, std::move(runner));
  Release(ledger);
  LEDGER_RETURN_IF_ERROR(status);
  LEDGER_RETURN_IF_ERROR(store_.Flush());
  return generation;
}

// --- The interface.

Projector::Projector(const storage::LogReader& log, views::ViewStore& store, TimelineStore& timelines,
                     ProjectorOptions options)
    : impl_(std::make_unique<Impl>(log, store, timelines, std::move(options))) {}
Projector::~Projector() = default;
absl::Status Projector::Start() { return impl_->Start(); }
void Projector::Stop() { impl_->Stop(); }
void Projector::Notify(LedgerNumber ledger) { impl_->Notify(ledger); }
void Projector::WaitFor(LedgerNumber ledger, ProjectionKind kind, uint64_t position, absl::Time deadline,
                        WaitCallback callback) {
  impl_->WaitFor(ledger, kind, position, deadline, std::move(callback));
}
ProjectionStatus Projector::Status(LedgerNumber ledger, ProjectionKind kind) const {
  return impl_->Status(ledger, kind);
}
absl::Status Projector::Usable(LedgerNumber ledger, ProjectionKind kind) const {
  return impl_->Usable(ledger, kind);
}
absl::Status Projector::StartRebuild(LedgerNumber ledger, ProjectionKind kind, RebuildObserver observer) {
  return impl_->StartRebuild(ledger, kind, std::move(observer));
}
void Projector::RollBack(LedgerNumber ledger, ProjectionKind kind,
                         std::function<void(absl::StatusOr<uint32_t> generation)> callback) {
  impl_->RollBack(ledger, kind, std::move(callback));
}

}  // namespace ledger::runtime
