#include "projections/policy/policy_index.h"

#include <algorithm>

#include "projections/policy/event_names.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

constexpr size_t kEventTypes = 1000;

template <typename Entry>
Entry* Slot(absl::string_view event, std::vector<Entry>* table) {
  const uint32_t type = EventTypeByName(event);
  if (type == 0 || type >= kEventTypes) return nullptr;
  if (table->empty()) table->resize(kEventTypes);
  return &(*table)[type];
}

void AddIndex(const google::protobuf::RepeatedPtrField<pb::EventMatch>& matches, int index,
              std::vector<std::vector<int>>* table) {
  for (const pb::EventMatch& match : matches) {
    std::vector<int>* slot = Slot(match.event(), table);
    if (slot != nullptr && (slot->empty() || slot->back() != index)) slot->push_back(index);
  }
}

bool AsksForPost(const google::protobuf::RepeatedPtrField<pb::Need>& needs) {
  return std::any_of(needs.begin(), needs.end(), [](const pb::Need& need) {
    return need.has_by_role() || (need.has_any() && AsksForPost(need.any().needs()));
  });
}

// Collects what is remembered.
class Memory {
 public:
  explicit Memory(MemoryIndex* index) : index_(index) {}

  bool changed() const { return changed_; }

  void Add(const pb::EventMatch& match, absl::string_view key_field) {
    std::vector<RememberedEvent>* slot = Slot(match.event(), &index_->events);
    if (slot == nullptr) return;
    const uint64_t id = RememberedId(match, key_field);
    for (const RememberedEvent& known : *slot) {
      if (known.id == id) return;
    }
    slot->push_back({id, match, std::string(key_field)});
    changed_ = true;
  }

  void Add(const pb::Earlier& earlier) {
    std::string key = earlier.distinct_field();
    if (!earlier.same_field().empty()) {
      key = earlier.earlier_field().empty() ? earlier.same_field() : earlier.earlier_field();
    }
    for (const pb::EventMatch& match : earlier.events()) {
      Add(match, key);
      if (earlier.has_last_where()) Add(With(match, earlier.last_where()), key);
    }
  }

  void Add(const google::protobuf::RepeatedPtrField<pb::Need>& needs) {
    for (const pb::Need& need : needs) {
      switch (need.need_case()) {
        case pb::Need::kEarlier:
          Add(need.earlier());
          break;
        case pb::Need::kNotBefore:
          for (const pb::EventMatch& match : need.not_before().events()) Add(match, "");
          break;
        case pb::Need::kSettled:
          Add(need.settled().opened(), need.settled().same_field());
          for (const pb::EventMatch& match : need.settled().closed()) {
            Add(match, need.settled().same_field());
          }
          break;
        case pb::Need::kProfile:
          AddProfile(need.profile().field());
          break;
        case pb::Need::kAny:
          Add(need.any().needs());
          break;
        case pb::Need::kField:
        case pb::Need::kByRole:
        case pb::Need::kTimeOfDay:
        case pb::Need::kGrade:
        case pb::Need::NEED_NOT_SET:
          break;
      }
    }
  }

  void Add(const pb::Consequence& consequence) {
    for (const pb::EventMatch& match : consequence.counted_events()) Add(match, "");
  }

  void Add(const pb::Duty& duty) {
    Add(duty.when());
    Add(duty.consequence());
    if (duty.earlier_acts() == pb::EARLIER_ACTS_UNSPECIFIED && !duty.has_on_staff_status() &&
        duty.after_overdue().empty()) {
      return;
    }
    for (const pb::EventMatch& match : duty.done_by()) Add(match, duty.same_field());
    for (const pb::EventMatch& match : duty.ended_by()) Add(match, duty.same_field());
    for (const pb::NamedStaff& named : duty.on_staff_status().in_charge()) Add(named.event(), named.field());
  }

  void AddPosts(bool posts) {
    if (!posts || index_->folds_posts) return;
    index_->folds_posts = true;
    changed_ = true;
  }

 private:
  void AddProfile(const std::string& field) {
    auto& fields = index_->profile_fields;
    const auto place = std::lower_bound(fields.begin(), fields.end(), field);
    if (place != fields.end() && *place == field) return;
    fields.insert(place, field);
    changed_ = true;
  }

  MemoryIndex* index_;
  bool changed_ = false;
};

}  // namespace

uint64_t RememberedId(const pb::EventMatch& match, absl::string_view key_field) {
  // FNV-1a over the serialised match, which has no map and therefore one form.
  uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&hash](absl::string_view bytes) {
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211ULL;
  };
  mix(match.SerializeAsString());
  mix(absl::string_view("\0", 1));
  mix(key_field);
  return hash;
}

pb::EventMatch With(const pb::EventMatch& match, const pb::FieldMatch& where) {
  pb::EventMatch narrower = match;
  *narrower.add_where() = where;
  return narrower;
}

std::shared_ptr<const PolicyIndex> IndexPolicy(const pb::Policy& policy) {
  if (policy.requirements().empty() && policy.duties().empty()) return nullptr;
  auto index = std::make_shared<PolicyIndex>();
  for (int i = 0; i < policy.requirements_size(); ++i) {
    const pb::Requirement& requirement = policy.requirements(i);
    AddIndex(requirement.on(), i, &index->requirements);
    if (requirement.effect() == pb::REQUIREMENT_EFFECT_FLAG &&
        (AsksForPost(requirement.needs()) || AsksForPost(requirement.when()))) {
      index->folds_posts = true;
    }
  }
  for (int i = 0; i < policy.duties_size(); ++i) {
    const pb::Duty& duty = policy.duties(i);
    const bool staff = duty.subject() == pb::DUTY_SUBJECT_STAFF;
    auto* table = staff ? &index->staff_duties : &index->customer_duties;
    AddIndex(duty.on(), i, table);
    AddIndex(duty.done_by(), i, table);
    AddIndex(duty.ended_by(), i, table);
    if (staff) index->has_staff_duty = true;
    if (!staff && duty.has_quota()) index->has_customer_quota = true;
    if (AsksForPost(duty.when())) index->folds_posts = true;
  }
  for (auto* table : {&index->requirements, &index->customer_duties, &index->staff_duties}) {
    if (table->empty()) table->resize(kEventTypes);
  }
  return index;
}

std::shared_ptr<const MemoryIndex> Remember(std::shared_ptr<const MemoryIndex> earlier,
                                            const pb::Policy& policy) {
  if (policy.requirements().empty() && policy.duties().empty()) return earlier;
  auto index = earlier == nullptr ? std::make_shared<MemoryIndex>() : std::make_shared<MemoryIndex>(*earlier);
  Memory memory(index.get());
  for (const pb::Requirement& requirement : policy.requirements()) {
    memory.Add(requirement.when());
    memory.Add(requirement.needs());
    memory.Add(requirement.consequence());
  }
  for (const pb::Duty& duty : policy.duties()) memory.Add(duty);
  const std::shared_ptr<const PolicyIndex> own = IndexPolicy(policy);
  memory.AddPosts(own != nullptr && own->folds_posts);
  if (earlier != nullptr && !memory.changed()) return earlier;
  if (index->events.empty()) index->events.resize(kEventTypes);
  return index;
}

}  // namespace ledger::policy
