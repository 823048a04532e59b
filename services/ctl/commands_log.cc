#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/event_names.h"
#include "services/ctl/commands.h"
#include "services/ctl/errors.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/table.h"
#include "services/ctl/paging.h"
#include "services/ctl/session.h"
#include "storage/status_macros.h"

// log: reads the log, or follows it.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

struct LogOptions {
  std::optional<uint64_t> from;
  std::optional<uint64_t> limit;
  std::vector<std::string> types;
  std::string customer;
  bool follow = false;
  bool until_caught_up = false;
};

// Prints records as they come, so that a log of any length needs no memory and a follower sees each at once.
class LogPrinter {
 public:
  // `is_array`: JSON records become the elements of one array.
  LogPrinter(Session& session, bool is_array) : session_(session), is_array_(is_array) {}

  absl::Status Print(const std::string& bytes) {
    pb::Record record;
    if (!record.ParseFromString(bytes)) {
      return absl::DataLossError("the server sent a record that cannot be read");
    }
    ++count_;
    if (session_.table()) return PrintRow(record);
    if (is_array_) session_.out() << (count_ == 1 ? "[" : ",") << '\n';
    LEDGER_ASSIGN_OR_RETURN(const std::string json, ToJson(record, /*indented=*/false));
    session_.out() << json;
    if (!is_array_) session_.out() << std::endl;
    return absl::OkStatus();
  }

  void Finish() {
    if (!session_.table() && is_array_) session_.out() << (count_ == 0 ? "[]\n" : "\n]\n");
    session_.out() << std::flush;
  }

  uint64_t count() const { return count_; }

 private:
  absl::Status PrintRow(const pb::Record& record) {
    if (count_ == 1) PrintCells({"POSITION", "OCCURRED", "EVENT", "SUBJECT", "DETAILS"});
    const pb::RecordHeader& header = record.header();
    const pb::Event& event = record.event();
    std::string name(policy::EventName(header.event_type()));
    if (name.empty()) name = absl::StrCat("type ", header.event_type());
    std::vector<std::string> subjects;
    for (const pb::SubjectVersion& subject : header.subjects()) {
      // Contact points are keyed hashes, which tell a reader nothing.
      if (subject.subject().kind() == pb::SUBJECT_KIND_CONTACT_POINT) continue;
      subjects.push_back(Describe(subject.subject()));
    }
    PrintCells({absl::StrCat(header.position()), session_.Show(event.occurred_time().time()), name,
                absl::StrJoin(subjects, ", "), Details(record)});
    return absl::OkStatus();
  }

  std::string Details(const pb::Record& record) {
    std::vector<std::string> parts;
    const pb::RecordHeader& header = record.header();
    const auto* field = pb::Event::descriptor()->FindFieldByNumber(static_cast<int>(header.event_type()));
    if (field != nullptr && record.event().body_case() == static_cast<int>(header.event_type())) {
      const auto& body = record.event().GetReflection()->GetMessage(record.event(), field);
      parts.push_back(DescribeFields(session_, body, "customer_id"));
    }
    if (record.event().has_evidence()) {
      parts.push_back(absl::StrCat("imported from ", record.event().evidence().source(), " #",
                                   record.event().evidence().record_number()));
      if (record.event().evidence().has_recorded_owner()) {
        parts.push_back(absl::StrCat("owner there ", Describe(record.event().evidence().recorded_owner())));
      }
    }
    if (header.derived()) parts.push_back(absl::StrCat("derived from ", header.caused_by()));
    if (!header.rule_id().empty()) parts.push_back(absl::StrCat("rule ", header.rule_id()));
    if (header.has_personal()) parts.push_back("personal data sealed");
    parts.erase(std::remove(parts.begin(), parts.end(), std::string()), parts.end());
    return absl::StrJoin(parts, "; ");
  }

  void PrintCells(const std::vector<std::string>& cells) {
    constexpr size_t kWidths[] = {8, 26, 24, 20, 0};
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = Printable(cells[i]);
      absl::StrAppend(&line, cell);
      const size_t width = DisplayWidth(cell);
      if (i + 1 < cells.size()) line.append((width < kWidths[i] ? kWidths[i] - width : 0) + 2, ' ');
    }
    session_.out() << absl::StripTrailingAsciiWhitespace(line) << std::endl;
  }

  Session& session_;
  const bool is_array_;
  uint64_t count_ = 0;
};

