#pragma once

#include <google/protobuf/descriptor.h>

#include <vector>

#include "absl/strings/string_view.h"

namespace ledger::policy {

// The sentences that a message type is told in, in this order; patterns as in sentence_pattern.h. Fields that no
// sentence says are told as "name: value" after them, and cited rules follow the sentence of the field they belong
// to, so a type without sentences loses nothing but good English.
const std::vector<absl::string_view>& SentencesOf(const google::protobuf::Descriptor& type);

// How a message is said within a sentence; "" for types that are only told field by field. What the pattern does not
// say follows it, name by name.
absl::string_view PhrasePatternOf(const google::protobuf::Descriptor& type);

// The types that have sentences of their own, by name ("Dormancy"), in alphabetic order.
std::vector<absl::string_view> TypesWithSentences();

// The heading over a field of Policy: "Hand-over" for hand_over.
std::string SectionTitle(const google::protobuf::FieldDescriptor& field);

}  // namespace ledger::policy
