#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"
#include "projections/runtime/history_loader.h"
#include "services/ledger/append_job.h"
#include "services/ledger/fold_cache.h"
#include "services/ledger/writer_state.pb.h"
#include "storage/event_log.h"

namespace ledger::services {

// One request while it is decided: what its events so far would change, seen by the ones after them. Nothing of it is
// kept if an event is refused. The sequencing thread only. Borrows everything it is given.
class Draft : public runtime::SubjectSource {
 public:
  Draft(storage::EventLog& log, FoldCache& folds, AppendJob& job, const policy::Timeline& timeline,
        absl::Time recorded);

  // Decides the request's event `index` on everything before it, with what the rules derive from it. A refusal is
  // final: the draft is of no more use.
  absl::Status Add(int index);

  // Stages everything in the log's open group; the answer counts once that is committed. Once, after the last Add.
  absl::StatusOr<customerledger::v1::AppendResponse> Stage();

  // The ledger's timeline after Stage, if the draft changed it.
  const std::optional<policy::Timeline>& changed_timeline() const { return changed_timeline_; }

  // Staged records, and the draft's own.
  absl::StatusOr<std::vector<customerledger::v1::Record>> Records(const storage::SubjectKey& subject,
                                                                  uint64_t known_position) override;

 private:
  // What goes with a record of the draft.
  struct Place {
    customerledger::v1::AppendedEvent answer;
    std::vector<storage::SubjectKey> subjects;
    std::string ciphertext;
  };

  absl::StatusOr<storage::SubjectHead> Head(const storage::SubjectKey& subject);
  absl::StatusOr<SubjectState> State(const storage::SubjectKey& subject);
  absl::Status SetState(const storage::SubjectKey& subject, const SubjectState& state);
  absl::StatusOr<std::string> Canonical(const std::string& customer_id);
  absl::StatusOr<FoldedCustomer*> Fold(const std::string& canonical);
  // A site's state after everything so far, from what is kept beside its version or else from its events.
  absl::StatusOr<rules::SiteState> Site(const storage::SubjectKey& site);
  // Keeps the state of the sites that the draft's last record is about.
  absl::Status KeepSites(const std::vector<storage::SubjectKey>& subjects);
  absl::Status Meet(const std::string& customer_id, const PreparedEvent& prepared,
                    rules::DecisionContext* context);
  absl::Status ReadOthers(const customerledger::v1::Event& event, rules::DecisionContext* context,
                          rules::CustomerState* related);
  absl::Status KeepPoolClaim(const storage::SubjectKey& staff);
  // The local day of recorded time, in days since 1970-01-01.
  int64_t RecordedDay() const;
  absl::Status Admit(const customerledger::v1::NewEvent& added);
  absl::Status AddStaffConcerned(const customerledger::v1::Event& event,
                                 std::vector<storage::SubjectKey>* subjects);
  absl::Status CheckCorrection(const customerledger::v1::EventCorrected& corrected);
  absl::Status AddDerived(std::vector<customerledger::v1::Event> derived, const std::string& rule_id,
                          const customerledger::v1::Event& cause, uint64_t caused_by);
  absl::Status AddRecord(customerledger::v1::Event event, std::vector<storage::SubjectKey> subjects,
                         const PreparedEvent* prepared, const std::string& rule_id, uint64_t caused_by);
  absl::Time CountsAt(const customerledger::v1::Event& event) const;
  absl::Status Absorb(const customerledger::v1::Record& record);
  absl::Status KeepStates(const customerledger::v1::Event& event, const PreparedEvent& prepared);
  absl::Status KeepMerge(const customerledger::v1::CustomersMerged& merged);
  absl::Status KeepUnmerge(const customerledger::v1::CustomersUnmerged& unmerged);
  absl::Status DescribeJoin(const customerledger::v1::CustomerRegistered& registered,
                            const std::string& canonical, bool claim_owns,
                            customerledger::v1::AppendedEvent* answer);

  storage::EventLog& log_;
  FoldCache& folds_;
  AppendJob& job_;
  const storage::LedgerNumber ledger_;
  const policy::Timeline* timeline_;
  std::optional<policy::Timeline> changed_timeline_;  // once an event of the draft changed it
  const absl::Time recorded_;
  const uint64_t first_position_;
  std::deque<customerledger::v1::Record> records_;             // stable addresses: folds point into them
  std::deque<Place> places_;                                   // one for each record
  std::map<storage::SubjectKey, storage::SubjectHead> heads_;  // after the draft's events
  std::set<storage::SubjectKey> changed_states_;
  std::map<storage::SubjectKey, uint64_t> reads_;  // versions before the draft
  std::map<std::string, FoldedCustomer> customers_;
  std::set<std::string> dropped_customers_;  // whose folds before the draft no longer hold
  uint64_t vault_slots_end_ = 0;
};

}  // namespace ledger::services
