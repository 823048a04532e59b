#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "customerledger/v1/error.pb.h"
#include "google/protobuf/util/json_util.h"
#include "projections/policy/event_names.h"
#include "services/ctl/commands.h"
#include "services/ctl/errors.h"
#include "services/ctl/output/table.h"
#include "services/ctl/session.h"
#include "services/ctl/writer.h"
#include "storage/mutex.h"
#include "storage/status_macros.h"

// append: events as JSON lines.
namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

constexpr size_t kLineBytesMax = 16 << 20;  // an append of 4 MiB, generously written
constexpr size_t kProblemsShown = 100;

absl::Status FromJson(const std::string& line, google::protobuf::Message* message) {
  message->Clear();
  const auto status = google::protobuf::util::JsonStringToMessage(line, message);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not the JSON of ", message->GetDescriptor()->name(), ": ",
                   std::string(status.message().data(), status.message().size())));
}

// A line is an AppendRequest if it reads as one with events, else a NewEvent whose subjects may be in any
// state.
absl::StatusOr<pb::AppendRequest> ParseLine(const std::string& line) {
  if (line.size() > kLineBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("longer than ", kLineBytesMax, " bytes"));
  }
  pb::AppendRequest request;
  const absl::Status as_request = FromJson(line, &request);
  if (as_request.ok() && request.events_size() > 0) return request;
  pb::NewEvent event;
  const absl::Status as_event = FromJson(line, &event);
  if (!as_event.ok()) return line.find("\"events\"") != std::string::npos ? as_request : as_event;
  if (!event.has_event()) return absl::InvalidArgumentError("neither an AppendRequest nor a NewEvent");
  request.Clear();
  for (const pb::Subject& subject : policy::SubjectsOf(event.event())) {
    pb::SubjectCheck* check = request.add_checks();
    *check->mutable_subject() = subject;
    check->mutable_any();
  }
  *request.add_events() = std::move(event);
  return request;
}

struct Problem {
  uint64_t line;
  std::string what;
};

struct Tally {
  uint64_t requests = 0;
  uint64_t events = 0;
  uint64_t replayed = 0;
  uint64_t refused = 0;
  uint64_t bad = 0;
  uint64_t last_position = 0;
};

// One run over one input. Next is called from the sending thread, Answer from the reading one.
class AppendRun {
 public:
  AppendRun(Session& session, std::istream& in, std::string ledger)
      : session_(session), in_(in), ledger_(std::move(ledger)) {}

  // Times in the options, read before anything is sent.
  absl::Status Prepare() {
    const GlobalOptions& options = session_.options();
    if (options.recorded_time) {
      LEDGER_ASSIGN_OR_RETURN(recorded_time_, session_.Instant("--recorded-time", *options.recorded_time));
    }
    if (options.at) {
      LEDGER_ASSIGN_OR_RETURN(occurred_time_, session_.Zoned("--at", *options.at));
    }
    return absl::OkStatus();
  }

