#include "projections/rules/requirement/requirement.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_match.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/requirement/consequence.h"
#include "projections/rules/requirement/needs.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kFlagsMax = 100;

bool IsMeant(const pb::Requirement& requirement, const NeedContext& context) {
  for (const pb::EventMatch& match : requirement.on()) {
    if (policy::Matches(match, *context.event)) return AllHold(context, requirement.when());
  }
  return false;
}

bool IsMet(const pb::Requirement& requirement, const NeedContext& context) {
  return !requirement.needs().empty() && AllHold(context, requirement.needs());
}

const std::vector<int>* RequirementsOf(const policy::PolicyVersion& version, const pb::Event& event) {
  if (version.index == nullptr) return nullptr;
  const uint32_t type = policy::EventTypeOf(event);
  if (type >= version.index->requirements.size()) return nullptr;
  return &version.index->requirements[type];
}

std::string Missing(const pb::Requirement& requirement, const NeedContext& context) {
  std::string text = requirement.says();
  for (const pb::Need& need : requirement.needs()) {
    if (Holds(context, need)) continue;
    absl::StrAppend(&text, text.empty() ? "" : "; ", DescribeNeed(context, need));
  }
  if (text.empty()) return "the policy does not allow this event here; leave it out, or change what it says";
  return text;
}

}  // namespace

bool HasRequirements(const policy::PolicyVersion& version, const pb::Event& event) {
  const std::vector<int>* indices = RequirementsOf(version, event);
  return indices != nullptr && !indices->empty();
}

absl::Status CheckRequirements(const Proposal& proposal, const pb::Event& event, absl::Time counts_at) {
  const policy::PolicyVersion& version = PolicyInForce(proposal.timeline, counts_at);
  const std::vector<int>* indices = RequirementsOf(version, event);
  if (indices == nullptr) return absl::OkStatus();
  const NeedContext context{proposal.timeline, version, proposal.customer, &event, counts_at};
  for (const int index : *indices) {
    const pb::Requirement& requirement = version.policy.requirements(index);
    if (requirement.effect() != pb::REQUIREMENT_EFFECT_REFUSE) continue;
    if (!IsMeant(requirement, context) || IsMet(requirement, context)) continue;
    return Refuse(absl::StatusCode::kFailedPrecondition, "REQUIREMENT_NOT_MET", Missing(requirement, context),
                  requirement.rule_id());
  }
  return absl::OkStatus();
}

void ApplyFlags(const Step& step, CustomerState* state) {
  const pb::Event& event = *step.event.event;
  const std::vector<int>* indices = RequirementsOf(step.policy, event);
  if (indices == nullptr) return;
  for (const int index : *indices) {
    const pb::Requirement& requirement = step.policy.policy.requirements(index);
    if (requirement.effect() != pb::REQUIREMENT_EFFECT_FLAG) continue;
    const NeedContext context{step.timeline, step.policy, *state, &event, step.at()};
    if (!IsMeant(requirement, context) || IsMet(requirement, context)) continue;
    FlagState flag;
    if (requirement.has_consequence()) {
      flag.set_time_number(CountTimes(step.timeline, step.policy.policy, requirement.consequence(),
                                      absl::StrCat("flag/", requirement.rule_id()), 1, step.at(), state));
    }
    flag.set_policy_version(step.policy.number);
    flag.set_requirement(static_cast<uint32_t>(index));
    flag.set_position(step.event.position);
    flag.set_time_us(ToMicros(step.at()));
    flag.set_event_type(policy::EventTypeOf(event));
    *state->add_flags() = std::move(flag);
    if (state->flags_size() > kFlagsMax) state->mutable_flags()->DeleteSubrange(0, 1);
  }
}

std::vector<pb::FlagEntry> ReadFlags(const policy::Timeline& timeline, const CustomerState& state) {
  std::vector<pb::FlagEntry> entries;
  for (const FlagState& flag : state.flags()) {
    const policy::PolicyVersion* version = timeline.Version(flag.policy_version());
    if (version == nullptr) continue;
    const pb::Requirement& requirement = version->policy.requirements(static_cast<int>(flag.requirement()));
    pb::FlagEntry entry;
    *entry.mutable_basis() = MakeBasis(requirement.rule_id(), *version, FromMicros(flag.time_us()));
    entry.mutable_basis()->add_positions(flag.position());
    entry.set_event_name(std::string(policy::EventName(flag.event_type())));
    std::string says = requirement.says();
    if (says.empty()) {
      const NeedContext context{timeline, *version, state, nullptr, FromMicros(flag.time_us())};
      for (const pb::Need& need : requirement.needs()) {
        absl::StrAppend(&says, says.empty() ? "" : "; ", DescribeNeed(context, need));
      }
    }
    entry.set_says(says);
    if (requirement.has_consequence()) {
      *entry.mutable_consequence() = ConsequenceOf(requirement.consequence(), 1, flag.time_number());
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace ledger::rules
