#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "projections/runtime/customer_fold.h"
#include "projections/runtime/projection_kind.h"
#include "projections/runtime/timelines.h"
#include "projections/runtime/view_row.pb.h"
#include "storage/event_log.h"
#include "storage/views/view_store.h"

namespace ledger::runtime {

// Which rows these are.
struct GenerationName {
  storage::LedgerNumber ledger = 0;
  ProjectionKind kind = ProjectionKind::kOwner;
  uint32_t generation = 0;
};

// Brings the rows of one generation forward along the log. One thread at a time. Borrows what it is given.
//
// A row is a function of the log up to the checkpoint alone: an event that sorts last is applied to the state
// at hand, which is what folding the whole history again would give; everything else folds the history again.
// So a replay from the first position, in batches of whatever size, ends with the same bytes.
class GenerationRunner {
 public:
  GenerationRunner(const storage::LogReader& log, views::ViewStore& store, TimelineStore& timelines,
                   GenerationName name, uint32_t rule_version)
      : log_(log), store_(store), timelines_(timelines), name_(name), rule_version_(rule_version) {}

  // Reads the checkpoint; a generation without one begins before the first event.
  absl::Status Open();

  // The checkpoint: every event up to here is in the rows.
  uint64_t position() const { return checkpoint_.position(); }
  const Checkpoint& checkpoint() const { return checkpoint_; }
  // True while the rows of all customers are folded again because a policy or calendar changed what they
  // mean.
  bool sweeping() const { return checkpoint_.sweep_position() != 0; }
  uint32_t generation() const { return name_.generation; }

  // Takes one step: applies those of `records` (a gapless stretch of the log, ascending) that lie after the
  // checkpoint, which may lie anywhere before, in or after the stretch, but not before its beginning by more
  // than one. May stop short of the end: a policy or calendar makes every customer be folded again, in steps
  // of their own. On an error nothing of the step is in the store, or a part of it with its checkpoint; Open
  // again.
  absl::Status Step(const std::vector<customerledger::v1::Record>& records);
  // Frees the timeline until the next step: an idle ledger keeps none of its own.
  void Rest();

 private:
  // A row while a batch is applied.
  struct Work {
    ViewRow row;
    bool exists = false;
    bool changed = false;
    bool was_parked = false;
    std::optional<rules::CustomerState> state;  // parsed when needed
    std::vector<std::string> old_index_keys;
  };
  using WorkSet = std::map<std::string, Work>;

  absl::Status LoadTimeline();
  void TakeReference(const customerledger::v1::Record& record);
  absl::Status ApplyStretch(const std::vector<customerledger::v1::Record>& records, size_t begin, size_t end);
  absl::Status LoadWork(const std::set<std::string>& ids, WorkSet* work) const;
  absl::Status ApplyRecord(const customerledger::v1::Record& record, WorkSet* work,
                           std::set<std::string>* stale);
  absl::Status Refold(uint64_t position, std::set<std::string> stale, WorkSet* work);
  absl::Status SweepStep();
  void PutFolded(const FoldedCustomer& folded, WorkSet* work);
  absl::Status WriteWork(WorkSet* work, const Checkpoint& checkpoint);

  const storage::LogReader& log_;
  views::ViewStore& store_;
  TimelineStore& timelines_;
  const GenerationName name_;
  const uint32_t rule_version_;
  Checkpoint checkpoint_;
  // What is known at the checkpoint; `own_` is the same one where it is not shared with anybody.
  std::shared_ptr<const policy::Timeline> timeline_;
  std::shared_ptr<policy::Timeline> own_;
};

}  // namespace ledger::runtime
