#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "customerledger/v1/query_service.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "projections/runtime/answers.h"

// What Answers' questions about one customer have in common; for its own files.
namespace ledger::runtime {

// A question about one customer with both clocks read.
struct Answers::Question {
  std::optional<uint64_t> known_position;  // nullopt: everything
  absl::Time true_at;
};

// A customer at an instant, and what the answer says about itself.
struct Answers::Reading {
  std::shared_ptr<const policy::Timeline> timeline;
  rules::CustomerState state;
  absl::Time true_at;
  customerledger::v1::AnswerContext context;
};

}  // namespace ledger::runtime
