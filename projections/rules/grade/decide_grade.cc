#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/fact/fact.h"
#include "projections/rules/grade/grade.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

template <typename Named>
std::string Names(const Named& all) {
  return absl::StrJoin(all, ", ",
                       [](std::string* out, const auto& one) { absl::StrAppend(out, one.name()); });
}

std::string DeciderNames(const google::protobuf::RepeatedPtrField<pb::Decider>& deciders,
                         absl::string_view between) {
  return absl::StrJoin(deciders, between, [](std::string* out, const pb::Decider& decider) {
    absl::StrAppend(out, DeciderText(decider));
  });
}

// The scheme and class that an event names; the class is nullptr where none is named.
struct Named {
  const pb::GradeScheme* scheme = nullptr;
  const pb::GradeClass* grade = nullptr;
};

absl::StatusOr<Named> FindNamed(const Proposal& proposal, const std::string& scheme,
                                const std::string& class_name) {
  Named named;
  named.scheme = FindScheme(proposal.policy, scheme);
  if (named.scheme == nullptr) {
    const auto& known = proposal.policy.policy.grade_schemes();
    return Refuse(absl::StatusCode::kInvalidArgument, "UNKNOWN_GRADE",
                  absl::StrCat("the policy in force has no grade scheme \"", scheme, "\"; it has ",
                               known.empty() ? "none" : Names(known)),
                  "");
  }
  if (class_name.empty()) return named;
  named.grade = FindClass(named.scheme, class_name);
  if (named.grade == nullptr) {
    return Refuse(absl::StatusCode::kInvalidArgument, "UNKNOWN_GRADE",
                  absl::StrCat("the scheme \"", scheme, "\" has no class \"", class_name, "\"; it has ",
                               Names(named.scheme->classes())),
                  "");
  }
  return named;
}

absl::Status CheckNeeds(const Proposal& proposal,
                        const google::protobuf::RepeatedPtrField<pb::FactNeeded>& needs,
                        absl::string_view class_name) {
  for (const pb::FactNeeded& need : needs) {
    if (Holds(proposal.customer, need.fact())) continue;
    return Refuse(absl::StatusCode::kFailedPrecondition, "GRADE_PRECONDITION",
                  absl::StrCat("class ", class_name, " needs something that is missing: ",
                               FactMeaning(proposal.policy.policy, need.fact()), "; record it first"),
                  need.rule_id());
  }
  return absl::OkStatus();
}

// A measured class is what the figures say: without approval nobody decides it, with approval nobody decides another.
absl::Status CheckMeasured(const Proposal& proposal, const Named& named) {
  if (!named.scheme->has_measure() || named.grade == nullptr) return absl::OkStatus();
  const bool measurable = named.grade->has_range() || !named.grade->given_by_facts().empty();
  const std::optional<MeasuredGrade> measured =
      Measure(proposal.timeline, proposal.customer, named.scheme->name(), proposal.at);
  if (!measured.has_value() || measured->class_name == named.grade->name()) return absl::OkStatus();
  if (!measurable && measured->class_name.empty()) return absl::OkStatus();
  const std::string found =
      measured->class_name.empty() ? "no class" : absl::StrCat("class ", measured->class_name);
  if (!named.scheme->measure().takes_effect_on_approval()) {
    if (measured->class_name.empty() && !measured->has_value) {
      return Refuse(absl::StatusCode::kFailedPrecondition, "GRADE_IS_MEASURED",
                    absl::StrCat("class ", named.grade->name(), " follows from the ",
                                 named.scheme->measure().metric(), "; record that figure instead"),
                    named.grade->rule_id());
    }
    return Refuse(absl::StatusCode::kFailedPrecondition, "GRADE_IS_MEASURED",
                  absl::StrCat("the figures give ", found, " (", measured->arithmetic,
                               "); correct the figures instead"),
                  measured->rule_id.empty() ? named.grade->rule_id() : measured->rule_id);
  }
  for (const pb::FactNeeded& need : measured->missing) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "GRADE_PRECONDITION",
                  absl::StrCat("class ", named.grade->name(), " needs something that is missing: ",
                               FactMeaning(proposal.policy.policy, need.fact()), "; record it first"),
                  need.rule_id());
  }
  return Refuse(
      absl::StatusCode::kFailedPrecondition, "GRADE_NOT_MEASURED",
      absl::StrCat("the figures give ", found,
                   measured->arithmetic.empty() ? "" : absl::StrCat(" (", measured->arithmetic, ")"),
                   "; approve that class, or correct the figures"),
      named.grade->rule_id());
}

absl::Status CheckDeciders(const Proposal& proposal, const Deciders& deciders,
                           const google::protobuf::RepeatedPtrField<std::string>& named) {
  if (deciders.who->empty()) return absl::OkStatus();
  if (named.empty()) {
    return Refuse(absl::StatusCode::kInvalidArgument, "GRADE_NEEDS_DECIDER",
                  absl::StrCat("name who decided in decided_by: ", DeciderNames(*deciders.who, " and ")),
                  deciders.rule_id);
  }
  for (const std::string& name : named) {
    const bool may = std::any_of(deciders.who->begin(), deciders.who->end(), [&](const pb::Decider& decider) {
      return IsDecider(proposal.timeline, decider, name, proposal.at);
    });
    if (may) continue;
    return Refuse(absl::StatusCode::kPermissionDenied, "NOT_A_DECIDER",
                  absl::StrCat("\"", name, "\" does not decide this class; ",
                               DeciderNames(*deciders.who, " and "), " must agree"),
                  deciders.rule_id);
  }
  return absl::OkStatus();
}