absl::StatusOr<pb::EventFilter> Filter(const LogOptions& options) {
  pb::EventFilter filter;
  for (const std::string& type : options.types) {
    uint32_t number = policy::EventTypeByName(type);
    if (number == 0 && !absl::SimpleAtoi(type, &number)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--type: no event is called '", type, "'; names are those of the Event message's fields, e.g. ",
          "customer_registered, contact_logged, transfer_accepted"));
    }
    filter.add_event_types(number);
  }
  if (!options.customer.empty()) {
    pb::Subject* subject = filter.add_subjects();
    subject->set_kind(pb::SUBJECT_KIND_CUSTOMER);
    subject->set_id(options.customer);
  }
  return filter;
}

absl::Status Read(Session& session, const LogOptions& options, pb::EventFilter filter, LogPrinter* printer) {
  pb::ReadLogRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  *request.mutable_filter() = std::move(filter);
  if (options.from) request.mutable_from()->set_position(*options.from);
  return ForEachPage(
             request, options.limit,
             [&](const pb::ReadLogRequest& next) { return session.client().ReadLog(next); },
             [&](const pb::ReadLogResponse& page) -> absl::StatusOr<uint64_t> {
               for (const std::string& record : page.records()) {
                 LEDGER_RETURN_IF_ERROR(printer->Print(record));
               }
               return page.records_size();
             })
      .status();
}

absl::Status Follow(Session& session, const LogOptions& options, pb::EventFilter filter,
                    LogPrinter* printer) {
  pb::SubscribeRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session.Ledger());
  *request.mutable_filter() = std::move(filter);
  if (options.from.value_or(0) > 0) request.mutable_after()->set_position(*options.from - 1);
  const uint64_t limit = options.limit.value_or(UINT64_MAX);
  uint64_t delivered = request.after().position();
  absl::Status printed;
  bool wanted = true;
  absl::Status status = session.client().Subscribe(request, [&](const pb::SubscribeResponse& response) {
    for (const std::string& record : response.batch().records()) {
      printed = printer->Print(record);
      wanted = printed.ok() && printer->count() < limit;
      if (!wanted) return false;
    }
    delivered = std::max(delivered, response.position().position());
    if (session.table() && !options.until_caught_up) {
      if (response.has_caught_up()) session.err() << "(caught up; waiting for what comes)" << std::endl;
      if (response.has_fell_behind()) session.err() << "(fell behind; catching up)" << std::endl;
    }
    wanted = !(response.has_caught_up() && options.until_caught_up);
    return wanted;
  });
  if (!wanted || IsInterrupted(status)) return printed;
  if (status.ok()) status = absl::UnavailableError("the server ended the subscription");
  return WithNextStep(status, absl::StrCat("go on where this ended with --from ", delivered + 1));
}

absl::Status Log(Session& session, const LogOptions& options) {
  const bool follow = options.follow || options.until_caught_up;
  LEDGER_ASSIGN_OR_RETURN(pb::EventFilter filter, Filter(options));
  if (session.table()) LEDGER_RETURN_IF_ERROR(session.Zone().status());
  // What may never end is no array.
  LogPrinter printer(session, session.options().output == Output::kJson && !follow);
  absl::Status status = follow ? Follow(session, options, std::move(filter), &printer)
                               : Read(session, options, std::move(filter), &printer);
  printer.Finish();
  return status;
}

}  // namespace

void AddLogCommand(const Command& root) {
  auto options = std::make_shared<LogOptions>();
  const Command command = root.Sub("log", "Prints the log, oldest first, or follows it",
                                   "ledgerctl log --from 100 --limit 20\n"
                                   "ledgerctl log --follow --type contact_logged --type visit_logged\n"
                                   "ledgerctl --output jsonl log > log.jsonl");
  command.Number("--from", &options->from, "The first position to look at (default: the first)");
  command.Flag("--follow", &options->follow, "Wait for what comes; end it with Ctrl-C");
  command.Flag("--until-caught-up", &options->until_caught_up,
               "Follow, and end once everything acknowledged so far was printed");
  command.Number("--limit", &options->limit, "End after so many events", 1);
  command.Texts("--type", &options->types, "Only events of this type, e.g. deal_recorded; may be repeated");
  command.Text("--customer", &options->customer, "Only events about this customer");
  command.Run([options](Session& session) { return Log(session, *options); });
}

}  // namespace ledger::ctl
