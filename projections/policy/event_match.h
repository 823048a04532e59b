#pragma once

#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/terms.pb.h"
#include "customerledger/v1/time.pb.h"

// Events as policies mean them: EventMatch and FieldMatch of terms.proto. Pure; any thread.
namespace ledger::policy {

// True if `event` is one that `match` means. A match that names no known event or field matches nothing.
bool Matches(const customerledger::v1::EventMatch& match, const customerledger::v1::Event& event);
// True if the event's body holds what `match` asks of one field.
bool Matches(const customerledger::v1::FieldMatch& match, const customerledger::v1::Event& event);

// What the field at `path` of the event's body holds, as FieldMatch writes it: nothing where it is not set, several
// texts where it is repeated. A message that is set comes as "set".
std::vector<std::string> FieldTexts(const customerledger::v1::Event& event, absl::string_view path);

// The time in the field at `path`; nullopt: none is set, or the field is no time.
std::optional<customerledger::v1::ZonedTime> FieldTime(const customerledger::v1::Event& event,
                                                       absl::string_view path);

// What is wrong with `path` as a field of the event named `event`; empty: nothing. Whatever stands in a map may be named.
std::string FieldPathError(absl::string_view event, absl::string_view path);

}  // namespace ledger::policy