bool IsAuthorised(const Proposal& proposal, const std::string& unit_id) {
  const int64_t now = ToMicros(proposal.at);
  const auto& letters = proposal.customer.authorities();
  return std::any_of(letters.begin(), letters.end(), [&](const AuthorityState& letter) {
    return letter.unit_id() == unit_id && letter.from_us() <= now &&
           (letter.to_us() == 0 || now <= letter.to_us());
  });
}

}  // namespace

absl::StatusOr<Decision> DecideGradeChanged(const Proposal& proposal, const pb::GradeChanged& changed) {
  LEDGER_ASSIGN_OR_RETURN(const Named named, FindNamed(proposal, changed.scheme(), changed.to_class()));
  const GradeState* grade = FindGrade(proposal.customer, changed.scheme());
  const bool is_first = grade == nullptr || grade->class_name().empty();
  const Deciders deciders = DecidersOf(*named.scheme, changed.to_class(), is_first);
  LEDGER_RETURN_IF_ERROR(CheckDeciders(proposal, deciders, changed.decided_by()));
  LEDGER_RETURN_IF_ERROR(CheckMeasured(proposal, named));
  if (named.grade != nullptr) {
    LEDGER_RETURN_IF_ERROR(CheckNeeds(proposal, named.grade->needs(), named.grade->name()));
  }
  if (named.scheme->proposal_first() && !is_first) {
    const bool proposed = grade->has_pending() && !grade->pending().proposed_by().empty() &&
                          grade->pending().to_class() == changed.to_class();
    if (!proposed) {
      return Refuse(absl::StatusCode::kFailedPrecondition, "GRADE_NOT_PROPOSED",
                    absl::StrCat("class \"", changed.to_class(),
                                 "\" was not proposed; record a GradeProposed for it first"),
                    named.scheme->proposal_rule_id());
    }
  }
  Decision decision;
  if (named.grade != nullptr) decision.rule_id = named.grade->rule_id();
  if (!deciders.who->empty() && !deciders.rule_id.empty()) decision.rule_id = deciders.rule_id;
  return decision;
}

absl::StatusOr<Decision> DecideGradeProposed(const Proposal& proposal, const pb::GradeProposed& proposed) {
  LEDGER_ASSIGN_OR_RETURN(const Named named, FindNamed(proposal, proposed.scheme(), proposed.to_class()));
  const auto& proposers = named.scheme->proposers();
  Decision decision;
  decision.rule_id = named.scheme->proposal_rule_id();
  if (proposers.empty()) return decision;
  const bool may = std::any_of(proposers.begin(), proposers.end(), [&](const pb::Decider& proposer) {
    return IsDecider(proposal.timeline, proposer, proposed.proposed_by(), proposal.at);
  });
  if (may) return decision;
  return Refuse(absl::StatusCode::kPermissionDenied, "NOT_A_PROPOSER",
                absl::StrCat("\"", proposed.proposed_by(), "\" does not propose grades; ",
                             DeciderNames(proposers, " or "), " may"),
                named.scheme->proposal_rule_id());
}

absl::Status CheckResponsible(const Proposal& proposal, const pb::Owner& owner) {
  for (const pb::GradeScheme& scheme : proposal.policy.policy.grade_schemes()) {
    const auto& classes = scheme.classes();
    if (std::none_of(classes.begin(), classes.end(), [](const pb::GradeClass& grade) {
          return grade.responsible().others_need_authority();
        })) {
      continue;
    }
    const std::string class_name =
        CurrentGrade(proposal.timeline, proposal.customer, scheme.name(), proposal.at).class_name;
    MeasuredGrade measured;
    if (auto read = Measure(proposal.timeline, proposal.customer, scheme.name(), proposal.at)) {
      measured = *std::move(read);
    }
    SetManagedAs(scheme, proposal.customer, class_name, &measured);
    const pb::GradeClass* grade =
        FindClass(&scheme, measured.managed_as.empty() ? class_name : measured.managed_as);
    if (grade == nullptr || !grade->responsible().others_need_authority()) continue;
    const pb::Responsible& responsible = grade->responsible();
    if (owner.level() == responsible.level() || IsAuthorised(proposal, owner.unit_id())) continue;
    return Refuse(
        absl::StatusCode::kFailedPrecondition, "NO_LETTER_OF_AUTHORITY",
        absl::StrCat("customers of class ", grade->name(), " are looked after by ", responsible.unit(),
                     "; record an AuthorityDelegated to the owner's unit first, or name an owner "
                     "of that level"),
        responsible.authority_rule_id());
  }
  return absl::OkStatus();
}

}  // namespace ledger::rules
