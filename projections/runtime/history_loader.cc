#include "projections/runtime/history_loader.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/record_codec.h"
#include "storage/status_macros.h"

namespace ledger::runtime {
namespace {

namespace pb = ::customerledger::v1;

// Every id that was looked at, with its own records and links.
struct Closure {
  struct Id {
    std::vector<pb::Record> records;
    std::map<std::string, bool> links;  // other id -> the other goes on
  };
  std::map<std::string, Id> ids;
};

absl::StatusOr<Closure> LoadClosure(SubjectSource& source, absl::string_view customer_id,
                                    uint64_t known_position) {
  Closure closure;
  std::deque<std::string> open = {std::string(customer_id)};
  while (!open.empty()) {
    const std::string id = std::move(open.front());
    open.pop_front();
    if (closure.ids.contains(id)) continue;
    Closure::Id& entry = closure.ids[id];
    LEDGER_ASSIGN_OR_RETURN(entry.records, source.Records({pb::SUBJECT_KIND_CUSTOMER, id}, known_position));
    for (rules::IdentityLink& link : rules::IdentityLinks(id, entry.records)) {
      if (link.other_customer_id == id) continue;
      entry.links[link.other_customer_id] = link.other_goes_on;
      open.push_back(link.other_customer_id);
    }
  }
  return closure;
}

// The ids that are one with `customer_id`. A correction names one customer only; so a link that one side
// still tells and the other does not was corrected away.
std::set<std::string> Component(const Closure& closure, const std::string& customer_id) {
  std::set<std::string> found = {customer_id};
  std::deque<std::string> open = {customer_id};
  while (!open.empty()) {
    const std::string id = std::move(open.front());
    open.pop_front();
    for (const auto& [other, other_goes_on] : closure.ids.at(id).links) {
      const auto back = closure.ids.find(other);
      if (back == closure.ids.end() || !back->second.links.contains(id)) continue;
      if (found.insert(other).second) open.push_back(other);
    }
  }
  return found;
}

// Whoever asks about any of the ids gets the same answer: the one that goes on as nobody else. Contradictory
// merges may leave several of those, or none; then the least id goes on.
CustomerIdentity Identify(const Closure& closure, const std::string& customer_id) {
  const std::set<std::string> members = Component(closure, customer_id);
  const auto goes_on_as_itself = [&](const std::string& id) {
    for (const auto& [other, other_goes_on] : closure.ids.at(id).links) {
      if (other_goes_on && members.contains(other) && closure.ids.at(other).links.contains(id)) return false;
    }
    return true;
  };
  const auto root = std::find_if(members.begin(), members.end(), goes_on_as_itself);
  CustomerIdentity identity;
  identity.customer_id = root == members.end() ? *members.begin() : *root;
  for (const std::string& id : members) {
    if (id != identity.customer_id) identity.aliases.push_back(id);
  }
  return identity;
}

}  // namespace

absl::StatusOr<std::vector<pb::Record>> LogSubjectSource::Records(const storage::SubjectKey& subject,
                                                                  uint64_t known_position) {
  const uint64_t known = std::min(known_position, log_.CommittedPosition(ledger_));
  std::vector<uint64_t> positions;
  LEDGER_RETURN_IF_ERROR(log_.ScanSubject(ledger_, subject, 1, storage::Order::kForward,
                                          [&](uint64_t /*version*/, uint64_t position) {
                                            if (position > known) return false;
                                            positions.push_back(position);
                                            return true;
                                          }));
  std::vector<pb::Record> records(positions.size());
  for (size_t i = 0; i < positions.size(); ++i) {
    LEDGER_ASSIGN_OR_RETURN(const std::string bytes, log_.Read(ledger_, positions[i]));
    LEDGER_ASSIGN_OR_RETURN(records[i], storage::ParseRecord(bytes));
  }
  return records;
}

absl::StatusOr<CustomerHistory> LoadHistory(SubjectSource& source, const policy::Timeline& timeline,
                                            absl::string_view customer_id, uint64_t known_position) {
  LEDGER_ASSIGN_OR_RETURN(Closure closure, LoadClosure(source, customer_id, known_position));
  CustomerHistory result;
  result.identity = Identify(closure, std::string(customer_id));
  std::map<uint64_t, pb::Record> records;  // one that names two of the ids comes once
  const auto take = [&](const std::string& id) {
    for (pb::Record& record : closure.ids.at(id).records) {
      const uint64_t position = record.header().position();
      records.try_emplace(position, std::move(record));
    }
  };
  take(result.identity.customer_id);
  for (const std::string& alias : result.identity.aliases) take(alias);
  std::vector<pb::Record> ordered;
  ordered.reserve(records.size());
  for (auto& [position, record] : records) ordered.push_back(std::move(record));
  result.history = rules::BuildHistory(timeline, std::move(ordered));
  return result;
}

absl::StatusOr<CustomerHistory> LoadHistory(const storage::LogReader& log, storage::LedgerNumber ledger,
                                            const policy::Timeline& timeline, absl::string_view customer_id,
                                            uint64_t known_position) {
  LogSubjectSource source(log, ledger);
  return LoadHistory(source, timeline, customer_id, known_position);
}

absl::StatusOr<CustomerIdentity> LoadIdentity(SubjectSource& source, absl::string_view customer_id,
                                              uint64_t known_position) {
  LEDGER_ASSIGN_OR_RETURN(const Closure closure, LoadClosure(source, customer_id, known_position));
  return Identify(closure, std::string(customer_id));
}

}  // namespace ledger::runtime
