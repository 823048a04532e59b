#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/ctl/commands.h"
#include "services/ctl/customer_question.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// owner, tier, callback, history: questions about one customer.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct CustomerOptions : CustomerQuestion {
  std::optional<std::string> scope;
  bool personal = false;
  bool for_customer = false;
};

void AddBasis(const pb::Basis& basis, const std::string& rule_name, Fields* fields) {
  fields->Add(rule_name, RuleOf(basis));
  fields->Add("decided by", basis.positions_size() > 0 ? absl::StrCat("position ", PositionsOf(basis)) : "");
  fields->Add("arithmetic", basis.arithmetic());
}

std::string LapseOf(Session& session, const pb::Ownership& ownership) {
  if (!ownership.has_lapse_time()) return "";
  std::string text = session.Show(ownership.lapse_time());
  const std::string rule = RuleOf(ownership.lapse_basis());
  if (!rule.empty()) absl::StrAppend(&text, " by ", rule);
  if (!ownership.lapse_basis().arithmetic().empty()) {
    absl::StrAppend(&text, ": ", ownership.lapse_basis().arithmetic());
  }
  return text;
}

void PrintClaims(Session& session, const pb::Ownership& ownership) {
  if (ownership.claims_size() == 0) return;
  session.out() << "claims, in the order they count:\n";
  Table table({"POSITION", "CLAIMANT", "SINCE", "STATE", "REGISTERED AS", "PROTECTED UNTIL"});
  for (const pb::Claim& claim : ownership.claims()) {
    table.AddRow({absl::StrCat(claim.position()), Describe(claim.claimant()),
                  claim.has_claim_time() ? session.Show(claim.claim_time()) : "",
                  EnumName(pb::ClaimState_descriptor(), claim.state()), claim.registered_as(),
                  claim.has_protected_until_time() ? session.Show(claim.protected_until_time()) : ""});
  }
  table.Print(session.out(), /*indent=*/2);
}

// "confirm, by a desk (x.confirm)".
std::string NextStep(const pb::NextTransferStep& step) {
  std::string who = step.has_by() ? Describe(step.by()) : "";
  for (const std::string& role : step.roles()) absl::StrAppend(&who, who.empty() ? "" : " or ", "a ", role);
  return absl::StrCat(EnumName(pb::HandOverStep_descriptor(), step.step()), ", by ",
                      who.empty() ? "anybody" : who, step.rule_id().empty() ? "" : " (", step.rule_id(),
                      step.rule_id().empty() ? "" : ")", step.may_be_skipped() ? ", may be skipped" : "");
}

// "d-1 since 2026-02-01 ... of liu, wang, on level department".
std::string DisputeOf(Session& session, const pb::DisputeAnswer& dispute) {
  std::string parties;
  for (const pb::Owner& party : dispute.parties()) {
    absl::StrAppend(&parties, parties.empty() ? " of " : ", ", Describe(party));
  }
  std::string text =
      absl::StrCat(dispute.dispute_id(), " since ", session.Show(dispute.since_time()), parties);
  if (!dispute.level().empty()) absl::StrAppend(&text, ", on level ", dispute.level());
  if (dispute.has_forfeiture()) {
    absl::StrAppend(&text, ", credit goes to ", Describe(dispute.forfeiture().to()));
  }
  if (dispute.has_resolved_time()) {
    absl::StrAppend(&text, ", decided ", session.Show(dispute.resolved_time()), " by ", dispute.decided_by());
  }
  if (!dispute.rule_id().empty()) absl::StrAppend(&text, " (", dispute.rule_id(), ")");
  return text;
}

void PrintOwnership(Session& session, const pb::Ownership& ownership) {
  Fields fields;
  fields.Add("scope", ownership.scope());
  fields.Add("owner", Describe(ownership.owner()));
  fields.Add("state", ownership.state() == pb::CUSTODY_STATE_UNSPECIFIED
                          ? "never claimed"
                          : EnumName(pb::CustodyState_descriptor(), ownership.state()));
  fields.Add("since", ownership.basis().has_since_time() ? session.Show(ownership.basis().since_time()) : "");
  AddBasis(ownership.basis(), "reason", &fields);
  fields.Add("lapses at", LapseOf(session, ownership));
  if (ownership.has_transfer()) {
    const pb::OpenTransfer& transfer = ownership.transfer();
    fields.Add("hand-over", absl::StrCat(transfer.transfer_id(), " from ", Describe(transfer.from()), " to ",
                                         Describe(transfer.to()), ", proposed at position ",
                                         transfer.position(), transfer.semi_linked() ? ", accepted" : "",
                                         transfer.suspended() ? ", suspended by a dispute" : ""));
    for (const pb::TransferStep& step : transfer.steps()) {
      fields.Add("step taken", absl::StrCat(EnumName(pb::HandOverStep_descriptor(), step.step()), " ",
                                            session.Show(step.time()), " ", step.taken_by()));
    }
    for (const pb::NextTransferStep& step : transfer.next()) fields.Add("next step", NextStep(step));
  }
  if (ownership.has_transfer_review()) {
    fields.Add("waits for",
               absl::StrCat(ownership.transfer_review().has_submitted_time() ? "approval" : "submission",
                            " after hand-over ", ownership.transfer_review().transfer_id()));
  }
  fields.Add("disputed", ownership.disputed() ? "yes" : "");
  for (const pb::DisputeAnswer& dispute : ownership.disputes()) {
    fields.Add("dispute", DisputeOf(session, dispute));
  }
  fields.Print(session.out());
  PrintClaims(session, ownership);
}

