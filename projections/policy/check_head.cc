#include "projections/policy/checks.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

constexpr int kMaxOffset = 64'800;

void CheckIdentity(const pb::Policy& policy, Findings* findings) {
  const std::string& id = policy.id();
  const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
  });
  if (id.empty()) {
    findings->Error(
        "id", "is missing; answers could not name the policy. Give 1 to 64 bytes of a-z, 0-9 and hyphens");
  } else if (id.size() > kMaxNameBytes || !plain) {
    findings->Error("id", "must be 1 to 64 bytes of a-z, 0-9 and hyphens");
  }
  const int32_t offset = policy.utc_offset_seconds();
  if (offset < -kMaxOffset || offset > kMaxOffset) {
    findings->Error(
        "utc_offset_seconds",
        absl::StrCat("is ", offset, " seconds, which is no local time; -64800 to 64800 are allowed"));
  }
  const std::string& region = policy.phone_region();
  const bool region_form =
      region.size() == 2 && absl::ascii_isupper(region[0]) && absl::ascii_isupper(region[1]);
  if (region.empty()) {
    findings->Error(
        "phone_region",
        "is missing; phone numbers without a country code could not be read. Give an ISO 3166 region such "
        "as \"CN\"");
  } else if (!region_form) {
    findings->Error(
        "phone_region",
        absl::StrCat("\"", region, "\" is no ISO 3166 region; two capital letters such as \"CN\" are"));
  }
}

void CheckBusinessTime(const pb::Policy& policy, Findings* findings) {
  std::set<std::string> seen;
  for (int i = 0; i < policy.business_time().counted_when_recorded_size(); ++i) {
    const std::string& name = policy.business_time().counted_when_recorded(i);
    const std::string path = absl::StrCat("business_time.counted_when_recorded[", i, "]");
    if (EventTypeByName(name) == 0) {
      findings->Error(path,
                      absl::StrCat("there is no event \"", name,
                                   "\", so nothing would count when recorded; name a body of Event such as "
                                   "\"customer_registered\""));
    } else if (!seen.insert(name).second) {
      findings->Error(path, absl::StrCat("\"", name, "\" is listed twice; once is enough"));
    }
  }
}

}  // namespace

void CheckHead(const pb::Policy& policy, Findings* findings) {
  CheckIdentity(policy, findings);
  CheckBusinessTime(policy, findings);
}

}  // namespace ledger::policy
