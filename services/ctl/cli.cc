#include "services/ctl/cli.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/ctl/errors.h"
#include "services/ctl/output/table.h"

namespace ledger::ctl {
namespace {

// As many files as a command line may name.
constexpr int kSeveralMax = 1000;

uint64_t ParseNumber(const std::string& text, const std::string& spec, uint64_t least) {
  uint64_t number = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (!digits || !absl::SimpleAtoi(text, &number) || number < least) {
    throw CLI::ValidationError(
        spec, absl::StrCat("'", text, "' is not allowed; give a whole number of at least ", least));
  }
  return number;
}

// "CONTACT_CHANNEL_" of ContactChannel: what the first value's name holds before "UNSPECIFIED".
std::string EnumPrefix(const google::protobuf::EnumDescriptor* type) {
  const std::string& first = type->value(0)->name();
  constexpr absl::string_view kUnspecified = "UNSPECIFIED";
  return absl::EndsWith(first, kUnspecified) ? first.substr(0, first.size() - kUnspecified.size()) : "";
}

std::map<std::string, int> EnumValues(const google::protobuf::EnumDescriptor* type) {
  std::map<std::string, int> values;
  for (int i = 0; i < type->value_count(); ++i) {
    const int number = type->value(i)->number();
    if (number != 0) values[EnumName(type, number)] = number;
  }
  return values;
}

void PrintMistake(std::ostream& err, const CLI::App& root, const std::string& what) {
  const CLI::App* app = &root;
  std::string path;
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    absl::StrAppend(&path, app->get_name(), " ");
  }
  // A mistyped command is left over, and CLI11 only says that one is missing.
  const bool takes_command = !app->get_subcommands([](const CLI::App*) { return true; }).empty();
  const std::vector<std::string> left_over = root.remaining(/*recurse=*/true);
  const bool mistyped = takes_command && !left_over.empty();
  err << "ledgerctl: "
      << Printable(mistyped ? absl::StrCat("there is no command '", path, left_over[0], "'") : what)
      << "\n  next: see 'ledgerctl " << path << "--help'\n";
}

std::string Examples(const std::string& lines) {
  return absl::StrCat("Example:\n  ", absl::StrJoin(CLI::detail::split(lines, '\n'), "\n  "));
}

}  // namespace

std::string EnumName(const google::protobuf::EnumDescriptor* type, int value) {
  const auto* found = type->FindValueByNumber(value);
  if (found == nullptr) return absl::StrCat(value);
  return absl::AsciiStrToLower(found->name().substr(EnumPrefix(type).size()));
}

Command Command::Sub(const std::string& name, const std::string& help, const std::string& example) const {
  CLI::App* sub = app_->add_subcommand(name, help);
  sub->footer(Examples(example));
  return Command(sub, handlers_);
}

Command Command::Group(const std::string& name, const std::string& help) const {
  CLI::App* group = app_->add_subcommand(name, help);
  group->require_subcommand(1);
  group->footer(absl::StrCat("See 'ledgerctl ", name, " COMMAND --help'."));
  return Command(group, handlers_);
}

void Command::Text(const std::string& spec, std::string* value, const std::string& help, Need need) const {
  app_->add_option(spec, *value, help)
      ->required(need == Need::kRequired)
      ->type_name(absl::StartsWith(spec, "-") ? "TEXT" : "");
}

void Command::Text(const std::string& spec, std::optional<std::string>* value,
                   const std::string& help) const {
  app_->add_option_function<std::string>(
      spec, [value](const std::string& text) { *value = text; }, help);
}

void Command::Texts(const std::string& spec, std::vector<std::string>* values,
                    const std::string& help) const {
  app_->add_option(spec, *values, help)->type_size(1)->allow_extra_args(false);
}

void Command::Several(const std::string& spec, std::vector<std::string>* values,
                      const std::string& help) const {
  app_->add_option(spec, *values, help)->required()->expected(1, kSeveralMax);
}

void Command::Number(const std::string& spec, std::optional<uint64_t>* value, const std::string& help,
                     uint64_t least) const {
  app_->add_option_function<std::string>(
          spec, [value, spec, least](const std::string& text) { *value = ParseNumber(text, spec, least); },
          help)
      ->type_name("N");
}

void Command::Flag(const std::string& spec, bool* value, const std::string& help) const {
  app_->add_flag_callback(
      spec, [value] { *value = true; }, help);
}