absl::Status Owner(Session& session, const CustomerOptions& options) {
  pb::GetOwnerRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query(), QueryOf(session, options));
  if (options.scope) request.set_scope(*options.scope);
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetOwnerResponse response, session.client().GetOwner(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  AddContext(session, response.context(), &fields);
  fields.Print(session.out());
  if (response.ownerships().empty()) session.out() << "nobody ever claimed the customer\n";
  for (const pb::Ownership& ownership : response.ownerships()) PrintOwnership(session, ownership);
  return absl::OkStatus();
}

// What else an answer says about a grade; nothing where the policy is silent.
void AddTierTerms(const Session& session, const pb::Tier& tier, Fields* lines) {
  lines->Add("arithmetic", tier.basis().arithmetic());
  if (!tier.measured_class().empty()) {
    lines->Add("measured", absl::StrCat(tier.measured_class(), ": ", tier.measured_basis().arithmetic()));
  }
  if (tier.has_pending()) {
    const pb::PendingGrade& pending = tier.pending();
    std::string text = pending.to_class().empty() ? "none" : pending.to_class();
    if (!pending.proposed_by().empty()) absl::StrAppend(&text, ", proposed by ", pending.proposed_by());
    if (!pending.agreed_by().empty()) {
      absl::StrAppend(&text, ", agreed by ", absl::StrJoin(pending.agreed_by(), ", "));
    }
    if (!pending.waits_for().empty()) {
      absl::StrAppend(&text, ", waits for ", absl::StrJoin(pending.waits_for(), ", "));
    }
    lines->Add("pending", text);
  }
  if (!tier.managed_as().empty()) {
    lines->Add("managed as", absl::StrCat(tier.managed_as(), " (", tier.managed_as_rule_id(), ")"));
  }
  lines->Add("looked after by", tier.responsible_unit());
  lines->Add("watched by", tier.monitored_by());
  for (const pb::MissingFact& missing : tier.missing()) {
    lines->Add("missing", absl::StrCat(missing.meaning(), " (", missing.rule_id(), ")"));
  }
  if (tier.does_not_count()) lines->Add("counts", "no");
  if (tier.late()) lines->Add("late", tier.late_rule_id());
  if (tier.priority() != 0) {
    lines->Add("served first for", absl::StrJoin(tier.priority_services(), ", "));
  }
  if (tier.has_until_time()) lines->Add("until", session.Show(tier.until_time()));
}

absl::Status TierOf(Session& session, const CustomerOptions& options) {
  pb::GetTierRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query(), QueryOf(session, options));
  request.set_for_customer(options.for_customer);
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetTierResponse response, session.client().GetTier(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  AddContext(session, response.context(), &fields);
  fields.Print(session.out());
  Table table({"SCHEME", "CLASS", "SINCE", "DECIDED BY", "REASON", "POSITIONS", "HIDDEN"});
  for (const pb::Tier& tier : response.tiers()) {
    table.AddRow({tier.scheme(), tier.class_name().empty() ? "none" : tier.class_name(),
                  tier.basis().has_since_time() ? session.Show(tier.basis().since_time()) : "",
                  absl::StrJoin(tier.decided_by(), ", "), RuleOf(tier.basis()), PositionsOf(tier.basis()),
                  tier.hidden_from_customer() ? "from the customer" : ""});
  }
  if (table.empty()) {
    session.out() << "the policy has no grades\n";
  } else {
    table.Print(session.out());
  }
  for (const pb::Tier& tier : response.tiers()) {
    Fields lines;
    AddTierTerms(session, tier, &lines);
    if (lines.empty()) continue;
    session.out() << "\n" << tier.scheme() << "\n";
    lines.Print(session.out());
  }
  return absl::OkStatus();
}

// What else an answer says about a call-back; nothing where the policy is silent.
void AddCallbackTerms(const Session& session, const pb::Callback& callback, Fields* lines) {
  if (callback.has_hard_due_time()) lines->Add("overdue after", session.Show(callback.hard_due_time()));
  if (callback.has_days_left()) lines->Add("days left", absl::StrCat(callback.days_left()));
  if (!callback.occasion().empty()) lines->Add("for", callback.occasion());
  if (callback.has_earliest_time()) lines->Add("not before", session.Show(callback.earliest_time()));
  if (callback.has_latest_time()) lines->Add("not after", session.Show(callback.latest_time()));
  for (const pb::ForbiddenHours& hours : callback.forbidden()) {
    lines->Add("never", absl::StrCat(session.Show(hours.from_time()), " to ",
                                     session.Show(hours.until_time()), " (", hours.rule_id(), ")"));
  }
  std::vector<std::string> channels;
  channels.reserve(callback.allowed_channels_size());
  for (const int channel : callback.allowed_channels()) {
    channels.push_back(EnumName(pb::ContactChannel_descriptor(), channel));
  }
  if (!channels.empty()) lines->Add("by", absl::StrJoin(channels, ", "));
  if (callback.has_refused_until_time()) {
    lines->Add("refused until", session.Show(callback.refused_until_time()));
  }
}

