#include <map>

#include "absl/strings/str_cat.h"
#include "projections/policy/event_names.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/customer.h"
#include "projections/rules/mechanism.h"
#include "storage/status_macros.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

std::string Label(absl::string_view word, absl::string_view scope) {
  return scope.empty() ? std::string(word) : absl::StrCat(word, " (", scope, ")");
}

std::string OwnerText(const pb::Ownership& ownership) {
  switch (ownership.state()) {
    case pb::CUSTODY_STATE_OWNED:
      return HolderText(ownership.owner());
    case pb::CUSTODY_STATE_POOLED:
      return "public pool";
    case pb::CUSTODY_STATE_IN_TRANSFER:
      return "in transfer";
    case pb::CUSTODY_STATE_VOID:
      return "void";
    default:
      return "none";
  }
}

// What answers say at one instant, as texts by what they are about, in the order they are listed.
struct Facts {
  struct Fact {
    std::string text;
    pb::Basis basis;
  };
  std::map<std::string, Fact> owners, transfers, disputes, tiers, call_backs;
  std::map<uint64_t, std::string> second_claims;
};

Facts FactsAt(const policy::Timeline& timeline, const CustomerState& state, absl::Time at) {
  Facts facts;
  const pb::Policy& policy = PolicyInForce(timeline, at).policy;
  for (const pb::Ownership& ownership : ReadOwnerships(timeline, state, at)) {
    facts.owners[Label("owner", ownership.scope())] = {OwnerText(ownership), ownership.basis()};
    if (ownership.has_transfer()) {
      const pb::OpenTransfer& transfer = ownership.transfer();
      facts.transfers[Label("hand-over", ownership.scope())] = {
          absl::StrCat(transfer.transfer_id(), " from ", HolderText(transfer.from()), " to ",
                       HolderText(transfer.to())),
          pb::Basis()};
    }
    if (ownership.disputed()) facts.disputes[Label("dispute", ownership.scope())] = {"open", pb::Basis()};
    for (const pb::Claim& claim : ownership.claims()) {
      if (claim.state() != pb::CLAIM_STATE_SECOND) continue;
      facts.second_claims[claim.position()] =
          absl::StrCat(Label("claim", ownership.scope()), ": ", HolderText(claim.claimant()), " is second");
    }
  }
  for (const pb::Tier& tier : ReadTiers(timeline, state, at)) {
    if (!tier.class_name().empty()) {
      facts.tiers[absl::StrCat("tier ", tier.scheme())] = {tier.class_name(), tier.basis()};
    }
  }
  for (const pb::Callback& callback : ReadCallbacks(timeline, state, at)) {
    const std::string word =
        callback.occasion().empty() ? "call-back" : absl::StrCat("call-back, ", callback.occasion());
    facts.call_backs[Label(word, callback.scope())] = {
        callback.has_due_time() ? LocalText(policy, ToTime(callback.due_time())) : "owed", callback.basis()};
  }
  return facts;
}

void Compare(const std::map<std::string, Facts::Fact>& before,
             const std::map<std::string, Facts::Fact>& after, pb::HistoryEntry* entry) {
  std::map<std::string, std::pair<std::string, std::string>> pairs;
  for (const auto& [label, fact] : before) pairs[label] = {fact.text, "none"};
  for (const auto& [label, fact] : after) {
    auto [pair, added] = pairs.try_emplace(label, "none", fact.text);
    if (!added) pair->second.second = fact.text;
  }
  for (const auto& [label, pair] : pairs) {
    if (pair.first == pair.second) continue;
    entry->add_changes(absl::StrCat(label, ": ", pair.first, " -> ", pair.second));
    // The first change gives the entry its reason: owners before tiers before call-backs.
    const auto fact = after.find(label);
    if (!entry->has_basis() && fact != after.end() && fact->second.basis.policy_version() != 0) {
      *entry->mutable_basis() = fact->second.basis;
    }
  }
}

pb::HistoryEntry LapseEntry(const TimeChange& change) {
  pb::HistoryEntry entry;
  entry.set_event_name("lapse");
  *entry.mutable_business_time() = ToTimestamp(change.at);
  entry.add_changes(absl::StrCat(Label("owner", change.scope), ": ", change.from, " -> ", change.to));
  *entry.mutable_basis() = change.basis;
  return entry;
}

pb::HistoryEntry EventEntry(const HistoryEvent& event) {
  pb::HistoryEntry entry;
  entry.set_position(event.position);
  const absl::string_view name = policy::EventName(event.event_type);
  entry.set_event_name(name.empty() ? absl::StrCat("event ", event.event_type) : std::string(name));
  *entry.mutable_business_time() = ToTimestamp(event.business_time);
  *entry.mutable_recorded_time() = ToTimestamp(event.recorded_time);
  if (event.header != nullptr) {
    *entry.mutable_who() = event.header->who();
    entry.set_derived(event.header->derived());
  }
  return entry;
}

}  // namespace

absl::StatusOr<std::vector<pb::HistoryEntry>> Explain(const policy::Timeline& timeline,
                                                      const HistoryEvent& event, CustomerState* state) {
  std::vector<pb::HistoryEntry> entries;
  for (const TimeChange& change : Advance(timeline, event.business_time, state)) {
    entries.push_back(LapseEntry(change));
  }
  const Facts before = FactsAt(timeline, *state, event.business_time);
  LEDGER_RETURN_IF_ERROR(Apply(timeline, event, state));
  const Facts after = FactsAt(timeline, *state, event.business_time);

  pb::HistoryEntry entry = EventEntry(event);
  Compare(before.owners, after.owners, &entry);
  for (const auto& [position, text] : after.second_claims) {
    if (!before.second_claims.contains(position)) entry.add_changes(text);
  }
  Compare(before.transfers, after.transfers, &entry);
  Compare(before.disputes, after.disputes, &entry);
  Compare(before.tiers, after.tiers, &entry);
  Compare(before.call_backs, after.call_backs, &entry);
  if (!entry.has_basis() && event.header != nullptr && !event.header->rule_id().empty()) {
    entry.mutable_basis()->set_rule_id(event.header->rule_id());
    entry.mutable_basis()->set_policy_version(event.header->policy_version());
  }
  entries.push_back(std::move(entry));
  return entries;
}

std::vector<pb::HistoryEntry> ExplainUntil(const policy::Timeline& timeline, const CustomerState& state,
                                           absl::Time true_at) {
  CustomerState advanced = state;
  std::vector<pb::HistoryEntry> entries;
  for (const TimeChange& change : Advance(timeline, true_at, &advanced))
    entries.push_back(LapseEntry(change));
  return entries;
}

}  // namespace ledger::rules
