#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/customer.h"
#include "tests/projections/rules/naive_reference.h"
#include "tests/projections/rules/testing.h"

// Random histories, asked of the rules and of the naive reference. LEDGER_TEST_SEED repeats a run;
// LEDGER_TEST_HISTORIES sets how many histories there are.
namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  uint64_t value = 0;
  const char* text = std::getenv(name);
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

constexpr int64_t kBegin = 1'767'196'800;  // 2026-01-01 00:00 local time
constexpr int64_t kDay = 86'400;

// A ledger of a few customers that get merged, corrected and disputed; instants collide often and fall on the
// edges of days.
class RandomLedger {
 public:
  explicit RandomLedger(uint64_t seed) : random_(seed) {
    pb::Event adopted;
    *adopted.mutable_policy_adopted()->mutable_policy() = ShippedPolicy("default");
    timeline_.Apply(MakeRecord(adopted, kBegin - 400 * kDay));
    const int events = 3 + Below(28);
    for (int i = 0; i < events; ++i) {
      now_ += Below(3) * Below(15) * kDay + Below(2) * Below(kDay);
      // Half of the events are recorded late, or on the same instant as others.
      const int64_t occurred = Below(2) == 0 ? now_ : Edge(std::max(kBegin, now_ - Below(120) * kDay));
      pb::Event event = RandomEvent(occurred);
      Zone(occurred, event.mutable_occurred_time());
      log_.push_back(MakeRecord(event, now_));
    }
  }

  const policy::Timeline& timeline() const { return timeline_; }
  const std::vector<pb::Record>& log() const { return log_; }

  std::vector<pb::Record> RecordsOf(const std::string& customer) const {
    std::vector<pb::Record> records;
    for (const pb::Record& record : log_) {
      for (const pb::Subject& subject : policy::SubjectsOf(record.event())) {
        if (subject.id() == customer) records.push_back(record);
      }
    }
    return records;
  }

