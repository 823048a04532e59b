#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

// Which fields of a policy cite rules, and for what.
namespace ledger::policy {

// True for "rule_id", "rule_ids", "<name>_rule_id" and "<name>_rule_ids": texts that cite.
bool IsRuleField(const google::protobuf::FieldDescriptor& field);

// The fields of the message that cite a rule for `field`: those named after it ("first_rule_id" and "agreed_rule_id"
// cite for "first" and "agreed_time_counts"), else the message's own "rule_id" or "rule_ids". In the order of their
// numbers; empty where there are none.
std::vector<const google::protobuf::FieldDescriptor*> RuleFieldsFor(
    const google::protobuf::FieldDescriptor& field);

// The rule ids that `rule_field` of `message` holds, without empty ones. Requires: IsRuleField.
std::vector<std::string> RuleIdsOf(const google::protobuf::Message& message,
                                   const google::protobuf::FieldDescriptor& rule_field);

}  // namespace ledger::policy
