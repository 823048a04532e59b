#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/errors.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// rebuild, rollback: generations of a projection.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct ProjectionOptions {
  std::string projection;
  bool watch = false;
};

void PrintSwitched(Session& session, const std::string& projection,
                   const pb::RebuildProjectionResponse& last) {
  session.out() << projection << ": generation " << last.generation() << " is live, with "
                << last.applied_position() << " events applied; ";
  if (last.differing_customers() == 0) {
    session.out() << "every customer's answer is the same as before\n";
  } else {
    session.out() << last.differing_customers() << " customers' answers differ from the generation before; "
                  << "'ledgerctl rollback " << projection << "' goes back to it\n";
  }
}

absl::Status Rebuild(Session& session, const ProjectionOptions& options) {
  pb::RebuildProjectionRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  request.set_projection(options.projection);
  const auto bar = session.Progress(absl::StrCat("rebuilding ", options.projection));
  pb::RebuildProjectionResponse last;
  const absl::Status status =
      session.client().RebuildProjection(request, [&](const pb::RebuildProjectionResponse& response) {
        last = response;
        if (options.watch) bar->Update(response.applied_position(), response.log_position());
        return options.watch;
      });
  bar->Finish();
  if (!IsInterrupted(status)) LEDGER_RETURN_IF_ERROR(status);
  if (last.state() == pb::REBUILD_STATE_FAILED) {
    return absl::InternalError(
        absl::StrCat("the rebuild failed and the generation before is still live: ", last.error()));
  }
  if (last.state() == pb::REBUILD_STATE_UNSPECIFIED) {
    return absl::InternalError("the server said nothing about the rebuild");
  }
  if (!session.table()) return session.PrintJson(last);
  if (last.state() == pb::REBUILD_STATE_SWITCHED) {
    PrintSwitched(session, options.projection, last);
  } else {
    session.out() << options.projection << ": generation " << last.generation() << " is being built ("
                  << last.applied_position() << " of " << last.log_position()
                  << " events); it goes on by itself, 'ledgerctl status' shows how far it is\n";
  }
  return absl::OkStatus();
}

absl::Status RollBack(Session& session, const ProjectionOptions& options) {
  pb::RollBackProjectionRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  request.set_projection(options.projection);
  LEDGER_ASSIGN_OR_RETURN(const pb::RollBackProjectionResponse response,
                          session.client().RollBackProjection(request));
  if (!session.table()) return session.PrintJson(response);
  session.out() << options.projection << ": generation " << response.generation() << " is live again\n";
  return absl::OkStatus();
}

}  // namespace

void AddProjectionCommands(const Command& root) {
  auto options = std::make_shared<ProjectionOptions>();
  const Command rebuild = root.Sub("rebuild", "Rebuilds a projection beside the live one and switches to it",
                                   "ledgerctl rebuild owner --watch");
  rebuild.Text("PROJECTION", &options->projection, "owner, tier or callback", Need::kRequired);
  rebuild.Flag("--watch", &options->watch,
               "Show progress until the switch; Ctrl-C ends the watching, not the rebuild");
  rebuild.Run([options](Session& session) { return Rebuild(session, *options); });

  auto back = std::make_shared<ProjectionOptions>();
  const Command rollback =
      root.Sub("rollback", "Goes back to the generation that was live before the last rebuild",
               "ledgerctl rollback owner");
  rollback.Text("PROJECTION", &back->projection, "owner, tier or callback", Need::kRequired);
  rollback.Run([back](Session& session) { return RollBack(session, *back); });
}

}  // namespace ledger::ctl
