#include "tests/scenarios/runner.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "customerledger/v1/error.pb.h"
#include "customerledger/v1/policy.pb.h"
#include "customerledger/v1/record.pb.h"
#include "grpcpp/create_channel.h"
#include "projections/policy/event_names.h"
#include "projections/policy/policy_file.h"
#include "tests/e2e/e2e_fixture.h"
#include "tests/scenarios/event_line.h"
#include "tests/scenarios/fields.h"
#include "tests/scenarios/question.h"

namespace ledger::scenarios {
namespace {

namespace pb = ::customerledger::v1;

constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kMinuteSeconds = 60;

// The shipped policy with the case's settings.
pb::Policy LoadPolicy(const Scenario& scenario, const Case& one, std::vector<Problem>* problems) {
  const Word& name = scenario.policy;
  std::ifstream file(absl::StrCat(LEDGER_POLICIES, "/", name.key, ".textproto"));
  if (!file) {
    problems->push_back({name.line, name.column, absl::StrCat("there is no policy \"", name.key, "\"")});
    return pb::Policy();
  }
  const std::string text(std::istreambuf_iterator<char>(file), {});
  std::vector<policy::PolicyFileError> errors;
  absl::StatusOr<pb::Policy> policy = policy::ParsePolicyText(text, &errors);
  if (!policy.ok()) {
    problems->push_back({name.line, name.column, std::string(policy.status().message())});
    return pb::Policy();
  }
  for (const Setting& setting : one.settings) {
    const absl::Status set = SetFromText(setting.path.key, setting.path.value, &*policy);
    if (set.ok()) continue;
    problems->push_back({setting.path.line, setting.path.column, std::string(set.message())});
  }
  return *std::move(policy);
}

absl::CivilSecond RecordedAt(const EventLine& event) { return event.recorded.value_or(event.at).time; }

// Whether `words` could hold of a message like `message`, which says nothing.
void CheckWords(const Reading& reading, const std::vector<Word>& words,
                const google::protobuf::Message& message, std::vector<Problem>* problems) {
  for (const Word& word : words) {
    const absl::StatusOr<std::string> sense = CheckField(reading, word, message);
    if (!sense.ok()) problems->push_back({word.line, word.column, std::string(sense.status().message())});
  }
}

// The fields of a derived event that its body has; "rule" is what the record says of it.
std::vector<Word> BodyWords(const Derived& derived, const google::protobuf::Message& body) {
  std::vector<Word> words;
  std::copy_if(
      derived.fields.begin(), derived.fields.end(), std::back_inserter(words),
      [&](const Word& word) { return word.key != "rule" || FindField(body.GetDescriptor(), word.key).ok(); });
  return words;
}

const google::protobuf::Message& Prototype(const google::protobuf::Descriptor* type) {
  return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
}

void CheckLines(const Case& one, const pb::Policy& policy, std::vector<Problem>* problems) {
  Reading reading;
  reading.utc_offset_seconds = policy.utc_offset_seconds();
  reading.policy = policy;
  std::optional<absl::CivilSecond> recorded;
  for (const Line& line : one.lines) {
    if (line.ask) {
      BuildQuestion(*line.ask, reading, problems);
      continue;
    }
    const EventLine& event = *line.event;
    const size_t before = problems->size();
    const pb::NewEvent added = BuildEvent(event, reading, problems);
    if (added.event().has_policy_adopted()) reading.policy = added.event().policy_adopted().policy();
    if (problems->size() == before && !event.label.empty()) {
      if (!reading.positions.emplace(event.label, 1).second) {
        problems->push_back({line.number, 0, absl::StrCat("a second @", event.label)});
      }
    }
    for (const Derived& derived : event.derives) {
      const auto* type = FindEventType(derived.type, problems);
      if (type == nullptr) continue;
      const google::protobuf::Message& body = Prototype(type->message_type());
      CheckWords(reading, BodyWords(derived, body), body, problems);
    }
    CheckWords(reading, event.answers, pb::AppendedEvent(), problems);
    if (recorded && RecordedAt(event) < *recorded) {
      problems->push_back(
          {line.number, 0,
           "recorded before the event above it; order the lines by when they are recorded, and "
           "give recorded=TIME to one that comes late"});
    }
    recorded = std::max(recorded.value_or(RecordedAt(event)), RecordedAt(event));
  }
}

// Everything about one run of one case.
class Run {
 public:
  Run(World& world, const std::string& file, const Scenario& scenario, const Case& one)
      : world_(world), file_(file), case_(one) {
    std::vector<Problem> problems;
    policy_ = LoadPolicy(scenario, one, &problems);
    reading_.utc_offset_seconds = policy_.utc_offset_seconds();
    reading_.policy = policy_;
    ledger_ = absl::StrCat(absl::AsciiStrToLower(scenario.id), "-", world.NextNumber());
  }

