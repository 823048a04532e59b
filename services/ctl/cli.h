#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace CLI {
class App;
}  // namespace CLI

namespace ledger::ctl {

class Session;

// How answers are printed.
enum class Output { kTable, kJson, kJsonl };

// The options that every command takes.
struct GlobalOptions {
  std::string server = "127.0.0.1:7420";
  std::string ledger;
  Output output = Output::kTable;
  std::optional<std::string> at;             // occurred time of what is written, as the user wrote it
  std::optional<std::string> recorded_time;  // for simulated ledgers
  std::string on_behalf_of;
  std::string request_id;
  std::optional<uint64_t> timeout_seconds;
  std::optional<uint64_t> min_position;
};

using Handler = std::function<absl::Status(Session&)>;

enum class Need { kOptional, kRequired };

// A command whose options are being declared, or a group of commands. Option specs are "--name" or, for
// positional arguments, "NAME". Values are written to the given places when the command line is parsed; they
// must live as long as the Cli. A small value: copy it.
class Command {
 public:
  // A command below this one. `example` is shown by its --help, one command line to a line.
  Command Sub(const std::string& name, const std::string& help, const std::string& example) const;
  // A group of commands, one of which must be given.
  Command Group(const std::string& name, const std::string& help) const;

  void Text(const std::string& spec, std::string* value, const std::string& help,
            Need need = Need::kOptional) const;
  void Text(const std::string& spec, std::optional<std::string>* value, const std::string& help) const;
  // May be given several times.
  void Texts(const std::string& spec, std::vector<std::string>* values, const std::string& help) const;
  // One or more, one after the other: FILE...
  void Several(const std::string& spec, std::vector<std::string>* values, const std::string& help) const;
  // A decimal number of at least `least`.
  void Number(const std::string& spec, std::optional<uint64_t>* value, const std::string& help,
              uint64_t least = 0) const;
  void Flag(const std::string& spec, bool* value, const std::string& help) const;
  // A value of a proto enum by its short name: "phone" for CONTACT_CHANNEL_PHONE. The help lists the names;
  // the unspecified value has none.
  void Enum(const std::string& spec, int* value, const google::protobuf::EnumDescriptor* type,
            const std::string& help) const;
  // More for its --help than the one line of the list of commands; stands before the examples.
  void Explain(const std::string& text) const;
  // What the command does.
  void Run(Handler handler) const;

 private:
  friend class Cli;
  Command(CLI::App* app, std::vector<std::pair<const CLI::App*, Handler>>* handlers)
      : app_(app), handlers_(handlers) {}

  CLI::App* app_;
  std::vector<std::pair<const CLI::App*, Handler>>* handlers_;
};

// The command line of ledgerctl. Not thread-safe.
class Cli {
 public:
  Cli();
  ~Cli();
  Cli(const Cli&) = delete;
  Cli& operator=(const Cli&) = delete;

  Command root();

  // Parses `args` (without the program's name). Returns an exit code where there is nothing more to do: after
  // --help, printed to `out`, or after a mistake, explained on `err`; then `handler` is not set.
  std::optional<int> Parse(const std::vector<std::string>& args, std::ostream& out, std::ostream& err,
                           GlobalOptions* options, Handler* handler);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The short name of an enum's value: "phone" for CONTACT_CHANNEL_PHONE; its number if it has no name.
std::string EnumName(const google::protobuf::EnumDescriptor* type, int value);

}  // namespace ledger::ctl
