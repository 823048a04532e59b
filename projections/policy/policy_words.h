#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "customerledger/v1/terms.pb.h"

// Parts of a policy in English. Pure; deterministic; nothing that is set is left out.
namespace ledger::policy {

// "agreed time counts" for "agreed_time_counts", "grace" for "grace_minutes": the unit is said with the value.
std::string FieldWords(const google::protobuf::FieldDescriptor& field);

// "propose" for HAND_OVER_STEP_PROPOSE.
std::string EnumValueWords(const google::protobuf::EnumValueDescriptor& value);

// "a, b and c".
std::string JoinWords(const std::vector<std::string>& words);

// One value: entry `index` of a list, or with -1 the whole field. Numbers with their unit, enum values and messages
// as phrases, texts as they are. Requires: `message` has the field set.
std::string ValueWords(const google::protobuf::Message& message,
                       const google::protobuf::FieldDescriptor& field, int index = -1);

// A message as part of a sentence: "3 months", "18:00", "a contact with channel sms"; for other messages each field
// that is set, by name.
std::string PhraseOf(const google::protobuf::Message& message);

// True if PhraseOf has words of its own for the message, so that it needs no sentences.
bool IsPhrase(const google::protobuf::Descriptor& type);

}  // namespace ledger::policy
