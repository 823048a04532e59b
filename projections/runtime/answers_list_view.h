#pragma once

#include <memory>
#include <string>

#include "customerledger/v1/common.pb.h"
#include "projections/policy/timeline.h"
#include "projections/runtime/answers.h"
#include "projections/runtime/view_row.pb.h"

// What Answers' lists have in common; for its own files.
namespace ledger::runtime {

// A generation at one moment.
struct Answers::ListView {
  std::shared_ptr<const views::ViewSnapshot> moment;
  std::shared_ptr<const policy::Timeline> timeline;
  std::string prefix;
  Checkpoint checkpoint;
  customerledger::v1::PositionToken token;
};

}  // namespace ledger::runtime