  std::vector<std::string> InOrder() {
    if (!Create()) return std::move(failures_);
    for (const Line& line : case_.lines) {
      if (line.event) {
        Append(line, RecordedAt(*line.event), true);
      } else {
        Put(line, "");
      }
    }
    AskAll("asked again after the last line");
    if (failures_.empty() && Rebuild()) AskAll("asked again after the views were rebuilt");
    return std::move(failures_);
  }

  // The rules of `wanted` that an answer, a refusal or an added event names.
  std::set<std::string> Cited(const std::vector<Word>& wanted) {
    if (!Create()) return {};
    for (const Line& line : case_.lines) {
      if (line.event) {
        Append(line, RecordedAt(*line.event), true);
      } else {
        Put(line, "");
      }
    }
    std::set<std::string> cited;
    for (const Word& rule : wanted) {
      if (absl::StrContains(said_, absl::StrCat("\"", rule.key, "\""))) cited.insert(rule.key);
    }
    return cited;
  }

  std::vector<std::string> Late(uint64_t seed) {
    if (!Create()) return std::move(failures_);
    std::vector<const Line*> late;
    std::vector<const Line*> corrections;
    for (const Line& line : case_.lines) {
      // What is refused leaves nothing behind, and what refuses it may not be known yet.
      if (!line.event || line.event->refused) continue;
      switch (LatenessOf(*line.event, policy_)) {
        case Lateness::kOnTime:
          Append(line, RecordedAt(*line.event), false);
          break;
        case Lateness::kLate:
          late.push_back(&line);
          break;
        case Lateness::kCorrection:
          corrections.push_back(&line);
          break;
      }
    }
    // Written out, because std::shuffle's order is each library's own.
    std::mt19937_64 random(seed);
    for (size_t i = late.size(); i > 1; --i) std::swap(late[i - 1], late[random() % i]);
    late.insert(late.end(), corrections.begin(), corrections.end());
    absl::CivilSecond recorded = LastTime() + kDaySeconds;
    for (const Line* line : late) Append(*line, recorded += kMinuteSeconds, false);
    AskAll(absl::StrCat("delivered late, LEDGER_SCENARIO_SEED=", seed));
    return std::move(failures_);
  }

 private:
  void Fail(const Line& line, absl::string_view when, const std::string& what) {
    failures_.push_back(absl::StrCat(file_, ":", line.number, ": ", when, when.empty() ? "" : ": ", "\n    ",
                                     line.text, "\n  ", what));
  }

  // The latest instant of any event, recorded or occurred.
  absl::CivilSecond LastTime() const {
    absl::CivilSecond last = absl::CivilSecond::min();
    for (const Line& line : case_.lines) {
      if (line.event) last = std::max({last, line.event->at.time, RecordedAt(*line.event)});
    }
    return last;
  }

  absl::CivilSecond FirstTime() const {
    absl::CivilSecond first = absl::CivilSecond::max();
    for (const Line& line : case_.lines) {
      const Instant& at = line.event ? line.event->at : line.ask->at;
      first = std::min(first, at.time);
    }
    return first;
  }

