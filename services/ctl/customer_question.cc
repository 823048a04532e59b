#include "services/ctl/customer_question.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

void CustomerQuestion::AddOptions(const Command& command) {
  command.Text("CUSTOMER", &customer, "The customer's id, or an alias of it", Need::kRequired);
  AddClocks(command);
}

void CustomerQuestion::AddClocks(const Command& command) {
  command.Text("--true-at", &true_at, "As true at this time (default: now)");
  command.Text("--known-at", &known_at,
               "As known at this position (digits) or recorded time (default: everything)");
}

absl::StatusOr<pb::CustomerQuery> QueryOf(Session& session, const CustomerQuestion& question) {
  pb::CustomerQuery query;
  LEDGER_ASSIGN_OR_RETURN(*query.mutable_ledger(), session.Ledger());
  query.set_customer_id(question.customer);
  if (question.true_at) {
    LEDGER_ASSIGN_OR_RETURN(*query.mutable_as_of()->mutable_true_at(),
                            session.Instant("--true-at", *question.true_at));
  }
  if (question.known_at) {
    const std::string& known = *question.known_at;
    uint64_t position = 0;
    if (!known.empty() && std::all_of(known.begin(), known.end(), absl::ascii_isdigit)) {
      if (!absl::SimpleAtoi(known, &position)) {
        return absl::InvalidArgumentError(absl::StrCat("--known-at: '", known, "' is not a position"));
      }
      query.mutable_as_of()->set_known_position(position);
    } else {
      LEDGER_ASSIGN_OR_RETURN(*query.mutable_as_of()->mutable_known_time(),
                              session.Instant("--known-at", known));
    }
  }
  LEDGER_RETURN_IF_ERROR(session.SetMinPosition(query.mutable_min_position()));
  return query;
}

void AddContext(Session& session, const pb::AnswerContext& context, Fields* fields) {
  std::string customer = context.customer_id();
  if (context.aliases_size() > 0) {
    absl::StrAppend(&customer, " (also ", absl::StrJoin(context.aliases(), ", "), ")");
  }
  if (!customer.empty()) fields->Add("customer", customer);
  fields->Add("true at",
              absl::StrCat(session.Show(context.true_at()), context.simulated() ? " (simulated)" : "",
                           ", known up to position ", context.position().position()));
  if (context.parked_at_position() > 0) {
    fields->Add("PARKED", absl::StrCat("the event at position ", context.parked_at_position(),
                                       " could not be applied (", context.parked_reason(),
                                       "); the answer counts the events before it"));
  }
}

}  // namespace ledger::ctl
