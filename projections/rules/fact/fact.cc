#include "projections/rules/fact/fact.h"

#include <algorithm>

#include "projections/policy/event_match.h"
#include "projections/rules/civil_time.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// How many establishing events beyond those needed are remembered, for the case that some turn out false.
constexpr int kSpareEvidence = 8;
constexpr size_t kMaxValueBytes = 64;

template <typename Matches>
bool AnyMatches(const Matches& matches, const pb::Event& event) {
  return std::any_of(matches.begin(), matches.end(),
                     [&](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

FactState* FindOrAddFact(const std::string& name, CustomerState* state) {
  auto* facts = state->mutable_facts();
  int place = 0;
  while (place < facts->size() && facts->Get(place).name() < name) ++place;
  if (place == facts->size() || facts->Get(place).name() != name) {
    facts->Add()->set_name(name);
    for (int i = facts->size() - 1; i > place; --i) facts->SwapElements(i, i - 1);
  }
  return facts->Mutable(place);
}

int Needed(const pb::CustomerFact& fact) { return fact.times() == 0 ? 1 : static_cast<int>(fact.times()); }

void Establish(const Step& step, const pb::CustomerFact& fact, FactState* known) {
  ContactMark* mark = known->add_evidence();
  mark->set_time_us(ToMicros(step.at()));
  mark->set_position(step.event.position);
  mark->set_contact_id(std::string(ContactIdOf(*step.event.event)));
  const int most = Needed(fact) + kSpareEvidence;
  if (known->evidence_size() > most) {
    known->mutable_evidence()->DeleteSubrange(0, known->evidence_size() - most);
  }
  if (!fact.value_field().empty()) {
    const std::vector<std::string> texts = policy::FieldTexts(*step.event.event, fact.value_field());
    known->set_value(texts.empty() ? "" : texts.front().substr(0, kMaxValueBytes));
  }
  if (known->holds() || known->evidence_size() < Needed(fact)) return;
  known->set_holds(true);
  known->set_since_us(ToMicros(step.at()));
  known->set_position(step.event.position);
}

void StopHolding(FactState* known) {
  known->set_holds(false);
  known->set_since_us(0);
  known->set_position(0);
}

void TakeFalse(const Step& step, absl::string_view contact_id, CustomerState* state) {
  for (FactState& known : *state->mutable_facts()) {
    auto* evidence = known.mutable_evidence();
    const auto gone = std::remove_if(evidence->begin(), evidence->end(), [&](const ContactMark& mark) {
      return absl::string_view(mark.contact_id()) == contact_id;
    });
    if (gone == evidence->end()) continue;
    evidence->erase(gone, evidence->end());
    const auto& facts = step.policy.policy.facts();
    const auto fact = std::find_if(facts.begin(), facts.end(), [&](const pb::CustomerFact& candidate) {
      return candidate.name() == known.name();
    });
    if (fact == facts.end() || known.evidence_size() < Needed(*fact)) StopHolding(&known);
  }
}

}  // namespace

void ApplyFacts(const Step& step, CustomerState* state) {
  if (step.policy.policy.facts().empty()) return;
  const pb::Event& event = *step.event.event;
  if (const absl::string_view contact_id = FoundFalse(event); !contact_id.empty()) {
    TakeFalse(step, contact_id, state);
  }
  for (const pb::CustomerFact& fact : step.policy.policy.facts()) {
    if (AnyMatches(fact.established_by(), event)) {
      Establish(step, fact, FindOrAddFact(fact.name(), state));
    } else if (FindFact(*state, fact.name()) != nullptr && AnyMatches(fact.withdrawn_by(), event)) {
      FactState* known = FindOrAddFact(fact.name(), state);
      known->clear_evidence();
      known->clear_value();
      StopHolding(known);
    }
  }
}

const FactState* FindFact(const CustomerState& state, absl::string_view name) {
  for (const FactState& fact : state.facts()) {
    if (absl::string_view(fact.name()) == name) return &fact;
  }
  return nullptr;
}

bool Holds(const CustomerState& state, absl::string_view name) {
  const FactState* fact = FindFact(state, name);
  return fact != nullptr && fact->holds();
}

bool BeganToHold(const Step& step, const CustomerState& state, absl::string_view name) {
  const FactState* fact = FindFact(state, name);
  return fact != nullptr && fact->holds() && fact->position() == step.event.position;
}

std::string FactMeaning(const pb::Policy& policy, absl::string_view name) {
  for (const pb::CustomerFact& fact : policy.facts()) {
    if (absl::string_view(fact.name()) == name && !fact.meaning().empty()) return fact.meaning();
  }
  return std::string(name);
}

absl::string_view ContactIdOf(const pb::Event& event) {
  if (event.has_contact_logged()) return event.contact_logged().contact_id();
  if (event.has_visit_logged()) return event.visit_logged().visit_id();
  return "";
}

absl::string_view FoundFalse(const pb::Event& event) {
  if (!event.has_contact_reviewed()) return "";
  const pb::ContactReviewed& review = event.contact_reviewed();
  return review.verdict() == pb::CONTACT_VERDICT_FALSE ? absl::string_view(review.contact_id()) : "";
}

}  // namespace ledger::rules
