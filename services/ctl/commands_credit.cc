#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// credit: who is credited for deals, and the queue of orders; reception: whose turn it is at a site.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct CreditOptions {
  std::string customer, site;
  std::optional<std::string> deal, true_at;
};

std::string Percent(int32_t basis_points) {
  const int32_t part = basis_points % 100;
  return absl::StrCat(basis_points / 100,
                      part == 0   ? ""
                      : part < 10 ? ".0"
                                  : ".",
                      part == 0 ? "" : absl::StrCat(part), "%");
}

std::string AmountOf(const pb::CreditHolding& holding) {
  return holding.has_amount()
             ? absl::StrCat(holding.amount().minor_units(), " ", holding.amount().currency_code())
             : "";
}

void PrintDeal(Session& session, const pb::DealCredit& deal) {
  Fields fields;
  fields.Add("deal", deal.deal_id());
  fields.Add("made at", session.Show(deal.deal_time()));
  fields.Add("reason", RuleOf(deal.basis()));
  fields.Add("decided by",
             deal.basis().positions_size() > 0 ? absl::StrCat("position ", PositionsOf(deal.basis())) : "");
  fields.Add("arithmetic", deal.basis().arithmetic());
  fields.Add("counts", deal.counts()      ? absl::StrCat("since ", session.Show(deal.counts_since_time()))
                       : deal.cancelled() ? "no: it was cancelled"
                                          : "not yet");
  for (const pb::MissingNeed& missing : deal.missing()) {
    fields.Add("lacks",
               absl::StrCat(missing.text(), missing.rule_id().empty() ? "" : " by ", missing.rule_id()));
  }
  for (const pb::CreditRevision& revision : deal.revisions()) {
    fields.Add("revised", absl::StrCat(session.Show(revision.time()), ", position ", revision.position(),
                                       ": ", revision.text()));
  }
  fields.Print(session.out());
  Table table({"OF THE", "HOLDER", "SHARE", "MINOR UNITS"});
  for (const pb::CreditHolding& holding : deal.performance()) {
    table.AddRow(
        {"performance", Describe(holding.holder()), Percent(holding.basis_points()), AmountOf(holding)});
  }
  for (const pb::CreditHolding& holding : deal.bonus_holdings()) {
    table.AddRow({"bonus", Describe(holding.holder()), Percent(holding.basis_points()), AmountOf(holding)});
  }
  if (table.empty()) {
    session.out() << "nobody is credited\n";
  } else {
    table.Print(session.out(), /*indent=*/2);
  }
}

absl::Status Credit(Session& session, const CreditOptions& options) {
  pb::GetCreditRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_query()->mutable_ledger(), session.Ledger());
  request.mutable_query()->set_customer_id(options.customer);
  request.set_deal_id(options.deal.value_or(""));
  if (options.true_at) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_query()->mutable_as_of()->mutable_true_at(),
                            session.Instant("--true-at", *options.true_at));
  }
  LEDGER_RETURN_IF_ERROR(session.SetMinPosition(request.mutable_query()->mutable_min_position()));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetCreditResponse response, session.client().GetCredit(request));
  if (!session.table()) return session.PrintJson(response);
  if (response.deals().empty()) session.out() << "no deal is credited\n";
  for (const pb::DealCredit& deal : response.deals()) PrintDeal(session, deal);
  Table rewards({"REWARDED", "POINTS", "MINOR UNITS", "DEAL", "REASON"});
  for (const pb::EarnedReward& reward : response.rewards()) {
    rewards.AddRow({reward.customer_id(), reward.has_points() ? absl::StrCat(reward.points()) : "",
                    reward.has_amount()
                        ? absl::StrCat(reward.amount().minor_units(), " ", reward.amount().currency_code())
                        : "",
                    reward.deal_id(), RuleOf(reward.basis())});
  }
  if (!rewards.empty()) rewards.Print(session.out());
  return absl::OkStatus();
}

