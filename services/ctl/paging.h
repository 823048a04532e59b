#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

constexpr uint64_t kPageSizeMax = 1000;  // the contract's

// Asks `call` for page after page and hands each to `on_page`, which returns how many items it held, until
// nothing follows or `limit` items came. Returns true if more would follow.
template <typename Request, typename Call, typename OnPage>
absl::StatusOr<bool> ForEachPage(Request request, std::optional<uint64_t> limit, const Call& call,
                                 const OnPage& on_page) {
  uint64_t left = limit.value_or(UINT64_MAX);
  while (left > 0) {
    request.set_page_size(static_cast<uint32_t>(std::min(left, kPageSizeMax)));
    LEDGER_ASSIGN_OR_RETURN(auto page, call(request));
    request.set_page_token(page.next_page_token());
    LEDGER_ASSIGN_OR_RETURN(const uint64_t count, on_page(std::move(page)));
    left -= std::min(left, count);
    if (request.page_token().empty()) return false;
  }
  return true;
}

// All pages of a list as one response, whose repeated field holds at most `limit` items; says on stderr where
// more follow.
template <typename Response, typename Request, typename Call, typename Count>
absl::StatusOr<Response> AllPages(Session& session, const Request& request, std::optional<uint64_t> limit,
                                  const Call& call, const Count& count) {
  Response all;
  LEDGER_ASSIGN_OR_RETURN(const bool more, ForEachPage(request, limit, call, [&](Response page) {
                            const uint64_t items = count(page);
                            all.clear_next_page_token();
                            all.MergeFrom(page);
                            return absl::StatusOr<uint64_t>(items);
                          }));
  if (more) session.err() << "ledgerctl: more follow; raise --limit to see them\n";
  return all;
}

// Prints one JSON object a line.
template <typename Items>
absl::Status PrintJsonLines(Session& session, const Items& items) {
  for (const auto& item : items) LEDGER_RETURN_IF_ERROR(session.PrintJsonLine(item));
  return absl::OkStatus();
}

}  // namespace ledger::ctl
