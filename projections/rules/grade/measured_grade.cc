#include "projections/rules/grade/measured_grade.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/fact/fact.h"
#include "projections/rules/grade/grade.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kMostFigures = 64;       // of one metric
constexpr uint32_t kUnchanged = 1000;  // a factor in thousandths

bool AnyMeasured(const policy::PolicyVersion& policy) {
  const auto& schemes = policy.policy.grade_schemes();
  return std::any_of(schemes.begin(), schemes.end(),
                     [](const pb::GradeScheme& scheme) { return scheme.has_measure(); });
}

bool ComesBefore(const MetricState& a, const MetricState& b) {
  return std::make_tuple(absl::string_view(a.metric()), a.period_end_us(), a.period_start_us()) <
         std::make_tuple(absl::string_view(b.metric()), b.period_end_us(), b.period_start_us());
}

// The figures that a measure looks at, summed.
struct Figures {
  bool found = false;
  int64_t sum_milli = 0;
  int64_t last_us = 0;
  std::vector<uint64_t> positions;
  std::string text;  // "revenue of 2025"

  void Add(const MetricState& figure) {
    found = true;
    // Figures beyond all measure stop at the greatest number instead of turning round.
    const absl::int128 sum = absl::int128(sum_milli) + figure.value_milli();
    sum_milli = static_cast<int64_t>(std::clamp<absl::int128>(sum, std::numeric_limits<int64_t>::min(),
                                                              std::numeric_limits<int64_t>::max()));
    last_us = std::max(last_us, figure.time_us());
    positions.push_back(figure.position());
  }
};

absl::Time StartOfYear(const pb::Policy& policy, int64_t year) {
  return StartOfDay(policy, absl::CivilDay(year, 1, 1));
}

Figures LatestFigure(const pb::GradeMeasure& measure, const CustomerState& state) {
  Figures figures;
  const MetricState* latest = nullptr;
  for (const MetricState& figure : state.metrics()) {
    if (figure.metric() != measure.metric()) continue;
    if (latest == nullptr || std::make_pair(figure.period_end_us(), figure.position()) >
                                 std::make_pair(latest->period_end_us(), latest->position())) {
      latest = &figure;
    }
  }
  if (latest != nullptr) figures.Add(*latest);
  figures.text = absl::StrCat("latest ", measure.metric());
  return figures;
}

// A figure for the whole year goes before those for parts of it.
Figures YearFigures(const pb::Policy& policy, const pb::GradeMeasure& measure, int64_t year,
                    const CustomerState& state) {
  const int64_t start = ToMicros(StartOfYear(policy, year));
  const int64_t end = ToMicros(StartOfYear(policy, year + 1));
  Figures parts;
  Figures whole;
  for (const MetricState& figure : state.metrics()) {
    if (figure.metric() != measure.metric()) continue;
    if (figure.period_start_us() == start && figure.period_end_us() == end) whole.Add(figure);
    if (figure.period_start_us() >= start && figure.period_end_us() <= end) parts.Add(figure);
  }
  Figures& figures = whole.found ? whole : parts;
  figures.text = absl::StrCat(measure.metric(), " of ", year);
  return figures;
}

// The range a class has for one customer.
struct Range {
  const pb::MeasureRange* range = nullptr;
  uint32_t lower_per_mille = kUnchanged;
  uint32_t upper_per_mille = kUnchanged;
  std::string rule_id;  // of the variant; empty: the class's own range
};

Range RangeFor(const pb::GradeClass& grade, const CustomerState& state) {
  Range range;
  range.range = &grade.range();
  for (const pb::RangeVariant& variant : grade.variants()) {
    if (!Holds(state, variant.fact())) continue;
    range.rule_id = variant.rule_id();
    if (variant.has_range()) {
      range.range = &variant.range();
    } else {
      if (variant.lower_bound_per_mille() != 0) range.lower_per_mille = variant.lower_bound_per_mille();
      if (variant.upper_bound_per_mille() != 0) range.upper_per_mille = variant.upper_bound_per_mille();
    }
    break;
  }
  return range;
}

bool IsBlank(const pb::MeasureRange& range) {
  return !range.has_at_least_milli() && !range.has_more_than_milli() && !range.has_at_most_milli() &&
         !range.has_less_than_milli();
}

bool Contains(const Range& range, int64_t value_milli) {
  if (IsBlank(*range.range)) return false;
  const absl::int128 value = absl::int128(value_milli) * kUnchanged;
  const auto lower = [&](int64_t bound) { return absl::int128(bound) * range.lower_per_mille; };
  const auto upper = [&](int64_t bound) { return absl::int128(bound) * range.upper_per_mille; };
  const pb::MeasureRange& bounds = *range.range;
  return (!bounds.has_at_least_milli() || value >= lower(bounds.at_least_milli())) &&
         (!bounds.has_more_than_milli() || value > lower(bounds.more_than_milli())) &&
         (!bounds.has_at_most_milli() || value <= upper(bounds.at_most_milli())) &&
         (!bounds.has_less_than_milli() || value < upper(bounds.less_than_milli()));
}

