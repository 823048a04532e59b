#include "services/ctl/errors.h"

#include <map>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "customerledger/v1/error.pb.h"
#include "services/ctl/output/table.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

constexpr char kNextStepUrl[] = "ledgerctl/next-step";
constexpr char kInterruptedUrl[] = "ledgerctl/interrupted";

std::optional<pb::ErrorInfo> InfoOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kErrorInfoUrl);
  pb::ErrorInfo info;
  if (!payload || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return info;
}

// Errors of the storage library name their reason themselves: "NO_DATA: /srv/x holds no ledgers".
bool BeginsWithReason(absl::string_view message) {
  const size_t end = message.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  return end != absl::string_view::npos && end >= 3 && message[end] == ':';
}

// What helps for a code, where the server's own message says nothing better.
std::string NextStepFor(const absl::Status& status, bool from_server, absl::string_view server) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      if (from_server) return "try again; a write that is retried needs the same --request-id";
      return absl::StrCat("is ledgerd running at ", server,
                          "? start it with 'ledgerd --data DIR', or name another with --server HOST:PORT");
    case absl::StatusCode::kDeadlineExceeded:
      return "try again with a longer --timeout SECONDS; a write needs the same --request-id";
    case absl::StatusCode::kResourceExhausted:
      return "wait and try again; a write needs the same --request-id";
    case absl::StatusCode::kAborted:
      return "somebody else wrote in between: look again, then decide again";
    case absl::StatusCode::kDataLoss:
      return "stop and run 'ledgerctl verify'";
    case absl::StatusCode::kUnimplemented:
      return "the server is of another release than this ledgerctl: use the one it came with";
    default:
      return "";
  }
}

void PrintRetryDelay(std::ostream& err, const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryInfoUrl);
  pb::RetryInfo retry;
  if (!payload || !retry.ParseFromString(std::string(*payload))) return;
  const int64_t millis = retry.retry_delay().seconds() * 1000 + retry.retry_delay().nanos() / 1'000'000;
  err << "  wait: " << millis << " ms\n";
}

}  // namespace

const char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
const char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

const char kExitCodesHelp[] =
    "Exit codes: 0 done; 1 unexpected error; 2 bad usage or malformed request; 3 refused by a rule, a check\n"
    "or a policy's findings; 4 not found; 5 unavailable, overloaded or too late (try again); 6 data loss or\n"
    "findings of verify; 130 an import was interrupted (run it again: it goes on where it stopped).";

int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kExitUsage;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return kExitRefused;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return kExitUnavailable;
    case absl::StatusCode::kDataLoss:
      return kExitDataLoss;
    case absl::StatusCode::kCancelled:
      return kExitInterrupted;
    default:
      return kExitInternal;
  }
}

std::string ReasonOf(const absl::Status& status) {
  const auto info = InfoOf(status);
  return info ? info->reason() : std::string();
}

absl::Status WithNextStep(absl::Status status, absl::string_view next_step) {
  if (!status.ok()) status.SetPayload(kNextStepUrl, absl::Cord(next_step));
  return status;
}

absl::Status InterruptedError() {
  absl::Status status = absl::CancelledError("interrupted");
  status.SetPayload(kInterruptedUrl, absl::Cord());
  return status;
}

bool IsInterrupted(const absl::Status& status) { return status.GetPayload(kInterruptedUrl).has_value(); }

void PrintError(std::ostream& err, const absl::Status& status, absl::string_view server) {
  const auto info = InfoOf(status);
  err << "ledgerctl: ";
  if (info && !info->reason().empty()) {
    err << Printable(info->reason()) << ": ";
  } else if (!BeginsWithReason(status.message())) {
    err << absl::StatusCodeToString(status.code()) << ": ";
  }
  // A message may have several lines: findings, failing checks.
  err << absl::StrJoin(absl::StrSplit(status.message(), '\n'), "\n  ",
                       [](std::string* out, absl::string_view line) { out->append(Printable(line)); })
      << '\n';
  if (info) {
    const std::map<std::string, std::string> sorted(info->metadata().begin(), info->metadata().end());
    for (const auto& [name, value] : sorted) {
      err << "  " << Printable(name) << ": " << Printable(value) << '\n';
    }
  }
  PrintRetryDelay(err, status);
  const auto given = status.GetPayload(kNextStepUrl);
  const std::string next = given ? std::string(*given) : NextStepFor(status, info.has_value(), server);
  if (!next.empty()) err << "  next: " << next << '\n';
}

}  // namespace ledger::ctl
