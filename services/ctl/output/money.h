#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/common.pb.h"

namespace ledger::ctl {

// Reads an exact amount such as "1288.5" or "-20" in a currency (ISO 4217, any case) into its minor units.
// kInvalidArgument: not an amount, more decimals than the currency has, or too large.
absl::StatusOr<customerledger::v1::Money> ParseMoney(absl::string_view amount, absl::string_view currency);

}  // namespace ledger::ctl
