#include "services/common/page_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ledger::services {
namespace {

// FNV-1a: the token must mean the same to another process, so no seeded hash.
std::string Fingerprint(absl::string_view question) {
  uint64_t hash = 14695981039346656037u;
  for (char c : question) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return absl::StrCat(absl::Hex(hash, absl::kZeroPad16));
}

}  // namespace

std::string MakePageToken(absl::string_view question, absl::string_view place) {
  return absl::WebSafeBase64Escape(absl::StrCat(Fingerprint(question), place));
}

absl::StatusOr<std::string> ReadPageToken(absl::string_view question, absl::string_view token) {
  std::string plain;
  const std::string fingerprint = Fingerprint(question);
  if (!absl::WebSafeBase64Unescape(token, &plain) || plain.compare(0, fingerprint.size(), fingerprint) != 0) {
    return absl::InvalidArgumentError(
        "BAD_PAGE_TOKEN: the page token belongs to another question; ask without one to begin again");
  }
  return plain.substr(fingerprint.size());
}

}  // namespace ledger::services
