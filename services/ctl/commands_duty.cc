#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/ctl/commands.h"
#include "services/ctl/customer_question.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// registration show, duty list.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct DutyOptions : CustomerQuestion {
  std::string staff;
  bool all = false;
};

std::string Reason(const pb::Basis& basis) {
  std::string text = RuleOf(basis);
  if (basis.arithmetic().empty()) return text;
  return absl::StrCat(text, text.empty() ? "" : ": ", basis.arithmetic());
}

template <typename Message>
std::string TimeOf(const Session& session, bool is_set, const Message& time) {
  return is_set ? session.Show(time) : "";
}

void PrintRegistration(Session& session, const pb::RegistrationEntry& entry) {
  Fields fields;
  fields.Add("scope", entry.scope());
  if (entry.state() != pb::REGISTRATION_STATE_UNSPECIFIED) {
    fields.Add("state", EnumName(pb::RegistrationState_descriptor(), entry.state()));
    fields.Add("since", TimeOf(session, entry.basis().has_since_time(), entry.basis().since_time()));
    fields.Add("reason", Reason(entry.basis()));
  }
  for (const pb::StageEntry& stage : entry.stages()) {
    fields.Add(absl::StrCat("stage ", stage.name()),
               stage.done() ? absl::StrCat("done ", session.Show(stage.basis().since_time())) : "MISSING");
  }
  if (entry.has_review_due_time()) {
    fields.Add("review by", absl::StrCat(session.Show(entry.review_due_time()),
                                         entry.review_overdue() ? "  OVERDUE" : ""));
    fields.Add("because", Reason(entry.review_basis()));
  }
  fields.Add("deleted at", TimeOf(session, entry.has_deletion_time(), entry.deletion_time()));
  fields.Add("because", Reason(entry.deletion_basis()));
  fields.Print(session.out());
  if (entry.filings().empty()) return;
  session.out() << "forms:\n";
  Table table({"STATE", "BY", "DUE", "RECEIVED", "CLAIM COUNTS FROM", "REASON"});
  for (const pb::FilingEntry& filing : entry.filings()) {
    table.AddRow({EnumName(pb::FilingState_descriptor(), filing.state()), filing.filed_by(),
                  TimeOf(session, filing.has_due_time(), filing.due_time()),
                  TimeOf(session, filing.has_received_time(), filing.received_time()),
                  TimeOf(session, filing.has_effective_time(), filing.effective_time()),
                  Reason(filing.basis())});
  }
  table.Print(session.out(), /*indent=*/2);
}

absl::Status ShowRegistration(Session& session, const CustomerQuestion& question) {
  pb::GetRegistrationRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query(), QueryOf(session, question));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetRegistrationResponse response,
                          session.client().GetRegistration(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  AddContext(session, response.context(), &fields);
  fields.Print(session.out());
  if (response.registrations().empty()) {
    session.out() << "the policy asks nothing of this registration but its fields\n";
  }
  for (const pb::RegistrationEntry& entry : response.registrations()) {
    PrintRegistration(session, entry);
  }
  return absl::OkStatus();
}

// "20.00 CNY each for staff, head; the 6th time; asked to leave".
std::string ConsequenceText(const pb::ConsequenceDue& consequence) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    if (!part.empty()) absl::StrAppend(&text, text.empty() ? "" : "; ", part);
  };
  if (consequence.has_amount()) {
    add(absl::StrCat(consequence.amount().minor_units(), " minor units of ",
                     consequence.amount().currency_code(), consequence.borne_by().empty() ? "" : " each for ",
                     absl::StrJoin(consequence.borne_by(), ", ")));
  }
  if (consequence.time_number() > 0) add(absl::StrCat("time ", consequence.time_number()));
  for (const std::string& part : consequence.texts()) add(part);
  return text;
}

bool IsOver(pb::DutyState state) {
  return state == pb::DUTY_STATE_FULFILLED || state == pb::DUTY_STATE_ENDED;
}

void PrintDuties(Session& session, const pb::GetDutiesResponse& response, bool all) {
  Table duties({"DUTY", "STATE", "KEY", "DUE", "DONE", "REASON", "CONSEQUENCE"});
  for (const pb::DutyEntry& duty : response.duties()) {
    if (!all && IsOver(duty.state())) continue;
    const std::string done =
        duty.has_stretch_start_time() ? absl::StrCat(duty.done(), "/", duty.needed()) : std::string();
    duties.AddRow({duty.name(), EnumName(pb::DutyState_descriptor(), duty.state()), duty.key(),
                   TimeOf(session, duty.has_due_time(), duty.due_time()), done, Reason(duty.basis()),
                   ConsequenceText(duty.consequence())});
  }
  if (duties.empty()) {
    session.out() << "nothing is due\n";
  } else {
    duties.Print(session.out());
  }
  Table flags({"FLAGGED", "POSITION", "EVENT", "WHAT IT LACKS", "REASON", "CONSEQUENCE"});
  for (const pb::FlagEntry& flag : response.flags()) {
    flags.AddRow({session.Show(flag.basis().since_time()), PositionsOf(flag.basis()), flag.event_name(),
                  flag.says(), Reason(flag.basis()), ConsequenceText(flag.consequence())});
  }
  if (!flags.empty()) flags.Print(session.out());
}

absl::Status ListDuties(Session& session, const DutyOptions& options) {
  if (options.customer.empty() == options.staff.empty()) {
    return absl::InvalidArgumentError("name a customer or --staff, one of them");
  }
  pb::GetDutiesRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query(), QueryOf(session, options));
  request.set_staff_id(options.staff);
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetDutiesResponse response, session.client().GetDuties(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  AddContext(session, response.context(), &fields);
  fields.Print(session.out());
  PrintDuties(session, response, options.all);
  return absl::OkStatus();
}

}  // namespace

void AddDutyCommands(const Command& root) {
  const Command registration = root.Group("registration", "How far a customer's registration has come");
  auto question = std::make_shared<CustomerQuestion>();
  const Command show = registration.Sub("show", "Parts, review and filing of a registration",
                                        "ledgerctl registration show guest-1 --true-at 2026-02-02");
  question->AddOptions(show);
  show.Run([question](Session& session) { return ShowRegistration(session, *question); });

  const Command duty = root.Group("duty", "What must happen, and what should have happened");
  auto options = std::make_shared<DutyOptions>();
  const Command list = duty.Sub("list", "Duties, quotas and flags of a customer or a staff member",
                                "ledgerctl duty list guest-1\nledgerctl duty list --staff liu --all");
  list.Text("CUSTOMER", &options->customer, "The customer's id, or an alias of it");
  list.Text("--staff", &options->staff, "The staff member whose own duties are asked about");
  list.Flag("--all", &options->all, "Also what was fulfilled or ended");
  options->AddClocks(list);
  list.Run([options](Session& session) { return ListDuties(session, *options); });
}

}  // namespace ledger::ctl
