#pragma once

#include <functional>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/common.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "services/ctl/cli.h"
#include "services/ctl/client.h"
#include "services/ctl/output/time_format.h"
#include "services/ctl/progress_bar.h"

namespace ledger::ctl {

// What a run of ledgerctl touches apart from the server; tests give their own. Borrowed streams.
struct Environment {
  std::istream* in;
  std::ostream* out;
  std::ostream* err;
  bool err_is_terminal = false;
  std::function<absl::Time()> clock = absl::Now;
};

// One run of ledgerctl: its options, its connection, its output. Not thread-safe.
class Session {
 public:
  Session(GlobalOptions options, Environment environment);

  const GlobalOptions& options() const { return options_; }
  const Environment& environment() const { return environment_; }
  Client& client() { return client_; }
  std::ostream& out() { return *environment_.out; }
  std::ostream& err() { return *environment_.err; }
  absl::Time now() const { return environment_.clock(); }
  bool table() const { return options_.output == Output::kTable; }

  // The ledger to work on; kInvalidArgument if none was named.
  absl::StatusOr<std::string> Ledger() const;

  // The ledger's zone: its policy's offset from UTC in seconds. Asks the server once.
  absl::StatusOr<int32_t> Zone();

  // Reads a time that the user wrote as the value of `option`, in the ledger's zone unless it says its own.
  absl::StatusOr<WrittenTime> Time(absl::string_view option, absl::string_view text);
  absl::StatusOr<customerledger::v1::ZonedTime> Zoned(absl::string_view option, absl::string_view text);
  absl::StatusOr<google::protobuf::Timestamp> Instant(absl::string_view option, absl::string_view text);

  // --min-position as a token. Where it was not given, everything acknowledged so far: a person who asks after an
  // append or an import expects it to count. --min-position 0: whatever the view has.
  absl::Status SetMinPosition(customerledger::v1::PositionToken* token);

  // In the zone that Zone() found; UTC if nobody asked it.
  std::string Show(const google::protobuf::Timestamp& time) const;

  // Prints `message` as protobuf JSON: indented for json, on one line for jsonl.
  absl::Status PrintJson(const google::protobuf::Message& message);
  // As PrintJson, but on one line always.
  absl::Status PrintJsonLine(const google::protobuf::Message& message);

  // A progress bar on stderr.
  std::unique_ptr<ProgressBar> Progress(std::string label) const;

 private:
  const GlobalOptions options_;
  const Environment environment_;
  Client client_;
  // Asks for the ledger once: its zone and how far its log reaches.
  absl::Status AskLedger();

  std::optional<int32_t> zone_;
  customerledger::v1::PositionToken position_;
};

// `message` as protobuf JSON with unset fields printed.
absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, bool indented);

// Reads "liu", "staff:liu" or "unit:shop-1".
absl::StatusOr<customerledger::v1::Owner> ParseOwner(absl::string_view text);
// What ParseOwner reads again; "" where nobody is named.
std::string OwnerText(const customerledger::v1::Owner& owner);

}  // namespace ledger::ctl
