#include "projections/runtime/page_token.h"

#include "absl/strings/escaping.h"
#include "projections/runtime/row_time.h"
#include "projections/runtime/view_row.pb.h"

namespace ledger::runtime {
namespace {

// FNV-1a: tokens outlive the process, so the hash must be the same in the next one.
uint64_t Fingerprint(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return hash;
}

}  // namespace

std::string MakePageToken(absl::string_view question, const PagePlace& place) {
  PageToken token;
  token.set_question(Fingerprint(question));
  token.set_seconds(SecondsOf(place.instant));
  token.set_nanos(NanosOf(place.instant));
  token.set_after_key(place.after_key);
  return absl::WebSafeBase64Escape(token.SerializeAsString());
}

absl::StatusOr<PagePlace> ParsePageToken(absl::string_view question, absl::string_view token) {
  std::string bytes;
  PageToken parsed;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || !parsed.ParseFromString(bytes)) {
    return absl::InvalidArgumentError(
        "BAD_PAGE_TOKEN: page_token is none that this server gave; leave it empty to begin at the first "
        "page");
  }
  if (parsed.question() != Fingerprint(question)) {
    return absl::InvalidArgumentError(
        "BAD_PAGE_TOKEN: page_token belongs to another question; leave it empty, or ask as before");
  }
  return PagePlace{parsed.after_key(), TimeOf(parsed.seconds(), parsed.nanos())};
}

}  // namespace ledger::runtime
