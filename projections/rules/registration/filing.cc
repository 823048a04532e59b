#include "projections/rules/registration/filing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_match.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/duty/deadline.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kFilingsMax = 100;

bool IsFiling(const pb::Filing& rules, const pb::Event& event) {
  if (rules.done_by().empty()) return event.has_registration_filed();
  return std::any_of(rules.done_by().begin(), rules.done_by().end(),
                     [&event](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

bool IsCounted(const pb::Filing& rules, const pb::Event& event) {
  return std::any_of(rules.counted_from().begin(), rules.counted_from().end(),
                     [&event](const pb::EventMatch& match) { return policy::Matches(match, event); });
}

// Who files with this event, and for which scope.
void ReadFiler(const pb::Event& event, FilingState* filing) {
  if (event.has_registration_filed()) {
    filing->set_filed_by(event.registration_filed().filed_by());
    filing->set_scope(event.registration_filed().scope());
  } else if (event.has_customer_registered()) {
    const pb::CustomerRegistered& registered = event.customer_registered();
    filing->set_filed_by(registered.registrar_id().empty() ? registered.unit_id()
                                                           : registered.registrar_id());
    filing->set_scope(registered.scope());
  }
}

void SetReceived(const Step& step, FilingState* filing) {
  const pb::Event& event = *step.event.event;
  filing->set_received_position(step.event.position);
  filing->set_received_us(ToMicros(step.at()));
  filing->set_has_reason(event.has_registration_filed() && !event.registration_filed().reason().empty());
}

// The form that `received` is: the same person's, or the only one that is open.
FilingState* FindOpen(const FilingState& received, bool first_only, CustomerState* state) {
  FilingState* only = nullptr;
  int open = 0;
  for (FilingState& filing : *state->mutable_filings()) {
    if (filing.position() == 0 || filing.received_position() != 0) continue;
    const bool same_scope = received.scope().empty() || filing.scope() == received.scope();
    if (first_only || (filing.filed_by() == received.filed_by() && same_scope)) return &filing;
    if (received.filed_by().empty() || filing.filed_by().empty()) {
      only = &filing;
      ++open;
    }
  }
  return open == 1 ? only : nullptr;
}

FilingState* FindEarly(const FilingState& counted, bool first_only, CustomerState* state) {
  for (FilingState& filing : *state->mutable_filings()) {
    if (filing.position() != 0) continue;
    if (first_only || filing.filed_by() == counted.filed_by()) return &filing;
  }
  return nullptr;
}

void Receive(const Step& step, const pb::Filing& rules, CustomerState* state) {
  FilingState received;
  ReadFiler(*step.event.event, &received);
  if (FilingState* open = FindOpen(received, rules.first_only(), state)) return SetReceived(step, open);
  // Nothing asked for it: it counts for what comes, unless all it could be for is filed.
  if (rules.first_only() && !state->filings().empty()) return;
  SetReceived(step, &received);
  *state->add_filings() = std::move(received);
}

void Count(const Step& step, const pb::Filing& rules, CustomerState* state) {
  FilingState counted;
  ReadFiler(*step.event.event, &counted);
  FilingState* filing = FindEarly(counted, rules.first_only(), state);
  if (filing == nullptr) {
    if (rules.first_only() && !state->filings().empty()) return;
    *state->add_filings() = counted;
    filing = state->mutable_filings(state->filings_size() - 1);
  }
  filing->set_position(step.event.position);
  filing->set_counted_us(ToMicros(step.at()));
  if (!counted.scope().empty()) filing->set_scope(counted.scope());
  const pb::Event& event = *step.event.event;
  if (!event.has_customer_registered() || !event.customer_registered().has_form_time()) return;
  const int64_t form_us = ToMicros(ToTime(event.customer_registered().form_time().time()));
  filing->set_has_form(true);
  filing->set_form_us(form_us);
  // A registration that is entered after the time on its form is the receipt of that form.
  if (form_us < filing->counted_us() && filing->received_position() == 0) {
    filing->set_received_position(step.event.position);
    filing->set_received_us(filing->counted_us());
  }
}

// The last instant in time without a grace, and the day it lies on.
struct Cutoff {
  absl::Time end;
  absl::CivilDay day;
  std::string arithmetic;
};
Cutoff CutoffOf(const policy::Timeline& timeline, const pb::Policy& policy, const pb::Filing& rules,
                absl::Time base) {
  Cutoff cutoff;
  if (rules.has_within()) {
    cutoff.end = PeriodEnd(timeline, policy, base, rules.within());
    cutoff.arithmetic = DescribePeriod(policy, base, rules.within(), cutoff.end);
  } else if (rules.has_same_day_until()) {
    absl::CivilDay day = LocalDay(policy, base);
    if (base >= AtTimeOfDay(policy, day, rules.same_day_until()) + absl::Seconds(1)) ++day;
    cutoff.end = AtTimeOfDay(policy, day, rules.same_day_until()) + absl::Seconds(1);
    cutoff.arithmetic =
        absl::StrCat(LocalText(policy, base), " until ", LocalText(policy, LastInTime(cutoff.end)));
  } else {
    cutoff.end = absl::InfiniteFuture();
  }
  if (cutoff.end < absl::InfiniteFuture()) cutoff.day = LocalDay(policy, LastInTime(cutoff.end));
  return cutoff;
}

}  // namespace

void ApplyFiling(const Step& step, CustomerState* state) {
  const pb::Registration& registration = step.policy.policy.registration();
  if (!registration.has_filing()) return;
  const pb::Filing& rules = registration.filing();
  const pb::Event& event = *step.event.event;
  if (IsFiling(rules, event)) Receive(step, rules, state);
  if (IsCounted(rules, event)) Count(step, rules, state);
  if (state->filings_size() > kFilingsMax) state->mutable_filings()->DeleteSubrange(0, 1);
}

JudgedFiling Judge(const policy::Timeline& timeline, const FilingState& filing, absl::Time at) {
  JudgedFiling judged;
  const absl::Time counted = FromMicros(filing.counted_us());
  const absl::Time base = filing.has_form() ? FromMicros(filing.form_us()) : counted;
  const policy::PolicyVersion& version = PolicyInForce(timeline, counted);
  const pb::Filing& rules = version.policy.registration().filing();
  const Cutoff cutoff = CutoffOf(timeline, version.policy, rules, base);
  judged.end = cutoff.end;
  judged.basis = MakeBasis(rules.rule_id(), version, base);
  judged.basis.add_positions(filing.position());
  std::string arithmetic = cutoff.arithmetic;

  const bool received = filing.received_position() != 0;
  const absl::Time receipt = FromMicros(filing.received_us());
  if (received) {
    if (filing.received_position() != filing.position()) {
      judged.basis.add_positions(filing.received_position());
    }
    if (receipt >= cutoff.end && filing.has_reason() && rules.has_grace()) {
      judged.end =
          AtTimeOfDay(version.policy, cutoff.day + 1, rules.grace().next_day_until()) + absl::Seconds(1);
      judged.basis.set_rule_id(rules.grace().rule_id());
      absl::StrAppend(&arithmetic, ", with a reason until ",
                      LocalText(version.policy, LastInTime(judged.end)));
    }
    const bool in_time = receipt < judged.end;
    judged.state = in_time ? pb::FILING_STATE_IN_TIME : pb::FILING_STATE_LATE;
    if (!in_time && !rules.late_rule_id().empty()) judged.basis.set_rule_id(rules.late_rule_id());
    if (rules.late() == pb::LATE_FILING_RECEIPT_COUNTS) judged.effective = in_time ? base : receipt;
    absl::StrAppend(&arithmetic, ", received ", LocalText(version.policy, receipt));
  } else {
    judged.state = at < judged.end ? pb::FILING_STATE_DUE : pb::FILING_STATE_OVERDUE;
  }
  judged.basis.set_arithmetic(arithmetic);
  return judged;
}

std::optional<JudgedFiling> EffectiveClaim(const policy::Timeline& timeline, const CustomerState& state,
                                           uint64_t position, absl::Time at) {
  for (const FilingState& filing : state.filings()) {
    if (filing.position() != position || position == 0 || filing.received_position() == 0) continue;
    JudgedFiling judged = Judge(timeline, filing, at);
    if (judged.effective.has_value()) return judged;
  }
  return std::nullopt;
}

std::vector<pb::FilingEntry> ReadFilings(const policy::Timeline& timeline, const CustomerState& state,
                                         const std::string& scope, absl::Time at) {
  std::vector<pb::FilingEntry> entries;
  for (const FilingState& filing : state.filings()) {
    if (filing.position() == 0 || filing.scope() != scope) continue;
    const JudgedFiling judged = Judge(timeline, filing, at);
    pb::FilingEntry entry;
    entry.set_state(judged.state);
    entry.set_filed_by(filing.filed_by());
    *entry.mutable_basis() = judged.basis;
    if (judged.end < absl::InfiniteFuture()) *entry.mutable_due_time() = ToTimestamp(LastInTime(judged.end));
    if (filing.received_position() != 0) {
      *entry.mutable_received_time() = ToTimestamp(FromMicros(filing.received_us()));
    }
    if (judged.effective.has_value()) *entry.mutable_effective_time() = ToTimestamp(*judged.effective);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace ledger::rules
