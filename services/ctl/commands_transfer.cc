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
  std::string id, customer, from, to, by, scope, reason, slip;
  bool same_post = false, failed = false;
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
  body->set_same_post(options.same_post);
  body->set_reason(options.reason);
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

absl::Status Audit(Session& session, const TransferOptions& options) {
  pb::NewEvent event;
  pb::TransferAudited* body = event.mutable_event()->mutable_transfer_audited();
  body->set_customer_id(options.customer);
  body->set_transfer_id(options.id);
  body->set_auditor_id(options.by);
  body->set_passed(!options.failed);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

absl::Status Confirm(Session& session, const TransferOptions& options) {
  pb::NewEvent event;
  pb::TransferConfirmed* body = event.mutable_event()->mutable_transfer_confirmed();
  body->set_customer_id(options.customer);
  body->set_transfer_id(options.id);
  body->set_confirmed_by(options.by);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

absl::Status Complete(Session& session, const TransferOptions& options) {
  pb::NewEvent event;
  pb::TransferCompleted* body = event.mutable_event()->mutable_transfer_completed();
  body->set_customer_id(options.customer);
  body->set_transfer_id(options.id);
  body->set_slip_number(options.slip);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

absl::Status Cancel(Session& session, const TransferOptions& options) {
  pb::NewEvent event;
  pb::TransferCancelled* body = event.mutable_event()->mutable_transfer_cancelled();
  body->set_customer_id(options.customer);
  body->set_transfer_id(options.id);
  body->set_cancelled_by(options.by);
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
  command.Text("--reason", &options->reason, "Why, in words; never about a person");
  command.Flag("--same-post", &options->same_post, "Both hold the same post");
  options->expectation.AddOptions(command);
  command.Run([options](Session& session) { return Propose(session, *options); });
}

void AddAnswer(const Command& group, const std::string& name, const std::string& help, const std::string& who,
               absl::Status (*answer)(Session&, const TransferOptions&)) {
  auto options = std::make_shared<TransferOptions>();
  const Command command = group.Sub(name, help,
                                    absl::StrCat("ledgerctl transfer ", name, " t-42 --customer guest-1",
                                                 answer == Complete ? " --slip 2026-7" : " --by wang"));
  command.Text("ID", &options->id, "The hand-over's id", Need::kRequired);
  command.Text("--customer", &options->customer, "The customer's id", Need::kRequired);
  if (answer == Complete) {
    command.Text("--slip", &options->slip, "The slip's number");
  } else {
    command.Text("--by", &options->by, who, Need::kRequired);
  }
  if (answer == Decline || answer == Cancel) command.Text("--reason", &options->reason, "Why");
  if (answer == Audit) command.Flag("--failed", &options->failed, "It did not pass and may not go on");
  options->expectation.AddOptions(command);
  command.Run([options, answer](Session& session) { return answer(session, *options); });
}

}  // namespace

void AddTransferCommands(const Command& root) {
  const Command group = root.Group("transfer", "Hands a customer over");
  AddPropose(group);
  const std::string receiver = "The intended owner: only they may";
  AddAnswer(group, "audit", "Somebody audits a hand-over", "Who audits; the policy says who may", Audit);
  AddAnswer(group, "accept", "The receiver accepts a hand-over", receiver, Accept);
  AddAnswer(group, "decline", "The receiver declines a hand-over", receiver, Decline);
  AddAnswer(group, "confirm", "Somebody confirms a hand-over", "Who confirms; the policy says who may",
            Confirm);
  AddAnswer(group, "complete", "The slip of a hand-over is complete", "", Complete);
  AddAnswer(group, "cancel", "Withdraws a hand-over", "Who withdraws it; the policy says who may", Cancel);
}

}  // namespace ledger::ctl
