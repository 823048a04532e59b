#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "customerledger/v1/event.pb.h"
#include "customerledger/v1/policy.pb.h"

// What a policy's requirements and duties look at, found by the type of an event, so that events they do not name cost a
// look into a table, and policies without them nothing. Immutable once built; any thread.
namespace ledger::policy {

// A kind of event that some requirement or duty remembers. Its id is the same in every version of a policy that
// writes it the same way.
struct RememberedEvent {
  uint64_t id = 0;
  customerledger::v1::EventMatch match;
  std::string key_field;  // empty: occurrences are not told apart
};

// The id under which events like `match` are remembered, told apart by `key_field`.
uint64_t RememberedId(const customerledger::v1::EventMatch& match, absl::string_view key_field);
// `match` with one more condition.
customerledger::v1::EventMatch With(const customerledger::v1::EventMatch& match,
                                    const customerledger::v1::FieldMatch& where);

// One version's requirements and duties. Borrows nothing: indices are those of the policy's lists.
struct PolicyIndex {
  // By event type.
  std::vector<std::vector<int>> requirements;
  // Duties that an event of that type may open, fulfil or end.
  std::vector<std::vector<int>> customer_duties;
  std::vector<std::vector<int>> staff_duties;
  bool has_customer_quota = false;
  bool has_staff_duty = false;
  // A fold depends on who held which post.
  bool folds_posts = false;
};

// nullptr: the policy has neither requirements nor duties.
std::shared_ptr<const PolicyIndex> IndexPolicy(const customerledger::v1::Policy& policy);

// What the requirements and duties of all versions of a ledger's policy remember of a customer.
struct MemoryIndex {
  std::vector<std::vector<RememberedEvent>> events;  // by event type
  std::vector<std::string> profile_fields;           // sorted
  bool folds_posts = false;                          // of any version
};

// `earlier` (nullptr: nothing) with what `policy` adds; `earlier` itself if that is nothing.
std::shared_ptr<const MemoryIndex> Remember(std::shared_ptr<const MemoryIndex> earlier,
                                            const customerledger::v1::Policy& policy);

}  // namespace ledger::policy
