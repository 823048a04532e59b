#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ledger::policy {

// One step of a path such as "grade_schemes[0].name": a field's name, and its index in a list or -1.
struct PathStep {
  std::string name;
  int index = -1;
};

std::vector<PathStep> ReadPath(absl::string_view path);

// The path of `field` below `path`, which is "" at the top; "" for no index.
std::string JoinPath(absl::string_view path, absl::string_view field);
std::string JoinPath(absl::string_view path, absl::string_view field, int index);

// Calls `visit` for `message` and for every message in it that is set, outer before inner, in the order of the
// fields' numbers. `path` is that of `message`.
void VisitMessages(
    const google::protobuf::Message& message, const std::string& path,
    const std::function<void(const std::string& path, const google::protobuf::Message&)>& visit);

}  // namespace ledger::policy