std::string Scaled(int64_t bound, uint32_t per_mille) {
  std::string text = MilliText(bound);
  if (per_mille == kUnchanged) return text;
  const absl::int128 product = absl::int128(bound) * per_mille;
  absl::StrAppend(&text, " x ", MilliText(per_mille), " = ",
                  MilliText(static_cast<int64_t>(product / absl::int128(kUnchanged))));
  return text;
}

std::string RangeText(const Range& range) {
  const pb::MeasureRange& bounds = *range.range;
  std::string text;
  const auto add = [&](absl::string_view words, const std::string& bound) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", words, " ", bound);
  };
  if (bounds.has_at_least_milli()) add("at least", Scaled(bounds.at_least_milli(), range.lower_per_mille));
  if (bounds.has_more_than_milli()) add("more than", Scaled(bounds.more_than_milli(), range.lower_per_mille));
  if (bounds.has_at_most_milli()) add("at most", Scaled(bounds.at_most_milli(), range.upper_per_mille));
  if (bounds.has_less_than_milli()) add("less than", Scaled(bounds.less_than_milli(), range.upper_per_mille));
  return text;
}

// The fact that alone gives the class; nullptr: none does.
const FactState* GivingFact(const pb::GradeClass& grade, const CustomerState& state) {
  for (const std::string& name : grade.given_by_facts()) {
    if (const FactState* fact = FindFact(state, name); fact != nullptr && fact->holds()) return fact;
  }
  return nullptr;
}

void UseFact(const std::string& name, const CustomerState& state, MeasuredGrade* measured) {
  const FactState* fact = FindFact(state, name);
  if (fact == nullptr || !fact->holds()) return;
  measured->since = std::max(measured->since, FromMicros(fact->since_us()));
  measured->positions.push_back(fact->position());
}

void FindMeasuredClass(const pb::GradeScheme& scheme, const CustomerState& state, const Figures& figures,
                       MeasuredGrade* measured) {
  for (const pb::GradeClass& grade : scheme.classes()) {
    const FactState* giving = GivingFact(grade, state);
    const Range range = RangeFor(grade, state);
    const bool fits = figures.found && Contains(range, figures.sum_milli);
    if (giving == nullptr && !fits) continue;
    std::vector<pb::FactNeeded> missing;
    AddMissing(grade.needs(), state, &missing);
    if (!missing.empty()) {
      measured->missing.insert(measured->missing.end(), missing.begin(), missing.end());
      continue;
    }
    measured->class_name = grade.name();
    measured->rule_id = fits && !range.rule_id.empty() ? range.rule_id : grade.rule_id();
    if (fits) {
      absl::StrAppend(&measured->arithmetic, ", ", RangeText(range));
    } else {
      measured->arithmetic = absl::StrCat("by the fact \"", giving->name(), "\", whatever the figures");
      measured->positions.clear();
      measured->since = FromMicros(giving->since_us());
      measured->positions.push_back(giving->position());
    }
    for (const pb::FactNeeded& need : grade.needs()) UseFact(need.fact(), state, measured);
    return;
  }
}

}  // namespace

void ApplyMetric(const Step& step, CustomerState* state) {
  if (!AnyMeasured(step.policy)) return;
  const pb::MetricRecorded& recorded = step.event.event->metric_recorded();
  MetricState figure;
  figure.set_metric(recorded.metric());
  const int64_t now = ToMicros(step.at());
  figure.set_period_end_us(
      recorded.has_period_end_time() ? ToMicros(ToTime(recorded.period_end_time().time())) : now);
  figure.set_period_start_us(recorded.has_period_start_time()
                                 ? ToMicros(ToTime(recorded.period_start_time().time()))
                                 : figure.period_end_us());
  figure.set_value_milli(recorded.value_milli());
  figure.set_time_us(now);
  figure.set_position(step.event.position);

  auto* figures = state->mutable_metrics();
  const auto place = std::lower_bound(figures->begin(), figures->end(), figure, ComesBefore);
  const int index = static_cast<int>(place - figures->begin());
  if (place != figures->end() && !ComesBefore(figure, *place)) {
    *figures->Mutable(index) = std::move(figure);  // a later figure for the same period replaces the earlier
    return;
  }
  *figures->Add() = std::move(figure);
  std::rotate(figures->begin() + index, figures->end() - 1, figures->end());
  const auto same = [&](const MetricState& other) { return other.metric() == recorded.metric(); };
  if (std::count_if(figures->begin(), figures->end(), same) > kMostFigures) {
    figures->erase(std::find_if(figures->begin(), figures->end(), same));
  }
}

