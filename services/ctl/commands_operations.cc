#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// status, verify, backup: how the server is doing.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

std::string Mebibytes(uint64_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); }

void PrintProjections(Session& session, const pb::GetStatusResponse& response) {
  Table table({"LEDGER", "PROJECTION", "GENERATION", "APPLIED", "LOG", "PARKED", "REBUILD", "NOTE"});
  for (const pb::ProjectionStatus& projection : response.projections()) {
    std::string rebuild;
    if (projection.rebuild() != pb::REBUILD_STATE_UNSPECIFIED) {
      rebuild = absl::StrCat(EnumName(pb::RebuildState_descriptor(), projection.rebuild()), " at ",
                             projection.rebuild_position());
    }
    table.AddRow(
        {projection.ledger(), projection.projection(), absl::StrCat(projection.generation()),
         absl::StrCat(projection.applied_position()), absl::StrCat(projection.log_position()),
         projection.parked_customers() > 0 ? absl::StrCat(projection.parked_customers()) : "", rebuild,
         projection.is_newer()
             ? absl::StrCat("written by a newer release: ledgerctl rebuild ", projection.projection())
             : ""});
  }
  if (!table.empty()) table.Print(session.out());
}

absl::Status Status(Session& session, const std::optional<uint64_t>& wait_seconds) {
  if (wait_seconds) {
    LEDGER_RETURN_IF_ERROR(session.client().WaitUntilReachable(absl::Seconds(*wait_seconds)));
  }
  pb::GetStatusRequest request;
  request.set_ledger(session.options().ledger);
  LEDGER_ASSIGN_OR_RETURN(const pb::GetStatusResponse response, session.client().GetStatus(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  fields.Add("server", absl::StrCat("ledgerd ", response.version(), " at ", session.client().server()));
  fields.Add("up since", FormatTime(response.start_time(), 0));
  fields.Add("appends", response.accepts_appends() ? std::string("accepted")
                                                   : absl::StrCat("REFUSED: ", response.refusal_reason()));
  fields.Add("ledgers", absl::StrCat(response.ledgers()));
  fields.Add("commits", absl::StrCat(response.commit_number()));
  fields.Add("disk free", absl::StrCat(Mebibytes(response.disk_free_bytes()), " (appends need ",
                                       Mebibytes(response.disk_low_water_bytes()), ")"));
  fields.Add("lineage", absl::BytesToHexString(response.lineage()));
  fields.Print(session.out());
  PrintProjections(session, response);
  return absl::OkStatus();
}

absl::Status VerifyServer(Session& session) {
  pb::VerifyRequest request;
  request.set_ledger(session.options().ledger);
  const auto bar = session.Progress("verifying");
  uint64_t findings = 0;
  absl::Status printed;
  LEDGER_RETURN_IF_ERROR(session.client().Verify(request, [&](const pb::VerifyResponse& response) {
    if (response.finding().empty()) {
      bar->Update(response.done(), response.total(), response.step());
      return true;
    }
    ++findings;
    bar->Clear();
    if (session.table()) {
      session.out() << Printable(response.step()) << ": " << Printable(response.finding()) << std::endl;
    } else {
      printed = session.PrintJsonLine(response);
    }
    return printed.ok();
  }));
  LEDGER_RETURN_IF_ERROR(printed);
  bar->Finish();
  if (findings > 0) {
    return absl::DataLossError(absl::StrCat(findings,
                                            " findings; stop writing, keep the files as they are, and "
                                            "restore from a backup if they are confirmed"));
  }
  if (session.table()) session.out() << "nothing is wrong\n";
  return absl::OkStatus();
}

bool IsLocal(const std::string& server) {
  return absl::StartsWith(server, "127.") || absl::StartsWith(server, "localhost") ||
         absl::StartsWith(server, "[::1]") || absl::StartsWith(server, "unix:");
}

absl::Status Backup(Session& session, const std::string& directory) {
  std::filesystem::path path(directory);
  if (!path.is_absolute()) {
    if (!IsLocal(session.client().server())) {
      return absl::InvalidArgumentError(
          absl::StrCat("--to: '", directory,
                       "' is relative; the backup is written on the server's machine, give a full path"));
    }
    path = std::filesystem::absolute(path);
  }
  pb::BackupRequest request;
  request.set_directory(path.lexically_normal().string());
  const auto bar = session.Progress("backing up");
  pb::BackupResponse last;
  uint64_t steps = 0;
  LEDGER_RETURN_IF_ERROR(session.client().Backup(request, [&](const pb::BackupResponse& response) {
    last = response;
    bar->Update(++steps, 0, response.step());
    return true;
  }));
  bar->Finish();
  if (!last.done()) return absl::CancelledError("the backup did not reach its end; run it again");
  if (!session.table()) return session.PrintJson(last);
  session.out() << "backed up commit " << last.commit_number() << " to " << Printable(request.directory())
                << '\n';
  return absl::OkStatus();
}

}  // namespace

void AddOperationCommands(const Command& root) {
  auto wait = std::make_shared<std::optional<uint64_t>>();
  const Command status =
      root.Sub("status", "How the server and its projections are doing",
               "ledgerctl status\nledgerctl status --wait 30\nledgerctl --ledger demo status");
  status.Number("--wait", wait.get(), "Wait so many seconds for the server to be reachable");
  status.Run([wait](Session& session) { return Status(session, *wait); });

  auto data = std::make_shared<std::string>();
  const Command verify =
      root.Sub("verify", "Reads everything back and checks it; exits with 6 where something is wrong",
               "ledgerctl verify\nledgerctl --ledger demo verify\nledgerctl verify --data /var/lib/ledgerd");
  verify.Text("--data", data.get(), "A data directory whose server does not run, instead of a server");
  verify.Run([data](Session& session) {
    return data->empty() ? VerifyServer(session) : VerifyOffline(session, *data);
  });

  auto to = std::make_shared<std::string>();
  const Command backup = root.Sub("backup", "Copies everything into a directory of the server's machine",
                                  "ledgerctl backup --to /backup/ledger");
  backup.Text("--to", to.get(), "Empty, or an earlier backup's directory", Need::kRequired);
  backup.Run([to](Session& session) { return Backup(session, *to); });
}

}  // namespace ledger::ctl
