#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/record.pb.h"
#include "services/ctl/commands.h"
#include "services/ctl/output/table.h"
#include "services/ctl/paging.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/status_macros.h"

// staff: who works here.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct AddOptions {
  std::string id, role, unit, mentor;
  int status = pb::STAFF_STATUS_ACTIVE;
  Expectation expectation;
};

absl::Status Add(Session& session, const AddOptions& options) {
  pb::NewEvent event;
  pb::StaffStatusChanged* body = event.mutable_event()->mutable_staff_status_changed();
  body->set_staff_id(options.id);
  body->set_status(static_cast<pb::StaffStatus>(options.status));
  body->set_role(options.role);
  body->set_unit_id(options.unit);
  body->set_mentor_id(options.mentor);
  return Writer(session).AppendAndPrint(std::move(event), options.expectation);
}

// What was last said about each staff member, in the order of the occurred times. Corrections are about
// customers and so never change it.
absl::StatusOr<std::map<std::string, pb::Event>> FoldStaff(Session& session) {
  pb::ReadLogRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  request.mutable_filter()->add_event_types(pb::Event::kStaffStatusChanged);
  std::map<std::string, pb::Event> staff;
  LEDGER_RETURN_IF_ERROR(ForEachPage(
                             request, std::nullopt,
                             [&](const pb::ReadLogRequest& next) { return session.client().ReadLog(next); },
                             [&](const pb::ReadLogResponse& page) -> absl::StatusOr<uint64_t> {
                               for (const std::string& bytes : page.records()) {
                                 pb::Record record;
                                 if (!record.ParseFromString(bytes)) {
                                   return absl::DataLossError("the server sent a record that cannot be read");
                                 }
                                 pb::Event& last = staff[record.event().staff_status_changed().staff_id()];
                                 if (FromProto(last.occurred_time().time()) <=
                                         FromProto(record.event().occurred_time().time()) ||
                                     !last.has_staff_status_changed()) {
                                   last = record.event();
                                 }
                               }
                               return page.records_size();
                             })
                             .status());
  return staff;
}

absl::Status List(Session& session) {
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  LEDGER_ASSIGN_OR_RETURN(const auto staff, FoldStaff(session));
  if (!session.table()) {
    for (const auto& [id, event] : staff) {
      LEDGER_RETURN_IF_ERROR(session.PrintJsonLine(event.staff_status_changed()));
    }
    return absl::OkStatus();
  }
  Table table({"STAFF", "STATUS", "ROLE", "UNIT", "MENTOR", "SINCE"});
  for (const auto& [id, event] : staff) {
    const pb::StaffStatusChanged& body = event.staff_status_changed();
    table.AddRow({id, EnumName(pb::StaffStatus_descriptor(), body.status()), body.role(), body.unit_id(),
                  body.mentor_id(), session.Show(event.occurred_time().time())});
  }
  table.Print(session.out());
  return absl::OkStatus();
}

}  // namespace

void AddStaffCommands(const Command& root) {
  const Command group = root.Group("staff", "Who works here");
  auto options = std::make_shared<AddOptions>();
  const Command add = group.Sub("add", "Adds a staff member, or says what changed about one",
                                "ledgerctl staff add liu --role salesperson --unit shop-1\n"
                                "ledgerctl staff add liu --status left --at 2026-03-31");
  add.Text("ID", &options->id, "The staff member's id", Need::kRequired);
  add.Text("--role", &options->role, "The post held");
  add.Text("--unit", &options->unit, "The unit worked in");
  add.Text("--mentor", &options->mentor, "Who guides a staff member on trial");
  add.Enum("--status", &options->status, pb::StaffStatus_descriptor(), "The standing; default: active");
  options->expectation.AddOptions(add);
  add.Run([options](Session& session) { return Add(session, *options); });
  group.Sub("list", "Lists staff by id, as last said", "ledgerctl staff list").Run(List);
}

}  // namespace ledger::ctl
