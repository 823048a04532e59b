#include "services/ledger/decider.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "openssl/rand.h"
#include "projections/policy/event_names.h"
#include "services/common/status_metadata.h"
#include "services/ledger/deterministic_bytes.h"
#include "services/ledger/draft.h"
#include "services/ledger/policy_holds.h"
#include "services/ledger/writer_state.pb.h"
#include "storage/merkle/hash.h"
#include "storage/request_key.h"
#include "storage/status_macros.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

absl::Status CheckHolds(const pb::SubjectCheck& check, uint64_t version) {
  const auto failed = [&](absl::string_view required) {
    return absl::AbortedError(absl::StrCat(pb::SubjectKind_Name(check.subject().kind()), " '",
                                           check.subject().id(), "' is at version ", version,
                                           ", required is ", required));
  };
  switch (check.condition_case()) {
    case pb::SubjectCheck::kVersion:
      return check.version() == version ? absl::OkStatus()
                                        : failed(absl::StrCat("version ", check.version()));
    case pb::SubjectCheck::kNoSubject:
      return version == 0 ? absl::OkStatus() : failed("no event at all");
    case pb::SubjectCheck::kExists:
      return version > 0 ? absl::OkStatus() : failed("any event");
    case pb::SubjectCheck::kAny:
      return absl::OkStatus();
    case pb::SubjectCheck::CONDITION_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("BAD_CHECK: a check has no condition");
}

}  // namespace

absl::StatusOr<const policy::Timeline*> Decider::TimelineOf(storage::LedgerNumber ledger) {
  const auto found = timelines_by_ledger_.find(ledger);
  if (found != timelines_by_ledger_.end()) return &found->second;
  LEDGER_ASSIGN_OR_RETURN(const std::shared_ptr<const policy::Timeline> timeline, timelines_.Latest(ledger));
  return &(timelines_by_ledger_[ledger] = *timeline);
}

absl::StatusOr<std::optional<pb::AppendResponse>> Decider::FindReplay(const AppendJob& job) {
  const storage::LedgerNumber ledger = job.ledger.number;
  if (!job.producer.empty()) {
    LEDGER_ASSIGN_OR_RETURN(const auto last, log_.StagedProducer(ledger, job.producer));
    if (job.producer_sequence > last.first) return std::optional<pb::AppendResponse>();
    pb::AppendResponse response;
    response.mutable_position()->set_lineage(log_.lineage());
    response.mutable_position()->set_position(last.second);
    response.set_replayed(true);
    response.set_simulated(job.ledger.simulated);
    return std::make_optional(std::move(response));
  }
  LEDGER_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                          log_.StagedRequest(ledger, job.request_key));
  if (!bytes) return std::optional<pb::AppendResponse>();
  RememberedRequest remembered;
  if (!remembered.ParseFromString(*bytes)) {
    return absl::DataLossError("REQUEST_DAMAGED: what is remembered of the request does not parse");
  }
  if (remembered.content_hash() != job.content_hash) {
    return absl::AlreadyExistsError(
        absl::StrCat("REQUEST_ID_REUSED: request_id '", job.request.request_id(),
                     "' came with other content before; choose a new id for a new request"));
  }
  remembered.mutable_response()->set_replayed(true);
  // Positions below a restore's end are the same in the new lineage; what was handed out beyond it is not remembered.
  remembered.mutable_response()->mutable_position()->set_lineage(log_.lineage());
  return std::make_optional(std::move(*remembered.mutable_response()));
}

