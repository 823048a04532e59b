#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/table.h"
#include "services/ctl/paging.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// callbacks, customers, pool, search: lists.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct ListOptions {
  std::optional<std::string> owner, time, phone, email;
  std::optional<uint64_t> limit;
};

absl::Status Callbacks(Session& session, const ListOptions& options) {
  pb::ListDueCallbacksRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  if (options.owner) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_owner(), ParseOwner(*options.owner));
  }
  if (options.time) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_until_time(), session.Instant("--until", *options.time));
  }
  LEDGER_RETURN_IF_ERROR(session.SetMinPosition(request.mutable_min_position()));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(
      const auto response,
      AllPages<pb::ListDueCallbacksResponse>(
          session, request, options.limit,
          [&](const pb::ListDueCallbacksRequest& next) { return session.client().ListDueCallbacks(next); },
          [](const pb::ListDueCallbacksResponse& page) { return page.callbacks_size(); }));
  if (session.options().output == Output::kJsonl) return PrintJsonLines(session, response.callbacks());
  if (!session.table()) return session.PrintJson(response);
  Table table({"CALL BY", "OVERDUE", "CUSTOMER", "OWNER", "SCOPE", "REASON"});
  for (const pb::Callback& callback : response.callbacks()) {
    table.AddRow({session.Show(callback.due_time()), callback.overdue() ? "yes" : "", callback.customer_id(),
                  Describe(callback.owner()), callback.scope(), RuleOf(callback.basis())});
  }
  if (table.empty()) {
    session.out() << "no call-back is due\n";
  } else {
    table.Print(session.out());
  }
  return absl::OkStatus();
}

// Prints the entries of ListCustomers or ListPool.
template <typename Response>
absl::Status PrintCustomers(Session& session, const Response& response, const std::string& nobody) {
  if (session.options().output == Output::kJsonl) return PrintJsonLines(session, response.customers());
  if (!session.table()) return session.PrintJson(response);
  Table table({"CUSTOMER", "SCOPE", "SINCE", "UNTIL"});
  for (const pb::CustomerEntry& entry : response.customers()) {
    table.AddRow({entry.customer_id(), entry.scope(),
                  entry.has_since_time() ? session.Show(entry.since_time()) : "",
                  entry.has_until_time() ? session.Show(entry.until_time()) : ""});
  }
  if (table.empty()) {
    session.out() << nobody << '\n';
  } else {
    table.Print(session.out());
  }
  return absl::OkStatus();
}

template <typename Request>
absl::Status FillList(Session& session, const ListOptions& options, Request* request) {
  LEDGER_ASSIGN_OR_RETURN(*request->mutable_ledger(), session.Ledger());
  if (options.time) {
    LEDGER_ASSIGN_OR_RETURN(*request->mutable_true_at(), session.Instant("--true-at", *options.time));
  }
  LEDGER_RETURN_IF_ERROR(session.SetMinPosition(request->mutable_min_position()));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  return absl::OkStatus();
}

absl::Status Customers(Session& session, const ListOptions& options) {
  if (!options.owner) return absl::InvalidArgumentError("whose customers? Give --owner STAFF or unit:ID");
  pb::ListCustomersRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_owner(), ParseOwner(*options.owner));
  LEDGER_RETURN_IF_ERROR(FillList(session, options, &request));
  LEDGER_ASSIGN_OR_RETURN(
      const auto response,
      AllPages<pb::ListCustomersResponse>(
          session, request, options.limit,
          [&](const pb::ListCustomersRequest& next) { return session.client().ListCustomers(next); },
          [](const pb::ListCustomersResponse& page) { return page.customers_size(); }));
  return PrintCustomers(session, response, absl::StrCat(*options.owner, " owns no customer"));
}

absl::Status Pool(Session& session, const ListOptions& options) {
  pb::ListPoolRequest request;
  LEDGER_RETURN_IF_ERROR(FillList(session, options, &request));
  LEDGER_ASSIGN_OR_RETURN(
      const auto response,
      AllPages<pb::ListPoolResponse>(
          session, request, options.limit,
          [&](const pb::ListPoolRequest& next) { return session.client().ListPool(next); },
          [](const pb::ListPoolResponse& page) { return page.customers_size(); }));
  return PrintCustomers(session, response, "the public pool is empty");
}

absl::Status Search(Session& session, const ListOptions& options) {
  if (options.phone.has_value() == options.email.has_value()) {
    return absl::InvalidArgumentError("give either --phone or --email");
  }
  pb::SearchCustomersRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  request.mutable_contact_point()->set_kind(options.phone ? pb::CONTACT_POINT_KIND_PHONE
                                                          : pb::CONTACT_POINT_KIND_EMAIL);
  request.mutable_contact_point()->set_value(options.phone ? *options.phone : *options.email);
  LEDGER_ASSIGN_OR_RETURN(const pb::SearchCustomersResponse response,
                          session.client().SearchCustomers(request));
  if (!session.table()) {
    LEDGER_RETURN_IF_ERROR(session.PrintJson(response));
  } else {
    for (const std::string& id : response.customer_ids()) session.out() << Printable(id) << '\n';
  }
  if (response.customer_ids().empty()) return absl::NotFoundError("no customer has this contact point");
  return absl::OkStatus();
}

}  // namespace

void AddListCommands(const Command& root) {
  auto due = std::make_shared<ListOptions>();
  const Command callbacks = root.Sub("callbacks", "Call-backs that fall due, the earliest first",
                                     "ledgerctl callbacks --owner liu --until 2026-03-31");
  callbacks.Text("--owner", &due->owner, "Whose (default: everybody's)");
  callbacks.Text("--until", &due->time, "Due at or before this time (default: now)");
  callbacks.Number("--limit", &due->limit, "At most so many", 1);
  callbacks.Run([due](Session& session) { return Callbacks(session, *due); });

  auto owned = std::make_shared<ListOptions>();
  const Command customers = root.Sub("customers", "The customers of an owner, by id",
                                     "ledgerctl customers --owner liu\n"
                                     "ledgerctl customers --owner unit:shop-1 --limit 20");
  customers.Text("--owner", &owned->owner, "Whose; required");
  customers.Text("--true-at", &owned->time, "At this time (default: now)");
  customers.Number("--limit", &owned->limit, "At most so many", 1);
  customers.Run([owned](Session& session) { return Customers(session, *owned); });

  auto free = std::make_shared<ListOptions>();
  const Command pool =
      root.Sub("pool", "The customers that anybody may take, by id", "ledgerctl pool --limit 20");
  pool.Text("--true-at", &free->time, "At this time (default: now)");
  pool.Number("--limit", &free->limit, "At most so many", 1);
  pool.Run([free](Session& session) { return Pool(session, *free); });

  auto sought = std::make_shared<ListOptions>();
  const Command search = root.Sub("search", "Finds a customer by phone number or e-mail address",
                                  "ledgerctl search --phone '138 0013 8000'");
  search.Text("--phone", &sought->phone, "In any common writing");
  search.Text("--email", &sought->email, "In any case");
  search.Run([sought](Session& session) { return Search(session, *sought); });
}

}  // namespace ledger::ctl
