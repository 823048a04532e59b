#include "services/ledger/log_reading.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"
#include "services/common/page_token.h"
#include "services/ledger/validate.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"
#include "storage/vault/personal.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr uint32_t kPageSizeDefault = 100;
constexpr uint32_t kPageSizeMax = 1000;
constexpr int kConditionsMax = 256;
// A page that finds nothing still ends, with a token, so that no call scans a whole log.
constexpr uint64_t kScannedMax = 100'000;

uint32_t PageSize(uint32_t asked) { return asked == 0 ? kPageSizeDefault : std::min(asked, kPageSizeMax); }

bool IsEmpty(const pb::EventFilter& filter) {
  return filter.event_types().empty() && filter.subjects().empty();
}

absl::StatusOr<uint64_t> PlaceOf(absl::string_view question, const std::string& token) {
  LEDGER_ASSIGN_OR_RETURN(const std::string place, ReadPageToken(question, token));
  uint64_t number = 0;
  if (!absl::SimpleAtoi(place, &number) || number == 0) {
    return absl::InvalidArgumentError(
        "BAD_PAGE_TOKEN: the page token is damaged; ask without one to begin again");
  }
  return number;
}

// The record's personal data, decrypted, if it has any.
absl::Status AddPersonal(const storage::LogReader& log, vault::Vault& vault,
                         const storage::LedgerIdentity& ledger, absl::string_view bytes,
                         google::protobuf::RepeatedPtrField<pb::RecordPersonalData>* out) {
  LEDGER_ASSIGN_OR_RETURN(const pb::Record record, storage::ParseRecord(bytes));
  if (!record.header().has_personal()) return absl::OkStatus();
  pb::RecordPersonalData& data = *out->Add();
  data.set_position(record.header().position());
  LEDGER_ASSIGN_OR_RETURN(const std::string ciphertext,
                          log.ReadCiphertext(ledger.number, record.header().position()));
  absl::StatusOr<pb::PersonalData> personal = vault::OpenPersonal(
      vault, record.header().personal(), ledger.ledger_id, policy::CustomerIdOf(record.event()), ciphertext);
  if (absl::IsNotFound(personal.status())) {
    data.set_erased(true);
    return absl::OkStatus();
  }
  LEDGER_RETURN_IF_ERROR(personal.status());
  *data.mutable_personal() = *std::move(personal);
  return absl::OkStatus();
}

void SetLast(const storage::LogReader& log, storage::LedgerNumber ledger, pb::PositionToken* token) {
  token->set_lineage(log.lineage());
  token->set_position(log.CommittedPosition(ledger));
}

}  // namespace

