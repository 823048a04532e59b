#pragma once

// The Abseil of Debian 12 ships no such macros.

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the calling function if `expr`, an absl::Status, is not OK.
#define LEDGER_RETURN_IF_ERROR(expr)                                  \
  do {                                                                \
    if (absl::Status ledger_status_ = (expr); !ledger_status_.ok()) { \
      return ledger_status_;                                          \
    }                                                                 \
  } while (false)

// Assigns the value of `expr`, an absl::StatusOr<T>, to `lhs` (which may declare a variable), or returns its
// error from the calling function.
#define LEDGER_ASSIGN_OR_RETURN(lhs, expr) \
  LEDGER_ASSIGN_OR_RETURN_IMPL_(LEDGER_CONCAT_(ledger_status_or_, __LINE__), lhs, expr)

#define LEDGER_ASSIGN_OR_RETURN_IMPL_(result, lhs, expr) \
  auto result = (expr);                                  \
  if (!result.ok()) return std::move(result).status();   \
  lhs = std::move(result).value()

#define LEDGER_CONCAT_(a, b) LEDGER_CONCAT_INNER_(a, b)
#define LEDGER_CONCAT_INNER_(a, b) a##b
