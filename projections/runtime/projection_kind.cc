#include "projections/runtime/projection_kind.h"

namespace ledger::runtime {

absl::string_view ProjectionName(ProjectionKind kind) {
  switch (kind) {
    case ProjectionKind::kOwner:
      return "owner";
    case ProjectionKind::kTier:
      return "tier";
    case ProjectionKind::kCallback:
      return "callback";
  }
  return "";
}

std::optional<ProjectionKind> ProjectionByName(absl::string_view name) {
  for (const ProjectionKind kind : kProjectionKinds) {
    if (ProjectionName(kind) == name) return kind;
  }
  return std::nullopt;
}

uint32_t RuleVersion(ProjectionKind kind) {
  switch (kind) {
    case ProjectionKind::kOwner:
      return 1;
    case ProjectionKind::kTier:
      return 1;
    case ProjectionKind::kCallback:
      return 1;
  }
  return 0;
}

}  // namespace ledger::runtime