  // The ledger and its calendars, a day before anything happens.
  bool Create() {
    const absl::CivilSecond start = FirstTime() - kDaySeconds;
    pb::CreateLedgerRequest request;
    request.set_name(ledger_);
    request.set_request_id(ledger_);
    request.set_simulated(true);
    *request.mutable_policy() = policy_;
    *request.mutable_recorded_time() = ToTimestamp(reading_, start);
    pb::CreateLedgerResponse response;
    e2e::Context context;
    const grpc::Status status = world_.operations().CreateLedger(&context, request, &response);
    if (!status.ok()) {
      failures_.push_back(absl::StrCat(file_, ": the ledger could not be created: ", status.error_message()));
      return false;
    }
    for (const Calendar& calendar : case_.calendars) {
      pb::NewEvent added;
      *added.mutable_event()->mutable_occurred_time()->mutable_time() = ToTimestamp(reading_, start);
      added.mutable_event()->mutable_occurred_time()->set_utc_offset_seconds(reading_.utc_offset_seconds);
      pb::CalendarPublished& published = *added.mutable_event()->mutable_calendar_published();
      published.set_calendar_id(calendar.id);
      published.set_year(calendar.year);
      for (const absl::CivilDay day : calendar.holidays) SetDay(day, published.add_holidays());
      for (const absl::CivilDay day : calendar.makeup_workdays) SetDay(day, published.add_makeup_workdays());
      pb::AppendResponse appended;
      const grpc::Status published_status = Send(added, start, "", &appended);
      if (published_status.ok()) continue;
      failures_.push_back(absl::StrCat(file_, ":", calendar.line, ": ", published_status.error_message()));
      return false;
    }
    return true;
  }

  static void SetDay(absl::CivilDay day, pb::CivilDate* date) {
    date->set_year(static_cast<int32_t>(day.year()));
    date->set_month(day.month());
    date->set_day(day.day());
  }

  grpc::Status Send(const pb::NewEvent& added, absl::CivilSecond recorded, const std::string& on_behalf_of,
                    pb::AppendResponse* response) {
    pb::AppendRequest request;
    request.set_ledger(ledger_);
    request.set_request_id(absl::StrCat("event ", world_.NextNumber()));
    request.set_on_behalf_of(on_behalf_of);
    *request.mutable_recorded_time() = ToTimestamp(reading_, recorded);
    *request.add_events() = added;
    for (const pb::Subject& subject : policy::SubjectsOf(added.event())) {
      pb::SubjectCheck& check = *request.add_checks();
      *check.mutable_subject() = subject;
      check.mutable_any();
    }
    e2e::Context context;
    grpc::Status status = world_.ledger().Append(&context, request, response);
    if (status.ok()) position_ = response->position();
    return status;
  }

  // `whole`: with what the line says about the answer, which is another where others' events are missing.
  void Append(const Line& line, absl::CivilSecond recorded, bool whole) {
    const EventLine& event = *line.event;
    std::vector<Problem> problems;
    const pb::NewEvent added = BuildEvent(event, reading_, &problems);
    for (const Problem& problem : problems) Fail(line, "", problem.message);
    pb::AppendResponse response;
    const grpc::Status status = Send(added, recorded, event.on_behalf_of, &response);
    said_.append(Show(reading_, response));
    const absl::string_view when = whole ? "" : "delivered late";
    if (event.refused) return CheckRefusal(line, when, event.refusal, status);
    if (!status.ok()) return Fail(line, when, absl::StrCat("was refused: ", ShowStatus(status)));
    if (added.event().has_policy_adopted()) reading_.policy = added.event().policy_adopted().policy();
    if (!event.label.empty()) reading_.positions[event.label] = response.events(0).position();
    if (!whole) return;
    for (const Word& word : event.answers) {
      const absl::StatusOr<std::string> instead = CheckField(reading_, word, response.events(0));
      if (instead.ok() && instead->empty()) continue;
      Fail(line, when,
           absl::StrCat("expected ", word.key, word.op, word.value, ", got ",
                        instead.ok() ? *instead : std::string(instead.status().message()), "\n",
                        Show(reading_, response.events(0))));
    }
    CheckDerived(line, response);
  }

