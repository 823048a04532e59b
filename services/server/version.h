#pragma once

namespace ledger::services {

// The release.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace ledger::services
