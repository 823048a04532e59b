#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/table.h"
#include "services/ctl/paging.h"
#include "services/ctl/policy_source.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/status_macros.h"

// ledger: creates, lists and shows ledgers.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

void PrintSummary(Session& session, const pb::LedgerSummary& ledger, int32_t zone) {
  Fields fields;
  fields.Add("ledger", ledger.name());
  fields.Add("identity", absl::BytesToHexString(ledger.ledger_id()));
  fields.Add("created", FormatTime(ledger.create_time(), zone));
  fields.Add("simulated", ledger.simulated() ? "yes: callers give the recorded time" : "");
  fields.Add("events", absl::StrCat(ledger.position().position()));
  fields.Add("policy", absl::StrCat(ledger.policy_id(), " (version ", ledger.policy_version(), ")"));
  fields.Add("zone", FormatTime(absl::UnixEpoch(), zone).substr(20));
  fields.Add("root", absl::BytesToHexString(ledger.root()));
  fields.Add("lineage", absl::BytesToHexString(ledger.position().lineage()));
  fields.Print(session.out());
}

struct CreateOptions {
  std::string name, policy;
  bool simulated = false;
};

absl::Status Create(Session& session, const CreateOptions& options) {
  pb::CreateLedgerRequest request;
  request.set_name(options.name);
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_policy(), ReadPolicy(session, options.policy));
  request.set_simulated(options.simulated);
  request.set_request_id(Writer(session).request_id());
  const int32_t zone = request.policy().utc_offset_seconds();
  if (session.options().recorded_time) {
    LEDGER_ASSIGN_OR_RETURN(const WrittenTime written, ParseTime(*session.options().recorded_time, zone));
    *request.mutable_recorded_time() = ToProto(written.time);
  }
  LEDGER_ASSIGN_OR_RETURN(const pb::CreateLedgerResponse response, session.client().CreateLedger(request));
  if (!session.table()) return session.PrintJson(response);
  PrintSummary(session, response.ledger(), zone);
  return absl::OkStatus();
}

void AddCreate(const Command& group) {
  auto options = std::make_shared<CreateOptions>();
  const Command command =
      group.Sub("create", "Creates a ledger under its first policy",
                "ledgerctl ledger create demo --policy deploy/policies/default.textproto\n"
                "ledgerctl ledger create what-if --policy mine.textproto --simulated");
  command.Text("NAME", &options->name, "a-z, 0-9, '.', '_' and '-'; at most 64", Need::kRequired);
  command.Text("--policy", &options->policy, "The policy file", Need::kRequired);
  command.Flag("--simulated", &options->simulated, "For what-if questions: callers give --recorded-time");
  command.Run([options](Session& session) { return Create(session, *options); });
}

absl::Status List(Session& session, const std::optional<uint64_t>& limit) {
  LEDGER_ASSIGN_OR_RETURN(
      const pb::ListLedgersResponse response,
      AllPages<pb::ListLedgersResponse>(
          session, pb::ListLedgersRequest(), limit,
          [&](const pb::ListLedgersRequest& request) { return session.client().ListLedgers(request); },
          [](const pb::ListLedgersResponse& page) { return page.ledgers_size(); }));
  if (session.options().output == Output::kJsonl) return PrintJsonLines(session, response.ledgers());
  if (!session.table()) return session.PrintJson(response);
  Table table({"LEDGER", "EVENTS", "POLICY", "VERSION", "CREATED", "SIMULATED"});
  for (const pb::LedgerSummary& ledger : response.ledgers()) {
    // Each ledger has a zone of its own; a list of many is shown in one.
    table.AddRow({ledger.name(), absl::StrCat(ledger.position().position()), ledger.policy_id(),
                  absl::StrCat(ledger.policy_version()), FormatTime(ledger.create_time(), 0),
                  ledger.simulated() ? "yes" : ""});
  }
  table.Print(session.out());
  return absl::OkStatus();
}

absl::Status Show(Session& session, const std::string& name) {
  pb::GetLedgerRequest request;
  request.set_name(name);
  if (name.empty()) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_name(), session.Ledger());
  }
  LEDGER_ASSIGN_OR_RETURN(const pb::GetLedgerResponse response, session.client().GetLedger(request));
  if (!session.table()) return session.PrintJson(response);
  PrintSummary(session, response.ledger(), response.policy().utc_offset_seconds());
  return absl::OkStatus();
}

}  // namespace

void AddLedgerCommands(const Command& root) {
  const Command group = root.Group("ledger", "Creates, lists and shows ledgers");
  AddCreate(group);
  auto limit = std::make_shared<std::optional<uint64_t>>();
  const Command list = group.Sub("list", "Lists ledgers by name", "ledgerctl ledger list");
  list.Number("--limit", limit.get(), "At most so many", 1);
  list.Run([limit](Session& session) { return List(session, *limit); });
  auto name = std::make_shared<std::string>();
  const Command show = group.Sub("show", "Shows one ledger", "ledgerctl ledger show demo");
  show.Text("NAME", name.get(), "Default: --ledger");
  show.Run([name](Session& session) { return Show(session, *name); });
}

}  // namespace ledger::ctl
