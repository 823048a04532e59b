#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/projections/rules/hand_over_testing.h"
#include "tests/projections/rules/testing.h"

// Steps of hand-overs and disputes in random order, told again in the plainest way there is. LEDGER_TEST_SEED repeats a
// run.
namespace ledger::rules::testing {
namespace {

namespace pb = ::customerledger::v1;

constexpr char kSteps[] = R"(
  procedures {
    steps { step: HAND_OVER_STEP_PROPOSE }
    steps { step: HAND_OVER_STEP_AUDIT roles: "desk" }
    steps { step: HAND_OVER_STEP_AUDIT roles: "boss" }
    steps { step: HAND_OVER_STEP_ACCEPT by_receiver: true }
    steps { step: HAND_OVER_STEP_CONFIRM receiver_owns: true }
    owner_meanwhile: OWNER_MEANWHILE_NOBODY
    rule_id: "x.steps"
  })";

std::string TimeOf(int hour) {
  const int day = hour / 24;
  return absl::StrCat("2026-0", 2 + day / 28, "-", day % 28 + 1 < 10 ? "0" : "", day % 28 + 1, " ",
                      hour % 24 < 10 ? "0" : "", hour % 24, ":00");
}

struct Happened {
  int hour = 0;
  pb::Event event;
};

// What is so, told without the rules.
struct Told {
  std::string owner = "s0";
  std::optional<std::string> receiver;  // of the open hand-over
  int taken = 0;                        // its steps: 1 proposed ... 4 accepted
  std::string id;
  size_t first = 0;  // its proposal among what happened
  bool disputed = false;
};

class RandomSteps {
 public:
  explicit RandomSteps(uint64_t seed) : random_(seed) {}

  int Below(int bound) { return static_cast<int>(random_() % static_cast<uint64_t>(bound)); }
  std::string Someone() { return absl::StrCat("s", Below(3)); }

  // Something that may be right or wrong, and whether it is right.
  std::pair<pb::Event, bool> Next(const Told& told) {
    const std::string id =
        told.receiver && Below(8) > 0 ? told.id : absl::StrCat("t", Below(3) + 100 * count_);
    const bool open = told.receiver.has_value() && id == told.id;
    switch (Below(8)) {
      case 0: {
        const std::string to = Someone();
        ++count_;
        return {Proposed(id, "", to), !told.receiver && !told.disputed && to != told.owner};
      }
      case 1:
      case 2: {
        const std::string by = Below(2) == 0 ? "desk" : "boss";
        return {Audited(id, by),
                open && ((told.taken == 1 && by == "desk") || (told.taken == 2 && by == "boss"))};
      }
      case 3: {
        const std::string by = told.receiver && Below(4) > 0 ? *told.receiver : Someone();
        return {Accepted(id, by), open && told.taken == 3 && by == *told.receiver};
      }
      case 4:
      case 5:
        return {Confirmed(id, "desk"), open && told.taken == 4 && !told.disputed};
      case 6:
        if (Below(3) > 0) return {Cancelled(id), open};
        return {Opened("d"), !told.disputed};
      default:
        return {Resolved("d", Below(3) == 0 ? Someone() : ""), told.disputed};
    }
  }

