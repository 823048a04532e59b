#include "projections/policy/policy_check.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "projections/policy/event_names.h"
#include "projections/policy/utf8.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kMaxName = 64;
constexpr int kMaxText = 4096;
constexpr int kMaxList = 1000;
constexpr int kMaxOffset = 64'800;

class Checker {
 public:
  explicit Checker(const pb::Policy& policy) : policy_(policy) {}

  std::vector<pb::PolicyFinding> Run() {
    CheckForm(policy_, "");
    CheckIdentity();
    CheckBusinessTime();
    CheckRegistration();
    CheckOwnership();
    CheckLapse();
    CheckPool();
    CheckHandOver();
    for (int i = 0; i < policy_.grade_schemes_size(); ++i) CheckScheme(i);
    CheckCallBack();
    return std::move(findings_);
  }

 private:
  void Find(absl::string_view field, absl::string_view message) {
    pb::PolicyFinding finding;
    finding.set_field(std::string(field));
    finding.set_message(std::string(message));
    findings_.push_back(std::move(finding));
  }

  // What holds for every message: no fields of a later release, texts that are UTF-8 and bounded.
  void CheckForm(const Message& message, const std::string& path) {
    const auto* reflection = message.GetReflection();
    if (!reflection->GetUnknownFields(message).empty()) {
      Find(path,
           "holds a field that this release does not know and would pass over; adopt it with a release "
           "that knows it");
    }
    std::vector<const FieldDescriptor*> fields;
    reflection->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const std::string here = path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
      const int size = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      if (size > kMaxList) {
        Find(here, absl::StrCat("has ", size, " entries; at most ", kMaxList, " are allowed"));
        continue;
      }
      for (int i = 0; i < size; ++i) {
        const std::string entry = field->is_repeated() ? absl::StrCat(here, "[", i, "]") : here;
        CheckField(message, field, i, entry);
      }
    }
  }

  void CheckField(const Message& message, const FieldDescriptor* field, int index, const std::string& path) {
    const auto* reflection = message.GetReflection();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      CheckForm(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, index)
                                     : reflection->GetMessage(message, field),
                path);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const std::string text = field->is_repeated() ? reflection->GetRepeatedString(message, field, index)
                                                    : reflection->GetString(message, field);
      if (text.size() > kMaxText) {
        Find(path, absl::StrCat("is ", text.size(), " bytes long; at most ", kMaxText, " are allowed"));
      } else if (FirstInvalidUtf8(text) != absl::string_view::npos) {
        Find(path, "is not UTF-8 and could not be stored; write it in UTF-8");
      }
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      const int value = field->is_repeated() ? reflection->GetRepeatedEnumValue(message, field, index)
                                             : reflection->GetEnumValue(message, field);
      if (field->enum_type()->FindValueByNumber(value) == nullptr) {
        Find(path, absl::StrCat("has the value ", value, ", which this release does not know; use a name of ",
                                field->enum_type()->name()));
      }
    }
  }

  void CheckIdentity() {
    const std::string& id = policy_.id();
    const bool plain = std::all_of(id.begin(), id.end(), [](char c) {
      return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
    });
    if (id.empty()) {
      Find("id", "is missing; answers could not name the policy. Give 1 to 64 bytes of a-z, 0-9 and hyphens");
    } else if (id.size() > kMaxName || !plain) {
      Find("id", "must be 1 to 64 bytes of a-z, 0-9 and hyphens");
    }
    const int32_t offset = policy_.utc_offset_seconds();
    if (offset < -kMaxOffset || offset > kMaxOffset) {
      Find("utc_offset_seconds",
           absl::StrCat("is ", offset, " seconds, which is no local time; -64800 to 64800 are allowed"));
    }
    const std::string& region = policy_.phone_region();
    const bool region_form =
        region.size() == 2 && absl::ascii_isupper(region[0]) && absl::ascii_isupper(region[1]);
    if (region.empty()) {
      Find("phone_region",
           "is missing; phone numbers without a country code could not be read. Give an ISO 3166 region such "
           "as \"CN\"");
    } else if (!region_form) {
      Find("phone_region",
           absl::StrCat("\"", region, "\" is no ISO 3166 region; two capital letters such as \"CN\" are"));
    }
  }

  void CheckBusinessTime() {
    std::set<std::string> seen;
    for (int i = 0; i < policy_.business_time().counted_when_recorded_size(); ++i) {
      const std::string& name = policy_.business_time().counted_when_recorded(i);
      const std::string path = absl::StrCat("business_time.counted_when_recorded[", i, "]");
      if (EventTypeByName(name) == 0) {
        Find(path, absl::StrCat("there is no event \"", name,
                                "\", so nothing would count when recorded; name a body of Event such as "
                                "\"customer_registered\""));
      } else if (!seen.insert(name).second) {
        Find(path, absl::StrCat("\"", name, "\" is listed twice; once is enough"));
      }
    }
  }

  void CheckRegistration() {
    const auto& fields = policy_.registration().required_fields();
    if (fields.size() > kMaxName) {
      Find("registration.required_fields",
           absl::StrCat("has ", fields.size(), " entries, but a registration carries at most 64 fields"));
    }
    std::set<std::string> seen;
    for (int i = 0; i < fields.size(); ++i) {
      const std::string path = absl::StrCat("registration.required_fields[", i, "]");
      if (fields[i].empty()) {
        Find(path, "is empty, and no registration could meet it; name a field");
      } else if (!seen.insert(fields[i]).second) {
        Find(path, absl::StrCat("\"", fields[i], "\" is listed twice; once is enough"));
      }
    }
  }

  void CheckOwnership() {
    const pb::OwnershipRules& rules = policy_.ownership();
    if (!rules.by_recorded_assignment()) return;
    const absl::string_view nothing =
        "would do nothing: ownership.by_recorded_assignment lets only recorded owners count; remove one of "
        "the two";
    if (rules.claim_by() != pb::CLAIM_ACT_UNSPECIFIED) Find("ownership.claim_by", nothing);
    if (policy_.has_lapse()) Find("lapse", nothing);
    if (policy_.pool().claim_by_registration()) Find("pool.claim_by_registration", nothing);
    if (!policy_.hand_over().steps().empty()) Find("hand_over.steps", nothing);
  }

  void CheckLapse() {
    const pb::Lapse& lapse = policy_.lapse();
    if (lapse.has_protection()) {
      CheckPeriod("lapse.protection.period", lapse.protection().has_period(), lapse.protection().period());
    }
    if (!lapse.has_dormancy()) return;
    CheckPeriod("lapse.dormancy.period", lapse.dormancy().has_period(), lapse.dormancy().period());
    const auto& evidence = lapse.dormancy().evidence();
    if (evidence.empty()) {
      Find("lapse.dormancy.evidence",
           "is empty: every customer would fall to the public pool however well it is kept. List "
           "EVIDENCE_CONTACT, "
           "EVIDENCE_VISIT or EVIDENCE_DEAL");
    }
    std::set<int> seen;
    for (int i = 0; i < evidence.size(); ++i) {
      const std::string path = absl::StrCat("lapse.dormancy.evidence[", i, "]");
      if (evidence[i] == pb::EVIDENCE_UNSPECIFIED) {
        Find(path, "names no evidence; EVIDENCE_CONTACT, EVIDENCE_VISIT and EVIDENCE_DEAL are allowed");
      } else if (!seen.insert(evidence[i]).second) {
        Find(path, "is listed twice; once is enough");
      }
    }
  }

  void CheckPool() {
    if (!policy_.pool().claim_by_registration() || policy_.ownership().by_recorded_assignment()) return;
    if (policy_.ownership().claim_by() == pb::CLAIM_ACT_REGISTRATION) return;
    Find("pool.claim_by_registration",
         "nobody could take a customer from the pool, because registering is no claim here; set "
         "ownership.claim_by to CLAIM_ACT_REGISTRATION");
  }

  void CheckHandOver() {
    const auto& steps = policy_.hand_over().steps();
    if (steps.empty()) return;
    if (steps[0] != pb::HAND_OVER_STEP_PROPOSE) {
      Find("hand_over.steps[0]",
           "a hand-over that does not begin with HAND_OVER_STEP_PROPOSE could never begin; put it first");
    }
    std::set<int> seen;
    for (int i = 0; i < steps.size(); ++i) {
      const std::string path = absl::StrCat("hand_over.steps[", i, "]");
      if (steps[i] == pb::HAND_OVER_STEP_UNSPECIFIED) {
        Find(path, "names no step; HAND_OVER_STEP_PROPOSE and HAND_OVER_STEP_ACCEPT are allowed");
      } else if (!seen.insert(steps[i]).second) {
        Find(path, "is listed twice; each step is taken once");
      }
    }
    if (!seen.contains(pb::HAND_OVER_STEP_ACCEPT)) {
      Find("hand_over.steps", "lacks HAND_OVER_STEP_ACCEPT: a hand-over would never take effect; add it");
    }
  }

  void CheckScheme(int index) {
    const pb::GradeScheme& scheme = policy_.grade_schemes(index);
    const std::string path = absl::StrCat("grade_schemes[", index, "]");
    CheckName(absl::StrCat(path, ".name"), scheme.name());
    for (int i = 0; i < index; ++i) {
      if (policy_.grade_schemes(i).name() != scheme.name() || scheme.name().empty()) continue;
      Find(absl::StrCat(path, ".name"),
           absl::StrCat("\"", scheme.name(),
                        "\" names two schemes and no grade could tell which; rename one"));
      break;
    }
    if (scheme.classes().empty()) {
      Find(absl::StrCat(path, ".classes"), "is empty: no grade could be given; list at least one class");
    }
    std::set<std::string> seen;
    for (int i = 0; i < scheme.classes_size(); ++i) {
      const std::string class_path = absl::StrCat(path, ".classes[", i, "].name");
      const std::string& name = scheme.classes(i).name();
      CheckName(class_path, name);
      if (!name.empty() && !seen.insert(name).second) {
        Find(class_path, absl::StrCat("\"", name, "\" names two classes of one scheme; rename one"));
      }
    }
    if (!scheme.initial_class().empty() && !seen.contains(scheme.initial_class())) {
      Find(absl::StrCat(path, ".initial_class"),
           absl::StrCat("the scheme has no class \"", scheme.initial_class(), "\"; name one of its classes"));
    }
  }

  void CheckCallBack() {
    const pb::CallBack& rules = policy_.call_back();
    std::set<std::pair<std::string, std::string>> seen;
    for (int i = 0; i < rules.cadences_size(); ++i) {
      const pb::Cadence& cadence = rules.cadences(i);
      const std::string path = absl::StrCat("call_back.cadences[", i, "]");
      CheckCadenceClass(path, cadence);
      if (!seen.insert({cadence.scheme(), cadence.class_name()}).second) {
        Find(absl::StrCat(path, ".class_name"), "a second cadence for the same class; remove one");
      }
      CheckPeriod(absl::StrCat(path, ".every"), cadence.has_every(), cadence.every());
    }
    if (rules.has_first()) CheckPeriod("call_back.first", true, rules.first());
  }

  void CheckCadenceClass(const std::string& path, const pb::Cadence& cadence) {
    if (cadence.scheme().empty()) {
      if (cadence.class_name().empty()) return;
      Find(absl::StrCat(path, ".scheme"),
           "is missing although a class is named; name the scheme, or leave both empty for every customer");
      return;
    }
    const auto& schemes = policy_.grade_schemes();
    const auto scheme = std::find_if(schemes.begin(), schemes.end(), [&](const pb::GradeScheme& known) {
      return known.name() == cadence.scheme();
    });
    if (scheme == schemes.end()) {
      Find(absl::StrCat(path, ".scheme"), absl::StrCat("there is no grade scheme \"", cadence.scheme(),
                                                       "\", so nobody would be called; name one of "
                                                       "grade_schemes"));
      return;
    }
    const auto& classes = scheme->classes();
    const bool known = std::any_of(classes.begin(), classes.end(), [&](const pb::GradeClass& grade) {
      return grade.name() == cadence.class_name();
    });
    if (!known) {
      Find(absl::StrCat(path, ".class_name"),
           absl::StrCat("the scheme \"", cadence.scheme(), "\" has no class \"", cadence.class_name(),
                        "\", so nobody would be called; name one of its classes"));
    }
  }

  void CheckName(const std::string& path, const std::string& name) {
    if (name.empty()) {
      Find(path, "is missing; nothing could refer to it. Give 1 to 64 bytes");
    } else if (name.size() > kMaxName) {
      Find(path, absl::StrCat("is ", name.size(), " bytes long; 1 to 64 are allowed"));
    }
  }

  void CheckPeriod(const std::string& path, bool is_set, const pb::Period& period) {
    switch (period.length_case()) {
      case pb::Period::kDays:
        return CheckLength(path, "days", period.days(), 36'500);
      case pb::Period::kMonths:
        return CheckLength(path, "months", period.months(), 1'200);
      case pb::Period::kWorkdays:
        return CheckLength(path, "workdays", period.workdays(), 10'000);
      case pb::Period::kHours:
        return CheckLength(path, "hours", period.hours(), 876'000);
      case pb::Period::kMinutes:
        return CheckLength(path, "minutes", period.minutes(), 1'000'000);
      case pb::Period::LENGTH_NOT_SET:
        break;
    }
    Find(path, absl::StrCat(is_set ? "has no length" : "is missing",
                            ", so it would never end; set days, months, workdays, hours or minutes"));
  }

  void CheckLength(const std::string& path, absl::string_view unit, uint32_t value, uint32_t most) {
    if (value >= 1 && value <= most) return;
    Find(absl::StrCat(path, ".", unit), absl::StrCat("is ", value, "; 1 to ", most, " are allowed"));
  }

  const pb::Policy& policy_;
  std::vector<pb::PolicyFinding> findings_;
};

}  // namespace

std::vector<pb::PolicyFinding> CheckPolicy(const pb::Policy& policy) { return Checker(policy).Run(); }

}  // namespace ledger::policy
