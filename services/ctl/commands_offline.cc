#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/rocksdb/maintenance.h"
#include "storage/status_macros.h"

// restore, and verify --data: work on directories of a server that does not run.
namespace ledger::ctl {
namespace {

absl::Status Restore(Session& session, const std::string& from, const std::string& to) {
  const auto bar = session.Progress("restoring");
  uint64_t steps = 0;
  LEDGER_RETURN_IF_ERROR(
      storage::RestoreBackup(from, to, [&](absl::string_view step) { bar->Update(++steps, 0, step); }));
  bar->Finish();
  session.out() << "restored to " << Printable(to) << " under a new lineage: positions handed out before are "
                << "refused\nnext: ledgerd --data " << Printable(to) << '\n';
  return absl::OkStatus();
}

}  // namespace

absl::Status VerifyOffline(Session& session, const std::string& directory) {
  const auto bar = session.Progress("verifying");
  LEDGER_ASSIGN_OR_RETURN(
      const uint64_t findings,
      storage::VerifyDirectory(
          directory,
          [&](const std::string& finding) {
            bar->Clear();
            session.out() << Printable(finding) << std::endl;
          },
          [&](absl::string_view step, uint64_t done, uint64_t total) { bar->Update(done, total, step); }));
  bar->Finish();
  if (findings > 0) {
    return absl::DataLossError(absl::StrCat(findings,
                                            " findings; keep the files as they are, and restore from "
                                            "a backup with 'ledgerctl restore'"));
  }
  session.out() << "nothing is wrong\n";
  return absl::OkStatus();
}

void AddRestoreCommand(const Command& root) {
  auto from = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  const Command restore =
      root.Sub("restore", "Makes a data directory out of a backup, under a new lineage; without a server",
               "ledgerctl restore --from /backup/ledger --to /var/lib/ledgerd-restored");
  restore.Text("--from", from.get(), "The backup's directory", Need::kRequired);
  restore.Text("--to", to.get(), "Where to: an empty directory or none", Need::kRequired);
  restore.Run([from, to](Session& session) { return Restore(session, *from, *to); });
}

}  // namespace ledger::ctl
