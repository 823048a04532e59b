#include "projections/policy/checks.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

void CheckRequired(const google::protobuf::RepeatedPtrField<std::string>& fields, const std::string& path,
                   Findings* findings) {
  if (fields.size() > kMaxNameBytes) {
    findings->Error(
        path, absl::StrCat("has ", fields.size(), " entries, but a registration carries at most 64 fields"));
  }
  std::set<std::string> seen;
  for (int i = 0; i < fields.size(); ++i) {
    const std::string here = absl::StrCat(path, "[", i, "]");
    if (fields[i].empty()) {
      findings->Error(here, "is empty, and no registration could meet it; name a field");
    } else if (!seen.insert(fields[i]).second) {
      findings->Error(here, absl::StrCat("\"", fields[i], "\" is listed twice; once is enough"));
    }
  }
}

void CheckValidator(const std::string& path, const pb::FieldValidator& validator, Findings* findings) {
  if (validator.field().empty()) {
    findings->Error(absl::StrCat(path, ".field"), "is missing: nothing would be checked; name a field");
  }
  if (validator.kind() == pb::VALIDATOR_KIND_UNSPECIFIED) {
    findings->Error(absl::StrCat(path, ".kind"), "is missing: every value would pass; name a kind");
  }
  const bool mobile = validator.kind() == pb::VALIDATOR_KIND_MOBILE_DIGITS;
  if (mobile && (validator.digits() < 1 || validator.digits() > 20)) {
    findings->Error(absl::StrCat(path, ".digits"),
                    absl::StrCat("is ", validator.digits(), "; 1 to 20 are allowed"));
  }
  if (validator.kind() == pb::VALIDATOR_KIND_ONE_OF && validator.values().empty()) {
    findings->Error(absl::StrCat(path, ".values"), "is empty: no value would pass; list what is allowed");
  }
}

void CheckStages(const pb::Registration& registration, Findings* findings) {
  std::set<std::string> seen;
  for (int i = 0; i < registration.stages_size(); ++i) {
    const std::string path = absl::StrCat("registration.stages[", i, "]");
    const std::string& name = registration.stages(i).name();
    findings->CheckName(absl::StrCat(path, ".name"), name);
    if (!name.empty() && !seen.insert(name).second) {
      findings->Error(absl::StrCat(path, ".name"),
                      absl::StrCat("\"", name, "\" names two stages; rename one"));
    }
    if (name == "change" || name == "wake" || name == "transfer") {
      findings->Error(absl::StrCat(path, ".name"),
                      absl::StrCat("\"", name,
                                   "\" is what a later submission is called, so this stage could not be "
                                   "told from it; rename it"));
    }
    CheckRequired(registration.stages(i).required_fields(), absl::StrCat(path, ".required_fields"), findings);
  }
}

void CheckFiling(const pb::Filing& filing, Findings* findings) {
  if (filing.counted_from().empty()) {
    findings->Error("registration.filing.counted_from",
                    "is empty: nothing would ever be due; name what the deadline is counted from");
  }
  if (filing.has_within() == filing.has_same_day_until()) {
    findings->Error("registration.filing", filing.has_within()
                                               ? "has two deadlines; set within or same_day_until, not both"
                                               : "has no deadline; set within or same_day_until");
  }
  if (filing.has_grace() && !filing.grace().has_next_day_until()) {
    findings->Error("registration.filing.grace.next_day_until",
                    "is missing: the grace would end at midnight, before it began; set a time of day");
  }
}

}  // namespace

void CheckRegistration(const pb::Policy& policy, Findings* findings) {
  const pb::Registration& registration = policy.registration();
  CheckRequired(registration.required_fields(), "registration.required_fields", findings);
  for (int i = 0; i < registration.validators_size(); ++i) {
    CheckValidator(absl::StrCat("registration.validators[", i, "]"), registration.validators(i), findings);
  }
  CheckStages(registration, findings);
  if (registration.has_incomplete_deletion()) {
    findings->CheckPeriod("registration.incomplete_deletion.after",
                          registration.incomplete_deletion().has_after());
    if (registration.stages().empty() && !registration.has_review()) {
      findings->Error(
          "registration.incomplete_deletion",
          "would delete nothing: without stages and without a review every registration is complete; "
          "set one of them");
    }
  }
  if (registration.has_filing()) CheckFiling(registration.filing(), findings);
}

}  // namespace ledger::policy