absl::StatusOr<pb::AppendResponse> Decider::Decide(AppendJob& job, absl::Time now) {
  LEDGER_ASSIGN_OR_RETURN(std::optional<pb::AppendResponse> replay, FindReplay(job));
  if (replay) return *std::move(replay);
  LEDGER_RETURN_IF_ERROR(accepts_);
  const storage::LedgerNumber ledger = job.ledger.number;
  if (job.ledger.simulated && now < log_.StagedTime(ledger)) {
    return absl::FailedPreconditionError(
        absl::StrCat("TIME_DECREASES: the ledger's last event was recorded at ",
                     absl::FormatTime(log_.StagedTime(ledger), absl::UTCTimeZone()),
                     "; recorded_time must not be before"));
  }

  // Everything that fails is told at once.
  std::string failures;
  int failed = 0;
  absl::Status refusal;
  for (const pb::SubjectCheck& check : job.request.checks()) {
    LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head,
                            log_.StagedHead(ledger, {check.subject().kind(), check.subject().id()}));
    const absl::Status status = CheckHolds(check, head.version);
    if (status.ok()) continue;
    if (failed == 0) refusal = absl::AbortedError("");
    refusal = WithMetadata(refusal, absl::StrCat("subject.", failed), check.subject().id());
    refusal = WithMetadata(refusal, absl::StrCat("actual_version.", failed), absl::StrCat(head.version));
    absl::StrAppend(&failures, failed == 0 ? "" : "; ", status.message());
    ++failed;
  }
  if (failed > 0) {
    absl::Status result =
        absl::AbortedError(absl::StrCat("CHECK_FAILED: ", failures, ". Read again and decide anew"));
    refusal.ForEachPayload(
        [&result](absl::string_view key, const absl::Cord& value) { result.SetPayload(key, value); });
    return result;
  }

  // The customer may have got its key from a request that was ahead in the queue.
  for (int i = 0; i < job.request.events_size(); ++i) {
    PreparedEvent& prepared = job.prepared[static_cast<size_t>(i)];
    if (!prepared.has_personal) continue;
    const std::string customer_id = policy::CustomerIdOf(job.request.events(i).event());
    LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head,
                            log_.StagedHead(ledger, {pb::SUBJECT_KIND_CUSTOMER, customer_id}));
    SubjectState state;
    state.ParseFromString(head.state);
    uint64_t slot = state.vault_slot();
    for (int j = 0; j < i && slot == 0; ++j) {
      const PreparedEvent& earlier = job.prepared[static_cast<size_t>(j)];
      if (earlier.has_personal && policy::CustomerIdOf(job.request.events(j).event()) == customer_id) {
        slot = earlier.vault_slot;
      }
    }
    if (slot == 0 || slot == prepared.vault_slot) continue;
    LEDGER_RETURN_IF_ERROR(
        preparer_.Seal(job.ledger, customer_id, slot, job.request.events(i).personal(), &prepared));
  }

  LEDGER_ASSIGN_OR_RETURN(const policy::Timeline* timeline, TimelineOf(ledger));
  Draft draft(log_, folds_, job, *timeline, std::max(now, log_.StagedTime(ledger)));
  for (int i = 0; i < job.request.events_size(); ++i) LEDGER_RETURN_IF_ERROR(draft.Add(i));
  LEDGER_ASSIGN_OR_RETURN(pb::AppendResponse response, draft.Stage());
  if (draft.changed_timeline()) timelines_by_ledger_[ledger] = *draft.changed_timeline();

  if (!job.producer.empty()) {
    log_.StageProducer(ledger, job.producer, job.producer_sequence, response.position().position());
  } else {
    RememberedRequest remembered;
    remembered.set_content_hash(job.content_hash);
    *remembered.mutable_response() = response;
    log_.StageRequest(ledger, job.request_key, remembered.SerializeAsString());
  }
  return response;
}

absl::StatusOr<storage::LedgerIdentity> Decider::CreateLedger(const std::string& name,
                                                              const pb::Policy& policy, bool simulated,
                                                              const std::string& request_id,
                                                              const pb::Who& who, absl::Time now) {
  const merkle::Hash content = merkle::Sha256({name, simulated ? "1" : "0", DeterministicBytes(policy)});
  absl::StatusOr<storage::LedgerIdentity> existing = log_.FindLedger(name);
  if (existing.ok() && !request_id.empty()) {
    LEDGER_ASSIGN_OR_RETURN(
        const auto bytes,
        log_.StagedRequest(existing->number, storage::RequestKey(who.principal(), request_id)));
    RememberedRequest first;
    if (bytes && first.ParseFromString(*bytes) && first.content_hash() == merkle::AsBytes(content))
      return *existing;
  }
  LEDGER_RETURN_IF_ERROR(accepts_);
  std::string ledger_id(16, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(ledger_id.data()), static_cast<int>(ledger_id.size())) !=
      1) {
    return absl::InternalError("RANDOM_UNAVAILABLE: the system gives no random bytes");
  }
  // Whatever could refuse the first events comes before the ledger is staged.
  LEDGER_RETURN_IF_ERROR(CheckPolicyHolds(policy));
  LEDGER_ASSIGN_OR_RETURN(const storage::LedgerNumber number,
                          log_.StageLedger(name, ledger_id, simulated, now));

  // The first events pass no policy: they bring it.
  AppendJob job;
  job.ledger = {number, name, ledger_id, simulated, now};
  job.who = who;
  job.request.set_request_id(request_id);
  pb::Event created;
  created.mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(now));
  created.mutable_ledger_created()->set_name(name);
  created.mutable_ledger_created()->set_simulated(simulated);
  pb::Event adopted;
  *adopted.mutable_occurred_time() = created.occurred_time();
  *adopted.mutable_policy_adopted()->mutable_policy() = policy;
  *job.request.add_events()->mutable_event() = std::move(created);
  *job.request.add_events()->mutable_event() = std::move(adopted);
  job.prepared.resize(2);
  const policy::Timeline empty;
  Draft draft(log_, folds_, job, empty, now);
  LEDGER_RETURN_IF_ERROR(draft.Add(0));
  LEDGER_RETURN_IF_ERROR(draft.Add(1));
  LEDGER_ASSIGN_OR_RETURN(const pb::AppendResponse response, draft.Stage());
  if (draft.changed_timeline()) timelines_by_ledger_[number] = *draft.changed_timeline();
  RememberedRequest remembered;
  remembered.set_content_hash(std::string(merkle::AsBytes(content)));
  *remembered.mutable_response() = response;
  log_.StageRequest(number, storage::RequestKey(who.principal(), request_id), remembered.SerializeAsString());
  return job.ledger;
}

}  // namespace ledger::services