absl::Status Queue(Session& session, const CreditOptions& options) {
  pb::ListDealQueueRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  if (options.true_at) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_true_at(), session.Instant("--true-at", *options.true_at));
  }
  LEDGER_RETURN_IF_ERROR(session.SetMinPosition(request.mutable_min_position()));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::ListDealQueueResponse response, session.client().ListDealQueue(request));
  if (!session.table()) return session.PrintJson(response);
  Table table({"PLACE", "DEAL", "CUSTOMER", "FULLY PAID", "ORDERED", "REASON"});
  for (const pb::QueuedDeal& deal : response.deals()) {
    table.AddRow({absl::StrCat(deal.place()), deal.deal_id(), deal.customer_id(),
                  deal.fully_paid() ? session.Show(deal.paid_time()) : "", session.Show(deal.order_time()),
                  RuleOf(deal.basis())});
  }
  if (table.empty()) {
    session.out() << "no order is open\n";
  } else {
    table.Print(session.out());
  }
  return absl::OkStatus();
}

absl::Status Reception(Session& session, const CreditOptions& options) {
  pb::GetReceptionRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  request.set_site_id(options.site);
  if (options.true_at) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_as_of()->mutable_true_at(),
                            session.Instant("--true-at", *options.true_at));
  }
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const pb::GetReceptionResponse response, session.client().GetReception(request));
  if (!session.table()) return session.PrintJson(response);
  Fields fields;
  fields.Add("site", response.site_id());
  fields.Add("next",
             response.next_staff_id().empty()
                 ? "nobody"
                 : absl::StrCat(response.next_staff_id(), " (",
                                EnumName(pb::ReceptionBasis_descriptor(), response.next_basis()), ")"));
  fields.Add("reason", RuleOf(response.basis()));
  fields.Print(session.out());
  Table order({"STAFF", "PRESENCE", "SINCE", "MISSED", "AHEAD"});
  for (const pb::RotationPlace& place : response.order()) {
    order.AddRow({place.staff_id(),
                  place.presence() == pb::PRESENCE_UNSPECIFIED
                      ? "on_site"
                      : EnumName(pb::Presence_descriptor(), place.presence()),
                  place.has_presence_since_time() ? session.Show(place.presence_since_time()) : "",
                  absl::StrCat(place.missed_rounds()), absl::StrCat(place.turns_ahead())});
  }
  if (!order.empty()) order.Print(session.out());
  Table turns({"TIME", "CUSTOMER", "VISIT", "RECEIVED BY", "AS", "COUNTS", "REASON"});
  for (const pb::ReceptionTurn& turn : response.last_turns()) {
    turns.AddRow({session.Show(turn.time()), turn.customer_id(), turn.visit_id(), turn.staff_id(),
                  EnumName(pb::ReceptionBasis_descriptor(), turn.basis()),
                  turn.counts_in_rotation() ? "yes" : "", turn.rule_id()});
  }
  if (!turns.empty()) turns.Print(session.out());
  return absl::OkStatus();
}

}  // namespace

void AddCreditCommands(const Command& root) {
  const Command credit = root.Group("credit", "Who is credited for deals");
  auto asked = std::make_shared<CreditOptions>();
  const Command show = credit.Sub("show", "Performance and bonus of a customer's deals, and why",
                                  "ledgerctl credit show cust-1\nledgerctl credit show cust-1 --deal d-7");
  show.Text("CUSTOMER", &asked->customer, "The customer's id, or an alias of it", Need::kRequired);
  show.Text("--deal", &asked->deal, "This deal alone");
  show.Text("--true-at", &asked->true_at, "As true at this time (default: now)");
  show.Run([asked](Session& session) { return Credit(session, *asked); });

  auto queued = std::make_shared<CreditOptions>();
  const Command queue =
      credit.Sub("queue", "Open orders, the next to be handed out first", "ledgerctl credit queue");
  queue.Text("--true-at", &queued->true_at, "At this time (default: now)");
  queue.Run([queued](Session& session) { return Queue(session, *queued); });

  const Command reception = root.Group("reception", "Whose turn it is to receive visitors");
  auto site = std::make_shared<CreditOptions>();
  const Command desk =
      reception.Sub("show", "The rotation of a site: order, presence, rounds to catch up with",
                    "ledgerctl reception show hall-1");
  desk.Text("SITE", &site->site, "The site's id", Need::kRequired);
  desk.Text("--true-at", &site->true_at, "As true at this time (default: now)");
  desk.Run([site](Session& session) { return Reception(session, *site); });
}

}  // namespace ledger::ctl
