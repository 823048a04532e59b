#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/fact/fact.h"
#include "projections/rules/grade/grade.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

std::string RuleOf(const policy::PolicyVersion& policy, absl::string_view scheme, absl::string_view name) {
  const pb::GradeClass* grade = FindClass(FindScheme(policy, scheme), name);
  return grade == nullptr ? "" : grade->rule_id();
}

bool WasGiven(const GradeState& grade) { return grade.position() != 0; }

// The class by when the customer expects to buy: of those that reach so far the one that ends first.
void ReadHorizon(const policy::Timeline& timeline, const GradeState& grade, GradeReading* reading) {
  const pb::GradeScheme* scheme = FindScheme(*reading->policy, grade.scheme());
  if (scheme == nullptr) return;
  const absl::Time expected = FromMicros(grade.expected_us());
  const pb::Policy& policy = reading->policy->policy;
  const std::string expected_text =
      absl::StrCat("expected purchase ", absl::FormatCivilTime(LocalDay(policy, expected)));
  absl::Time best = absl::InfiniteFuture();
  for (const pb::GradeClass& candidate : scheme->classes()) {
    if (!candidate.has_within()) continue;
    const absl::Time end = PeriodEnd(timeline, policy, reading->since, candidate.within());
    if (expected >= end || end >= best) continue;
    best = end;
    reading->class_name = candidate.name();
    reading->rule_id = candidate.rule_id();
    reading->arithmetic = absl::StrCat(expected_text, "; contact ",
                                       DescribePeriod(policy, reading->since, candidate.within(), end));
  }
  if (!reading->class_name.empty()) return;
  reading->rule_id = scheme->horizon().beyond_rule_id();
  reading->arithmetic = absl::StrCat(expected_text, ", beyond every class");
}

GradeReading ReadGiven(const policy::Timeline& timeline, const GradeState& grade) {
  GradeReading reading;
  reading.since = FromMicros(grade.time_us());
  reading.policy = &PolicyInForce(timeline, reading.since);
  reading.positions.assign(grade.earlier_positions().begin(), grade.earlier_positions().end());
  reading.positions.push_back(grade.position());
  if (grade.source() == GRADE_SOURCE_HORIZON) {
    ReadHorizon(timeline, grade, &reading);
  } else {
    reading.class_name = grade.class_name();
    reading.rule_id = RuleOf(*reading.policy, grade.scheme(), grade.class_name());
    if (reading.rule_id.empty()) reading.rule_id = grade.decided_rule_id();
  }
  return reading;
}

// When the customer has been away for too long; InfiniteFuture: never.
absl::Time AwayAt(const policy::Timeline& timeline, const GradeState& grade) {
  const absl::Time visit = FromMicros(grade.visit_us());
  const policy::PolicyVersion& policy = PolicyInForce(timeline, visit);
  const pb::GradeScheme* scheme = FindScheme(policy, grade.scheme());
  if (scheme == nullptr || !scheme->has_returning() || !scheme->returning().has_away_after()) {
    return absl::InfiniteFuture();
  }
  return PeriodEnd(timeline, policy.policy, visit, scheme->returning().away_after());
}

// The class by the time between visits; nullopt: only one visit, and not long ago.
std::optional<GradeReading> ReadReturn(const policy::Timeline& timeline, const GradeState& grade,
                                       absl::Time at) {
  GradeReading reading;
  const absl::Time visit = FromMicros(grade.visit_us());
  if (const absl::Time away = AwayAt(timeline, grade); away <= at) {
    reading.policy = &PolicyInForce(timeline, visit);
    const pb::GradeReturn& rules = FindScheme(*reading.policy, grade.scheme())->returning();
    reading.class_name = rules.away_class();
    reading.rule_id = rules.away_rule_id();
    reading.since = away;
    reading.positions.push_back(grade.visit_position());
    reading.arithmetic =
        absl::StrCat("last visit ", DescribePeriod(reading.policy->policy, visit, rules.away_after(), away));
    return reading;
  }
  if (!grade.has_visit_before()) return std::nullopt;
  const absl::Time before = FromMicros(grade.visit_before_us());
  reading.policy = &PolicyInForce(timeline, before);
  const pb::GradeScheme* scheme = FindScheme(*reading.policy, grade.scheme());
  if (scheme == nullptr || !scheme->has_returning()) return std::nullopt;
  const pb::Policy& policy = reading.policy->policy;
  reading.since = visit;
  reading.positions = {grade.visit_before_position(), grade.visit_position()};
  for (const pb::ReturnBand& band : scheme->returning().bands()) {
    const absl::Time end = PeriodEnd(timeline, policy, before, band.within());
    if (visit >= end) continue;
    reading.class_name = band.class_name();
    reading.rule_id = band.rule_id();
    reading.arithmetic = absl::StrCat(
        "back ", LocalText(policy, visit), "; visit before ",
        band.has_within() ? DescribePeriod(policy, before, band.within(), end) : LocalText(policy, before));
    break;
  }
  if (scheme->returning().has_late_after() &&
      visit >= PeriodEnd(timeline, policy, before, scheme->returning().late_after())) {
    reading.is_late = true;
    reading.late_rule_id = scheme->returning().late_rule_id();
  }
  return reading;
}

