#include "tests/projections/rules/naive_reference.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr int64_t kDay = 86'400;
constexpr int64_t kOffset = 8 * 3'600;

bool IsLeap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int DaysIn(int year, int month) {
  static const int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

struct Date {
  int year = 1970, month = 1, day = 1;
};

// The histories lie after 1970.
Date DateOf(int64_t day_number) {
  Date date;
  while (day_number >= (IsLeap(date.year) ? 366 : 365)) day_number -= IsLeap(date.year++) ? 366 : 365;
  while (day_number >= DaysIn(date.year, date.month)) day_number -= DaysIn(date.year, date.month++);
  date.day = 1 + static_cast<int>(day_number);
  return date;
}

int64_t NumberOf(const Date& date) {
  int64_t number = date.day - 1;
  for (int year = 1970; year < date.year; ++year) number += IsLeap(year) ? 366 : 365;
  for (int month = 1; month < date.month; ++month) number += DaysIn(date.year, month);
  return number;
}

int64_t LocalDay(int64_t time) { return (time + kOffset) / kDay; }
int64_t Midnight(int64_t day_number) { return day_number * kDay - kOffset; }

int64_t AfterDays(int64_t time, int days) { return Midnight(LocalDay(time) + days + 1); }

int64_t AfterMonths(int64_t time, int months) {
  Date date = DateOf(LocalDay(time));
  for (; months > 0; --months) {
    if (++date.month > 12) date.month = 1, ++date.year;
  }
  date.day = std::min(date.day, DaysIn(date.year, date.month));
  return Midnight(NumberOf(date) + 1);
}

// Both customers of an event that has two.
std::pair<std::string, std::string> Pair(const pb::Event& event) {
  if (event.has_customers_merged()) {
    return {event.customers_merged().customer_id(), event.customers_merged().absorbed_customer_id()};
  }
  if (event.has_customers_unmerged()) {
    return {event.customers_unmerged().customer_id(), event.customers_unmerged().absorbed_customer_id()};
  }
  if (event.has_claim_joined()) {
    return {event.claim_joined().customer_id(), event.claim_joined().claimant_customer_id()};
  }
  return {};
}

std::set<std::string> CustomersOf(const pb::Event& event) {
  switch (event.body_case()) {
    case pb::Event::kCustomerRegistered:
      return {event.customer_registered().customer_id()};
    case pb::Event::kContactLogged:
      return {event.contact_logged().customer_id()};
    case pb::Event::kVisitLogged:
      return {event.visit_logged().customer_id()};
    case pb::Event::kDealRecorded:
      return {event.deal_recorded().customer_id()};
    case pb::Event::kGradeChanged:
      return {event.grade_changed().customer_id()};
    case pb::Event::kOwnerAssigned:
      return {event.owner_assigned().customer_id()};
    case pb::Event::kOwnerReleased:
      return {event.owner_released().customer_id()};
    case pb::Event::kTransferProposed:
      return {event.transfer_proposed().customer_id()};
    case pb::Event::kTransferAccepted:
      return {event.transfer_accepted().customer_id()};
    case pb::Event::kTransferDeclined:
      return {event.transfer_declined().customer_id()};
    case pb::Event::kTrackingEnded:
      return {event.tracking_ended().customer_id()};
    case pb::Event::kDisputeOpened:
      return {event.dispute_opened().customer_id()};
    case pb::Event::kDisputeResolved:
      return {event.dispute_resolved().customer_id()};
    case pb::Event::kEventCorrected:
      return {event.event_corrected().customer_id()};
    default:
      return {Pair(event).first, Pair(event).second};
  }
}

// What the record at `index` says in the end; nullptr: it never happened.
const pb::Event* Says(const std::vector<pb::Record>& records, size_t index) {
  const pb::Event& original = records[index].event();
  for (size_t later = records.size() - 1; later > index; --later) {
    if (!records[later].event().has_event_corrected()) continue;
    const pb::Event* correction = Says(records, later);
    if (correction == nullptr || !correction->has_event_corrected()) continue;
    if (correction->event_corrected().target_position() != records[index].header().position()) continue;
    if (!correction->event_corrected().has_right_event()) return nullptr;
    const pb::Event& right = correction->event_corrected().right_event();
    if (right.body_case() == original.body_case()) return &right;
  }
  return &original;
}

struct Happening {
  int64_t time = 0;
  uint64_t position = 0;
  const pb::Event* event = nullptr;
};

// A scope while its history is told.
struct Telling {
  NaiveScope answer;
  int64_t protection_from = 0;
  int64_t alive_from = 0;
  int64_t not_before = 0;
  int64_t call_from = 0;  // of the filing
  int64_t contact = 0;    // 0: none since the filing
  int64_t agreed = 0;
  bool followed = true;
  std::string receiver;
  std::set<std::string> disputes;
  std::string last_owner;
  std::set<std::string> owners;
};

class Teller {
 public:
  void Tell(const Happening& happening) {
    ++answer_.events;
    Pass(happening.time);
    Happen(happening);
    Pass(happening.time);
  }

  NaiveAnswer Finish(int64_t at) {
    Pass(at);
    for (auto& [name, scope] : scopes_) {
      scope.answer.scope = name;
      scope.answer.disputed = !scope.disputes.empty();
      scope.answer.lapse = Lapse(scope);
      scope.answer.due = Due(scope);
      answer_.scopes.push_back(scope.answer);
    }
    answer_.tier = grade_;
    return answer_;
  }

 private:
  int64_t Lapse(const Telling& scope) {
    if (scope.answer.custody != "owned" || !scope.disputes.empty()) return 0;
    return std::max(AfterMonths(scope.alive_from, 3), scope.not_before);
  }

  int64_t Due(const Telling& scope) {
    if (scope.answer.custody != "owned" || !scope.followed) return 0;
    if (scope.agreed != 0) return scope.agreed;
    if (scope.contact == 0) return AfterDays(scope.call_from, 3) - 1;
    const int64_t from = std::max(scope.contact, graded_);
    if (grade_ == "H") return AfterDays(from, 1) - 1;
    if (grade_ == "A") return AfterDays(from, 7) - 1;
    if (grade_ == "B") return AfterDays(from, 14) - 1;
    if (grade_ == "C") return AfterMonths(from, 1) - 1;
    return 0;
  }

  void Pass(int64_t now) {
    for (auto& [name, scope] : scopes_) {
      const int64_t lapse = Lapse(scope);
      if (lapse != 0 && lapse <= now) Drop(lapse, &scope);
    }
  }

  void Drop(int64_t at, Telling* scope) {
    scope->answer.custody = "pooled";
    scope->answer.owner.clear();
    scope->answer.since = at;
    scope->answer.transfer_id.clear();
    for (NaiveClaim& claim : scope->answer.claims) {
      if (claim.standing == "owns") claim.standing = "past";
    }
  }

  void Own(const std::string& owner, int64_t now, bool moved, Telling* scope) {
    for (NaiveClaim& claim : scope->answer.claims) {
      if (claim.standing == "owns" && claim.claimant != owner) claim.standing = "past";
    }
    if (!scope->last_owner.empty() && scope->last_owner != owner) {
      ++answer_.owner_changes;
      if (scope->owners.count(owner) != 0) answer_.returned = true;
    }
    scope->last_owner = owner;
    scope->owners.insert(owner);
    if (!moved) {
      scope->protection_from = scope->call_from = now;
      scope->contact = scope->agreed = 0;
      scope->followed = true;
    }
    scope->answer.custody = "owned";
    scope->answer.owner = owner;
    scope->answer.since = now;
    scope->answer.transfer_id.clear();
    scope->alive_from = now;
    scope->not_before = 0;
  }

  void Register(const Happening& happening) {
    const pb::CustomerRegistered& registered = happening.event->customer_registered();
    const std::string& who = registered.registrar_id();
    Telling& scope = scopes_[registered.scope()];
    if (scope.answer.custody == "owned" && scope.answer.owner == who) return;
    const bool is_free =
        scope.answer.custody != "owned" || happening.time >= AfterMonths(scope.protection_from, 2);
    const bool wins = is_free && scope.disputes.empty();
    if (wins) Own(who, happening.time, false, &scope);
    scope.answer.claims.push_back(
        {who, happening.position, wins ? "owns" : "second", registered.customer_id()});
  }

  void Meet(const std::string& who, bool reached, bool has_next, int64_t next, int64_t now) {
    for (auto& [name, scope] : scopes_) {
      if (scope.answer.custody != "owned" || scope.answer.owner != who) continue;
      if (reached) {
        KeepAlive(now, &scope);
        scope.contact = now;
        scope.agreed = 0;
      }
      if (has_next) scope.agreed = next;
    }
  }

  void KeepAlive(int64_t now, Telling* scope) {
    if (AfterMonths(scope->alive_from, 3) > now) scope->alive_from = now;
  }

  Telling* WithTransfer(const std::string& id) {
    for (auto& [name, scope] : scopes_) {
      if (scope.answer.transfer_id == id) return &scope;
    }
    return nullptr;
  }

  void Happen(const Happening& happening) {
    const pb::Event& event = *happening.event;
    const int64_t now = happening.time;
    if (event.has_customer_registered()) {
      Register(happening);
    } else if (event.has_contact_logged()) {
      const pb::ContactLogged& contact = event.contact_logged();
      Meet(contact.staff_id(), contact.outcome() <= pb::CONTACT_OUTCOME_REACHED,
           contact.has_next_contact_time(), contact.next_contact_time().time().seconds(), now);
    } else if (event.has_visit_logged()) {
      Meet(event.visit_logged().staff_id(), true, false, 0, now);
    } else if (event.has_deal_recorded()) {
      const pb::DealRecorded& deal = event.deal_recorded();
      for (auto& [name, scope] : scopes_) {
        const bool meant = deal.scope().empty() || deal.scope() == name;
        if (meant && deal.kind() != pb::DEAL_KIND_LOSS && scope.answer.custody == "owned") {
          KeepAlive(now, &scope);
        }
      }
    } else if (event.has_grade_changed()) {
      grade_ = event.grade_changed().to_class();
      graded_ = now;
    } else if (event.has_owner_assigned()) {
      Telling& scope = scopes_[event.owner_assigned().scope()];
      if (scope.disputes.empty()) Own(event.owner_assigned().owner().staff_id(), now, false, &scope);
    } else if (event.has_owner_released()) {
      const auto scope = scopes_.find(event.owner_released().scope());
      if (scope != scopes_.end() && scope->second.disputes.empty() &&
          scope->second.answer.custody == "owned" &&
          scope->second.answer.owner == event.owner_released().owner().staff_id()) {
        Drop(now, &scope->second);
      }
    } else if (event.has_transfer_proposed()) {
      const pb::TransferProposed& proposed = event.transfer_proposed();
      const auto scope = scopes_.find(proposed.scope());
      if (scope != scopes_.end() && scope->second.answer.custody == "owned" &&
          scope->second.answer.owner == proposed.from().staff_id() && scope->second.disputes.empty() &&
          scope->second.answer.transfer_id.empty() && WithTransfer(proposed.transfer_id()) == nullptr) {
        scope->second.answer.transfer_id = proposed.transfer_id();
        scope->second.receiver = proposed.to().staff_id();
      }
    } else if (event.has_transfer_accepted()) {
      Telling* scope = WithTransfer(event.transfer_accepted().transfer_id());
      if (scope != nullptr && scope->disputes.empty() &&
          scope->receiver == event.transfer_accepted().receiver_id()) {
        Own(scope->receiver, now, true, scope);
      }
    } else if (event.has_transfer_declined()) {
      Telling* scope = WithTransfer(event.transfer_declined().transfer_id());
      if (scope != nullptr) scope->answer.transfer_id.clear();
    } else if (event.has_tracking_ended()) {
      for (auto& [name, scope] : scopes_) {
        if (scope.answer.custody == "owned") scope.followed = false;
      }
    } else if (event.has_dispute_opened()) {
      for (const auto& [name, scope] : scopes_) {
        if (scope.disputes.count(event.dispute_opened().dispute_id()) != 0) return;
      }
      scopes_[event.dispute_opened().scope()].disputes.insert(event.dispute_opened().dispute_id());
    } else if (event.has_dispute_resolved()) {
      Resolve(event.dispute_resolved(), now);
    }
  }

  void Resolve(const pb::DisputeResolved& resolved, int64_t now) {
    Telling* scope = nullptr;
    for (auto& [name, candidate] : scopes_) {
      if (candidate.disputes.erase(resolved.dispute_id()) == 0) continue;
      scope = &candidate;
      if (candidate.disputes.empty()) candidate.not_before = now;
    }
    if (!resolved.has_owner()) return;
    if (scope == nullptr) scope = &scopes_[resolved.scope()];
    // A decision for the one who hands the customer over does not stop the hand-over.
    const std::string open =
        scope->answer.owner == resolved.owner().staff_id() ? scope->answer.transfer_id : "";
    Own(resolved.owner().staff_id(), now, false, scope);
    scope->answer.transfer_id = open;
  }

  std::map<std::string, Telling> scopes_;
  std::string grade_;
  int64_t graded_ = 0;
  NaiveAnswer answer_;
};

}  // namespace

