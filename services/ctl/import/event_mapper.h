#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "services/ctl/import/mapping.pb.h"
#include "services/ctl/import/record_reader.h"

namespace ledger::ctl {

// Makes one event of one source record, as a mapping says. The events are evidence: each carries
// ImportEvidence with the source, the record's number and, where the source says so, who owned the customer.
// Ids stay as the file has them, apart from the mapping's prefix. Thread-safe.
class EventMapper {
 public:
  // `source` names the source where the mapping does not. `phone_region` is the ledger's: numbers as they are
  // dialled there are no customer ids ("": only international ones are noticed).
  // kInvalidArgument: the mapping is incomplete or contradicts itself; the message names the field.
  static absl::StatusOr<EventMapper> Create(Mapping mapping, absl::string_view source,
                                            absl::string_view phone_region = "");

  // The record's event; none where the mapping ignores its activity.
  // kInvalidArgument: this record cannot become an event (a field is missing, a time or amount makes no
  // sense, an id is too long, the event would be too large); the next one may.
  absl::StatusOr<std::optional<customerledger::v1::NewEvent>> Map(const SourceRecord& record) const;

  // The customer an event made by Map is about.
  static const std::string& CustomerOf(const customerledger::v1::Event& event);

 private:
  EventMapper() = default;

  const ActivityRule* RuleFor(const std::string& activity) const;
  absl::StatusOr<std::string> CustomerId(const SourceRecord& record) const;
  absl::StatusOr<customerledger::v1::ZonedTime> OccurredTime(const SourceRecord& record) const;
  absl::StatusOr<std::string> StaffId(const SourceRecord& record) const;
  std::string Activity(const SourceRecord& record) const;
  absl::Status SetNote(const SourceRecord& record, customerledger::v1::Event* event) const;
  absl::Status SetFact(const SourceRecord& record, const std::string& customer, const std::string& activity,
                       const std::string& staff, customerledger::v1::Event* event) const;
  absl::Status SetBody(const ActivityRule& rule, const SourceRecord& record, const std::string& customer,
                       const std::string& activity, const std::string& staff,
                       customerledger::v1::Event* event) const;

  Mapping mapping_;
  std::string source_;
  std::string phone_region_;
  absl::flat_hash_map<std::string, int> rule_of_activity_;  // index into the mapping's rules
  int rule_of_rest_ = -1;                                   // the first rule for every activity
};

}  // namespace ledger::ctl