  static std::string ShowStatus(const grpc::Status& status) {
    const auto [reason, rule] = ReasonAndRule(status);
    return absl::StrCat(reason, rule.empty() ? "" : " under ", rule, ": ", status.error_message());
  }

  static std::pair<std::string, std::string> ReasonAndRule(const grpc::Status& status) {
    pb::ErrorStatus details;
    pb::ErrorInfo info;
    if (!details.ParseFromString(status.error_details()) || details.details_size() == 0 ||
        !info.ParseFromString(details.details(0).value())) {
      return {absl::StrCat("code ", status.error_code()), ""};
    }
    const auto rule = info.metadata().find("rule_id");
    return {info.reason(), rule == info.metadata().end() ? "" : rule->second};
  }

  void CheckRefusal(const Line& line, absl::string_view when, const std::vector<Word>& expected,
                    const grpc::Status& status) {
    if (status.ok()) return Fail(line, when, "expected a refusal, but it was accepted");
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE ||
        status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
      return Fail(line, when, absl::StrCat("no answer at all: ", ShowStatus(status)));
    }
    const auto [reason, rule] = ReasonAndRule(status);
    absl::StrAppend(&said_, "\"", rule, "\"\n");
    for (const Word& word : expected) {
      if (word.key != reason && word.key != rule) {
        Fail(line, when, absl::StrCat("expected to be refused by ", word.key, ", got ", ShowStatus(status)));
      }
    }
  }

  void CheckDerived(const Line& line, const pb::AppendResponse& response) {
    int next = 1;  // what the rules added follows the event itself
    for (const Derived& derived : line.event->derives) {
      std::string nearest = "nothing of that type was added";
      bool found = false;
      for (; next < response.events_size() && !found; ++next) {
        const pb::AppendedEvent& appended = response.events(next);
        if (!appended.derived() || policy::EventName(appended.event_type()) != derived.type.key) continue;
        nearest = WrongInDerived(derived, appended);
        found = nearest.empty();
      }
      if (!found) {
        Fail(line, "",
             absl::StrCat("expected the rules to add ", derived.type.key, ": ", nearest, "\n",
                          Show(reading_, response)));
      }
    }
    if (line.event->derives_nothing && response.events_size() > 1) {
      Fail(line, "", absl::StrCat("expected the rules to add nothing:\n", Show(reading_, response)));
    }
  }

  // What the derived event says otherwise than expected.
  std::string WrongInDerived(const Derived& derived, const pb::AppendedEvent& appended) {
    pb::ReadLogRequest request;
    request.set_ledger(ledger_);
    request.mutable_from()->set_position(appended.position());
    request.set_page_size(1);
    pb::ReadLogResponse response;
    e2e::Context context;
    const grpc::Status status = world_.ledger().ReadLog(&context, request, &response);
    pb::Record record;
    if (!status.ok() || response.records_size() != 1 || !record.ParseFromString(response.records(0))) {
      return absl::StrCat("its record could not be read: ", status.error_message());
    }
    const pb::Event& event = record.event();
    const auto* type =
        event.GetDescriptor()->FindFieldByNumber(static_cast<int>(record.header().event_type()));
    const google::protobuf::Message& body = event.GetReflection()->GetMessage(event, type);
    for (const Word& word : BodyWords(derived, body)) {
      const absl::StatusOr<std::string> instead = CheckField(reading_, word, body);
      if (!instead.ok()) return std::string(instead.status().message());
      if (!instead->empty()) return absl::StrCat(word.key, " is ", *instead);
    }
    for (const Word& word : derived.fields) {
      if (word.key == "rule" && !FindField(body.GetDescriptor(), word.key).ok() &&
          word.value != record.header().rule_id()) {
        return absl::StrCat("its rule is ", record.header().rule_id());
      }
    }
    return "";
  }