absl::Status CallbackOf(Session& session, const CustomerOptions& options) {
  pb::GetNextCallbackRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query(), QueryOf(session, options));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetNextCallbackResponse response,
                          session.client().GetNextCallback(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  AddContext(session, response.context(), &fields);
  fields.Print(session.out());
  if (response.callbacks().empty()) session.out() << "no call-back is due\n";
  for (const pb::Callback& callback : response.callbacks()) {
    Fields lines;
    lines.Add("call by", callback.has_due_time() ? absl::StrCat(session.Show(callback.due_time()),
                                                                callback.overdue() ? "  OVERDUE" : "")
                                                 : "owed, no date");
    AddCallbackTerms(session, callback, &lines);
    lines.Add("who", Describe(callback.owner()));
    lines.Add("scope", callback.scope());
    AddBasis(callback.basis(), "reason", &lines);
    lines.Print(session.out());
  }
  return absl::OkStatus();
}

void AddPersonal(const pb::PersonalData& personal, Fields* fields) {
  fields->Add("name", personal.name());
  for (const pb::ContactPoint& point : personal.contact_points()) {
    fields->Add(EnumName(pb::ContactPointKind_descriptor(), point.kind()), point.value());
  }
  fields->Add("address", personal.address());
  fields->Add("note", personal.note());
}

std::string WhoText(const pb::Who& who) {
  if (who.on_behalf_of().empty()) return who.principal();
  return absl::StrCat(who.principal(), who.principal().empty() ? "" : " ", "for ", who.on_behalf_of());
}

absl::Status History(Session& session, const CustomerOptions& options) {
  pb::GetHistoryRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query(), QueryOf(session, options));
  request.set_include_personal_data(options.personal);
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetHistoryResponse response, session.client().GetHistory(request));
  if (session.options().output == Output::kJsonl) {
    for (const pb::HistoryEntry& entry : response.entries()) {
      LEDGER_RETURN_IF_ERROR(session.PrintJsonLine(entry));
    }
    return absl::OkStatus();
  }
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  AddContext(session, response.context(), &fields);
  if (response.has_personal()) AddPersonal(response.personal(), &fields);
  fields.Print(session.out());
  Table table({"WHEN", "POSITION", "EVENT", "CHANGES", "REASON", "WHO"});
  for (const pb::HistoryEntry& entry : response.entries()) {
    std::string name = entry.event_name();
    if (entry.derived()) absl::StrAppend(&name, " (derived)");
    if (entry.corrected()) absl::StrAppend(&name, " (corrected)");
    std::string reason = RuleOf(entry.basis());
    if (!entry.basis().arithmetic().empty()) {
      absl::StrAppend(&reason, reason.empty() ? "" : ": ", entry.basis().arithmetic());
    }
    table.AddRow({session.Show(entry.business_time()),
                  entry.position() > 0 ? absl::StrCat(entry.position()) : "-", name,
                  absl::StrJoin(entry.changes(), "; "), reason, WhoText(entry.who())});
  }
  table.Print(session.out());
  return absl::OkStatus();
}

void AddQuestion(const Command& root, const std::string& name, const std::string& help,
                 const std::string& example, absl::Status (*answer)(Session&, const CustomerOptions&)) {
  auto options = std::make_shared<CustomerOptions>();
  const Command command = root.Sub(name, help, example);
  options->AddOptions(command);
  if (answer == Owner) {
    command.Text("--scope", &options->scope,
                 "Only this scope; '' is the company as a whole (default: every)");
  }
  if (answer == TierOf) {
    command.Flag("--for-customer", &options->for_customer, "Without grades that are hidden from customers");
  }
  if (answer == History) command.Flag("--personal", &options->personal, "With the person's data, decrypted");
  command.Run([options, answer](Session& session) { return answer(session, *options); });
}

}  // namespace

void AddCustomerCommands(const Command& root) {
  AddQuestion(root, "owner", "Who looks after a customer, why, and who else claims",
              "ledgerctl owner guest-1\nledgerctl owner guest-1 --true-at 2026-03-01 --known-at 120", Owner);
  AddQuestion(root, "tier", "A customer's grades",
              "ledgerctl tier guest-1\nledgerctl tier guest-1 --true-at '2026-03-01 09:30'", TierOf);
  AddQuestion(root, "callback", "When a customer must be contacted next", "ledgerctl callback guest-1",
              CallbackOf);
  AddQuestion(root, "history", "What happened to a customer and what it changed",
              "ledgerctl history guest-1\nledgerctl history guest-1 --personal", History);
}

}  // namespace ledger::ctl
