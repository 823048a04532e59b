#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "customerledger/v1/query_service.pb.h"
#include "services/ctl/cli.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"

// What commands that ask about one customer have in common.
namespace ledger::ctl {

// Which customer, as of when, as the user wrote it.
struct CustomerQuestion {
  std::string customer;
  std::optional<std::string> true_at, known_at;

  // CUSTOMER, --true-at and --known-at.
  void AddOptions(const Command& command);
  // --true-at and --known-at.
  void AddClocks(const Command& command);
};

absl::StatusOr<customerledger::v1::CustomerQuery> QueryOf(Session& session, const CustomerQuestion& question);

// The first lines of every answer about a customer.
void AddContext(Session& session, const customerledger::v1::AnswerContext& context, Fields* fields);

}  // namespace ledger::ctl
