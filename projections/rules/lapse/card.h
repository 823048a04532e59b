#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "projections/rules/lapse/lapse.h"
#include "projections/rules/mechanism.h"

// Mechanism 3, cards: a claim that lives by its holder's call-backs. waiting -> alive -> void. Every claim on a customer
// has a card of its own, so that a duplicate may be alive when the first is void.
namespace ledger::rules {

// A claim becomes effective at the step: its first call-back is counted from here, unless one was made while it waited.
void StartCard(const Step& step, ClaimState* claim);

// The first instant at which `claim` is void unless its holder calls. InfiniteFuture: the policy has no cards, or the claim
// waits, is void or is past.
absl::Time CardEnd(const policy::Timeline& timeline, const ClaimState& claim);

// The same in words.
struct CardTerm {
  absl::Time end = absl::InfiniteFuture();  // not included
  std::string rule_id;
  std::string arithmetic;
  uint32_t policy_version = 0;
  uint64_t position = 0;  // of the event that it is counted from
};
// Empty: as InfiniteFuture above.
std::optional<CardTerm> CardTermOf(const policy::Timeline& timeline, const ClaimState& claim);

// When `claim` becomes void unless its holder calls; after a hold as AfterHold says. Empty: never, or while a dispute or
// a hand-over holds it back, or not until `bound`, included.
std::optional<DueLapse> NextVoid(const policy::Timeline& timeline, const ScopeState& scope,
                                 const ClaimState& claim, absl::Time bound = absl::InfiniteFuture());

// A contact or visit counts for the cards of whoever made it; so many short messages in a row end one.
void ApplyCallBack(const Step& step, CustomerState* state);
// A card is withdrawn.
void ApplyCardCancelled(const Step& step, CustomerState* state);
// The leader signs a call-back.
void ApplyCallBackSigned(const Step& step, CustomerState* state);

}  // namespace ledger::rules
