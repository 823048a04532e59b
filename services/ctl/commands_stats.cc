#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/wrappers.pb.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/stats_json.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// stats: figures about a ledger.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

constexpr uint64_t kOwnersShown = 20;

absl::Status Stats(Session& session, const std::optional<uint64_t>& top) {
  pb::GetStatsRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  LEDGER_RETURN_IF_ERROR(session.SetMinPosition(request.mutable_min_position()));
  LEDGER_ASSIGN_OR_RETURN(const pb::GetStatsResponse response, session.client().GetStats(request));
  if (!session.table()) {
    LEDGER_ASSIGN_OR_RETURN(const std::string json,
                            StatsJson(response, session.options().output == Output::kJson));
    session.out() << json;
    return absl::OkStatus();
  }
  Fields fields;
  fields.Add("events", absl::StrCat(response.events()));
  fields.Add("imported events", absl::StrCat(response.source_events()));
  fields.Add("customers", absl::StrCat(response.customers()));
  fields.Add("owner changes", absl::StrCat(response.owner_changes()));
  fields.Add("returning customers", absl::StrCat(response.returning_customers()));
  fields.Add("public pool", absl::StrCat(response.pooled_customers()));
  fields.Add("parked", absl::StrCat(response.parked_customers()));
  fields.Add("as of position", absl::StrCat(response.position().position()));
  fields.Add("simulated", response.simulated() ? "yes" : "");
  fields.Print(session.out());
  Table table({"OWNER", "CUSTOMERS"});
  const uint64_t shown_max = top.value_or(kOwnersShown);
  uint64_t shown = 0;
  for (const pb::OwnerCount& count : response.owners()) {
    if (shown == shown_max) break;
    table.AddRow({Describe(count.owner()), absl::StrCat(count.customers())});
    ++shown;
  }
  if (!table.empty()) table.Print(session.out());
  if (const uint64_t owners = response.owners_size(); owners > shown) {
    session.out() << "... and " << owners - shown << " more owners; --top N shows N\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddStatsCommand(const Command& root) {
  auto top = std::make_shared<std::optional<uint64_t>>();
  const Command command = root.Sub("stats", "Figures about a ledger: events, customers, owners",
                                   "ledgerctl stats\nledgerctl stats --output json");
  command.Number("--top", top.get(), "Tables: show so many owners (default: 20)", 1);
  command.Run([top](Session& session) { return Stats(session, *top); });
}

}  // namespace ledger::ctl
