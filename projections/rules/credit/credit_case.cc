#include "projections/rules/credit/credit_case.h"

#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "projections/rules/mechanism.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// Whom the customer asked for, or the only one named; empty: nobody, or several.
absl::string_view AskedFor(const ReceptionState& reception) {
  if (!reception.requested().empty()) return reception.requested();
  return reception.named_size() == 1 ? absl::string_view(reception.named(0)) : absl::string_view();
}

bool IsFirst(const ReceptionState& reception, absl::string_view staff_id) {
  return !staff_id.empty() && reception.first().has_staff_id() &&
         absl::string_view(reception.first().staff_id()) == staff_id;
}

bool AsksForFirst(const ReceptionState& reception) { return IsFirst(reception, AskedFor(reception)); }

// The first was there, whoever received.
bool FirstWasThere(const ReceptionState& reception) {
  return !BringsInASecond(reception) || reception.basis() == pb::RECEPTION_BASIS_DUTY;
}

bool FitsReception(pb::CreditWhen when, const ReceptionState& reception) {
  switch (when) {
    case pb::CREDIT_WHEN_DISCOUNT:
      return reception.wants_discount();
    case pb::CREDIT_WHEN_REFUSED:
      return IsFirst(reception, reception.refused()) && BringsInASecond(reception);
    case pb::CREDIT_WHEN_NAMED_ON_FIRST_VISIT:
      return reception.first_visit() && AskedFor(reception) == absl::string_view(reception.staff_id());
    case pb::CREDIT_WHEN_NAMED_PRESENT:
      return AsksForFirst(reception) && FirstWasThere(reception);
    case pb::CREDIT_WHEN_NAMED_ABSENT:
      return AsksForFirst(reception) && !FirstWasThere(reception);
    case pb::CREDIT_WHEN_SEVERAL_NAMED:
      return reception.requested().empty() && reception.named_size() > 1;
    case pb::CREDIT_WHEN_REQUESTED:
      return !reception.first_visit() && BringsInASecond(reception) &&
             AskedFor(reception) == absl::string_view(reception.staff_id());
    case pb::CREDIT_WHEN_FORGOTTEN:
      return reception.forgotten();
    default:
      return false;
  }
}

// As FitsReception, with what happened between the reception and the deal.
bool FitsAtDeal(pb::CreditWhen when, const ReceptionState& reception, const DealState& deal) {
  if (when == pb::CREDIT_WHEN_FORGOTTEN_FOUND) {
    return reception.forgotten() && reception.found_position() != 0 &&
           reception.found_us() <= deal.time_us() && BringsInASecond(reception);
  }
  return FitsReception(when, reception);
}

// The reception that decides: unless the customer has gone to a third person since.
const ReceptionState* Deciding(const CreditState& credit, const DealState& deal) {
  const ReceptionState* reception = FindReception(credit, deal.reception_position());
  if (reception == nullptr || HolderKey(deal.owner()).empty()) return reception;
  const bool is_party = SameHolder(deal.owner(), reception->first()) ||
                        (deal.owner().has_staff_id() && deal.owner().staff_id() == reception->staff_id());
  return is_party ? reception : nullptr;
}

const DealDisputeState* FindDispute(pb::CreditWhen when, const CreditState& credit, const DealState& deal,
                                    int64_t at_us) {
  for (const DealDisputeState& dispute : credit.disputes()) {
    if (!Concerns(credit, dispute, deal)) continue;
    if (when == pb::CREDIT_WHEN_QUARREL && dispute.quarrel_position() != 0 && dispute.quarrel_us() <= at_us) {
      return &dispute;
    }
    if (when == pb::CREDIT_WHEN_DISOBEDIENCE && dispute.disobedience_position() != 0 &&
        dispute.disobedience_us() <= at_us) {
      return &dispute;
    }
    if (when == pb::CREDIT_WHEN_DISPUTE_DECIDED && dispute.resolved_position() != 0 &&
        dispute.resolved_us() <= at_us && !HolderKey(dispute.owner()).empty()) {
      return &dispute;
    }
  }
  return nullptr;
}

