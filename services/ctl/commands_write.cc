#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/event.pb.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/money.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/status_macros.h"

// Commands that write one event about a customer.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

// What every one of them takes.
struct AboutCustomer {
  std::string customer;
  std::string note;
  Expectation expectation;

  void AddOptions(const Command& command) {
    command.Text("CUSTOMER", &customer, "The customer's id", Need::kRequired);
    command.Text("--note", &note, "A remark about the business; never about a person");
    expectation.AddOptions(command);
  }
  pb::NewEvent Event() const {
    pb::NewEvent event;
    event.mutable_event()->set_note(note);
    return event;
  }
};

struct RegisterOptions : AboutCustomer {
  std::string by, unit, name, address, scope, source, form, person_note;
  std::vector<std::string> phones, emails, fields;
};

absl::Status Register(Session& session, const RegisterOptions& options) {
  pb::NewEvent event = options.Event();
  pb::CustomerRegistered* body = event.mutable_event()->mutable_customer_registered();
  body->set_customer_id(options.customer);
  LEDGER_ASSIGN_OR_RETURN(const pb::Owner by, ParseOwner(options.by));
  body->set_registrar_id(by.staff_id());
  body->set_unit_id(by.unit_id().empty() ? options.unit : by.unit_id());
  body->set_scope(options.scope);
  body->set_source(options.source);
  body->set_form_kind(options.form);
  for (const std::string& field : options.fields) {
    const size_t equals = field.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(absl::StrCat("--field: '", field, "' is not NAME=VALUE"));
    }
    (*body->mutable_fields())[field.substr(0, equals)] = field.substr(equals + 1);
  }
  pb::PersonalData personal;
  personal.set_name(options.name);
  personal.set_address(options.address);
  personal.set_note(options.person_note);
  for (const std::string& phone : options.phones) {
    pb::ContactPoint* point = personal.add_contact_points();
    point->set_kind(pb::CONTACT_POINT_KIND_PHONE);
    point->set_value(phone);
  }
  for (const std::string& email : options.emails) {
    pb::ContactPoint* point = personal.add_contact_points();
    point->set_kind(pb::CONTACT_POINT_KIND_EMAIL);
    point->set_value(email);
  }
  if (personal.ByteSizeLong() > 0) *event.mutable_personal() = std::move(personal);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

void AddRegister(const Command& root) {
  auto options = std::make_shared<RegisterOptions>();
  const Command command =
      root.Sub("register", "Registers a customer: the act that claims it",
               "ledgerctl register guest-1 --by liu --name 'Zhang Wei' --phone '+86 138 0013 8000'\n"
               "ledgerctl register guest-2 --by chen --email zhang@example.com --field budget=high");
  options->AddOptions(command);
  command.Text("--by", &options->by, "Who registers: a staff id, or unit:ID", Need::kRequired);
  command.Text("--unit", &options->unit, "For which unit");
  command.Text("--name", &options->name, "The person's name; encrypted, like the contact points");
  command.Texts("--phone", &options->phones, "A phone number; may be repeated");
  command.Texts("--email", &options->emails, "An e-mail address; may be repeated");
  command.Text("--address", &options->address, "The postal address; encrypted");
  command.Text("--person-note", &options->person_note, "A remark about the person; encrypted");
  command.Text("--scope", &options->scope, "Within which scope (a store, a department); default: all");
  command.Text("--source", &options->source, "Where the customer came from");
  command.Text("--form", &options->form, "Which form, where the policy tells forms apart");
  command.Texts("--field", &options->fields, "NAME=VALUE of the form; may be repeated");
  command.Run([options](Session& session) { return Register(session, *options); });
}

struct ContactOptions : AboutCustomer {
  std::string by, content, site, visit_id;
  std::optional<std::string> next;
  int channel = pb::CONTACT_CHANNEL_UNSPECIFIED;
  int outcome = pb::CONTACT_OUTCOME_UNSPECIFIED;
  int direction = pb::DIRECTION_UNSPECIFIED;
  bool on_site = false;
};

