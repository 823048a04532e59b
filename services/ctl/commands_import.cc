#include <grpcpp/channel.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/errors.h"
#include "services/ctl/import/import_run.h"
#include "services/ctl/import/mapping_file.h"
#include "services/ctl/interrupt.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// import: brings the history of another system in, as evidence.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct ImportCommandOptions {
  std::string file, mapping, name;
};

void PrintBadRecords(Session& session, const ImportSummary& summary) {
  if (summary.bad == 0) return;
  session.err() << "ledgerctl: " << summary.bad << " records could not be used"
                << (summary.bad < summary.records ? "; the others were kept" : "") << '\n';
  for (const BadRecord& bad : summary.bad_records) {
    session.err() << "  line " << bad.line << ": " << Printable(bad.message) << '\n';
  }
  if (summary.bad > summary.bad_records.size()) {
    session.err() << "  ... and " << summary.bad - summary.bad_records.size() << " more\n";
  }
}

void PrintSummary(Session& session, const ImportSummary& summary) {
  const double seconds = absl::ToDoubleSeconds(summary.elapsed);
  if (!session.table()) {
    session.out() << "{\"records\": " << summary.records << ", \"appended\": " << summary.appended
                  << ", \"skipped\": " << summary.skipped << ", \"ignored\": " << summary.ignored
                  << ", \"bad\": " << summary.bad << ", \"elapsed_seconds\": " << seconds << "}\n";
    return;
  }
  Fields fields;
  fields.Add("import", summary.producer);
  fields.Add("records", absl::StrCat(summary.records));
  fields.Add("appended", absl::StrCat(summary.appended, " events"));
  fields.Add("skipped",
             summary.skipped > 0 ? absl::StrCat(summary.skipped, ", there from an earlier run") : "");
  fields.Add("ignored", summary.ignored > 0 ? absl::StrCat(summary.ignored, ", as the mapping says") : "");
  fields.Add("bad", summary.bad > 0 ? absl::StrCat(summary.bad) : "");
  fields.Add("took", absl::FormatDuration(absl::Trunc(summary.elapsed, absl::Milliseconds(1))));
  fields.Print(session.out());
}

void ShowProgress(const ImportProgress& progress, ProgressBar* bar) {
  const std::string note =
      absl::StrCat(progress.records_read, " records, ", progress.events_acknowledged, " events on disk",
                   progress.records_bad > 0 ? absl::StrCat(", ", progress.records_bad, " bad") : "");
  if (progress.file_bytes_total > 0) {
    bar->Update(progress.file_bytes_read / 1024, progress.file_bytes_total / 1024,
                absl::StrCat("KiB; ", note));
  } else {
    bar->Update(progress.records_read, 0, note);
  }
}

absl::Status Import(Session& session, const ImportCommandOptions& command) {
  ImportOptions options;
  LEDGER_ASSIGN_OR_RETURN(options.ledger, session.Ledger());
  LEDGER_ASSIGN_OR_RETURN(options.mapping, LoadMapping(command.mapping));
  options.file_path = command.file;
  options.name = command.name;
  pb::GetLedgerRequest request;
  request.set_name(options.ledger);
  LEDGER_ASSIGN_OR_RETURN(const pb::GetLedgerResponse ledger, session.client().GetLedger(request));
  options.simulated = ledger.ledger().simulated();
  options.phone_region = ledger.policy().phone_region();
  const auto bar = session.Progress("importing");
  options.progress = [&bar](const ImportProgress& progress) { ShowProgress(progress, bar.get()); };
  const auto stub = pb::LedgerService::NewStub(session.client().channel());
  ImportSummary summary;
  absl::Status status;
  {
    // An import may end at any moment: the ledger keeps how far it came together with the events.
    InterruptScope interrupt([&session] {
      session.err() << "\nledgerctl: interrupted; the same command goes on where this ended" << std::endl;
      std::_Exit(kExitInterrupted);
    });
    status = ImportRun(std::move(options), stub.get()).Run(&summary);
  }
  bar->Finish();
  PrintBadRecords(session, summary);
  PrintSummary(session, summary);
  if (status.ok() && summary.bad > 0 && summary.bad == summary.records) {
    return absl::InvalidArgumentError("no record could be used; is the mapping made for this file?");
  }
  return status;
}

}  // namespace

void AddImportCommand(const Command& root) {
  auto options = std::make_shared<ImportCommandOptions>();
  const Command command =
      root.Sub("import", "Imports another system's history (XES, XES.gz, CSV, JSONL), as evidence",
               "ledgerctl import history.csv --mapping deploy/mappings/example.textproto\n"
               "ledgerctl import log.xes.gz --mapping incidents.textproto --name incidents-2013");
  command.Text("FILE", &options->file, "The file; plain or gzip", Need::kRequired);
  command.Text("--mapping", &options->mapping, "Which field is what: a mapping file", Need::kRequired);
  command.Text("--name", &options->name,
               "Names the import; the same name goes on where the last run ended (default: the file's name)");
  command.Run([options](Session& session) { return Import(session, *options); });
}

}  // namespace ledger::ctl