// A verified complaint about the first, filed before the deal, where somebody else served the customer.
const StaffComplaintState* FindComplaint(const CreditState& credit, const DealState& deal,
                                         const ReceptionState* reception, int64_t at_us) {
  for (const StaffComplaintState& complaint : credit.complaints()) {
    if (complaint.verified_position() == 0 || complaint.verified_us() > at_us) continue;
    if (complaint.filed_us() > deal.time_us() || complaint.against().empty()) continue;
    if (reception != nullptr) {
      if (IsFirst(*reception, complaint.against()) && BringsInASecond(*reception)) return &complaint;
    } else if (deal.owner().has_staff_id() && deal.owner().staff_id() == complaint.against() &&
               !deal.closed_by().empty() && deal.closed_by() != complaint.against()) {
      return &complaint;
    }
  }
  return nullptr;
}

}  // namespace

bool CreditsDeals(const pb::Policy& policy) { return policy.credit().cases_size() > 0; }

const ReceptionState* FindReception(const CreditState& credit, uint64_t position) {
  if (position == 0) return nullptr;
  for (const ReceptionState& reception : credit.receptions()) {
    if (reception.position() == position) return &reception;
  }
  return nullptr;
}

bool BringsInASecond(const ReceptionState& reception) {
  return !reception.staff_id().empty() && !HolderKey(reception.first()).empty() &&
         !IsFirst(reception, reception.staff_id());
}

bool IsAssistance(const ReceptionState& reception) {
  return BringsInASecond(reception) && (reception.basis() == pb::RECEPTION_BASIS_ASSIST ||
                                        FitsReception(pb::CREDIT_WHEN_NAMED_ABSENT, reception));
}

const pb::CreditCase* CaseOfReception(const pb::Credit& rules, const ReceptionState& reception) {
  for (const pb::CreditCase& candidate : rules.cases()) {
    if (FitsReception(candidate.when(), reception)) return &candidate;
  }
  return nullptr;
}

bool Concerns(const CreditState& credit, const DealDisputeState& dispute, const DealState& deal) {
  if (!dispute.deal_id().empty()) return dispute.deal_id() == deal.deal_id();
  if (dispute.resolved_position() == 0 || deal.time_us() <= dispute.resolved_us()) return true;
  return credit.deals_size() > 0 && credit.deals(0).position() == deal.position();
}

DealCase CaseOfDeal(const pb::Credit& rules, const CreditState& credit, const DealState& deal,
                    int64_t at_us) {
  DealCase found;
  const ReceptionState* reception = Deciding(credit, deal);
  for (const pb::CreditCase& candidate : rules.cases()) {
    found = DealCase();
    bool fits = false;
    switch (candidate.when()) {
      case pb::CREDIT_WHEN_ASSIGNED:
        fits = !deal.assigned_rule_id().empty() && deal.assigned_rule_id() == candidate.rule_id();
        break;
      case pb::CREDIT_WHEN_QUARREL:
      case pb::CREDIT_WHEN_DISOBEDIENCE:
      case pb::CREDIT_WHEN_DISPUTE_DECIDED:
        found.dispute = FindDispute(candidate.when(), credit, deal, at_us);
        fits = found.dispute != nullptr;
        break;
      case pb::CREDIT_WHEN_COMPLAINT:
        found.complaint = FindComplaint(credit, deal, reception, at_us);
        found.reception = reception;
        fits = found.complaint != nullptr;
        break;
      case pb::CREDIT_WHEN_RESERVED:
        fits = !deal.consumption().taken_by().empty();
        break;
      case pb::CREDIT_WHEN_INVITED:
        fits = !HolderKey(deal.inviter()).empty();
        break;
      case pb::CREDIT_WHEN_TRIAL:
        fits = deal.closer_on_trial();
        break;
      case pb::CREDIT_WHEN_OWNED:
        fits = !HolderKey(deal.owner()).empty();
        break;
      case pb::CREDIT_WHEN_CLOSED:
        fits = !deal.closed_by().empty();
        break;
      default:
        found.reception = reception;
        fits = reception != nullptr && FitsAtDeal(candidate.when(), *reception, deal);
        break;
    }
    if (!fits) continue;
    found.fits = &candidate;
    return found;
  }
  return DealCase();
}

}  // namespace ledger::rules
