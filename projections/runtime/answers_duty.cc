#include <utility>

#include "absl/strings/str_cat.h"
#include "projections/rules/duty/duty.h"
#include "projections/rules/registration/registration.h"
#include "projections/rules/requirement/requirement.h"
#include "projections/runtime/answers.h"
#include "projections/runtime/answers_reading.h"
#include "projections/runtime/row_time.h"
#include "storage/status_macros.h"

// How far a registration has come, and what must happen.
namespace ledger::runtime {

namespace pb = ::customerledger::v1;
using storage::LedgerIdentity;

absl::StatusOr<pb::GetRegistrationResponse> Answers::GetRegistration(
    const LedgerIdentity& ledger, const pb::GetRegistrationRequest& request, absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(Reading reading,
                          ReadCustomer(ledger, request.query(), ProjectionKind::kOwner, now));
  pb::GetRegistrationResponse response;
  *response.mutable_context() = std::move(reading.context);
  for (pb::RegistrationEntry& entry :
       rules::ReadRegistrations(*reading.timeline, reading.state, reading.true_at)) {
    *response.add_registrations() = std::move(entry);
  }
  return response;
}

absl::StatusOr<pb::GetDutiesResponse> Answers::GetDuties(const LedgerIdentity& ledger,
                                                         const pb::GetDutiesRequest& request,
                                                         absl::Time now) const {
  if (!request.staff_id().empty()) return GetStaffDuties(ledger, request, now);
  LEDGER_ASSIGN_OR_RETURN(Reading reading,
                          ReadCustomer(ledger, request.query(), ProjectionKind::kOwner, now));
  pb::GetDutiesResponse response;
  *response.mutable_context() = std::move(reading.context);
  for (pb::DutyEntry& duty :
       rules::ReadDuties(*reading.timeline, rules::DutyHolder(), reading.state, reading.true_at)) {
    *response.add_duties() = std::move(duty);
  }
  for (pb::FlagEntry& flag : rules::ReadFlags(*reading.timeline, reading.state)) {
    *response.add_flags() = std::move(flag);
  }
  return response;
}

absl::StatusOr<pb::GetDutiesResponse> Answers::GetStaffDuties(const LedgerIdentity& ledger,
                                                              const pb::GetDutiesRequest& request,
                                                              absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(const Question question, ResolveClocks(ledger, request.query(), now));
  const uint64_t known = question.known_position.value_or(log_.CommittedPosition(ledger.number));
  LEDGER_ASSIGN_OR_RETURN(const auto timeline, timelines_.TimelineAt(ledger.number, known));
  LogSubjectSource source(log_, ledger.number);
  LEDGER_ASSIGN_OR_RETURN(std::vector<pb::Record> records,
                          source.Records({pb::SUBJECT_KIND_STAFF, request.staff_id()}, known));
  if (records.empty()) {
    return absl::NotFoundError(absl::StrCat("STAFF_NOT_FOUND: no event about staff member '",
                                            request.staff_id(), "' is known at position ", known,
                                            "; check the id"));
  }
  const rules::History history = rules::BuildHistory(*timeline, std::move(records));
  const rules::CustomerState state =
      rules::FoldStaff(*timeline, request.staff_id(), history, question.true_at);
  pb::GetDutiesResponse response;
  pb::AnswerContext& context = *response.mutable_context();
  context.mutable_position()->set_lineage(log_.lineage());
  context.mutable_position()->set_position(known);
  SetTimestamp(question.true_at, context.mutable_true_at());
  context.set_simulated(ledger.simulated);
  const rules::DutyHolder holder{request.staff_id()};
  for (pb::DutyEntry& duty : rules::ReadDuties(*timeline, holder, state, question.true_at)) {
    *response.add_duties() = std::move(duty);
  }
  return response;
}

}  // namespace ledger::runtime
