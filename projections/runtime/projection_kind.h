#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ledger::runtime {

// The projections. The numbers are stored.
enum class ProjectionKind : uint8_t { kOwner = 1, kTier = 2, kCallback = 3 };

inline constexpr std::array<ProjectionKind, 3> kProjectionKinds = {
    ProjectionKind::kOwner, ProjectionKind::kTier, ProjectionKind::kCallback};

// "owner", "tier" or "callback".
absl::string_view ProjectionName(ProjectionKind kind);
// nullopt: there is no projection of that name.
std::optional<ProjectionKind> ProjectionByName(absl::string_view name);

// The version of a projection's rules: a change of what a row means or says raises it. Stored with every
// generation; rows of a lower version are rebuilt, rows of a higher one are refused.
uint32_t RuleVersion(ProjectionKind kind);

// Where a rebuild is. kBuilding -> kSwitched | kFailed.
enum class RebuildState { kNone, kBuilding, kSwitched, kFailed };

struct RebuildProgress {
  RebuildState state = RebuildState::kNone;
  uint64_t applied_position = 0;     // of the generation that is being built
  uint64_t log_position = 0;         // how far the log reached when this was said
  uint32_t generation = 0;           // the one that is being built
  uint64_t differing_customers = 0;  // whose answers differ from the live generation's; once compared
  std::string error;                 // why it failed
};

}  // namespace ledger::runtime
