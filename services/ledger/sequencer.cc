#include "services/ledger/sequencer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

absl::Status ShuttingDown() {
  return absl::UnavailableError("SHUTTING_DOWN: the server is stopping; retry with the same request_id");
}

absl::Time RecordedTimeOf(const AppendJob& job) {
  return absl::FromUnixMicros(
      google::protobuf::util::TimeUtil::TimestampToMicroseconds(job.request.recorded_time()));
}

}  // namespace

Sequencer::Sequencer(storage::EventLog& log, runtime::TimelineStore& timelines, Preparer& preparer,
                     RecordingClock clock, SequencerOptions options)
    : log_(log),
      clock_(std::move(clock)),
      decider_(log, timelines, preparer),
      options_(std::move(options)),
      sequencing_([this] { Sequence(); }),
      committing_([this] { CommitGroups(); }),
      completing_([this] { Complete(); }) {}

Sequencer::~Sequencer() { Stop(); }

absl::Status Sequencer::Submit(AppendJob job) {
  MutexLock lock(mutex_);
  if (stopping_) return ShuttingDown();
  std::deque<AppendJob>& queue = queues_[job.ledger.number];
  if (job.gate == nullptr && (waiting_ >= options_.jobs_max || queue.size() >= options_.jobs_of_ledger_max)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("BUSY: ", waiting_, " requests are waiting; retry after the hinted delay"));
  }
  if (queue.empty()) turns_.push_back(job.ledger.number);
  queue.push_back(std::move(job));
  if (++waiting_ == 1) work_.NotifyAll();
  return absl::OkStatus();
}

absl::Status Sequencer::Submit(CreateLedgerJob job) {
  MutexLock lock(mutex_);
  if (stopping_) return ShuttingDown();
  if (waiting_ >= options_.jobs_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat("BUSY: ", waiting_, " requests are waiting; retry after the hinted delay"));
  }
  creations_.push_back(std::move(job));
  if (++waiting_ == 1) work_.NotifyAll();
  return absl::OkStatus();
}

void Sequencer::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    work_.NotifyAll();
  }
  for (std::thread* thread : {&sequencing_, &committing_, &completing_}) {
    if (thread->joinable()) thread->join();
  }
}

// Takes up to one turn of one ledger. False: there is nothing to take.
bool Sequencer::TakeTurn(std::vector<AppendJob>* jobs, std::vector<CreateLedgerJob>* creations) {
  MutexLock lock(mutex_);
  while (!creations_.empty()) {
    creations->push_back(std::move(creations_.front()));
    creations_.pop_front();
    --waiting_;
  }
  if (!turns_.empty()) {
    const storage::LedgerNumber ledger = turns_.front();
    turns_.pop_front();
    std::deque<AppendJob>& queue = queues_[ledger];
    for (size_t i = 0; i < options_.jobs_of_turn && !queue.empty(); ++i) {
      jobs->push_back(std::move(queue.front()));
      queue.pop_front();
      --waiting_;
    }
    if (queue.empty()) {
      queues_.erase(ledger);
    } else {
      turns_.push_back(ledger);
    }
  }
  return !jobs->empty() || !creations->empty();
}

void Sequencer::Sequence() {
  while (true) {
    std::vector<AppendJob> jobs;
    std::vector<CreateLedgerJob> creations;
    const bool full =
        log_.OpenBytes() >= options_.group_bytes_max || open_.completions.size() >= options_.group_jobs_max;
    if (!full && TakeTurn(&jobs, &creations)) {
      decider_.BeginTurn();
      for (CreateLedgerJob& job : creations) Process(std::move(job));
      for (AppendJob& job : jobs) Process(std::move(job));
      MutexLock lock(mutex_);
      // While a group waits to be synced, more can join this one.
      if (has_sealed_ || (waiting_ > 0 && log_.OpenBytes() < options_.group_bytes_max &&
                          open_.completions.size() < options_.group_jobs_max)) {
        continue;
      }
    }
    MutexLock lock(mutex_);
    if (!open_.completions.empty()) {
      const bool full_now =
          log_.OpenBytes() >= options_.group_bytes_max || open_.completions.size() >= options_.group_jobs_max;
      while (has_sealed_ && (waiting_ == 0 || full_now)) work_.Wait(mutex_);
      if (has_sealed_) continue;
      open_.commit = log_.Seal();
      sealed_ = std::move(open_);
      open_ = Group();
      has_sealed_ = true;
      sealed_wake_.NotifyOne();
      continue;
    }
    if (waiting_ > 0) continue;
    if (stopping_) {
      sequenced_ = true;
      sealed_wake_.NotifyOne();
      return;
    }
    work_.Wait(mutex_);
  }
}

