#include "services/ledger/commit_notifier.h"

#include <utility>

namespace ledger::services {

CommitNotifier::Id CommitNotifier::Wait(storage::LedgerNumber ledger, uint64_t position,
                                        std::function<void()> wake) {
  {
    MutexLock lock(mutex_);
    // Looked at under the lock that Publish takes after the position moved: nothing is missed in between.
    if (!stopped_ && log_.CommittedPosition(ledger) <= position) {
      const Id id = next_id_++;
      waiting_[ledger][id] = std::move(wake);
      return id;
    }
  }
  wake();
  return 0;
}

bool CommitNotifier::Cancel(storage::LedgerNumber ledger, Id id) {
  MutexLock lock(mutex_);
  const auto found = waiting_.find(ledger);
  return found != waiting_.end() && found->second.erase(id) > 0;
}

void CommitNotifier::Publish(storage::LedgerNumber ledger) {
  std::map<Id, std::function<void()>> woken;
  {
    MutexLock lock(mutex_);
    const auto found = waiting_.find(ledger);
    if (found == waiting_.end()) return;
    woken = std::move(found->second);
    waiting_.erase(found);
  }
  for (auto& [id, wake] : woken) wake();
}

void CommitNotifier::Stop() {
  std::map<storage::LedgerNumber, std::map<Id, std::function<void()>>> woken;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    woken = std::move(waiting_);
    waiting_.clear();
  }
  for (auto& [ledger, waiting] : woken) {
    for (auto& [id, wake] : waiting) wake();
  }
}

}  // namespace ledger::services
