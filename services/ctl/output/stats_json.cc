#include "services/ctl/output/stats_json.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/wrappers.pb.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

absl::StatusOr<std::string> StatsJson(const pb::GetStatsResponse& stats, bool indented) {
  const std::string separator = indented ? "\n  " : "";
  std::string json = "{";
  const std::pair<const char*, uint64_t> figures[] = {
      {"events", stats.events()},
      {"source_events", stats.source_events()},
      {"customers", stats.customers()},
      {"owner_changes", stats.owner_changes()},
      {"returning_customers", stats.returning_customers()},
      {"pooled_customers", stats.pooled_customers()},
      {"parked_customers", stats.parked_customers()},
      {"position", stats.position().position()},
  };
  for (const auto& [name, figure] : figures) {
    absl::StrAppend(&json, separator, "\"", name, "\": ", figure, ",");
  }
  absl::StrAppend(&json, separator, "\"simulated\": ", stats.simulated() ? "true" : "false", ",", separator,
                  "\"owners\": [");
  bool first = true;
  for (const pb::OwnerCount& count : stats.owners()) {
    google::protobuf::StringValue owner;
    owner.set_value(OwnerText(count.owner()));
    LEDGER_ASSIGN_OR_RETURN(const std::string quoted, ToJson(owner, /*indented=*/false));
    absl::StrAppend(&json, first ? "" : ",", indented ? "\n    " : "", "{\"owner\": ", quoted,
                    ", \"customers\": ", count.customers(), "}");
    first = false;
  }
  absl::StrAppend(&json, !first && indented ? "\n  " : "", "]", indented ? "\n" : "", "}\n");
  return json;
}

}  // namespace ledger::ctl