void Sequencer::Process(AppendJob job) {
  absl::StatusOr<pb::AppendResponse> outcome = ShuttingDown();
  if (job.gate != nullptr && job.gate->closed.load()) {
    outcome = absl::UnavailableError(
        "STREAM_ENDED: an earlier message of the stream was turned away; nothing after it counts");
  } else {
    absl::StatusOr<absl::Time> now = RecordedTimeOf(job);
    if (!job.ledger.simulated) now = clock_.Now(log_.StagedTime(job.ledger.number));
    // The read set can only have moved if an event of the same request moved it, so one more attempt is never
    // needed; a replicated log would loop here on kAborted "SUBJECT_MOVED".
    outcome = now.ok() ? decider_.Decide(job, *now) : absl::StatusOr<pb::AppendResponse>(now.status());
    // After a producer's refused message nothing of it may count, or its count would pass over what was refused.
    if (job.gate != nullptr &&
        (absl::IsResourceExhausted(outcome.status()) || absl::IsUnavailable(outcome.status()) ||
         (!outcome.ok() && !job.producer.empty()))) {
      job.gate->closed.store(true);
    }
  }
  if (outcome.ok()) open_.ledgers.push_back(job.ledger.number);
  // A refusal, too, may rest on events that are not on disk yet: it is told after they are.
  open_.completions.push_back([done = std::move(job.done), gate = std::move(job.gate),
                               outcome = std::move(outcome)](const absl::Status& commit) mutable {
    if (!commit.ok()) {
      if (gate != nullptr) gate->closed.store(true);
      done(commit);
    } else {
      done(std::move(outcome));
    }
  });
}

void Sequencer::Process(CreateLedgerJob job) {
  absl::StatusOr<absl::Time> now = job.recorded_time;
  if (!job.simulated) now = clock_.Now(absl::InfinitePast());
  absl::StatusOr<storage::LedgerIdentity> outcome =
      now.ok() ? decider_.CreateLedger(job.name, job.policy, job.simulated, job.request_id, job.who, *now)
               : absl::StatusOr<storage::LedgerIdentity>(now.status());
  if (outcome.ok()) open_.ledgers.push_back(outcome->number);
  open_.completions.push_back(
      [done = std::move(job.done), outcome = std::move(outcome)](const absl::Status& commit) mutable {
        done(commit.ok() ? std::move(outcome) : absl::StatusOr<storage::LedgerIdentity>(commit));
      });
}

void Sequencer::CommitGroups() {
  while (true) {
    Group group;
    {
      MutexLock lock(mutex_);
      while (!has_sealed_ && !sequenced_) sealed_wake_.Wait(mutex_);
      if (!has_sealed_) {
        committed_ = true;
        finished_wake_.NotifyOne();
        return;
      }
      group = std::move(sealed_);
      sealed_ = Group();
      has_sealed_ = false;
      work_.NotifyAll();
    }
    absl::Status status;
    if (committed_failed_) {
      status = absl::UnavailableError(
          "OUTCOME_UNKNOWN: an earlier write failed; retry with the same request_id after the restart");
    } else if (group.commit != nullptr) {
      status = log_.Commit(std::move(group.commit));
      committed_failed_ = !status.ok();
      if (committed_failed_ && options_.on_failure) options_.on_failure(status);
    }
    MutexLock lock(mutex_);
    finished_.push_back({std::move(status), std::move(group)});
    finished_wake_.NotifyOne();
  }
}

void Sequencer::Complete() {
  while (true) {
    std::deque<Finished> finished;
    {
      MutexLock lock(mutex_);
      while (finished_.empty() && !committed_) finished_wake_.Wait(mutex_);
      if (finished_.empty()) return;
      finished.swap(finished_);
    }
    for (Finished& item : finished) {
      std::vector<storage::LedgerNumber>& ledgers = item.group.ledgers;
      std::sort(ledgers.begin(), ledgers.end());
      ledgers.erase(std::unique(ledgers.begin(), ledgers.end()), ledgers.end());
      if (item.status.ok() && options_.on_commit) {
        for (const storage::LedgerNumber ledger : ledgers) options_.on_commit(ledger);
      }
      for (Completion& complete : item.group.completions) complete(item.status);
    }
  }
}

}  // namespace ledger::services
