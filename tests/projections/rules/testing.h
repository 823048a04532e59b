#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "customerledger/v1/query_service.pb.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/customer.h"

// Given these events of customer "c1", when somebody asks or proposes, then ... Instants are written as local
// time of the policy, "2026-01-05" (00:00:00), "2026-01-05 10:00" or "2026-01-05 10:00:30".
namespace ledger::rules::testing {

customerledger::v1::Policy ShippedPolicy(const std::string& name);
customerledger::v1::Policy PolicyFrom(const std::string& text);
// An event in text format, e.g. "contact_logged { staff_id: 'liu' }"; of customer "c1" where it names none.
customerledger::v1::Event EventFrom(const std::string& text);

// UTC+08:00, as the default policy.
absl::Time Local(absl::string_view text);
std::string LocalText(const google::protobuf::Timestamp& time);

customerledger::v1::Owner Staff(const std::string& id);
customerledger::v1::Owner Unit(const std::string& id);

// Events of customer "c1", without their time.
customerledger::v1::Event Registered(const std::string& staff, const std::string& scope = "",
                                     const std::string& customer = "c1");
customerledger::v1::Event Contact(const std::string& staff, customerledger::v1::ContactOutcome outcome =
                                                                customerledger::v1::CONTACT_OUTCOME_REACHED);
customerledger::v1::Event ContactAgreeing(
    const std::string& staff, absl::string_view next,
    customerledger::v1::ContactOutcome outcome = customerledger::v1::CONTACT_OUTCOME_REACHED);
customerledger::v1::Event Visit(const std::string& staff);
customerledger::v1::Event Deal(customerledger::v1::DealKind kind = customerledger::v1::DEAL_KIND_SALE,
                               const std::string& scope = "");
customerledger::v1::Event Assigned(const std::string& staff);
customerledger::v1::Event Released(const std::string& staff);
customerledger::v1::Event Proposed(const std::string& id, const std::string& from, const std::string& to,
                                   const std::string& by = "");
customerledger::v1::Event Accepted(const std::string& id, const std::string& by);
customerledger::v1::Event Declined(const std::string& id, const std::string& by);
customerledger::v1::Event Cancelled(const std::string& id);
customerledger::v1::Event Graded(const std::string& class_name, const std::string& scheme = "intent");
customerledger::v1::Event Opened(const std::string& dispute);
customerledger::v1::Event Resolved(const std::string& dispute, const std::string& owner = "");
customerledger::v1::Event TrackingEnded();
customerledger::v1::Event Withdrawn(uint64_t position);
// The right event carries its own time.
customerledger::v1::Event Corrected(uint64_t position, customerledger::v1::Event right,
                                    absl::string_view occurred);
customerledger::v1::Event Merged(const std::string& goes_on, const std::string& alias);
customerledger::v1::Event Unmerged(const std::string& goes_on, const std::string& alias);
customerledger::v1::Event RecordedOwner(const std::string& staff);

// One customer's ledger.
class Scenario {
 public:
  // The default policy.
  Scenario();
  explicit Scenario(const customerledger::v1::Policy& policy);

  // Records `event`, which occurred at `occurred`; recorded then too unless told. Returns its position.
  uint64_t Given(absl::string_view occurred, customerledger::v1::Event event,
                 absl::string_view recorded = "");
  void Adopt(absl::string_view recorded, const customerledger::v1::Policy& policy);
  void SetStaff(absl::string_view occurred, const std::string& staff, customerledger::v1::StaffStatus status);

  CustomerState StateAt(absl::string_view true_at) const;
  customerledger::v1::Ownership OwnershipAt(absl::string_view true_at, const std::string& scope = "") const;
  // "liu", "public pool", "void", "in transfer" or "none".
  std::string OwnerAt(absl::string_view true_at, const std::string& scope = "") const;
  // "2026-01-05 23:59:59", with " overdue" behind it; "none".
  std::string CallbackAt(absl::string_view true_at) const;
  // "A"; "none".
  std::string TierAt(absl::string_view true_at, const std::string& scheme = "intent") const;

  absl::StatusOr<Decision> WhenProposed(absl::string_view at, customerledger::v1::Event event) const;
  void ThenRefuses(absl::string_view at, customerledger::v1::Event event, absl::StatusCode code,
                   absl::string_view reason) const;
  void ThenAccepts(absl::string_view at, customerledger::v1::Event event) const;

  const policy::Timeline& timeline() const { return timeline_; }
  const std::vector<customerledger::v1::Record>& records() const { return records_; }

 private:
  policy::Timeline timeline_;
  std::vector<customerledger::v1::Record> records_;
  uint64_t position_ = 0;
};

}  // namespace ledger::rules::testing
