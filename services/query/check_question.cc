#include "services/query/check_question.h"

#include "absl/strings/str_cat.h"
#include "services/ledger/validate.h"
#include "storage/status_macros.h"

namespace ledger::services {
namespace {

namespace pb = ::customerledger::v1;

constexpr size_t kPageTokenBytesMax = 4096;
constexpr size_t kContactPointBytesMax = 320;
constexpr size_t kScopeBytesMax = 128;

// The years that protobuf's Timestamp can say; a question may be about any of them.
constexpr int64_t kSecondsMin = -62'135'596'800;  // year 1
constexpr int64_t kSecondsMax = 253'402'300'799;  // year 9999

absl::Status CheckTime(const google::protobuf::Timestamp& time, absl::string_view what) {
  if (time.seconds() < kSecondsMin || time.seconds() > kSecondsMax || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return absl::InvalidArgumentError(absl::StrCat(
        "BAD_TIME: ", what, " must lie in the years 1 to 9999, with 0 to 999999999 nanoseconds"));
  }
  return absl::OkStatus();
}

absl::Status CheckToken(const pb::PositionToken& token, absl::string_view what) {
  if (!token.lineage().empty() && token.lineage().size() != 16) {
    return absl::InvalidArgumentError(absl::StrCat("BAD_POSITION: the lineage of ", what,
                                                   " must be 16 bytes, as the server gave it, or empty"));
  }
  return absl::OkStatus();
}

absl::Status CheckPageToken(absl::string_view token) {
  if (token.size() > kPageTokenBytesMax) {
    return absl::InvalidArgumentError(
        "BAD_PAGE_TOKEN: page_token is not one that the server gave; ask without one to begin again");
  }
  return absl::OkStatus();
}

absl::Status CheckOwner(const pb::Owner& owner) {
  switch (owner.owner_case()) {
    case pb::Owner::kStaffId:
      return ValidateId(owner.staff_id(), "owner.staff_id");
    case pb::Owner::kUnitId:
      return ValidateId(owner.unit_id(), "owner.unit_id");
    case pb::Owner::OWNER_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("OWNER_MISSING: owner must name a staff_id or a unit_id");
}

absl::Status CheckClocks(const pb::CustomerQuery& query) {
  LEDGER_RETURN_IF_ERROR(CheckToken(query.min_position(), "query.min_position"));
  if (query.as_of().has_true_at()) {
    LEDGER_RETURN_IF_ERROR(CheckTime(query.as_of().true_at(), "query.as_of.true_at"));
  }
  if (query.as_of().has_known_time()) {
    LEDGER_RETURN_IF_ERROR(CheckTime(query.as_of().known_time(), "query.as_of.known_time"));
  }
  return absl::OkStatus();
}

absl::Status CheckCustomer(const pb::CustomerQuery& query) {
  LEDGER_RETURN_IF_ERROR(ValidateId(query.customer_id(), "query.customer_id"));
  return CheckClocks(query);
}

}  // namespace

absl::Status CheckQuestion(const pb::GetOwnerRequest& request) {
  if (request.scope().size() > kScopeBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("BAD_SCOPE: scope must be at most ", kScopeBytesMax, " bytes"));
  }
  return CheckCustomer(request.query());
}

absl::Status CheckQuestion(const pb::GetTierRequest& request) { return CheckCustomer(request.query()); }

absl::Status CheckQuestion(const pb::GetNextCallbackRequest& request) {
  return CheckCustomer(request.query());
}

absl::Status CheckQuestion(const pb::GetHistoryRequest& request) { return CheckCustomer(request.query()); }

absl::Status CheckQuestion(const pb::GetRegistrationRequest& request) {
  return CheckCustomer(request.query());
}

absl::Status CheckQuestion(const pb::GetDutiesRequest& request) {
  if (request.staff_id().empty()) return CheckCustomer(request.query());
  if (!request.query().customer_id().empty()) {
    return absl::InvalidArgumentError(
        "TWO_SUBJECTS: name query.customer_id or staff_id, not both; each has duties of its own");
  }
  LEDGER_RETURN_IF_ERROR(ValidateId(request.staff_id(), "staff_id"));
  return CheckClocks(request.query());
}

absl::Status CheckQuestion(const pb::ListDueCallbacksRequest& request) {
  if (request.has_owner()) LEDGER_RETURN_IF_ERROR(CheckOwner(request.owner()));
  if (request.has_until_time()) LEDGER_RETURN_IF_ERROR(CheckTime(request.until_time(), "until_time"));
  LEDGER_RETURN_IF_ERROR(CheckPageToken(request.page_token()));
  return CheckToken(request.min_position(), "min_position");
}

absl::Status CheckQuestion(const pb::ListCustomersRequest& request) {
  LEDGER_RETURN_IF_ERROR(CheckOwner(request.owner()));
  if (request.has_true_at()) LEDGER_RETURN_IF_ERROR(CheckTime(request.true_at(), "true_at"));
  LEDGER_RETURN_IF_ERROR(CheckPageToken(request.page_token()));
  return CheckToken(request.min_position(), "min_position");
}

absl::Status CheckQuestion(const pb::ListPoolRequest& request) {
  if (request.has_true_at()) LEDGER_RETURN_IF_ERROR(CheckTime(request.true_at(), "true_at"));
  LEDGER_RETURN_IF_ERROR(CheckPageToken(request.page_token()));
  return CheckToken(request.min_position(), "min_position");
}

absl::Status CheckQuestion(const pb::SearchCustomersRequest& request) {
  const pb::ContactPoint& point = request.contact_point();
  if (point.kind() != pb::CONTACT_POINT_KIND_PHONE && point.kind() != pb::CONTACT_POINT_KIND_EMAIL) {
    return absl::InvalidArgumentError(
        "BAD_CONTACT_POINT: contact_point.kind must say whether it is a phone number or an e-mail address");
  }
  if (point.value().empty() || point.value().size() > kContactPointBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("BAD_CONTACT_POINT: contact_point.value must be 1 to ",
                                                   kContactPointBytesMax, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckQuestion(const pb::GetStatsRequest& request) {
  return CheckToken(request.min_position(), "min_position");
}

absl::Status CheckQuestion(const pb::GetCreditRequest& request) {
  if (!request.deal_id().empty()) LEDGER_RETURN_IF_ERROR(ValidateId(request.deal_id(), "deal_id"));
  return CheckCustomer(request.query());
}

absl::Status CheckQuestion(const pb::ListDealQueueRequest& request) {
  if (request.has_true_at()) LEDGER_RETURN_IF_ERROR(CheckTime(request.true_at(), "true_at"));
  return CheckToken(request.min_position(), "min_position");
}

absl::Status CheckQuestion(const pb::GetReceptionRequest& request) {
  LEDGER_RETURN_IF_ERROR(ValidateId(request.site_id(), "site_id"));
  if (request.as_of().has_true_at()) {
    LEDGER_RETURN_IF_ERROR(CheckTime(request.as_of().true_at(), "as_of.true_at"));
  }
  if (request.as_of().has_known_time()) {
    LEDGER_RETURN_IF_ERROR(CheckTime(request.as_of().known_time(), "as_of.known_time"));
  }
  return absl::OkStatus();
}

}  // namespace ledger::services