  std::optional<pb::AppendStreamRequest> Next() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::string line;
    while (std::getline(in_, line)) {
      ++line_;
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      absl::StatusOr<pb::AppendRequest> append = ParseLine(line);
      if (!append.ok()) {
        MutexLock lock(mutex_);
        ++tally_.bad;
        AddProblem({line_, std::string(append.status().message())});
        continue;
      }
      pb::AppendStreamRequest request;
      request.set_correlation(line_);
      *request.mutable_append() = *std::move(append);
      Complete(line, request.mutable_append());
      return request;
    }
    if (in_.bad()) {
      MutexLock lock(mutex_);
      unread_ = absl::InvalidArgumentError(
          absl::StrCat("what follows line ", line_, " cannot be read; is it a file?"));
    }
    return std::nullopt;
  }

  bool Answer(const pb::AppendStreamResponse& response) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    if (response.has_refused()) {
      ++tally_.refused;
      AddProblem({response.correlation(), Refusal(response.refused())});
    } else {
      const pb::AppendResponse& appended = response.appended();
      ++tally_.requests;
      tally_.events += appended.events_size();
      if (appended.replayed()) ++tally_.replayed;
      tally_.last_position = std::max(tally_.last_position, appended.position().position());
    }
    if (!session_.table()) printed_.Update(session_.PrintJsonLine(response));
    return printed_.ok();
  }

  // Prints the summary and the problems, in the order of lines; the outcome of it all.
  absl::Status Report(absl::Status stream) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(mutex_);
    std::sort(problems_.begin(), problems_.end(),
              [](const Problem& a, const Problem& b) { return a.line < b.line; });
    for (size_t i = 0; i < std::min(problems_.size(), kProblemsShown); ++i) {
      session_.err() << "line " << problems_[i].line << ": " << Printable(problems_[i].what) << '\n';
    }
    if (const uint64_t all = tally_.bad + tally_.refused; all > kProblemsShown) {
      session_.err() << "... and " << all - kProblemsShown << " more lines\n";
    }
    if (session_.table()) PrintTally();
    LEDGER_RETURN_IF_ERROR(printed_);
    if (!stream.ok()) {
      return WithNextStep(stream,
                          "some lines may be appended without an answer: give the same file again, "
                          "nothing is appended twice");
    }
    LEDGER_RETURN_IF_ERROR(unread_);
    if (tally_.bad > 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(tally_.bad, " lines could not be read; the others were sent"));
    }
    if (tally_.refused > 0) {
      return absl::FailedPreconditionError(absl::StrCat(
          tally_.refused, " lines were refused and left nothing behind; the others are appended"));
    }
    return absl::OkStatus();
  }

 private:
  // Fills in what the line leaves out.
  void Complete(const std::string& line, pb::AppendRequest* request) const {
    const GlobalOptions& options = session_.options();
    if (request->ledger().empty()) request->set_ledger(ledger_);
    if (request->request_id().empty()) {
      // The same line of the same file gets the same id, so that giving a file again is safe.
      request->set_request_id(
          options.request_id.empty()
              ? absl::StrCat("ctl-", HexDigest(absl::StrCat(line_, "\n", line)).substr(0, 32))
              : absl::StrCat(options.request_id, "-", line_));
    }
    if (request->on_behalf_of().empty()) request->set_on_behalf_of(options.on_behalf_of);
    if (recorded_time_ && !request->has_recorded_time()) *request->mutable_recorded_time() = *recorded_time_;
    if (!occurred_time_) return;
    for (pb::NewEvent& event : *request->mutable_events()) {
      if (!event.event().has_occurred_time()) {
        *event.mutable_event()->mutable_occurred_time() = *occurred_time_;
      }
    }
  }

  static std::string Refusal(const pb::ErrorStatus& refused) {
    pb::ErrorInfo info;
    for (const auto& detail : refused.details()) {
      if (detail.type_url() == kErrorInfoUrl && info.ParseFromString(detail.value())) break;
    }
    return absl::StrCat(info.reason(), info.reason().empty() ? "" : ": ", refused.message());
  }

  void AddProblem(Problem problem) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // Bad lines and refusals come from two threads, so the first hundred of each may come late.
    if (problems_.size() < 2 * kProblemsShown) problems_.push_back(std::move(problem));
  }

  void PrintTally() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Fields fields;
    fields.Add("appended", absl::StrCat(tally_.requests - tally_.replayed, " lines"));
    fields.Add("already there", tally_.replayed > 0 ? absl::StrCat(tally_.replayed, " lines") : "");
    fields.Add("events", absl::StrCat(tally_.events, ", derived ones included"));
    fields.Add("refused", tally_.refused > 0 ? absl::StrCat(tally_.refused, " lines") : "");
    fields.Add("bad", tally_.bad > 0 ? absl::StrCat(tally_.bad, " lines") : "");
    fields.Add("last position", tally_.last_position > 0 ? absl::StrCat(tally_.last_position) : "");
    fields.Print(session_.out());
  }

  Session& session_;
  std::istream& in_;
  const std::string ledger_;
  std::optional<google::protobuf::Timestamp> recorded_time_;
  std::optional<pb::ZonedTime> occurred_time_;
  uint64_t line_ = 0;  // of the sending thread

  Mutex mutex_;
  Tally tally_ ABSL_GUARDED_BY(mutex_);
  std::vector<Problem> problems_ ABSL_GUARDED_BY(mutex_);
  absl::Status printed_ ABSL_GUARDED_BY(mutex_);
  absl::Status unread_ ABSL_GUARDED_BY(mutex_);  // why the input broke off
};

absl::Status Append(Session& session, const std::string& file) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened) return absl::NotFoundError(absl::StrCat("cannot open '", file, "'"));
  }
  AppendRun run(session, file == "-" ? *session.environment().in : opened, session.options().ledger);
  LEDGER_RETURN_IF_ERROR(run.Prepare());
  return run.Report(session.client().AppendStream(
      [&run] { return run.Next(); },
      [&run](const pb::AppendStreamResponse& response) { return run.Answer(response); }));
}

}  // namespace

void AddAppendCommand(const Command& root) {
  auto file = std::make_shared<std::string>();
  const Command command = root.Sub(
      "append", "Appends events from a file of JSON lines",
      "ledgerctl append events.jsonl\n"
      "echo '{\"event\": {\"occurredTime\": {\"time\": \"2026-03-01T01:30:00Z\"}, \"contactLogged\": "
      "{\"customerId\": \"guest-1\", \"staffId\": \"liu\"}}}' | ledgerctl append -");
  command.Explain(
      "Each line is the protobuf JSON of one NewEvent, or of one AppendRequest where it needs checks. What a "
      "line\n"
      "leaves out comes from the options: ledger, request_id, times. Without --request-id the ids come from "
      "line\n"
      "number and content, so that giving a file again appends nothing twice.");
  command.Text("FILE", file.get(), "The file, or - for standard input", Need::kRequired);
  command.Run([file](Session& session) { return Append(session, *file); });
}

}  // namespace ledger::ctl
