#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <string>
#include <vector>

namespace ledger::policy {

// Names for the entries of a repeated message field, by which the same entry is found in another policy's list
// whatever its place: what names it (name, id, scheme and class, role ...), else the rules it cites, else what it says.
// A second entry of the same name is "name #2".
std::vector<std::string> EntryKeys(const google::protobuf::Message& message,
                                   const google::protobuf::FieldDescriptor& list);

}  // namespace ledger::policy
