#include "projections/rules/requirement/memory.h"

#include <algorithm>
#include <string>
#include <vector>

#include "projections/policy/event_match.h"
#include "projections/policy/event_names.h"
#include "projections/policy/policy_index.h"
#include "projections/rules/civil_time.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kKeysMax = 500;

void Note(const Step& step, Occurrences* occurrences) {
  const int64_t now = ToMicros(step.at());
  if (occurrences->count() == 0) occurrences->set_first_us(now);
  occurrences->set_last_us(now);
  occurrences->set_last_position(step.event.position);
  occurrences->set_count(occurrences->count() + 1);
}

RememberedState* FindOrAdd(uint64_t id, CustomerState* state) {
  auto* all = state->mutable_remembered();
  int place = 0;
  while (place < all->size() && all->Get(place).id() < id) ++place;
  if (place < all->size() && all->Get(place).id() == id) return all->Mutable(place);
  all->Add()->set_id(id);
  for (int i = all->size() - 1; i > place; --i) all->SwapElements(i, i - 1);
  return all->Mutable(place);
}

// The key that was seen longest ago makes room.
void DropOldest(google::protobuf::RepeatedPtrField<Occurrences>* keyed) {
  const auto oldest = std::min_element(keyed->begin(), keyed->end(), [](const auto& a, const auto& b) {
    return a.last_position() < b.last_position();
  });
  keyed->erase(oldest);
}

Occurrences* FindOrAddKey(const std::string& key, RememberedState* remembered) {
  auto* keyed = remembered->mutable_keyed();
  const auto place = std::lower_bound(
      keyed->begin(), keyed->end(), key,
      [](const Occurrences& entry, const std::string& wanted) { return entry.key() < wanted; });
  int index = static_cast<int>(place - keyed->begin());
  if (place != keyed->end() && place->key() == key) return keyed->Mutable(index);
  keyed->Add()->set_key(key);
  for (int i = keyed->size() - 1; i > index; --i) keyed->SwapElements(i, i - 1);
  return keyed->Mutable(index);
}

void SetProfile(const std::string& field, const std::string& value, CustomerState* state) {
  auto* profile = state->mutable_profile();
  int place = 0;
  while (place < profile->size() && profile->Get(place).field() < field) ++place;
  if (place == profile->size() || profile->Get(place).field() != field) {
    profile->Add()->set_field(field);
    for (int i = profile->size() - 1; i > place; --i) profile->SwapElements(i, i - 1);
  }
  profile->Mutable(place)->set_value(value);
}

void RememberProfile(const policy::MemoryIndex& memory, const pb::Event& event, CustomerState* state) {
  const google::protobuf::Map<std::string, std::string>* given = nullptr;
  if (event.has_customer_registered()) given = &event.customer_registered().fields();
  if (event.has_profile_changed()) given = &event.profile_changed().changes();
  if (given == nullptr) return;
  for (const std::string& field : memory.profile_fields) {
    const auto value = given->find(field);
    if (value != given->end()) SetProfile(field, value->second, state);
  }
}

}  // namespace

void RememberEvent(const Step& step, CustomerState* state) {
  const policy::MemoryIndex* memory = step.timeline.memory();
  if (memory == nullptr) return;
  const pb::Event& event = *step.event.event;
  if (!memory->profile_fields.empty()) RememberProfile(*memory, event, state);
  const uint32_t type = policy::EventTypeOf(event);
  if (type >= memory->events.size()) return;
  for (const policy::RememberedEvent& kind : memory->events[type]) {
    if (!policy::Matches(kind.match, event)) continue;
    RememberedState* remembered = FindOrAdd(kind.id, state);
    Note(step, remembered->mutable_all());
    if (kind.key_field.empty()) continue;
    for (const std::string& key : policy::FieldTexts(event, kind.key_field)) {
      if (key.empty()) continue;
      Note(step, FindOrAddKey(key, remembered));
      if (remembered->keyed_size() > kKeysMax) DropOldest(remembered->mutable_keyed());
    }
  }
}

const RememberedState* FindRemembered(const CustomerState& state, const pb::EventMatch& match,
                                      absl::string_view key_field) {
  const uint64_t id = policy::RememberedId(match, key_field);
  for (const RememberedState& remembered : state.remembered()) {
    if (remembered.id() == id) return &remembered;
  }
  return nullptr;
}

const Occurrences* FindKey(const RememberedState& remembered, absl::string_view key) {
  for (const Occurrences& entry : remembered.keyed()) {
    if (absl::string_view(entry.key()) == key) return &entry;
  }
  return nullptr;
}

absl::string_view ProfileValue(const CustomerState& state, absl::string_view field) {
  for (const ProfileFieldState& known : state.profile()) {
    if (absl::string_view(known.field()) == field) return known.value();
  }
  return "";
}

}  // namespace ledger::rules
