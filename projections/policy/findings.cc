#include "projections/policy/findings.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "customerledger/v1/policy.pb.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

// Compares like the policy's fields: number, index, number, index ... A list comes before its entries.
std::vector<int> PlaceOf(absl::string_view path) {
  std::vector<int> place;
  const google::protobuf::Descriptor* message = pb::Policy::descriptor();
  for (const PathStep& step : ReadPath(path)) {
    const auto* field = message == nullptr ? nullptr : message->FindFieldByName(step.name);
    if (field == nullptr) break;
    place.push_back(field->number());
    place.push_back(step.index);
    message = field->message_type();
  }
  return place;
}

}  // namespace

void Findings::Add(pb::PolicyFindingSeverity severity, absl::string_view field, absl::string_view message) {
  pb::PolicyFinding finding;
  finding.set_field(std::string(field));
  finding.set_message(std::string(message));
  finding.set_severity(severity);
  findings_.push_back(std::move(finding));
}

void Findings::Error(absl::string_view field, absl::string_view message) {
  Add(pb::POLICY_FINDING_SEVERITY_ERROR, field, message);
}

void Findings::Warning(absl::string_view field, absl::string_view message) {
  Add(pb::POLICY_FINDING_SEVERITY_WARNING, field, message);
}

void Findings::CheckName(const std::string& path, const std::string& name) {
  if (name.empty()) {
    Error(path, "is missing; nothing could refer to it. Give 1 to 64 bytes");
  } else if (name.size() > kMaxNameBytes) {
    Error(path, absl::StrCat("is ", name.size(), " bytes long; 1 to ", kMaxNameBytes, " are allowed"));
  }
}

void Findings::CheckPeriod(const std::string& path, bool is_set) {
  if (is_set) return;
  Error(path, "is missing, so it would never end; set days, months, workdays, hours or minutes");
}

std::vector<pb::PolicyFinding> Findings::Take() {
  std::stable_sort(findings_.begin(), findings_.end(),
                   [](const pb::PolicyFinding& a, const pb::PolicyFinding& b) {
                     return PlaceOf(a.field()) < PlaceOf(b.field());
                   });
  return std::exchange(findings_, {});
}

}  // namespace ledger::policy
