#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "projections/runtime/generation_runner.h"
#include "projections/runtime/timelines.h"
#include "storage/views/view_store.h"

namespace ledger::runtime {

// How many customers get another answer from one generation than from the other. Requires: both are at
// `position` in `moment`. Rows that hold the same bytes answer the same; of others the answers are compared.
absl::StatusOr<uint64_t> CountDiffering(const views::ViewStore& store, const views::ViewSnapshot& moment,
                                        TimelineStore& timelines, const GenerationName& live,
                                        const GenerationName& built, uint64_t position);

}  // namespace ledger::runtime
