#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "customerledger/v1/policy.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "tests/scenarios/scenario.h"

// Any message's fields by the names and values that a scenario writes, by reflection, so that a new field or a
// new answer needs no code here. Pure; any thread. Every error is kInvalidArgument and names what would be
// right.
namespace ledger::scenarios {

// What the text of a value does not say itself.
struct Reading {
  int32_t utc_offset_seconds = 0;             // of the policy
  absl::CivilDay today;                       // the day of a bare "15:00"
  customerledger::v1::Policy policy;          // in force where the line stands
  std::map<std::string, uint64_t> positions;  // by label: "@visit"
};

google::protobuf::Timestamp ToTimestamp(const Reading& reading, absl::CivilSecond time);

// "2026-03-01 15:00:00" in the reading's local time.
std::string LocalText(const Reading& reading, const google::protobuf::Timestamp& time);

// The message's text with its instants in local time.
std::string Show(const Reading& reading, const google::protobuf::Message& message);

// The field that `name` means: its own name, or its name without _id, _ids, _time, _name, _milli or _shares where
// that is only one field; "customers" means customer_ids.
absl::StatusOr<const google::protobuf::FieldDescriptor*> FindField(const google::protobuf::Descriptor* type,
                                                                   absl::string_view name);

// Sets the field at `path` ("staff", "evidence.recorded_owner", "fields.source" of a map) from `value`. A list's
// value is "a,b,c"; each call of a quoted value adds one entry. Values: see README.md.
absl::Status SetField(const Reading& reading, absl::string_view path, absl::string_view value, bool quoted,
                      google::protobuf::Message* message);

// Sets the field at `path` of a policy or another message from the text format; paths may have indices
// ("grade_schemes[0].name"), a list's own path appends, "none" clears.
absl::Status SetFromText(absl::string_view path, absl::string_view text, google::protobuf::Message* message);

// Whether the field at the path holds what `word` says. Paths may choose entries of lists: "ownerships[0].owner",
// "tiers[scheme=intent].class", and count them: "callbacks.count". Returns the empty text where it holds, else
// what there is instead. kInvalidArgument: no answer could ever hold it: the path or the value makes no sense.
absl::StatusOr<std::string> CheckField(const Reading& reading, const Word& word,
                                       const google::protobuf::Message& message);

// "12.345" in units of 10^-`digits`, exactly; nothing if it is no such number.
std::optional<int64_t> ParseDecimal(absl::string_view text, size_t digits);

// The lower-case names of an enum's values, without their common prefix.
std::vector<std::string> EnumNames(const google::protobuf::EnumDescriptor* type);

}  // namespace ledger::scenarios