  void AskAll(absl::string_view when) {
    const bool late = !absl::StrContains(when, "again");
    for (const Line& line : case_.lines) {
      if (!line.ask || (late && (line.ask->known || line.ask->not_late))) continue;
      Put(line, when);
    }
  }

  void Put(const Line& line, absl::string_view when) {
    const Ask& ask = *line.ask;
    std::vector<Problem> problems;
    const Question question = BuildQuestion(ask, reading_, &problems);
    // A list is about the present: it can be asked again only where nothing happened after its instant.
    if (!question.any_instant && !when.empty() && ask.at.time < LastTime()) return;
    for (const Problem& problem : problems) return Fail(line, when, problem.message);
    Address(ledger_, position_, question.request.get());
    std::string bytes;
    const grpc::Status status =
        e2e::RawCall(world_.channel(), question.method, question.request->SerializeAsString(), &bytes);
    if (question.refusal_expected) return CheckRefusal(line, when, question.refusal, status);
    if (!status.ok()) return Fail(line, when, absl::StrCat("no answer: ", ShowStatus(status)));
    if (!question.response->ParseFromString(bytes)) return Fail(line, when, "the answer does not parse");
    said_.append(Show(reading_, *question.response));
    std::vector<std::string> wrong = CheckAnswer(ask, reading_, *question.response);
    const std::string parked = ParkedReason(*question.response);
    if (!parked.empty()) wrong.push_back(absl::StrCat("the customer is parked: ", parked));
    if (wrong.empty()) return;
    const std::string answer = Show(reading_, *question.response);
    Fail(line, when,
         absl::StrCat(absl::StrJoin(wrong, "\n  "), "\n  the answer:\n    ",
                      absl::StrReplaceAll(answer, {{"\n", "\n    "}})));
  }

  // Why the customer that the answer is about is parked; empty: it is not.
  static std::string ParkedReason(const google::protobuf::Message& response) {
    const auto* field = response.GetDescriptor()->FindFieldByName("context");
    if (field == nullptr || field->message_type() != pb::AnswerContext::descriptor()) return "";
    pb::AnswerContext context;
    context.CopyFrom(response.GetReflection()->GetMessage(response, field));
    return context.parked_at_position() == 0 ? "" : context.parked_reason();
  }

  // Every projection of the ledger, as the server names them.
  bool Rebuild() {
    pb::GetStatusRequest request;
    request.set_ledger(ledger_);
    pb::GetStatusResponse response;
    e2e::Context context;
    const grpc::Status status = world_.operations().GetStatus(&context, request, &response);
    if (!status.ok()) {
      failures_.push_back(absl::StrCat(file_, ": no status: ", ShowStatus(status)));
      return false;
    }
    int rebuilt = 0;
    for (const pb::ProjectionStatus& projection : response.projections()) {
      if (projection.ledger() != ledger_) continue;
      if (!RebuildOne(projection.projection())) return false;
      ++rebuilt;
    }
    if (rebuilt == 0)
      failures_.push_back(absl::StrCat(file_, ": the server names no projection of ", ledger_));
    return rebuilt > 0;
  }

  bool RebuildOne(const std::string& projection) {
    pb::RebuildProjectionRequest request;
    request.set_ledger(ledger_);
    request.set_projection(projection);
    e2e::Context context;
    const auto stream = world_.operations().RebuildProjection(&context, request);
    pb::RebuildProjectionResponse progress;
    pb::RebuildProjectionResponse last;
    while (stream->Read(&progress)) last = progress;
    const grpc::Status status = stream->Finish();
    if (status.ok() && last.state() == pb::REBUILD_STATE_SWITCHED && last.differing_customers() == 0)
      return true;
    failures_.push_back(absl::StrCat(file_, ": rebuilding ", projection, " from the log: ",
                                     status.ok() ? "" : ShowStatus(status), Show(reading_, last)));
    return false;
  }

