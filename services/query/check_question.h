#pragma once

#include "absl/status/status.h"
#include "customerledger/v1/query_service.pb.h"

// What can be said of a question from its bytes alone. Pure; any thread. Every error is kInvalidArgument with
// a reason and what is allowed.
namespace ledger::services {

absl::Status CheckQuestion(const customerledger::v1::GetOwnerRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetTierRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetNextCallbackRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetHistoryRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetRegistrationRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetDutiesRequest& request);
absl::Status CheckQuestion(const customerledger::v1::ListDueCallbacksRequest& request);
absl::Status CheckQuestion(const customerledger::v1::ListCustomersRequest& request);
absl::Status CheckQuestion(const customerledger::v1::ListPoolRequest& request);
absl::Status CheckQuestion(const customerledger::v1::SearchCustomersRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetStatsRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetCreditRequest& request);
absl::Status CheckQuestion(const customerledger::v1::ListDealQueueRequest& request);
absl::Status CheckQuestion(const customerledger::v1::GetReceptionRequest& request);

}  // namespace ledger::services