GradeReading ReadInitial(const policy::Timeline& timeline, const CustomerState& state, absl::string_view name,
                         absl::Time at) {
  GradeReading reading;
  reading.policy = &PolicyInForce(timeline, at);
  const pb::GradeScheme* scheme = FindScheme(*reading.policy, name);
  if (scheme == nullptr || state.events() == 0 || scheme->initial_class().empty()) return reading;
  reading.class_name = scheme->initial_class();
  reading.rule_id = RuleOf(*reading.policy, name, reading.class_name);
  reading.since = FromMicros(state.first_us());
  reading.positions.push_back(state.first_position());
  reading.is_initial = true;
  return reading;
}

void SetClassTerms(const pb::GradeScheme& scheme, const CustomerState& state, MeasuredGrade* measured,
                   pb::Tier* tier) {
  SetManagedAs(scheme, state, tier->class_name(), measured);
  tier->set_managed_as(measured->managed_as);
  tier->set_managed_as_rule_id(measured->managed_as_rule_id);
  const pb::GradeClass* own = FindClass(&scheme, tier->class_name());
  const pb::GradeClass* managed =
      measured->managed_as.empty() ? own : FindClass(&scheme, measured->managed_as);
  if (managed != nullptr && managed->has_responsible()) {
    tier->set_responsible_level(managed->responsible().level());
    tier->set_responsible_unit(managed->responsible().unit());
    tier->set_monitored_by(managed->responsible().monitored_by());
    tier->set_responsible_rule_id(managed->responsible().rule_id());
  }
  if (own == nullptr) return;
  tier->set_priority(own->priority());
  *tier->mutable_priority_services() = own->priority_services();
  tier->set_priority_rule_id(own->priority_rule_id());
}

void AddMissingFact(const pb::Policy& policy, const pb::FactNeeded& need, pb::Tier* tier) {
  pb::MissingFact* missing = tier->add_missing();
  missing->set_fact(need.fact());
  missing->set_meaning(FactMeaning(policy, need.fact()));
  missing->set_rule_id(need.rule_id());
}

void SetPending(const policy::Timeline& timeline, const pb::GradeScheme& scheme, const GradeState& grade,
                absl::Time at, pb::Tier* tier) {
  const PendingGradeState& state = grade.pending();
  pb::PendingGrade* pending = tier->mutable_pending();
  pending->set_to_class(state.to_class());
  pending->set_proposed_by(state.proposed_by());
  pending->set_position(state.position());
  *pending->mutable_since_time() = ToTimestamp(FromMicros(state.time_us()));
  *pending->mutable_agreed_by() = state.agreed_by();
  const Deciders deciders = DecidersOf(scheme, state.to_class(), grade.class_name().empty());
  pending->set_rule_id(deciders.rule_id);
  for (const pb::Decider& decider : *deciders.who) {
    const bool agreed =
        std::any_of(state.agreed_by().begin(), state.agreed_by().end(),
                    [&](const std::string& name) { return IsDecider(timeline, decider, name, at); });
    if (!agreed) pending->add_waits_for(DeciderText(decider));
  }
}

void SetMeasured(const MeasuredGrade& measured, pb::Tier* tier) {
  if (measured.has_value) tier->set_measured_value_milli(measured.value_milli);
  if (measured.class_name.empty() || measured.class_name == tier->class_name()) return;
  tier->set_measured_class(measured.class_name);
  *tier->mutable_measured_basis() = MakeBasis(measured.rule_id, *measured.policy, measured.since);
  for (const uint64_t position : measured.positions) tier->mutable_measured_basis()->add_positions(position);
  tier->mutable_measured_basis()->set_arithmetic(measured.arithmetic);
}

pb::Tier MakeTier(const GradeReading& reading, const GradeState* grade, const std::string& scheme) {
  pb::Tier tier;
  tier.set_scheme(scheme);
  tier.set_class_name(reading.class_name);
  if (reading.positions.empty()) return tier;
  *tier.mutable_basis() = MakeBasis(reading.rule_id, *reading.policy, reading.since);
  for (const uint64_t position : reading.positions) tier.mutable_basis()->add_positions(position);
  tier.mutable_basis()->set_arithmetic(reading.arithmetic);
  tier.set_late(reading.is_late);
  tier.set_late_rule_id(reading.late_rule_id);
  if (grade != nullptr && grade->position() == reading.positions.back()) {
    *tier.mutable_decided_by() = grade->decided_by();
  }
  return tier;
}

