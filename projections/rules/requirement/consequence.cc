#include "projections/rules/requirement/consequence.h"

#include "projections/rules/civil_time.h"
#include "projections/rules/duty/deadline.h"
#include "projections/rules/requirement/memory.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

TimesState* FindOrAdd(absl::string_view group, CustomerState* state) {
  auto* all = state->mutable_times();
  int place = 0;
  while (place < all->size() && absl::string_view(all->Get(place).group()) < group) ++place;
  if (place < all->size() && absl::string_view(all->Get(place).group()) == group) return all->Mutable(place);
  all->Add()->set_group(std::string(group));
  for (int i = all->size() - 1; i > place; --i) all->SwapElements(i, i - 1);
  return all->Mutable(place);
}

}  // namespace

uint64_t CountTimes(const policy::Timeline& timeline, const pb::Policy& policy,
                    const pb::Consequence& consequence, absl::string_view own_name, uint64_t times,
                    absl::Time at, CustomerState* state) {
  TimesState* counted =
      FindOrAdd(consequence.group().empty() ? own_name : absl::string_view(consequence.group()), state);
  if (consequence.counted_in() != pb::CALENDAR_UNIT_UNSPECIFIED) {
    const int64_t start = ToMicros(StretchAt(timeline, policy, consequence.counted_in(), at).start);
    if (counted->stretch_us() != start) counted->set_count(0);
    counted->set_stretch_us(start);
  }
  counted->set_count(counted->count() + times);
  uint64_t recorded = 0;
  for (const pb::EventMatch& match : consequence.counted_events()) {
    const RememberedState* remembered = FindRemembered(*state, match, "");
    if (remembered != nullptr) recorded += remembered->all().count();
  }
  return counted->count() + recorded;
}

pb::ConsequenceDue ConsequenceOf(const pb::Consequence& consequence, uint64_t times, uint64_t last) {
  pb::ConsequenceDue due;
  due.set_rule_id(consequence.rule_id());
  due.set_time_number(last);
  *due.mutable_borne_by() = consequence.borne_by();
  if (!consequence.text().empty()) due.add_texts(consequence.text());
  int64_t amount = 0;
  bool has_amount = false;
  std::string currency;
  for (uint64_t number = last - times + 1; number <= last; ++number) {
    const pb::Money* each = consequence.has_amount() ? &consequence.amount() : nullptr;
    for (const pb::Escalation& step : consequence.escalations()) {
      if (number >= step.from_time() && step.has_amount()) each = &step.amount();
    }
    if (each == nullptr) continue;
    has_amount = true;
    amount += each->minor_units();
    currency = each->currency_code();
  }
  if (has_amount) {
    due.mutable_amount()->set_minor_units(amount);
    due.mutable_amount()->set_currency_code(currency);
  }
  for (const pb::Escalation& step : consequence.escalations()) {
    if (last < step.from_time()) continue;
    if (!step.text().empty()) due.add_texts(step.text());
    if (!step.rule_id().empty()) due.add_further_rule_ids(step.rule_id());
  }
  return due;
}

}  // namespace ledger::rules
