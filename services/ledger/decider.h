#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/policy.pb.h"
#include "projections/policy/timeline.h"
#include "projections/runtime/timelines.h"
#include "services/ledger/append_job.h"
#include "services/ledger/fold_cache.h"
#include "services/ledger/prepare.h"
#include "storage/event_log.h"

namespace ledger::services {

// Decides requests on the state of the subjects they name, staged events included, and stages what it accepts: replays,
// checks and ledgers here, the events themselves in a Draft. The
// sequencing thread only. Borrows everything it is given.
class Decider {
 public:
  Decider(storage::EventLog& log, runtime::TimelineStore& timelines, Preparer& preparer)
      : log_(log), timelines_(timelines), preparer_(preparer) {}

  // Looks whether appends are accepted; counts until the next call. Looking at the disk for each request would cost as
  // much as deciding it.
  void BeginTurn() { accepts_ = log_.AcceptsAppends(); }

  // All or none of the job's events, with what the rules derive from them, in the log's open group. `now` is the recorded
  // time. The answer counts once the group is committed.
  // kAborted "CHECK_FAILED", "SUBJECT_MOVED"; kAlreadyExists "REQUEST_ID_REUSED"; a rule's refusal, with the payload
  // "rule_id"; kInvalidArgument; kResourceExhausted; kDataLoss.
  absl::StatusOr<customerledger::v1::AppendResponse> Decide(AppendJob& job, absl::Time now);

  // Creates a ledger with its first events. kAlreadyExists "LEDGER_EXISTS", unless the same request made it.
  absl::StatusOr<storage::LedgerIdentity> CreateLedger(const std::string& name,
                                                       const customerledger::v1::Policy& policy,
                                                       bool simulated, const std::string& request_id,
                                                       const customerledger::v1::Who& who, absl::Time now);

 private:
  absl::StatusOr<std::optional<customerledger::v1::AppendResponse>> FindReplay(const AppendJob& job);
  absl::StatusOr<const policy::Timeline*> TimelineOf(storage::LedgerNumber ledger);

  storage::EventLog& log_;
  runtime::TimelineStore& timelines_;
  Preparer& preparer_;
  std::map<storage::LedgerNumber, policy::Timeline> timelines_by_ledger_;
  FoldCache folds_;
  absl::Status accepts_;
};

}  // namespace ledger::services