absl::Status Contact(Session& session, const ContactOptions& options) {
  pb::NewEvent event = options.Event();
  pb::ContactLogged* body = event.mutable_event()->mutable_contact_logged();
  body->set_customer_id(options.customer);
  body->set_staff_id(options.by);
  body->set_channel(static_cast<pb::ContactChannel>(options.channel));
  body->set_outcome(static_cast<pb::ContactOutcome>(options.outcome));
  body->set_direction(static_cast<pb::Direction>(options.direction));
  body->set_content(options.content);
  if (options.next) {
    LEDGER_ASSIGN_OR_RETURN(*body->mutable_next_contact_time(), session.Zoned("--next", *options.next));
  }
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

void AddContact(const Command& root) {
  auto options = std::make_shared<ContactOptions>();
  const Command command =
      root.Sub("contact", "Logs a contact that took place or was tried",
               "ledgerctl contact guest-1 --by liu --channel phone --outcome reached\n"
               "ledgerctl contact guest-1 --by liu --channel phone --next '2026-03-08 10:00'");
  options->AddOptions(command);
  command.Text("--by", &options->by, "Who made it: a staff id", Need::kRequired);
  command.Enum("--channel", &options->channel, pb::ContactChannel_descriptor(), "How");
  command.Enum("--outcome", &options->outcome, pb::ContactOutcome_descriptor(),
               "What came of it; not said counts as reached");
  command.Enum("--direction", &options->direction, pb::Direction_descriptor(), "Who called whom");
  command.Text("--next", &options->next, "When the two agreed to speak again");
  command.Text("--content", &options->content, "What was said about the business");
  command.Run([options](Session& session) { return Contact(session, *options); });
}

absl::Status Visit(Session& session, const ContactOptions& options) {
  pb::NewEvent event = options.Event();
  pb::VisitLogged* body = event.mutable_event()->mutable_visit_logged();
  body->set_customer_id(options.customer);
  body->set_visit_id(options.visit_id);
  body->set_staff_id(options.by);
  body->set_direction(static_cast<pb::Direction>(options.direction));
  body->set_on_site(options.on_site);
  body->set_site_id(options.site);
  if (options.next) {
    LEDGER_ASSIGN_OR_RETURN(*body->mutable_next_contact_time(), session.Zoned("--next", *options.next));
  }
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

void AddVisit(const Command& root) {
  auto options = std::make_shared<ContactOptions>();
  const Command command = root.Sub("visit", "Logs a visit that took place",
                                   "ledgerctl visit guest-1 --by liu\n"
                                   "ledgerctl visit guest-1 --by liu --direction inbound --site shop-1");
  options->AddOptions(command);
  command.Text("--by", &options->by, "Who received the customer or went there: a staff id", Need::kRequired);
  command.Text("--id", &options->visit_id, "The visit's id");
  command.Enum("--direction", &options->direction, pb::Direction_descriptor(),
               "inbound: the customer came; outbound: the company went");
  command.Flag("--on-site", &options->on_site, "On site at the customer's");
  command.Text("--site", &options->site, "Where it took place");
  command.Text("--next", &options->next, "When they agreed to meet again");
  command.Run([options](Session& session) { return Visit(session, *options); });
}

struct GradeOptions : AboutCustomer {
  std::string scheme, to, by, basis;
};

absl::Status Grade(Session& session, const GradeOptions& options) {
  pb::NewEvent event = options.Event();
  pb::GradeChanged* body = event.mutable_event()->mutable_grade_changed();
  body->set_customer_id(options.customer);
  body->set_scheme(options.scheme);
  body->set_to_class(options.to);
  body->set_basis(options.basis);
  body->add_decided_by(options.by);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

void AddGrade(const Command& root) {
  auto options = std::make_shared<GradeOptions>();
  const Command command = root.Sub("grade", "Changes a customer's grade",
                                   "ledgerctl grade guest-1 --scheme intent --to A --by liu");
  options->AddOptions(command);
  command.Text("--scheme", &options->scheme, "Which scheme of the policy", Need::kRequired);
  command.Text("--to", &options->to, "The new class; '' takes the grade away", Need::kRequired);
  command.Text("--by", &options->by, "Who decided: a staff id", Need::kRequired);
  command.Text("--basis", &options->basis, "On what grounds");
  command.Run([options](Session& session) { return Grade(session, *options); });
}

struct DealOptions : AboutCustomer {
  std::string amount, currency, by, id, scope;
  int kind = pb::DEAL_KIND_SALE;
};

absl::Status Deal(Session& session, const DealOptions& options) {
  Writer writer(session);
  pb::NewEvent event = options.Event();
  pb::DealRecorded* body = event.mutable_event()->mutable_deal_recorded();
  body->set_customer_id(options.customer);
  body->set_deal_id(options.id.empty() ? writer.DerivedId("d-") : options.id);
  body->set_scope(options.scope);
  body->set_kind(static_cast<pb::DealKind>(options.kind));
  LEDGER_ASSIGN_OR_RETURN(*body->mutable_amount(), ParseMoney(options.amount, options.currency));
  body->set_closed_by(options.by);
  return writer.AppendAndPrint(std::move(event), options.expectation);
}

void AddDeal(const Command& root) {
  auto options = std::make_shared<DealOptions>();
  const Command command =
      root.Sub("deal", "Records a deal",
               "ledgerctl deal guest-1 --amount 1288.50 --currency CNY --by liu\n"
               "ledgerctl deal guest-1 --amount=-20.00 --currency CNY --kind consumption");
  options->AddOptions(command);
  command.Text("--amount", &options->amount, "What it is worth, e.g. 1288.50; negative for a return",
               Need::kRequired);
  command.Text("--currency", &options->currency, "ISO 4217, e.g. CNY", Need::kRequired);
  command.Enum("--kind", &options->kind, pb::DealKind_descriptor(), "Which kind; default: sale");
  command.Text("--by", &options->by, "Who closed it: a staff id");
  command.Text("--id", &options->id, "The deal's id; default: a fresh one");
  command.Text("--scope", &options->scope, "Within which scope it counts; default: all");
  command.Run([options](Session& session) { return Deal(session, *options); });
}

}  // namespace

void AddWriteCommands(const Command& root) {
  AddRegister(root);
  AddContact(root);
  AddVisit(root);
  AddGrade(root);
  AddDeal(root);
}

}  // namespace ledger::ctl
