#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/query_service.pb.h"
#include "projections/runtime/history_loader.h"
#include "projections/runtime/projector.h"
#include "projections/runtime/timelines.h"
#include "storage/event_log.h"
#include "storage/views/view_store.h"

namespace ledger::runtime {

// A history, and where the customer's personal data is found.
struct HistoryAnswer {
  customerledger::v1::GetHistoryResponse response;  // without `personal`
  std::vector<uint64_t> personal_positions;         // known records with sealed personal data, ascending
};

// Answers questions about customers: from the views where they hold the answer, from the log where a question
// is about the past. Never waits: call Projector::WaitFor first for a request's min_position. Thread-safe.
// Borrows everything it is given.
//
// `now` is the present: what a question is about that names no instant; on a simulated ledger its last
// recorded time is taken instead. Requests are not read for their ledger's name: `ledger` counts.
//
// kInvalidArgument: the request is malformed. kNotFound "CUSTOMER_NOT_FOUND": no event about the customer is
// known. kOutOfRange "POSITION_NOT_REACHED": known_position is beyond the log's end. kFailedPrecondition
// "VIEW_IS_NEWER": the view must be rebuilt first, the message says how; "LINEAGE_CHANGED": a token from
// before a restore. kDataLoss: stored bytes make no sense.
class Answers {
 public:
  Answers(const storage::LogReader& log, const views::ViewStore& store, TimelineStore& timelines,
          const Projector& projector);

  absl::StatusOr<customerledger::v1::GetOwnerResponse> GetOwner(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetOwnerRequest& request,
      absl::Time now) const;
  absl::StatusOr<customerledger::v1::GetTierResponse> GetTier(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetTierRequest& request,
      absl::Time now) const;
  absl::StatusOr<customerledger::v1::GetNextCallbackResponse> GetNextCallback(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetNextCallbackRequest& request,
      absl::Time now) const;
  absl::StatusOr<customerledger::v1::GetRegistrationResponse> GetRegistration(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetRegistrationRequest& request,
      absl::Time now) const;
  // A staff member's duties come from the log: every event found under the staff member is read.
  absl::StatusOr<customerledger::v1::GetDutiesResponse> GetDuties(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetDutiesRequest& request,
      absl::Time now) const;
  absl::StatusOr<customerledger::v1::GetCreditResponse> GetCredit(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetCreditRequest& request,
      absl::Time now) const;
  // Reads every customer's row.
  absl::StatusOr<customerledger::v1::ListDealQueueResponse> ListDealQueue(
      const storage::LedgerIdentity& ledger, const customerledger::v1::ListDealQueueRequest& request,
      absl::Time now) const;
  // Always from the log, which is read from the site's first event on. kNotFound "SITE_NOT_FOUND".
  absl::StatusOr<customerledger::v1::GetReceptionResponse> GetReception(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetReceptionRequest& request,
      absl::Time now) const;
  // Always from the log: no view, no waiting.
  absl::StatusOr<HistoryAnswer> GetHistory(const storage::LedgerIdentity& ledger,
                                           const customerledger::v1::GetHistoryRequest& request,
                                           absl::Time now) const;

  // The lists. A page token counts for the question it came with, and keeps its instant; kInvalidArgument
  // "BAD_PAGE_TOKEN" with any other. What changes between two pages may be missed or seen.
  absl::StatusOr<customerledger::v1::ListCustomersResponse> ListCustomers(
      const storage::LedgerIdentity& ledger, const customerledger::v1::ListCustomersRequest& request,
      absl::Time now) const;
  absl::StatusOr<customerledger::v1::ListPoolResponse> ListPool(
      const storage::LedgerIdentity& ledger, const customerledger::v1::ListPoolRequest& request,
      absl::Time now) const;
  // Call-backs that stand now (or at until_time, if that is earlier) and fall due at or before until_time.
  absl::StatusOr<customerledger::v1::ListDueCallbacksResponse> ListDueCallbacks(
      const storage::LedgerIdentity& ledger, const customerledger::v1::ListDueCallbacksRequest& request,
      absl::Time now) const;
  // Reads every customer's row.
  absl::StatusOr<customerledger::v1::GetStatsResponse> GetStats(const storage::LedgerIdentity& ledger,
                                                                absl::Time now) const;

  // Who an id stands for as far as the log tells now; an id without events stands for itself.
  absl::StatusOr<CustomerIdentity> Canonical(const storage::LedgerIdentity& ledger,
                                             absl::string_view customer_id) const;

  // Checks a request's min_position. kFailedPrecondition "LINEAGE_CHANGED": the token is from before a
  // restore. kOutOfRange "POSITION_NOT_REACHED": beyond the log's end.
  absl::Status CheckToken(const storage::LedgerIdentity& ledger,
                          const customerledger::v1::PositionToken& token) const;

 private:
  struct Question;
  struct Reading;
  struct ListView;
  struct DueHit {
    std::string key;  // after the generation's prefix
    std::string customer_id;
    std::string scope;
    absl::Time due;
  };

  absl::StatusOr<Question> Resolve(const storage::LedgerIdentity& ledger,
                                   const customerledger::v1::CustomerQuery& query, absl::Time now) const;
  // The two clocks alone, whoever is asked about.
  absl::StatusOr<Question> ResolveClocks(const storage::LedgerIdentity& ledger,
                                         const customerledger::v1::CustomerQuery& query,
                                         absl::Time now) const;
  absl::StatusOr<customerledger::v1::GetDutiesResponse> GetStaffDuties(
      const storage::LedgerIdentity& ledger, const customerledger::v1::GetDutiesRequest& request,
      absl::Time now) const;
  absl::StatusOr<Reading> ReadCustomer(const storage::LedgerIdentity& ledger,
                                       const customerledger::v1::CustomerQuery& query, ProjectionKind kind,
                                       absl::Time now) const;
  absl::StatusOr<Reading> FoldCustomer(const storage::LedgerIdentity& ledger, const std::string& customer_id,
                                       uint64_t known_position, absl::Time true_at) const;
  absl::StatusOr<uint64_t> PositionAtTime(storage::LedgerNumber ledger, absl::Time known_time) const;
  absl::StatusOr<ListView> OpenList(const storage::LedgerIdentity& ledger, ProjectionKind kind) const;
  // One page of the customers under `table_prefix`; `last_key` is empty where nothing follows.
  absl::StatusOr<std::vector<customerledger::v1::CustomerEntry>> ListCustody(
      const ListView& view, const std::string& table_prefix, absl::Time true_at, uint32_t page_size,
      const std::string& after_key, std::string* last_key) const;
  absl::Status FindDue(const ListView& view, const std::string& table, absl::Time until, absl::Time standing,
                       uint32_t page_size, const std::string& after_key, std::vector<DueHit>* hits,
                       std::string* last_key) const;

  const storage::LogReader& log_;
  const views::ViewStore& store_;
  TimelineStore& timelines_;
  const Projector& projector_;
};

}  // namespace ledger::runtime
