#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/query_service.pb.h"
#include "customerledger/v1/record.pb.h"
#include "projections/policy/timeline.h"
#include "projections/rules/mechanism.h"
#include "projections/rules/state.pb.h"

// Reception: whose turn it is at a site. A site's state is the fold of its own events in order of position, because a
// turn was given on what the desk knew and no later report takes it back. Pure; any thread.
namespace ledger::rules {

// Applies one record of a site: its order, somebody's presence, a visitor who was received. Others change nothing
// but the count. Requires: positions ascend.
void ApplySite(const policy::Timeline& timeline, const customerledger::v1::Record& record, SiteState* site);

// Who would receive.
struct Turn {
  std::string staff_id;
  customerledger::v1::ReceptionBasis basis;
  bool counts = false;
  std::string rule_id;
};

// Who receives `visit` at `at`; nullopt where the policy assigns nobody or nobody is there. `owner_staff_id`: whose
// customer it is; empty: nobody's. A visit that says who received is given to that person, whoever's turn it was.
std::optional<Turn> DecideTurn(const policy::Timeline& timeline, const SiteState& site,
                               const customerledger::v1::VisitLogged& visit,
                               const std::string& owner_staff_id, absl::Time at);

// Accepts every visit; one that came to a site gets a derived ReceptionAssigned, unless the visit's reception is known
// already. Evidence gets none.
absl::StatusOr<Decision> DecideVisit(const Proposal& proposal, const DecisionContext& context,
                                     const customerledger::v1::Event& event);

// What the state says at `at`; no position, instant or site. Requires: no applied event is later.
customerledger::v1::GetReceptionResponse ReadSite(const policy::Timeline& timeline, const SiteState& site,
                                                  absl::Time at);

}  // namespace ledger::rules