std::vector<std::string> NaiveIdentities(const std::string& customer, const std::vector<pb::Record>& log) {
  std::set<std::pair<std::string, std::string>> joined;
  for (const pb::Record& record : log) {
    auto [one, other] = Pair(record.event());
    if (one == other) continue;
    if (other < one) std::swap(one, other);
    if (record.event().has_customers_unmerged()) {
      joined.erase({one, other});
    } else {
      joined.insert({one, other});
    }
  }
  std::set<std::string> known = {customer};
  for (size_t before = 0; before != known.size();) {
    before = known.size();
    for (const auto& [one, other] : joined) {
      if (known.count(one) != 0) known.insert(other);
      if (known.count(other) != 0) known.insert(one);
    }
  }
  return {known.begin(), known.end()};
}

NaiveAnswer AskNaively(const std::string& customer, const std::vector<pb::Record>& log, int64_t true_at) {
  const std::vector<std::string> ids = NaiveIdentities(customer, log);
  std::vector<pb::Record> records;
  for (const pb::Record& record : log) {
    const std::set<std::string> about = CustomersOf(record.event());
    if (std::any_of(ids.begin(), ids.end(), [&](const std::string& id) { return about.count(id) != 0; })) {
      records.push_back(record);
    }
  }
  std::vector<Happening> happenings;
  for (size_t i = 0; i < records.size(); ++i) {
    const pb::Event* says = Says(records, i);
    if (says == nullptr) continue;
    Happening happening;
    happening.position = records[i].header().position();
    happening.event = says;
    happening.time = says->has_customer_registered() ? records[i].header().recorded_time().seconds()
                                                     : says->occurred_time().time().seconds();
    // Put in its place by hand: behind everything that is not later.
    auto place = happenings.begin();
    while (place != happenings.end() && place->time <= happening.time) ++place;
    happenings.insert(place, happening);
  }
  Teller teller;
  for (const Happening& happening : happenings) {
    if (happening.time <= true_at) teller.Tell(happening);
  }
  return teller.Finish(true_at);
}

}  // namespace ledger::rules::testing