// The next instant at which time alone may change the class in one scheme.
absl::Time NextChange(const policy::Timeline& timeline, const policy::PolicyVersion& policy,
                      const pb::GradeScheme& scheme, const CustomerState& state, absl::Time after) {
  absl::Time next = absl::InfiniteFuture();
  if (scheme.has_measure()) next = NextWindow(policy, scheme, state, after);
  const GradeState* grade = FindGrade(state, scheme.name());
  if (scheme.has_returning() && grade != nullptr && grade->has_visit()) {
    const absl::Time away = AwayAt(timeline, *grade);
    if (away > after) next = std::min(next, away);
  }
  return next;
}

pb::Tier ReadTier(const policy::Timeline& timeline, const policy::PolicyVersion& policy,
                  const pb::GradeScheme& scheme, const CustomerState& state, absl::Time at) {
  const GradeState* grade = FindGrade(state, scheme.name());
  pb::Tier tier = MakeTier(CurrentGrade(timeline, state, scheme.name(), at), grade, scheme.name());
  MeasuredGrade measured;
  if (std::optional<MeasuredGrade> read = Measure(timeline, state, scheme.name(), at)) {
    measured = *std::move(read);
    SetMeasured(measured, &tier);
    for (const pb::FactNeeded& need : measured.missing) AddMissingFact(policy.policy, need, &tier);
  }
  SetClassTerms(scheme, state, &measured, &tier);
  if (grade != nullptr && grade->has_pending()) SetPending(timeline, scheme, *grade, at, &tier);
  for (const pb::FactNeeded& need : scheme.counts_only_with()) {
    if (Holds(state, need.fact())) continue;
    AddMissingFact(policy.policy, need, &tier);
    tier.set_does_not_count(true);
  }
  tier.set_hidden_from_customer(scheme.hidden_from_customer());
  if (scheme.hidden_from_customer()) tier.set_hidden_rule_id(scheme.hidden_rule_id());
  const absl::Time next = NextChange(timeline, policy, scheme, state, at);
  if (next < absl::InfiniteFuture() &&
      CurrentGrade(timeline, state, scheme.name(), next).class_name != tier.class_name()) {
    *tier.mutable_until_time() = ToTimestamp(next);
  }
  return tier;
}

}  // namespace

GradeReading CurrentGrade(const policy::Timeline& timeline, const CustomerState& state,
                          absl::string_view name, absl::Time at) {
  const pb::GradeScheme* scheme = FindScheme(PolicyInForce(timeline, at), name);
  if (scheme != nullptr && scheme->has_measure() && !scheme->measure().takes_effect_on_approval()) {
    std::optional<MeasuredGrade> measured = Measure(timeline, state, name, at);
    if (measured.has_value() && !measured->class_name.empty()) {
      GradeReading reading;
      reading.class_name = measured->class_name;
      reading.since = measured->since;
      reading.positions = std::move(measured->positions);
      reading.rule_id = measured->rule_id;
      reading.arithmetic = measured->arithmetic;
      reading.policy = measured->policy;
      return reading;
    }
  }
  const GradeState* grade = FindGrade(state, name);
  std::optional<GradeReading> reading;
  if (grade != nullptr && WasGiven(*grade)) reading = ReadGiven(timeline, *grade);
  if (grade != nullptr && grade->has_visit()) {
    std::optional<GradeReading> returned = ReadReturn(timeline, *grade, at);
    if (returned.has_value() && (!reading.has_value() || returned->since >= reading->since)) {
      reading = std::move(returned);
    }
  }
  return reading.has_value() ? *std::move(reading) : ReadInitial(timeline, state, name, at);
}

absl::Time NextGradeChange(const policy::Timeline& timeline, const CustomerState& state, absl::Time after) {
  absl::Time next = absl::InfiniteFuture();
  const policy::PolicyVersion& policy = PolicyInForce(timeline, after);
  for (const pb::GradeScheme& scheme : policy.policy.grade_schemes()) {
    next = std::min(next, NextChange(timeline, policy, scheme, state, after));
  }
  return next;
}

std::vector<pb::Tier> ReadGrades(const policy::Timeline& timeline, const CustomerState& state,
                                 absl::Time at) {
  std::vector<pb::Tier> tiers;
  const policy::PolicyVersion& policy = PolicyInForce(timeline, at);
  tiers.reserve(policy.policy.grade_schemes_size() + state.grades_size());
  for (const pb::GradeScheme& scheme : policy.policy.grade_schemes()) {
    tiers.push_back(ReadTier(timeline, policy, scheme, state, at));
  }
  for (const GradeState& grade : state.grades()) {
    if (FindScheme(policy, grade.scheme()) != nullptr || !WasGiven(grade)) continue;
    tiers.push_back(MakeTier(ReadGiven(timeline, grade), &grade, grade.scheme()));
  }
  return tiers;
}

}  // namespace ledger::rules