void Command::Enum(const std::string& spec, int* value, const google::protobuf::EnumDescriptor* type,
                   const std::string& help) const {
  const std::map<std::string, int> values = EnumValues(type);
  const std::string names =
      absl::StrJoin(values, "|", [](std::string* out, const auto& pair) { out->append(pair.first); });
  app_->add_option_function<std::string>(
          spec,
          [value, values, names, spec](const std::string& text) {
            const auto found = values.find(absl::AsciiStrToLower(text));
            if (found == values.end()) {
              throw CLI::ValidationError(spec, absl::StrCat("'", text, "' is not allowed; one of ", names));
            }
            *value = found->second;
          },
          help)
      ->type_name(names);
}

void Command::Explain(const std::string& text) const {
  app_->footer(absl::StrCat(text, "\n", app_->get_footer()));
}

void Command::Run(Handler handler) const { handlers_->emplace_back(app_, std::move(handler)); }

struct Cli::State {
  CLI::App app{"ledgerctl: asks and tells a customer ledger.", "ledgerctl"};
  std::vector<std::pair<const CLI::App*, Handler>> handlers;
  GlobalOptions options;

  void AddGlobalOptions();
};

void Cli::State::AddGlobalOptions() {
  const Command root(&app, &handlers);
  app.add_option("--server", options.server, "Where ledgerd listens, HOST:PORT")
      ->envname("LEDGERCTL_SERVER")
      ->capture_default_str();
  app.add_option("--ledger", options.ledger, "The ledger's name")->envname("LEDGERCTL_LEDGER");
  app.add_option_function<std::string>(
         "--output",
         [this](const std::string& text) {
           const std::map<std::string, Output> outputs = {
               {"table", Output::kTable}, {"json", Output::kJson}, {"jsonl", Output::kJsonl}};
           const auto found = outputs.find(text);
           if (found == outputs.end()) {
             throw CLI::ValidationError("--output",
                                        absl::StrCat("'", text, "' is not allowed; one of table|json|jsonl"));
           }
           options.output = found->second;
         },
         "For people, protobuf JSON, or one JSON object a line")
      ->type_name("table|json|jsonl");
  root.Text("--at", &options.at, "Writing: when it happened (default: now)");
  root.Text("--recorded-time", &options.recorded_time, "Writing to a simulated ledger: the recorded time");
  root.Text("--on-behalf-of", &options.on_behalf_of, "Writing: for whom you act");
  root.Text("--request-id", &options.request_id,
            "Writing: makes a retry safe; the same id answers with the first result (default: a fresh one)");
  root.Number("--timeout", &options.timeout_seconds, "Seconds to wait for an answer (default: 30)", 1);
  root.Number("--min-position", &options.min_position,
              "Asking: wait until the answer counts this position (default: everything acknowledged so far; "
              "0: do not wait)");
}

Cli::Cli() : state_(std::make_unique<State>()) {
  // Options of the whole program may stand after the command too.
  state_->app.fallthrough();
  state_->app.require_subcommand(1);
  state_->app.get_formatter()->column_width(34);
  state_->app.footer(absl::StrCat(
      "Times: 2026-03-01, 2026-03-01 09:30[:00] in the ledger's zone, or RFC 3339 with an offset.\n",
      "Owners: a staff id, or unit:ID for a unit.\n", kExitCodesHelp,
      "\n\nExample:\n  ledgerctl ledger create demo --policy deploy/policies/default.textproto\n"
      "  ledgerctl --ledger demo register guest-1 --by liu --phone '+86 138 0013 8000'\n"
      "  ledgerctl --ledger demo owner guest-1\n"
      "See 'ledgerctl COMMAND --help'."));
  state_->AddGlobalOptions();
}

Cli::~Cli() = default;

Command Cli::root() { return Command(&state_->app, &state_->handlers); }

std::optional<int> Cli::Parse(const std::vector<std::string>& args, std::ostream& out, std::ostream& err,
                              GlobalOptions* options, Handler* handler) {
  try {
    // CLI11 takes the arguments from the back.
    state_->app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::Success& help) {
    state_->app.exit(help, out, err);
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    PrintMistake(err, state_->app, error.what());
    return kExitUsage;
  }
  const CLI::App* app = &state_->app;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  for (const auto& [of, run] : state_->handlers) {
    if (of == app) *handler = run;
  }
  *options = state_->options;
  return std::nullopt;
}

}  // namespace ledger::ctl