  // Instants worth asking about: around every event and the periods after it.
  std::vector<int64_t> Questions() {
    std::vector<int64_t> questions;
    for (int i = 0; i < 4; ++i) questions.push_back(Edge(kBegin + Below(400) * kDay) + Below(3) - 1);
    const pb::Record& some = log_[Below(log_.size())];
    questions.push_back(some.event().occurred_time().time().seconds());
    questions.push_back(some.header().recorded_time().seconds() - 1);
    questions.push_back(now_ + 500 * kDay);
    return questions;
  }

  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }

 private:
  // Midnight, noon or the last second of a day.
  int64_t Edge(int64_t time) {
    const int64_t midnight = time - (time - kBegin) % kDay;
    const int64_t offsets[] = {0, kDay / 2, kDay - 1};
    return midnight + offsets[Below(3)];
  }
  std::string Customer() { return absl::StrCat("c", 1 + Below(4)); }
  std::string Someone() { return absl::StrCat("s", 1 + Below(3)); }
  std::string Scope() { return Below(4) == 0 ? "store" : ""; }

  static void Zone(int64_t seconds, pb::ZonedTime* time) { time->mutable_time()->set_seconds(seconds); }

  pb::Record MakeRecord(const pb::Event& event, int64_t recorded) {
    pb::Record record;
    record.mutable_header()->set_position(++position_);
    record.mutable_header()->set_event_type(policy::EventTypeOf(event));
    record.mutable_header()->mutable_recorded_time()->set_seconds(recorded);
    *record.mutable_event() = event;
    return record;
  }

  // A position of the log whose event may be corrected: anything but a merge.
  const pb::Record* Target() {
    for (int tries = 0; tries < 10 && !log_.empty(); ++tries) {
      const pb::Record& record = log_[Below(log_.size())];
      if (record.header().event_type() < 901) return &record;
    }
    return nullptr;
  }

  pb::Event RandomEvent(int64_t occurred) {
    const int64_t kind = Below(24);
    if (kind < 3 && kind > 0) {
      if (const pb::Record* target = Target()) return Correction(*target, occurred);
    }
    if (kind == 3 || kind == 4) {
      const std::string one = Customer(), other = Customer();
      if (one != other) return Below(3) == 0 ? Unmerged(one, other) : Merged(one, other);
    }
    if (kind == 5) {
      pb::Event event;
      event.mutable_claim_joined()->set_customer_id(Customer());
      event.mutable_claim_joined()->set_claimant_customer_id(Customer());
      return event;
    }
    return PlainEvent(occurred, Below(20));
  }

  pb::Event Correction(const pb::Record& target, int64_t occurred) {
    pb::Event event = Withdrawn(target.header().position());
    event.mutable_event_corrected()->set_customer_id(policy::CustomerIdOf(target.event()));
    if (Below(3) == 0) return event;
    pb::Event right = target.event();
    if (target.event().has_event_corrected()) {
      if (Below(2) == 0) right.mutable_event_corrected()->clear_right_event();
    } else if (right.has_customer_registered()) {
      right.mutable_customer_registered()->set_registrar_id(Someone());
    } else if (right.has_grade_changed()) {
      right.mutable_grade_changed()->set_to_class("C");
    } else if (Below(8) == 0) {
      right = Graded("H");  // another type: to be ignored
    }
    Zone(Edge(std::max(kBegin, occurred - Below(30) * kDay)), right.mutable_occurred_time());
    *event.mutable_event_corrected()->mutable_right_event() = right;
    return event;
  }

  pb::Event PlainEvent(int64_t occurred, int64_t kind) {
    const std::string customer = Customer(), someone = Someone(), transfer = absl::StrCat("t", Below(2)),
                      dispute = absl::StrCat("d", Below(2));
    pb::Event event;
    if (kind < 5) {
      event = Registered(someone, Scope(), customer);
    } else if (kind < 8) {
      event = Contact(someone, static_cast<pb::ContactOutcome>(Below(4)));
      event.mutable_contact_logged()->set_customer_id(customer);
      if (Below(3) == 0) {
        Zone(occurred + Below(20) * kDay, event.mutable_contact_logged()->mutable_next_contact_time());
      }
    } else if (kind == 8) {
      event = Visit(someone);
      event.mutable_visit_logged()->set_customer_id(customer);
    } else if (kind == 9) {
      event = Deal(Below(3) == 0 ? pb::DEAL_KIND_LOSS : pb::DEAL_KIND_SALE, Scope());
      event.mutable_deal_recorded()->set_customer_id(customer);
    } else if (kind == 10 || kind == 11) {
      const char* classes[] = {"H", "A", "B", "C", ""};
      event = Graded(classes[Below(5)]);
      event.mutable_grade_changed()->set_customer_id(customer);
    } else if (kind == 12) {
      event = Assigned(someone);
      event.mutable_owner_assigned()->set_customer_id(customer);
      event.mutable_owner_assigned()->set_scope(Scope());
    } else if (kind == 13) {
      event = Released(someone);
      event.mutable_owner_released()->set_customer_id(customer);
    } else if (kind == 14) {
      event = Proposed(transfer, someone, Someone());
      event.mutable_transfer_proposed()->set_customer_id(customer);
      event.mutable_transfer_proposed()->set_scope(Scope());
    } else if (kind == 15 || kind == 16) {
      event = Accepted(transfer, someone);
      event.mutable_transfer_accepted()->set_customer_id(customer);
    } else if (kind == 17) {
      event = Below(2) == 0 ? Declined(transfer, someone) : TrackingEnded();
      if (event.has_tracking_ended()) {
        event.mutable_tracking_ended()->set_customer_id(customer);
      } else {
        event.mutable_transfer_declined()->set_customer_id(customer);
      }
    } else if (kind == 18) {
      event = Opened(dispute);
      event.mutable_dispute_opened()->set_customer_id(customer);
      event.mutable_dispute_opened()->set_scope(Scope());
    } else {
      event = Resolved(dispute, Below(2) == 0 ? someone : "");
      event.mutable_dispute_resolved()->set_customer_id(customer);
      event.mutable_dispute_resolved()->set_scope(Scope());
    }
    return event;
  }

  std::mt19937_64 random_;
  policy::Timeline timeline_;
  std::vector<pb::Record> log_;
  int64_t now_ = kBegin;
  uint64_t position_ = 0;
};