 private:
  std::mt19937_64 random_;
  int count_ = 0;
};

// Lets `event`, which is right, happen.
void Tell(const pb::Event& event, size_t index, Told* told,
          std::vector<std::pair<size_t, size_t>>* cancelled) {
  switch (event.body_case()) {
    case pb::Event::kTransferProposed:
      told->receiver = event.transfer_proposed().to().staff_id();
      told->id = event.transfer_proposed().transfer_id();
      told->taken = 1;
      told->first = index;
      break;
    case pb::Event::kTransferConfirmed:
      told->owner = *told->receiver;
      told->receiver.reset();
      break;
    case pb::Event::kTransferCancelled:
      cancelled->emplace_back(told->first, index);
      told->receiver.reset();
      break;
    case pb::Event::kDisputeOpened:
      told->disputed = true;
      break;
    case pb::Event::kDisputeResolved:
      told->disputed = false;
      if (!event.dispute_resolved().has_owner()) break;
      if (event.dispute_resolved().owner().staff_id() == told->owner) break;
      told->owner = event.dispute_resolved().owner().staff_id();
      told->receiver.reset();
      break;
    default:
      ++told->taken;
  }
}

Scenario Begin() {
  pb::Policy policy = WithHandOver(kSteps);
  policy.clear_lapse();
  Scenario scenario(policy);
  Joins(&scenario, "2026-01-01", "desk", "desk", "");
  Joins(&scenario, "2026-01-01", "boss", "boss", "");
  scenario.Given("2026-01-05", Registered("s0"));
  return scenario;
}

bool IsOf(const pb::Event& event, const std::string& id) {
  return event.transfer_proposed().transfer_id() == id || event.transfer_audited().transfer_id() == id ||
         event.transfer_accepted().transfer_id() == id || event.transfer_cancelled().transfer_id() == id;
}

TEST(HandOverRandomTest, OneOwnerOrNoneAndAlwaysTheSame) {
  uint64_t seed = std::random_device()();
  if (const char* text = std::getenv("LEDGER_TEST_SEED")) {
    ASSERT_TRUE(absl::SimpleAtoi(text, &seed));
  }
  std::cout << "LEDGER_TEST_SEED=" << seed << "\n";
  int completed = 0, withdrawn = 0;
  for (uint64_t run = 0; run < 300; ++run) {
    SCOPED_TRACE(absl::StrCat("run ", run, " of LEDGER_TEST_SEED=", seed));
    RandomSteps random(seed + run * 0x9E3779B97F4A7C15u);
    Scenario timely = Begin();
    Told told;
    std::vector<Happened> happened;
    std::vector<std::pair<size_t, size_t>> cancelled;
    std::vector<std::string> owners;  // after each hour
    for (int hour = 0; hour < 60; ++hour) {
      auto [event, right] = random.Next(told);
      const auto decision = timely.WhenProposed(TimeOf(hour), event);
      ASSERT_EQ(decision.ok(), right) << decision.status() << "\n" << event.ShortDebugString();
      if (right) {
        completed += event.has_transfer_confirmed();
        withdrawn += event.has_transfer_cancelled();
        Tell(event, happened.size(), &told, &cancelled);
        happened.push_back({hour, event});
        timely.Given(TimeOf(hour), event);
      } else if (event.has_transfer_confirmed() || event.has_transfer_accepted()) {
        // Recorded all the same, e.g. by an import: it changes nothing.
        timely.Given(TimeOf(hour), event);
      }
      const pb::Ownership ownership = timely.OwnershipAt(TimeOf(hour));
      EXPECT_EQ(ownership.has_owner(), !told.receiver.has_value());
      if (ownership.has_owner()) {
        EXPECT_EQ(ownership.owner().staff_id(), told.owner);
      }
      EXPECT_EQ(ownership.disputed(), told.disputed);
      EXPECT_EQ(ownership.transfer().semi_linked(), told.receiver.has_value() && told.taken == 4);
      owners.push_back(timely.OwnerAt(TimeOf(hour)));
    }

    // Recorded in another order, it was the same.
    Scenario shuffled = Begin();
    std::vector<Happened> order = happened;
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<size_t>(random.Below(static_cast<int>(i)))]);
    for (const Happened& late : order) shuffled.Given(TimeOf(late.hour), late.event, "2026-06-01");
    // Without the hand-overs that were cancelled, it was the same but for the time they were under way.
    Scenario without = Begin();
    for (size_t i = 0; i < happened.size(); ++i) {
      const bool gone = std::any_of(cancelled.begin(), cancelled.end(), [&](const auto& span) {
        return i >= span.first && i <= span.second &&
               IsOf(happened[i].event, happened[span.first].event.transfer_proposed().transfer_id());
      });
      if (!gone) without.Given(TimeOf(happened[i].hour), happened[i].event);
    }
    for (int hour = 0; hour < 60; ++hour) {
      EXPECT_EQ(shuffled.OwnerAt(TimeOf(hour)), owners[static_cast<size_t>(hour)]);
      const bool limbo = std::any_of(cancelled.begin(), cancelled.end(), [&](const auto& span) {
        return hour >= happened[span.first].hour && hour < happened[span.second].hour;
      });
      if (!limbo) {
        EXPECT_EQ(without.OwnerAt(TimeOf(hour)), owners[static_cast<size_t>(hour)]);
      }
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(completed, 5);  // of some 60: the histories are not empty
  EXPECT_GT(withdrawn, 5);
}

}  // namespace
}  // namespace ledger::rules::testing