absl::Status ValidateFilter(const pb::EventFilter& filter) {
  if (filter.event_types_size() > kConditionsMax || filter.subjects_size() > kConditionsMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("BAD_FILTER: at most ", kConditionsMax, " event types and as many subjects"));
  }
  for (uint32_t type : filter.event_types()) {
    if (type == 0) return absl::InvalidArgumentError("BAD_FILTER: event type 0 does not exist");
  }
  for (const pb::Subject& subject : filter.subjects()) {
    if (subject.kind() == pb::SUBJECT_KIND_UNSPECIFIED) {
      return absl::InvalidArgumentError("BAD_FILTER: a subject needs a kind");
    }
    LEDGER_RETURN_IF_ERROR(ValidateId(subject.id(), "filter: the subject's id"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Matches(const pb::EventFilter& filter, absl::string_view bytes) {
  if (IsEmpty(filter)) return true;
  LEDGER_ASSIGN_OR_RETURN(const pb::Record record, storage::ParseRecord(bytes));
  const auto& types = filter.event_types();
  if (!types.empty() && std::find(types.begin(), types.end(), record.header().event_type()) == types.end())
    return false;
  if (filter.subjects().empty()) return true;
  for (const pb::Subject& wanted : filter.subjects()) {
    for (const pb::SubjectVersion& subject : record.header().subjects()) {
      if (subject.subject().kind() == wanted.kind() && subject.subject().id() == wanted.id()) return true;
    }
  }
  return false;
}

absl::Status CheckLineage(const storage::LogReader& log, const pb::PositionToken& token) {
  if (token.lineage().empty() || token.lineage() == log.lineage()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "LINEAGE_CHANGED: the position is from before a restore, and what stood there may be gone; read again "
      "from where the "
      "new lineage began (its lineage_started event)");
}

absl::StatusOr<pb::ReadLogResponse> ReadLogPage(const storage::LogReader& log, vault::Vault& vault,
                                                const pb::ReadLogRequest& request) {
  LEDGER_ASSIGN_OR_RETURN(const storage::LedgerIdentity ledger, log.FindLedger(request.ledger()));
  LEDGER_RETURN_IF_ERROR(CheckLineage(log, request.from()));
  LEDGER_RETURN_IF_ERROR(ValidateFilter(request.filter()));
  const bool backward = request.direction() == pb::READ_DIRECTION_BACKWARD;
  const std::string question =
      absl::StrCat("log|", ledger.number, "|", backward ? 1 : 0, "|", request.filter().SerializeAsString());
  uint64_t from = request.from().position();
  if (!request.page_token().empty()) {
    LEDGER_ASSIGN_OR_RETURN(from, PlaceOf(question, request.page_token()));
  } else if (from == 0) {
    from = backward ? std::numeric_limits<uint64_t>::max() : 1;
  }

  pb::ReadLogResponse response;
  response.set_simulated(ledger.simulated);
  size_t bytes = 0;
  uint64_t scanned = 0;
  uint64_t next = 0;
  absl::Status inner;
  LEDGER_RETURN_IF_ERROR(
      log.Scan(ledger.number, from, backward ? storage::Order::kBackward : storage::Order::kForward,
               [&](uint64_t position, absl::string_view record) {
                 if (response.records_size() >= static_cast<int>(PageSize(request.page_size())) ||
                     scanned >= kScannedMax ||
                     (bytes + record.size() > kPageBytesMax && response.records_size() > 0)) {
                   next = position;
                   return false;
                 }
                 ++scanned;
                 const absl::StatusOr<bool> matches = Matches(request.filter(), record);
                 if (!matches.ok()) {
                   inner = matches.status();
                   return false;
                 }
                 if (*matches) {
                   response.add_records(record.data(), record.size());
                   bytes += record.size();
                 }
                 return true;
               }));
  LEDGER_RETURN_IF_ERROR(inner);
  if (next != 0) response.set_next_page_token(MakePageToken(question, absl::StrCat(next)));
  SetLast(log, ledger.number, response.mutable_last());
  if (request.include_personal_data()) {
    for (const std::string& record : response.records()) {
      LEDGER_RETURN_IF_ERROR(AddPersonal(log, vault, ledger, record, response.mutable_personal()));
    }
  }
  return response;
}

absl::StatusOr<pb::ReadSubjectResponse> ReadSubjectPage(const storage::LogReader& log, vault::Vault& vault,
                                                        const pb::ReadSubjectRequest& request) {
  LEDGER_ASSIGN_OR_RETURN(const storage::LedgerIdentity ledger, log.FindLedger(request.ledger()));
  if (request.subject().kind() == pb::SUBJECT_KIND_UNSPECIFIED) {
    return absl::InvalidArgumentError("BAD_SUBJECT: the subject needs a kind");
  }
  LEDGER_RETURN_IF_ERROR(ValidateId(request.subject().id(), "the subject's id"));
  const storage::SubjectKey subject{request.subject().kind(), request.subject().id()};
  const bool backward = request.direction() == pb::READ_DIRECTION_BACKWARD;
  const std::string question = absl::StrCat("subject|", ledger.number, "|", backward ? 1 : 0, "|",
                                            request.subject().SerializeAsString());
  uint64_t from = request.from_version();
  if (!request.page_token().empty()) {
    LEDGER_ASSIGN_OR_RETURN(from, PlaceOf(question, request.page_token()));
  } else if (from == 0) {
    from = backward ? std::numeric_limits<uint64_t>::max() : 1;
  }

  std::vector<std::pair<uint64_t, uint64_t>> places;  // version, position
  LEDGER_RETURN_IF_ERROR(log.ScanSubject(ledger.number, subject, from,
                                         backward ? storage::Order::kBackward : storage::Order::kForward,
                                         [&](uint64_t version, uint64_t position) {
                                           places.emplace_back(version, position);
                                           return places.size() <= PageSize(request.page_size());
                                         }));
  pb::ReadSubjectResponse response;
  size_t bytes = 0;
  for (const auto& [version, position] : places) {
    LEDGER_ASSIGN_OR_RETURN(std::string record, log.Read(ledger.number, position));
    if (response.records_size() >= static_cast<int>(PageSize(request.page_size())) ||
        (bytes + record.size() > kPageBytesMax && response.records_size() > 0)) {
      response.set_next_page_token(MakePageToken(question, absl::StrCat(version)));
      break;
    }
    bytes += record.size();
    if (request.include_personal_data()) {
      LEDGER_RETURN_IF_ERROR(AddPersonal(log, vault, ledger, record, response.mutable_personal()));
    }
    response.add_records(std::move(record));
  }
  LEDGER_ASSIGN_OR_RETURN(const storage::SubjectHead head, log.Head(ledger.number, subject));
  response.set_version(head.version);
  SetLast(log, ledger.number, response.mutable_last());
  return response;
}

}  // namespace ledger::services
