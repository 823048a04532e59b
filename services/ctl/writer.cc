#include "services/ctl/writer.h"

#include <openssl/sha.h>

#include <random>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"
#include "services/ctl/errors.h"
#include "services/ctl/output/describe.h"
#include "services/ctl/output/table.h"
#include "storage/status_macros.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

std::string FreshRequestId() {
  std::random_device random;
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    const uint32_t word = random();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof(word));
  }
  return absl::StrCat("ctl-", absl::BytesToHexString(bytes));
}

void AddChecks(const pb::Event& event, const Expectation& expectation, pb::AppendRequest* request) {
  bool principal = true;
  for (const pb::Subject& subject : policy::SubjectsOf(event)) {
    pb::SubjectCheck* check = request->add_checks();
    *check->mutable_subject() = subject;
    if (principal && expectation.version) {
      check->set_version(*expectation.version);
    } else if (principal && expectation.is_new) {
      check->mutable_no_subject();
    } else {
      check->mutable_any();
    }
    principal = false;
  }
}

// True where the caller cannot know whether the write took place.
bool IsOutcomeUnknown(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
         absl::IsUnknown(status) || absl::IsInternal(status);
}

std::string DescribeJoined(Session& session, const pb::JoinedClaim& joined) {
  std::string text = "the customer was already there";
  if (!joined.customer_id().empty()) absl::StrAppend(&text, " as ", joined.customer_id());
  if (joined.claim_owns()) return absl::StrCat(text, "; this claim owns it now");
  if (joined.has_owner()) absl::StrAppend(&text, ", owned by ", Describe(joined.owner()));
  if (joined.has_owner_since_time()) {
    absl::StrAppend(&text, " since ", session.Show(joined.owner_since_time()));
  }
  return absl::StrCat(text, "; this claim is kept as a later one");
}

}  // namespace

void Expectation::AddOptions(const Command& command) {
  command.Number("--expect-version", &version, "Refuse unless this many events are about it so far", 1);
  command.Flag("--new", &is_new, "Refuse if anything is known about it already");
}

Writer::Writer(Session& session)
    : session_(session),
      request_id_(session.options().request_id.empty() ? FreshRequestId() : session.options().request_id) {}

std::string Writer::DerivedId(absl::string_view prefix) const {
  const std::string digest = absl::HexStringToBytes(HexDigest(request_id_));
  uint64_t number = 0;
  for (int i = 0; i < 5; ++i) number = number << 8 | static_cast<unsigned char>(digest[i]);
  return absl::StrCat(prefix, number);
}

absl::StatusOr<pb::AppendResponse> Writer::Append(pb::NewEvent event, const Expectation& expectation) {
  if (expectation.version && expectation.is_new) {
    return absl::InvalidArgumentError("--expect-version and --new exclude each other");
  }
  pb::AppendRequest request;
  LEDGER_ASSIGN_OR_RETURN(*request.mutable_ledger(), session_.Ledger());
  request.set_request_id(request_id_);
  request.set_on_behalf_of(session_.options().on_behalf_of);
  const GlobalOptions& options = session_.options();
  if (options.recorded_time) {
    LEDGER_ASSIGN_OR_RETURN(*request.mutable_recorded_time(),
                            session_.Instant("--recorded-time", *options.recorded_time));
  }
  pb::ZonedTime* occurred = event.mutable_event()->mutable_occurred_time();
  if (options.at) {
    LEDGER_ASSIGN_OR_RETURN(*occurred, session_.Zoned("--at", *options.at));
  } else if (options.recorded_time) {
    LEDGER_ASSIGN_OR_RETURN(*occurred, session_.Zoned("--recorded-time", *options.recorded_time));
  } else {
    LEDGER_ASSIGN_OR_RETURN(const int32_t zone, session_.Zone());
    *occurred = ToZoned(absl::FromUnixMillis(absl::ToUnixMillis(session_.now())), zone);
  }
  AddChecks(event.event(), expectation, &request);
  const std::string at = FormatTime(occurred->time(), occurred->utc_offset_seconds());
  *request.add_events() = std::move(event);
  absl::StatusOr<pb::AppendResponse> response = session_.client().Append(request);
  if (!response.ok() && IsOutcomeUnknown(response.status())) {
    return WithNextStep(response.status(),
                        absl::StrCat("it may have been written all the same. Is ledgerd running at ",
                                     options.server, "? Repeat the command with --request-id ", request_id_,
                                     " --at '", at, "': it cannot be written twice"));
  }
  return response;
}

absl::Status Writer::AppendAndPrint(pb::NewEvent event, const Expectation& expectation) {
  LEDGER_ASSIGN_OR_RETURN(const pb::AppendResponse response, Append(std::move(event), expectation));
  return PrintAppended(session_, response);
}

absl::Status PrintAppended(Session& session, const pb::AppendResponse& response) {
  if (!session.table()) return session.PrintJson(response);
  LEDGER_RETURN_IF_ERROR(session.Zone().status());
  session.out() << (response.replayed() ? "already appended earlier at " : "appended at ")
                << session.Show(response.recorded_time()) << (response.simulated() ? " (simulated)" : "")
                << '\n';
  Table table({"POSITION", "EVENT", "SUBJECT", "VERSION", "RULE"});
  for (const pb::AppendedEvent& event : response.events()) {
    std::string name(policy::EventName(event.event_type()));
    if (name.empty()) name = absl::StrCat("type ", event.event_type());
    if (event.derived()) absl::StrAppend(&name, " (derived)");
    const bool has_subject = event.subjects_size() > 0;
    table.AddRow({absl::StrCat(event.position()), name,
                  has_subject ? Describe(event.subjects(0).subject()) : "",
                  has_subject ? absl::StrCat(event.subjects(0).version()) : "", event.rule_id()});
    for (int i = 1; i < event.subjects_size(); ++i) {
      table.AddRow(
          {"", "", Describe(event.subjects(i).subject()), absl::StrCat(event.subjects(i).version()), ""});
    }
  }
  table.Print(session.out());
  for (const pb::AppendedEvent& event : response.events()) {
    if (event.has_joined()) session.out() << Printable(DescribeJoined(session, event.joined())) << '\n';
  }
  return absl::OkStatus();
}

std::string HexDigest(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

}  // namespace ledger::ctl
