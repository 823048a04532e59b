#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/event.pb.h"
#include "services/ctl/commands.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/status_macros.h"

// transfer: hands customers over.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct TransferOptions {
  std::string id, customer, from, to, by, scope, reason;
  int kind = pb::TRANSFER_KIND_UNSPECIFIED;
  Expectation expectation;
};

absl::Status Propose(Session& session, const TransferOptions& options) {
  Writer writer(session);
  const std::string id = options.id.empty() ? writer.DerivedId("t-") : options.id;
  pb::NewEvent event;
  pb::TransferProposed* body = event.mutable_event()->mutable_transfer_proposed();
  body->set_customer_id(options.customer);
  body->set_transfer_id(id);
  body->set_scope(options.scope);
  body->set_kind(static_cast<pb::TransferKind>(options.kind));
  LEDGER_ASSIGN_OR_RETURN(*body->mutable_from(), ParseOwner(options.from));
  LEDGER_ASSIGN_OR_RETURN(*body->mutable_to(), ParseOwner(options.to));
  // Whoever gives up a customer proposes it, unless somebody else is named.
  body->set_proposed_by(options.by.empty() ? body->from().staff_id() : options.by);
  LEDGER_RETURN_IF_ERROR(writer.AppendAndPrint(std::move(event), options.expectation));
  // In JSON the answer stands alone on stdout.
  (session.table() ? session.out() : session.err()) << "transfer " << id << '\n';
  return absl::OkStatus();
}

absl::Status Accept(Session& session, const TransferOptions& options) {
  pb::NewEvent event;
  pb::TransferAccepted* body = event.mutable_event()->mutable_transfer_accepted();
  body->set_customer_id(options.customer);
  body->set_transfer_id(options.id);
  body->set_receiver_id(options.by);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

absl::Status Decline(Session& session, const TransferOptions& options) {
  pb::NewEvent event;
  pb::TransferDeclined* body = event.mutable_event()->mutable_transfer_declined();
  body->set_customer_id(options.customer);
  body->set_transfer_id(options.id);
  body->set_receiver_id(options.by);
  body->set_reason(options.reason);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

void AddPropose(const Command& group) {
  auto options = std::make_shared<TransferOptions>();
  const Command command = group.Sub(
      "propose", "Begins a hand-over and prints its id",
      "ledgerctl transfer propose guest-1 --from liu --to wang\n"
      "ledgerctl transfer propose guest-1 --from liu --to wang --by manager-1 --kind leave --id slip-7");
  command.Text("CUSTOMER", &options->customer, "The customer's id", Need::kRequired);
  command.Text("--from", &options->from, "The present owner", Need::kRequired);
  command.Text("--to", &options->to, "The intended owner", Need::kRequired);
  command.Text("--by", &options->by, "Who proposes; default: the present owner");
  command.Text("--id", &options->id, "The hand-over's id; default: a fresh one");
  command.Text("--scope", &options->scope, "Within which scope; default: all");
  command.Enum("--kind", &options->kind, pb::TransferKind_descriptor(), "Why");
  options->expectation.AddOptions(command);
  command.Run([options](Session& session) { return Propose(session, *options); });
}

void AddAnswer(const Command& group, const std::string& name, const std::string& help,
               absl::Status (*answer)(Session&, const TransferOptions&)) {
  auto options = std::make_shared<TransferOptions>();
  const Command command =
      group.Sub(name, help, absl::StrCat("ledgerctl transfer ", name, " t-42 --customer guest-1 --by wang"));
  command.Text("ID", &options->id, "The hand-over's id", Need::kRequired);
  command.Text("--customer", &options->customer, "The customer's id", Need::kRequired);
  command.Text("--by", &options->by, "The intended owner: only they may", Need::kRequired);
  if (answer == Decline) command.Text("--reason", &options->reason, "Why");
  options->expectation.AddOptions(command);
  command.Run([options, answer](Session& session) { return answer(session, *options); });
}

}  // namespace

void AddTransferCommands(const Command& root) {
  const Command group = root.Group("transfer", "Hands a customer over");
  AddPropose(group);
  AddAnswer(group, "accept", "The receiver accepts a hand-over", Accept);
  AddAnswer(group, "decline", "The receiver declines a hand-over", Decline);
}

}  // namespace ledger::ctl