// As a caller of the rules does it: link by link.
std::set<std::string> Identities(const RandomLedger& ledger, const std::string& customer) {
  std::set<std::string> known = {customer};
  std::vector<std::string> open = {customer};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    for (const IdentityLink& link : IdentityLinks(next, ledger.RecordsOf(next))) {
      if (known.insert(link.other_customer_id).second) open.push_back(link.other_customer_id);
    }
  }
  return known;
}

std::string Standing(pb::ClaimState state) {
  switch (state) {
    case pb::CLAIM_STATE_OWNS:
      return "owns";
    case pb::CLAIM_STATE_SECOND:
      return "second";
    case pb::CLAIM_STATE_PAST:
      return "past";
    default:
      return "?";
  }
}

std::string Text(const NaiveAnswer& answer) {
  std::string text = absl::StrCat("events ", answer.events, " changes ", answer.owner_changes, " returned ",
                                  answer.returned, " tier ", answer.tier, "\n");
  for (const NaiveScope& scope : answer.scopes) {
    absl::StrAppend(&text, "[", scope.scope, "] ", scope.custody, " ", scope.owner, " since ", scope.since,
                    " lapse ", scope.lapse, " due ", scope.due, " disputed ", scope.disputed, " transfer ",
                    scope.transfer_id, "\n");
    for (const NaiveClaim& claim : scope.claims) {
      absl::StrAppend(&text, "  ", claim.claimant, " ", claim.position, " ", claim.standing, " ",
                      claim.registered_as, "\n");
    }
  }
  return text;
}

// The rules' answer in the reference's words.
NaiveAnswer Translate(const policy::Timeline& timeline, const CustomerState& state, int64_t true_at) {
  const absl::Time at = absl::FromUnixSeconds(true_at);
  NaiveAnswer answer;
  answer.events = state.events();
  answer.owner_changes = state.owner_changes();
  answer.returned = state.returned();
  for (const pb::Tier& tier : ReadTiers(timeline, state, at)) answer.tier = tier.class_name();
  std::map<std::string, int64_t> due;
  for (const pb::Callback& callback : ReadCallbacks(timeline, state, at)) {
    due[callback.scope()] = callback.due_time().seconds();
    EXPECT_EQ(callback.overdue(), true_at > callback.due_time().seconds());
  }
  for (const pb::Ownership& ownership : ReadOwnerships(timeline, state, at)) {
    NaiveScope scope;
    scope.scope = ownership.scope();
    if (ownership.state() == pb::CUSTODY_STATE_OWNED) scope.custody = "owned";
    if (ownership.state() == pb::CUSTODY_STATE_POOLED) scope.custody = "pooled";
    scope.owner = ownership.owner().staff_id();
    scope.since = ownership.basis().since_time().seconds();
    scope.disputed = ownership.disputed();
    scope.transfer_id = ownership.transfer().transfer_id();
    scope.lapse = ownership.lapse_time().seconds();
    scope.due = due[scope.scope];
    for (const pb::Claim& claim : ownership.claims()) {
      scope.claims.push_back(
          {claim.claimant().staff_id(), claim.position(), Standing(claim.state()), claim.registered_as()});
    }
    answer.scopes.push_back(std::move(scope));
  }
  return answer;
}

History HistoryOf(const RandomLedger& ledger, const std::set<std::string>& ids) {
  std::vector<pb::Record> records;
  for (const std::string& id : ids) {
    for (pb::Record& record : ledger.RecordsOf(id)) records.push_back(std::move(record));
  }
  return BuildHistory(ledger.timeline(), std::move(records));
}

// The lists' intervals must say at every instant what a question about the customer says.
void CompareIntervals(const RandomLedger& ledger, const CustomerState& state, int64_t true_at) {
  const absl::Time at = absl::FromUnixSeconds(true_at);
  if (state.events() > 0 && at < FromMicros(state.last_us())) return;
  std::map<std::string, std::string> listed;
  for (const CustodyInterval& interval : CustodyIntervals(ledger.timeline(), state)) {
    if (at < interval.from || at >= interval.until) continue;
    EXPECT_TRUE(listed.emplace(interval.scope, interval.pooled ? "pool" : interval.owner.staff_id()).second);
  }
  std::map<std::string, std::string> asked;
  for (const pb::Ownership& ownership : ReadOwnerships(ledger.timeline(), state, at)) {
    if (ownership.state() == pb::CUSTODY_STATE_OWNED) asked[ownership.scope()] = ownership.owner().staff_id();
    if (ownership.state() == pb::CUSTODY_STATE_POOLED) asked[ownership.scope()] = "pool";
  }
  EXPECT_EQ(listed, asked);
  std::map<std::string, int64_t> due, due_listed;
  for (const pb::Callback& callback : ReadCallbacks(ledger.timeline(), state, at)) {
    due[callback.scope()] = callback.due_time().seconds();
  }
  for (const CallbackInterval& interval : CallbackIntervals(ledger.timeline(), state)) {
    if (interval.from <= at && at < interval.until) {
      due_listed[interval.scope] = absl::ToUnixSeconds(interval.due);
    }
  }
  EXPECT_EQ(due_listed, due);
}

