#include "services/ctl/session.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/json_util.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

constexpr uint64_t kTimeoutSecondsDefault = 30;

}  // namespace

Session::Session(GlobalOptions options, Environment environment)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      client_(options_.server, absl::Seconds(options_.timeout_seconds.value_or(kTimeoutSecondsDefault)),
              options_.timeout_seconds.has_value()) {}

absl::StatusOr<std::string> Session::Ledger() const {
  if (!options_.ledger.empty()) return options_.ledger;
  return absl::InvalidArgumentError(
      "which ledger? Give --ledger NAME or set LEDGERCTL_LEDGER; 'ledgerctl ledger list' shows them");
}

absl::Status Session::AskLedger() {
  if (zone_) return absl::OkStatus();
  LEDGER_ASSIGN_OR_RETURN(const std::string ledger, Ledger());
  pb::GetLedgerRequest request;
  request.set_name(ledger);
  LEDGER_ASSIGN_OR_RETURN(const pb::GetLedgerResponse response, client_.GetLedger(request));
  zone_ = response.policy().utc_offset_seconds();
  position_ = response.ledger().position();
  return absl::OkStatus();
}

absl::StatusOr<int32_t> Session::Zone() {
  LEDGER_RETURN_IF_ERROR(AskLedger());
  return *zone_;
}

absl::StatusOr<WrittenTime> Session::Time(absl::string_view option, absl::string_view text) {
  absl::StatusOr<WrittenTime> written = ParseTime(text, 0);
  if (!written.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(option, ": ", written.status().message()));
  }
  if (!written->utc_offset_seconds) {
    LEDGER_ASSIGN_OR_RETURN(const int32_t zone, Zone());
    LEDGER_ASSIGN_OR_RETURN(*written, ParseTime(text, zone));
    written->utc_offset_seconds = zone;
  }
  return written;
}

absl::StatusOr<pb::ZonedTime> Session::Zoned(absl::string_view option, absl::string_view text) {
  LEDGER_ASSIGN_OR_RETURN(const WrittenTime written, Time(option, text));
  return ToZoned(written.time, written.utc_offset_seconds.value_or(0));
}

absl::StatusOr<google::protobuf::Timestamp> Session::Instant(absl::string_view option,
                                                             absl::string_view text) {
  LEDGER_ASSIGN_OR_RETURN(const WrittenTime written, Time(option, text));
  return ToProto(written.time);
}

absl::Status Session::SetMinPosition(pb::PositionToken* token) {
  if (options_.min_position) {
    if (*options_.min_position > 0) token->set_position(*options_.min_position);
    return absl::OkStatus();
  }
  LEDGER_RETURN_IF_ERROR(AskLedger());
  *token = position_;
  return absl::OkStatus();
}

std::string Session::Show(const google::protobuf::Timestamp& time) const {
  return FormatTime(time, zone_.value_or(0));
}

absl::StatusOr<std::string> ToJson(const google::protobuf::Message& message, bool indented) {
  google::protobuf::util::JsonPrintOptions print;
  print.always_print_primitive_fields = true;
  print.add_whitespace = indented;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, print);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat("cannot print ", message.GetTypeName(), " as JSON: ",
                                            std::string(status.message().data(), status.message().size())));
  }
  return json;
}

absl::Status Session::PrintJson(const google::protobuf::Message& message) {
  if (options_.output == Output::kJsonl) return PrintJsonLine(message);
  LEDGER_ASSIGN_OR_RETURN(const std::string json, ToJson(message, /*indented=*/true));
  out() << json;  // ends in a line break
  return absl::OkStatus();
}

absl::Status Session::PrintJsonLine(const google::protobuf::Message& message) {
  LEDGER_ASSIGN_OR_RETURN(const std::string json, ToJson(message, /*indented=*/false));
  out() << json << '\n';
  return absl::OkStatus();
}

std::unique_ptr<ProgressBar> Session::Progress(std::string label) const {
  return std::make_unique<ProgressBar>(*environment_.err, environment_.err_is_terminal, std::move(label),
                                       environment_.clock);
}

absl::StatusOr<pb::Owner> ParseOwner(absl::string_view text) {
  pb::Owner owner;
  if (absl::ConsumePrefix(&text, "unit:")) {
    owner.set_unit_id(std::string(text));
  } else {
    absl::ConsumePrefix(&text, "staff:");
    owner.set_staff_id(std::string(text));
  }
  if (text.empty()) return absl::InvalidArgumentError("an owner is a staff id, or unit:ID for a unit");
  return owner;
}

std::string OwnerText(const pb::Owner& owner) {
  switch (owner.owner_case()) {
    case pb::Owner::kStaffId: {
      const absl::string_view id = owner.staff_id();
      const bool ambiguous = absl::StartsWith(id, "unit:") || absl::StartsWith(id, "staff:");
      return absl::StrCat(ambiguous ? "staff:" : "", id);
    }
    case pb::Owner::kUnitId:
      return absl::StrCat("unit:", owner.unit_id());
    case pb::Owner::OWNER_NOT_SET:
      break;
  }
  return "";
}

}  // namespace ledger::ctl