std::optional<MeasuredGrade> Measure(const policy::Timeline& timeline, const CustomerState& state,
                                     absl::string_view name, absl::Time at) {
  const policy::PolicyVersion* policy = &PolicyInForce(timeline, at);
  const pb::GradeScheme* scheme = FindScheme(*policy, name);
  if (scheme == nullptr || !scheme->has_measure()) return std::nullopt;
  MeasuredGrade measured;
  Figures figures;
  measured.since = absl::InfinitePast();
  if (scheme->measure().window() == pb::MEASURE_WINDOW_LAST_CALENDAR_YEAR) {
    // A window's grades keep the policy that was in force when the window closed.
    const int64_t year = LocalDay(policy->policy, at).year();
    const absl::Time closed = StartOfYear(policy->policy, year);
    const policy::PolicyVersion& then = PolicyInForce(timeline, closed);
    const pb::GradeScheme* kept = FindScheme(then, name);
    if (kept != nullptr && kept->has_measure()) {
      policy = &then;
      scheme = kept;
    }
    figures = YearFigures(policy->policy, scheme->measure(), year - 1, state);
    measured.since = closed;
  } else {
    figures = LatestFigure(scheme->measure(), state);
    if (figures.found) {
      const policy::PolicyVersion& then = PolicyInForce(timeline, FromMicros(figures.last_us));
      const pb::GradeScheme* kept = FindScheme(then, name);
      if (kept != nullptr && kept->has_measure()) {
        policy = &then;
        scheme = kept;
      }
    }
  }
  measured.policy = policy;
  measured.has_value = figures.found;
  measured.value_milli = figures.sum_milli;
  measured.positions = figures.positions;
  if (figures.found) {
    measured.since = std::max(measured.since, FromMicros(figures.last_us));
    measured.arithmetic = absl::StrCat(figures.text, " = ", MilliText(figures.sum_milli));
  }
  AddMissing(scheme->measure().needs(), state, &measured.missing);
  if (!measured.missing.empty()) return measured;
  FindMeasuredClass(*scheme, state, figures, &measured);
  if (!measured.class_name.empty()) {
    for (const pb::FactNeeded& need : scheme->measure().needs()) UseFact(need.fact(), state, &measured);
  }
  return measured;
}

void SetManagedAs(const pb::GradeScheme& scheme, const CustomerState& state, absl::string_view class_name,
                  MeasuredGrade* measured) {
  if (class_name.empty()) return;
  for (const pb::ManagedAs& rule : scheme.measure().managed_as()) {
    if (!Holds(state, rule.fact())) continue;
    if (rule.has_range()) {
      Range range;
      range.range = &rule.range();
      if (!measured->has_value || !Contains(range, measured->value_milli)) continue;
    }
    std::string target = rule.class_name();
    if (target.empty()) {
      const auto& classes = scheme.classes();
      for (int i = 1; i < classes.size(); ++i) {
        if (absl::string_view(classes[i].name()) == class_name) target = classes[i - 1].name();
      }
    }
    if (target.empty() || absl::string_view(target) == class_name) return;
    measured->managed_as = std::move(target);
    measured->managed_as_rule_id = rule.rule_id();
    return;
  }
}

absl::Time NextWindow(const policy::PolicyVersion& policy, const pb::GradeScheme& scheme,
                      const CustomerState& state, absl::Time after) {
  absl::Time next = absl::InfiniteFuture();
  if (scheme.measure().window() != pb::MEASURE_WINDOW_LAST_CALENDAR_YEAR) return next;
  for (const MetricState& figure : state.metrics()) {
    if (figure.metric() != scheme.measure().metric()) continue;
    // A figure counts from the end of its year until the end of the next.
    const int64_t year = LocalDay(policy.policy, FromMicros(figure.period_end_us() - 1)).year();
    for (const int64_t moves : {year + 1, year + 2}) {
      const absl::Time at = StartOfYear(policy.policy, moves);
      if (at > after) next = std::min(next, at);
    }
  }
  return next;
}

void AddMissing(const google::protobuf::RepeatedPtrField<pb::FactNeeded>& needs, const CustomerState& state,
                std::vector<pb::FactNeeded>* missing) {
  for (const pb::FactNeeded& need : needs) {
    if (!Holds(state, need.fact())) missing->push_back(need);
  }
}

std::string MilliText(int64_t value_milli) {
  const bool negative = value_milli < 0;
  const uint64_t size =
      negative ? ~static_cast<uint64_t>(value_milli) + 1 : static_cast<uint64_t>(value_milli);
  std::string text = absl::StrCat(negative ? "-" : "", size / 1000);
  const uint64_t rest = size % 1000;
  if (rest == 0) return text;
  std::string digits = absl::StrCat(rest);
  digits.insert(0, 3 - digits.size(), '0');
  while (digits.back() == '0') digits.pop_back();
  return absl::StrCat(text, ".", digits);
}

}  // namespace ledger::rules