// A live view: applies what sorts last and folds again what does not. After every record it must hold the bytes
// that a replay from zero gives.
void CompareLiveView(const RandomLedger& ledger, const std::string& customer) {
  const policy::Timeline& timeline = ledger.timeline();
  std::vector<pb::Record> seen;
  CustomerState live;
  HistoryEvent last;
  for (const pb::Record& record : ledger.RecordsOf(customer)) {
    seen.push_back(record);
    HistoryEvent event;
    event.position = record.header().position();
    event.business_time = BusinessTimeOf(timeline, record);
    event.event_type = record.header().event_type();
    event.event = &record.event();
    event.header = &record.header();
    const bool refold = record.event().has_event_corrected() || (last.position != 0 && Before(event, last));
    const auto replay = Fold(timeline, BuildHistory(timeline, seen));
    ASSERT_TRUE(replay.ok()) << replay.status();
    if (refold) {
      live = *replay;
    } else {
      ASSERT_TRUE(Apply(timeline, event, &live).ok());
    }
    last.position = live.last_position();
    last.business_time = FromMicros(live.last_us());
    ASSERT_EQ(live.SerializeAsString(), replay->SerializeAsString()) << record.ShortDebugString();
  }
}

TEST(RandomHistoryTest, TheRulesAgreeWithTheNaiveReference) {
  const uint64_t seed = FromEnvironment("LEDGER_TEST_SEED", std::random_device()());
  const uint64_t histories = FromEnvironment("LEDGER_TEST_HISTORIES", 2'000);
  std::cout << "LEDGER_TEST_SEED=" << seed << "\n";
  uint64_t merged = 0, pooled = 0, refolded = 0;
  for (uint64_t i = 0; i < histories; ++i) {
    SCOPED_TRACE(absl::StrCat("history ", i, " of LEDGER_TEST_SEED=", seed));
    RandomLedger ledger(seed + i * 0x9E3779B97F4A7C15u);
    const std::string customer = absl::StrCat("c", 1 + ledger.Below(4));
    const std::set<std::string> ids = Identities(ledger, customer);
    const std::vector<std::string> naive_ids = NaiveIdentities(customer, ledger.log());
    ASSERT_EQ(ids, std::set<std::string>(naive_ids.begin(), naive_ids.end()));
    merged += ids.size() > 1;

    const History history = HistoryOf(ledger, ids);
    refolded += !history.corrected_positions.empty();
    const auto whole = Fold(ledger.timeline(), history);
    ASSERT_TRUE(whole.ok()) << whole.status();
    for (const int64_t true_at : ledger.Questions()) {
      const auto state = Fold(ledger.timeline(), history, absl::FromUnixSeconds(true_at));
      ASSERT_TRUE(state.ok()) << state.status();
      const NaiveAnswer naive = AskNaively(customer, ledger.log(), true_at);
      const std::string expected = Text(naive);
      ASSERT_EQ(Text(Translate(ledger.timeline(), *state, true_at)), expected) << "at " << true_at;
      for (const NaiveScope& scope : naive.scopes) pooled += scope.custody == "pooled";
      CompareIntervals(ledger, *whole, true_at);
    }
    CompareLiveView(ledger, customer);
    if (HasFailure()) return;
  }
  // The generator must go on reaching what it is there for.
  if (histories >= 100) {
    EXPECT_GT(merged, histories / 20);
    EXPECT_GT(refolded, histories / 50);
    EXPECT_GT(pooled, histories / 5);
  }
}

}  // namespace
}  // namespace ledger::rules::testing
