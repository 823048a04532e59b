#include "services/ledger/prepare.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "projections/policy/event_names.h"
#include "services/ledger/deterministic_bytes.h"
#include "services/ledger/validate.h"
#include "services/ledger/writer_state.pb.h"
#include "storage/merkle/hash.h"
#include "storage/request_key.h"
#include "storage/status_macros.h"
#include "storage/vault/contact_point.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

// Two requests with the same id are the same if these bytes are: who sent them does not count, what they ask does. The
// hash is kept for ever and covers personal data, so it is keyed: without the vault nobody can try out phone numbers.
std::string ContentHash(const pb::AppendRequest& request, absl::string_view key) {
  const merkle::Hash inner = merkle::Sha256({key, DeterministicBytes(request)});
  const merkle::Hash outer = merkle::Sha256({key, merkle::AsBytes(inner)});
  return std::string(merkle::AsBytes(outer));
}

// Requests that give the recorded time may not put it where no time arithmetic holds.
bool IsSensible(const google::protobuf::Timestamp& time) {
  constexpr int64_t kYear1900Seconds = -2'208'988'800;
  constexpr int64_t kYear2200Seconds = 7'258'118'400;
  return time.seconds() >= kYear1900Seconds && time.seconds() < kYear2200Seconds && time.nanos() >= 0 &&
         time.nanos() <= 999'999'999;
}

bool ConsistsOfPhoneCharacters(absl::string_view id) {
  return id.find_first_not_of("0123456789 +-./()") == absl::string_view::npos;
}

}  // namespace

Preparer::Preparer(const storage::LogReader& log, vault::Vault& vault, runtime::TimelineStore& timelines,
                   uint64_t first_free_slot)
    : log_(log), vault_(vault), timelines_(timelines), next_slot_(std::max<uint64_t>(first_free_slot, 1)) {}

absl::StatusOr<AppendJob> Preparer::Prepare(pb::AppendRequest request, pb::Who who, std::string producer,
                                            uint64_t producer_sequence) {
  AppendJob job;
  LEDGER_ASSIGN_OR_RETURN(job.ledger, log_.FindLedger(request.ledger()));
  if (job.ledger.simulated != request.has_recorded_time()) {
    return absl::InvalidArgumentError(
        job.ledger.simulated
            ? "RECORDED_TIME_MISSING: on a simulated ledger the request gives the recorded_time"
            : "RECORDED_TIME_REFUSED: only on a simulated ledger may a request give the recorded_time");
  }
  if (job.ledger.simulated && !IsSensible(request.recorded_time())) {
    return absl::InvalidArgumentError("BAD_TIME: recorded_time must be an instant from 1900 to 2199");
  }
  const absl::Time now = job.ledger.simulated ? absl::FromUnixSeconds(request.recorded_time().seconds()) +
                                                    absl::Nanoseconds(request.recorded_time().nanos())
                                              : absl::Now();
  if (!producer.empty()) LEDGER_RETURN_IF_ERROR(ValidateId(producer, "producer"));
  LEDGER_RETURN_IF_ERROR(ValidateAppend(request, !producer.empty(), now));

  const std::string contact_key = ContactKeyOf(job.ledger);
  job.content_hash = ContentHash(request, contact_key);
  job.request_key =
      producer.empty() ? storage::RequestKey(who.principal(), request.request_id()) : std::string();
  job.prepared.resize(static_cast<size_t>(request.events_size()));
  for (int i = 0; i < request.events_size(); ++i) {
    const pb::NewEvent& added = request.events(i);
    const std::string customer_id = policy::CustomerIdOf(added.event());
    // The policy is asked only where it can matter: most requests bring neither digits for an id nor a phone number.
    std::string region;
    bool needs_region = added.personal().contact_points_size() > 0;
    std::vector<std::string> ids;
    for (const pb::Subject& subject : policy::SubjectsOf(added.event())) {
      if (subject.kind() != pb::SUBJECT_KIND_CUSTOMER) continue;
      absl::string_view id = subject.id();
      if (!absl::ConsumePrefix(&id, "tel:")) absl::ConsumePrefix(&id, "mailto:");
      needs_region = needs_region || ConsistsOfPhoneCharacters(id);
      ids.emplace_back(id);
    }
    if (needs_region) {
      LEDGER_ASSIGN_OR_RETURN(region, PhoneRegion(job.ledger.number));
    }
    for (const std::string& id : ids) {
      if (!vault::LooksLikeContactPoint(id, region)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "ID_IS_CONTACT_POINT: events[", i,
          "]: a customer's id is a phone number or an e-mail address. Ids cannot be erased: use an "
          "opaque id, and send the contact point as personal data"));
    }
    if (!added.has_personal() || added.personal().ByteSizeLong() == 0) continue;
    PreparedEvent& prepared = job.prepared[static_cast<size_t>(i)];
    for (const pb::ContactPoint& point : added.personal().contact_points()) {
      absl::StatusOr<std::string> normalized =
          vault::NormalizeContactPoint(point.kind(), point.value(), region);
      if (!normalized.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("BAD_CONTACT_POINT: events[", i, "]: ", normalized.status().message()));
      }
      std::string id = vault::ContactPointId(contact_key, point.kind(), *normalized);
      auto& ids = prepared.contact_points;
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(std::move(id));
    }
    LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head,
                            log_.Head(job.ledger.number, {pb::SUBJECT_KIND_CUSTOMER, customer_id}));
    SubjectState state;
    state.ParseFromString(head.state);
    LEDGER_RETURN_IF_ERROR(Seal(job.ledger, customer_id, state.vault_slot(), added.personal(), &prepared));
  }
  job.request = std::move(request);
  job.who = std::move(who);
  job.who.set_on_behalf_of(job.request.on_behalf_of());
  job.producer = std::move(producer);
  job.producer_sequence = producer_sequence;
  return job;
}

std::string Preparer::ContactKeyOf(const storage::LedgerIdentity& ledger) {
  MutexLock lock(mutex_);
  std::string& key = contact_keys_[ledger.number];
  if (key.empty()) key = vault_.ContactKey(ledger.ledger_id);
  return key;
}

absl::StatusOr<std::string> Preparer::PhoneRegion(storage::LedgerNumber ledger) {
  LEDGER_ASSIGN_OR_RETURN(const std::shared_ptr<const policy::Timeline> timeline, timelines_.Latest(ledger));
  return timeline->empty() ? std::string() : timeline->Latest().policy.phone_region();
}

absl::Status Preparer::Seal(const storage::LedgerIdentity& ledger, const std::string& customer_id,
                            uint64_t slot, const pb::PersonalData& personal, PreparedEvent* event) {
  if (slot == 0) {
    slot = next_slot_.fetch_add(1);
    LEDGER_RETURN_IF_ERROR(vault_.EnsureSlots(slot));
  }
  absl::StatusOr<vault::SealedPersonal> sealed =
      vault::SealPersonal(vault_, slot, ledger.ledger_id, customer_id, personal);
  if (absl::IsNotFound(sealed.status())) {
    return absl::FailedPreconditionError(
        "CUSTOMER_ERASED: the customer's personal data was erased; register the person under a new id");
  }
  LEDGER_RETURN_IF_ERROR(sealed.status());
  event->has_personal = true;
  event->vault_slot = slot;
  event->sealed = *std::move(sealed);
  return absl::OkStatus();
}

}  // namespace ledger::services
