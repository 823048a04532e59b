#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "projections/rules/credit/read_credit.h"
#include "projections/rules/reception/reception.h"
#include "projections/runtime/answers.h"
#include "projections/runtime/answers_list_view.h"
#include "projections/runtime/answers_reading.h"
#include "projections/runtime/row_time.h"
#include "projections/runtime/view_keys.h"
#include "storage/status_macros.h"

// The answers about credit, the queue of orders, and receptions.
namespace ledger::runtime {

namespace pb = ::customerledger::v1;
using storage::LedgerIdentity;

namespace {

constexpr size_t kQueueMax = 10'000;

}  // namespace

absl::StatusOr<pb::GetCreditResponse> Answers::GetCredit(const LedgerIdentity& ledger,
                                                         const pb::GetCreditRequest& request,
                                                         absl::Time now) const {
  LEDGER_ASSIGN_OR_RETURN(Reading reading,
                          ReadCustomer(ledger, request.query(), ProjectionKind::kOwner, now));
  pb::GetCreditResponse response;
  *response.mutable_context() = std::move(reading.context);
  for (pb::DealCredit& deal : rules::ReadCredit(*reading.timeline, reading.state, reading.true_at)) {
    if (!request.deal_id().empty() && deal.deal_id() != request.deal_id()) continue;
    *response.add_deals() = std::move(deal);
  }
  for (pb::EarnedReward& reward : rules::ReadRewards(*reading.timeline, reading.state, reading.true_at)) {
    if (!request.deal_id().empty() && reward.deal_id() != request.deal_id()) continue;
    *response.add_rewards() = std::move(reward);
  }
  return response;
}

absl::StatusOr<pb::ListDealQueueResponse> Answers::ListDealQueue(const LedgerIdentity& ledger,
                                                                 const pb::ListDealQueueRequest& request,
                                                                 absl::Time now) const {
  LEDGER_RETURN_IF_ERROR(CheckToken(ledger, request.min_position()));
  pb::CustomerQuery clocks;
  clocks.set_customer_id("-");  // nobody in particular: the clocks alone are read
  if (request.has_true_at()) *clocks.mutable_as_of()->mutable_true_at() = request.true_at();
  LEDGER_ASSIGN_OR_RETURN(const Question question, Resolve(ledger, clocks, now));
  const absl::Time at = question.true_at;
  LEDGER_ASSIGN_OR_RETURN(const ListView view, OpenList(ledger, ProjectionKind::kOwner));
  std::vector<pb::QueuedDeal> queue;
  bool damaged = false;
  LEDGER_RETURN_IF_ERROR(store_.ScanPrefix(
      absl::StrCat(view.prefix, std::string(1, kCustomerTable)),
      [&](absl::string_view key, absl::string_view value) {
        ViewRow row;
        rules::CustomerState state;
        damaged = !row.ParseFromArray(value.data(), static_cast<int>(value.size())) ||
                  !state.ParseFromString(row.state());
        if (damaged) return false;
        if (!row.merged_into().empty() || state.credit().deals().empty()) return true;
        absl::string_view rest = key.substr(view.prefix.size() + 1);
        std::string customer_id;
        damaged = !ConsumeId(&rest, &customer_id);
        for (pb::QueuedDeal& deal : rules::ReadQueuedDeals(*view.timeline, state, at)) {
          deal.set_customer_id(customer_id);
          queue.push_back(std::move(deal));
        }
        return !damaged;
      },
      view.moment.get()));
  if (damaged) {
    return absl::DataLossError("VIEW_DAMAGED: a row of the view makes no sense; rebuild the projection");
  }
  std::sort(queue.begin(), queue.end(), rules::QueuedBefore);
  pb::ListDealQueueResponse response;
  response.set_truncated(queue.size() > kQueueMax);
  if (queue.size() > kQueueMax) queue.resize(kQueueMax);
  uint32_t place = 0;
  for (pb::QueuedDeal& deal : queue) {
    deal.set_place(++place);
    *response.add_deals() = std::move(deal);
  }
  *response.mutable_position() = view.token;
  response.set_simulated(ledger.simulated);
  return response;
}

absl::StatusOr<pb::GetReceptionResponse> Answers::GetReception(const LedgerIdentity& ledger,
                                                               const pb::GetReceptionRequest& request,
                                                               absl::Time now) const {
  pb::CustomerQuery clocks;
  clocks.set_customer_id(request.site_id());
  *clocks.mutable_as_of() = request.as_of();
  LEDGER_ASSIGN_OR_RETURN(const Question question, Resolve(ledger, clocks, now));
  const uint64_t known = question.known_position.value_or(log_.CommittedPosition(ledger.number));
  LEDGER_ASSIGN_OR_RETURN(const auto timeline, timelines_.TimelineAt(ledger.number, known));
  LogSubjectSource source(log_, ledger.number);
  LEDGER_ASSIGN_OR_RETURN(const std::vector<pb::Record> records,
                          source.Records({pb::SUBJECT_KIND_SITE, request.site_id()}, known));
  if (records.empty()) {
    return absl::NotFoundError(absl::StrCat("SITE_NOT_FOUND: no event about site '", request.site_id(),
                                            "' is known at position ", known, "; check the id"));
  }
  rules::SiteState site;
  for (const pb::Record& record : records) {
    if (TimeOf(record.event().occurred_time().time()) > question.true_at) continue;
    rules::ApplySite(*timeline, record, &site);
  }
  pb::GetReceptionResponse response = rules::ReadSite(*timeline, site, question.true_at);
  response.set_site_id(request.site_id());
  response.mutable_position()->set_lineage(log_.lineage());
  response.mutable_position()->set_position(known);
  SetTimestamp(question.true_at, response.mutable_true_at());
  response.set_simulated(ledger.simulated);
  return response;
}

}  // namespace ledger::runtime