  World& world_;
  const std::string& file_;
  const Case& case_;
  pb::Policy policy_;
  Reading reading_;
  std::string ledger_;
  pb::PositionToken position_;
  std::string said_;  // everything that was answered, as text
  std::vector<std::string> failures_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<World>> World::Start() {
  std::unique_ptr<World> world(new World());
  std::string directory = (std::filesystem::temp_directory_path() / "ledger_scenarios_XXXXXX").string();
  if (mkdtemp(directory.data()) == nullptr) return absl::InternalError("no temporary directory");
  world->data_ = directory;
  services::ServerConfig config;
  config.set_listen("127.0.0.1:0");
  config.set_data(world->data_ + "/data");
  config.set_disk_low_water_bytes(1 << 20);  // the machine that tests may have a small disk
  absl::StatusOr<std::unique_ptr<services::Server>> server = services::Server::Create(config);
  if (!server.ok()) return server.status();
  world->server_ = *std::move(server);
  world->channel_ = grpc::CreateChannel(world->server_->address(), grpc::InsecureChannelCredentials());
  world->ledger_ = pb::LedgerService::NewStub(world->channel_);
  world->operations_ = pb::OperationsService::NewStub(world->channel_);
  return world;
}

World::~World() {
  if (server_ != nullptr) server_->Stop();
  server_.reset();
  std::error_code ignored;
  if (!data_.empty()) std::filesystem::remove_all(data_, ignored);
}

std::vector<Problem> CheckScenario(const Scenario& scenario) {
  std::vector<Problem> problems;
  for (const Case& one : scenario.cases) {
    std::vector<Problem> of_case;
    const pb::Policy policy = LoadPolicy(scenario, one, &of_case);
    CheckLines(one, policy, &of_case);
    for (Problem& problem : of_case) {
      // What is common to the cases is reported once.
      const bool known = std::any_of(problems.begin(), problems.end(), [&problem](const Problem& other) {
        return other.line == problem.line && other.column == problem.column &&
               other.message == problem.message;
      });
      if (!known) problems.push_back(std::move(problem));
    }
  }
  return problems;
}

bool HasLateMode(const Scenario& scenario, const Case& one) {
  std::vector<Problem> problems;
  const pb::Policy policy = LoadPolicy(scenario, one, &problems);
  return !one.late_off && std::any_of(one.lines.begin(), one.lines.end(), [&policy](const Line& line) {
    return line.event && !line.event->refused && LatenessOf(*line.event, policy) != Lateness::kOnTime;
  });
}

std::vector<Problem> FindMisnamedRules(World& world, const std::string& file, const Scenario& scenario) {
  std::vector<Word> rules = scenario.rules;
  rules.insert(rules.end(), scenario.unnamed_rules.begin(), scenario.unnamed_rules.end());
  std::set<std::string> cited;
  for (const Case& one : scenario.cases) cited.merge(Run(world, file, scenario, one).Cited(rules));
  std::vector<Problem> misnamed;
  for (const Word& rule : scenario.rules) {
    if (cited.count(rule.key) > 0) continue;
    misnamed.push_back({rule.line, rule.column,
                        absl::StrCat("nothing that was answered names ", rule.key,
                                     "; ask for it, or list it under \"unnamed\"")});
  }
  for (const Word& rule : scenario.unnamed_rules) {
    if (cited.count(rule.key) == 0) continue;
    misnamed.push_back(
        {rule.line, rule.column, absl::StrCat("an answer names ", rule.key, ": list it under \"rules\"")});
  }
  return misnamed;
}

std::vector<std::string> RunCase(World& world, const std::string& file, const Scenario& scenario,
                                 const Case& one, Mode mode, uint64_t seed) {
  Run run(world, file, scenario, one);
  return mode == Mode::kInOrder ? run.InOrder() : run.Late(seed);
}

}  // namespace ledger::scenarios
