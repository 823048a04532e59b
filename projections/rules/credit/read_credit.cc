#include "projections/rules/credit/read_credit.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/credit/credit_case.h"
#include "projections/rules/credit/split.h"
#include "projections/rules/mechanism.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

pb::Owner StaffOwner(const std::string& staff_id) {
  pb::Owner owner;
  if (!staff_id.empty()) owner.set_staff_id(staff_id);
  return owner;
}

bool Happened(const MomentState& moment, int64_t at_us) {
  return moment.position() != 0 && moment.time_us() <= at_us;
}

// One deal that is being read.
struct Reader {
  const policy::PolicyVersion& policy;  // in force when the deal was made
  const CreditState& credit;
  const DealState& deal;
  int64_t at_us;

  const pb::Credit& rules() const { return policy.policy.credit(); }
};

// Both vectors, and why.
struct Vectors {
  std::vector<HolderShare> performance;
  std::vector<HolderShare> bonus;
};

// The instant of the holder's first reception, to order equal shares.
int64_t Since(const CreditState& credit, const pb::Owner& holder) {
  for (const ReceptionState& reception : credit.receptions()) {
    if (SameHolder(holder, reception.first()) && reception.first_filed_us() != 0) {
      return reception.first_filed_us();
    }
    if (holder.has_staff_id() && holder.staff_id() == reception.staff_id()) return reception.time_us();
  }
  return kNever;
}

// Everybody but the receiver who had the customer before `reception`, in order of time.
std::vector<pb::Owner> EarlierReceivers(const CreditState& credit, const ReceptionState& reception) {
  std::vector<pb::Owner> earlier;
  const pb::Owner receiver = StaffOwner(reception.staff_id());
  const auto add = [&](const pb::Owner& holder) {
    if (HolderKey(holder).empty() || SameHolder(holder, receiver)) return;
    const bool known = std::any_of(earlier.begin(), earlier.end(),
                                   [&](const pb::Owner& other) { return SameHolder(other, holder); });
    if (!known) earlier.push_back(holder);
  };
  for (const ReceptionState& other : credit.receptions()) {
    if (other.time_us() > reception.time_us() || other.position() == reception.position()) break;
    // Who had registered the customer by then comes before who received it then.
    if (other.first_filed_us() != 0) add(other.first());
    if (!IsAssistance(other)) add(StaffOwner(other.staff_id()));
  }
  if (reception.first_filed_us() != 0 || earlier.empty()) add(reception.first());
  return earlier;
}

std::vector<pb::Owner> Holders(const Reader& reader, const DealCase& found, int role) {
  std::vector<pb::Owner> holders;
  const auto add = [&holders](const pb::Owner& holder) {
    if (!HolderKey(holder).empty()) holders.push_back(holder);
  };
  const DealState& deal = reader.deal;
  switch (role) {
    case pb::CREDIT_ROLE_RECEIVER:
      add(StaffOwner(found.reception != nullptr ? found.reception->staff_id() : deal.closed_by()));
      break;
    case pb::CREDIT_ROLE_FIRST:
      if (found.reception != nullptr) add(found.reception->first());
      break;
    case pb::CREDIT_ROLE_EARLIER_RECEIVERS:
      if (found.reception != nullptr) holders = EarlierReceivers(reader.credit, *found.reception);
      break;
    case pb::CREDIT_ROLE_OWNER:
      add(deal.owner());
      break;
    case pb::CREDIT_ROLE_CLOSER:
      add(StaffOwner(deal.closed_by()));
      break;
    case pb::CREDIT_ROLE_RESERVATION_TAKER:
      add(StaffOwner(deal.consumption().taken_by()));
      break;
    case pb::CREDIT_ROLE_INVITER:
      add(deal.inviter());
      break;
    case pb::CREDIT_ROLE_MENTOR:
      add(StaffOwner(deal.mentor_id()));
      break;
    case pb::CREDIT_ROLE_DEPARTMENT: {
      pb::Owner unit;
      unit.set_unit_id(reader.rules().department_unit_id());
      add(unit);
      break;
    }
    case pb::CREDIT_ROLE_DECIDED_OWNER:
      if (found.dispute != nullptr) add(found.dispute->owner());
      break;
    default:
      break;
  }
  return holders;
}

using Parts = google::protobuf::RepeatedPtrField<pb::CreditPart>;

// Returns the basis points of roles that nobody plays.
int32_t Assign(const Reader& reader, const DealCase& found, const Parts& parts,
               std::vector<HolderShare>* shares) {
  int32_t unassigned = 0;
  for (const pb::CreditPart& part : parts) {
    const std::vector<pb::Owner> holders = Holders(reader, found, part.role());
    const auto basis_points = static_cast<int32_t>(part.basis_points());
    if (holders.empty()) unassigned += basis_points;
    const std::vector<int32_t> divided = DivideEqually(basis_points, static_cast<int>(holders.size()));
    for (size_t i = 0; i < holders.size(); ++i) {
      AddShare(holders[i], divided[i], Since(reader.credit, holders[i]), shares);
    }
  }
  SortShares(shares);
  return unassigned;
}

Vectors Compute(const Reader& reader, const DealCase& found, const pb::CreditVectors& shares) {
  Vectors vectors;
  const int32_t performance = Assign(reader, found, shares.performance(), &vectors.performance);
  if (!vectors.performance.empty()) vectors.performance.front().basis_points += performance;
  if (shares.bonus().empty()) {
    vectors.bonus = vectors.performance;
    return vectors;
  }
  const int32_t bonus = Assign(reader, found, shares.bonus(), &vectors.bonus);
  if (bonus > 0 && !vectors.performance.empty()) {
    const HolderShare& main = vectors.performance.front();
    AddShare(main.holder, bonus, main.since, &vectors.bonus);
    SortShares(&vectors.bonus);
  }
  return vectors;
}

std::string SharesText(const std::vector<HolderShare>& shares) {
  return shares.empty() ? "nobody"
                        : absl::StrJoin(shares, ", ", [](std::string* out, const HolderShare& share) {
                            absl::StrAppend(out, HolderText(share.holder), " ", share.basis_points / 100);
                            if (share.basis_points % 100 != 0) {
                              absl::StrAppend(out, ".", share.basis_points % 100 < 10 ? "0" : "",
                                              share.basis_points % 100);
                            }
                            absl::StrAppend(out, "%");
                          });
}

std::string ReceptionText(const Reader& reader, const ReceptionState& reception) {
  const pb::Policy& policy = reader.policy.policy;
  std::string text = absl::StrCat("received by ", reception.staff_id(), " at ",
                                  LocalText(policy, FromMicros(reception.time_us())));
  if (!BringsInASecond(reception)) return text;
  absl::StrAppend(&text, "; first ", HolderText(reception.first()));
  if (reception.first_filed_us() == 0) return text;
  absl::StrAppend(&text, ", filed ", LocalText(policy, FromMicros(reception.first_filed_us())));
  if (reception.first_protected_until_us() == 0) return text;
  absl::StrAppend(&text, reception.first_protected() ? ", protected until " : ", protection ended ",
                  LocalText(policy, FromMicros(reception.first_protected_until_us()) - absl::Seconds(1)));
  return text;
}

bool SameDay(const Reader& reader, const ReceptionState& reception) {
  const pb::Policy& policy = reader.policy.policy;
  return LocalDay(policy, FromMicros(reception.time_us())) ==
         LocalDay(policy, FromMicros(reader.deal.time_us()));
}

// The case's shares, and what there is to say about them.
Vectors ComputeCase(const Reader& reader, const DealCase& found, pb::Basis* basis) {
  const pb::CreditCase& fits = *found.fits;
  const pb::CreditVectors* shares = &fits.shares();
  std::string rule_id = fits.rule_id();
  std::string why;
  *basis = MakeBasis(rule_id, reader.policy, FromMicros(reader.deal.time_us()));
  if (found.reception != nullptr) {
    const ReceptionState& reception = *found.reception;
    why = ReceptionText(reader, reception);
    if (fits.has_unprotected_shares() && !reception.first_protected()) shares = &fits.unprotected_shares();
    if (fits.has_same_day_shares() && reader.rules().same_day_assist_split() && SameDay(reader, reception)) {
      shares = &fits.same_day_shares();
      if (!fits.same_day_rule_id().empty()) rule_id = fits.same_day_rule_id();
      absl::StrAppend(&why, "; deal on the same day");
    }
    if (reception.first_position() != 0) basis->add_positions(reception.first_position());
    basis->add_positions(reception.position());
    if (fits.when() == pb::CREDIT_WHEN_FORGOTTEN_FOUND) basis->add_positions(reception.found_position());
  }
  if (found.complaint != nullptr) basis->add_positions(found.complaint->verified_position());
  if (found.dispute != nullptr) {
    switch (fits.when()) {
      case pb::CREDIT_WHEN_QUARREL:
        basis->add_positions(found.dispute->quarrel_position());
        break;
      case pb::CREDIT_WHEN_DISOBEDIENCE:
        basis->add_positions(found.dispute->disobedience_position());
        break;
      default:
        basis->add_positions(found.dispute->resolved_position());
        if (!found.dispute->rule_id().empty()) rule_id = found.dispute->rule_id();
        break;
    }
  }
  if (fits.when() == pb::CREDIT_WHEN_RESERVED && reader.deal.consumption().reservation_position() != 0) {
    basis->add_positions(reader.deal.consumption().reservation_position());
  }
  if (fits.when() == pb::CREDIT_WHEN_OWNED || fits.when() == pb::CREDIT_WHEN_ASSIGNED) {
    for (const uint64_t position : reader.deal.owner_positions()) basis->add_positions(position);
  }
  basis->add_positions(reader.deal.position());
  basis->set_rule_id(rule_id);
  Vectors vectors = Compute(reader, found, *shares);
  basis->set_arithmetic(absl::StrCat(why, why.empty() ? "" : "; ", "performance ",
                                     SharesText(vectors.performance), "; bonus ", SharesText(vectors.bonus)));
  return vectors;
}

std::vector<HolderShare> Decided(const Reader& reader,
                                 const google::protobuf::RepeatedPtrField<pb::CreditShare>& shares) {
  std::vector<HolderShare> decided;
  decided.reserve(static_cast<size_t>(shares.size()));
  for (const pb::CreditShare& share : shares) {
    AddShare(share.holder(), share.basis_points(), Since(reader.credit, share.holder()), &decided);
  }
  SortShares(&decided);
  return decided;
}

void Revoke(const std::string& staff_id, std::vector<HolderShare>* shares) {
  shares->erase(std::remove_if(shares->begin(), shares->end(),
                               [&](const HolderShare& share) {
                                 return share.holder.has_staff_id() && share.holder.staff_id() == staff_id;
                               }),
                shares->end());
}

// Quarrels and disobedience count at once and over what was decided; everything else that was decided overrides what is
// computed.
bool OverridesDecisions(const DealCase& found, int64_t decided_us) {
  if (found.fits == nullptr || found.dispute == nullptr) return false;
  if (found.fits->when() == pb::CREDIT_WHEN_QUARREL) return found.dispute->quarrel_us() >= decided_us;
  if (found.fits->when() == pb::CREDIT_WHEN_DISOBEDIENCE)
    return found.dispute->disobedience_us() >= decided_us;
  return false;
}

void ApplyDecisions(const Reader& reader, const DealCase& found, Vectors* vectors, pb::DealCredit* answer) {
  const std::vector<HolderShare> computed_bonus = vectors->bonus;
  for (const CreditDecisionState& decision : reader.deal.decisions()) {
    if (decision.time_us() > reader.at_us) continue;
    pb::CreditRevision* revision = answer->add_revisions();
    revision->set_position(decision.position());
    *revision->mutable_time() = ToTimestamp(FromMicros(decision.time_us()));
    revision->set_rule_id(decision.rule_id());
    if (!decision.revoked_staff_id().empty()) {
      if (revision->rule_id().empty()) revision->set_rule_id(reader.rules().revocation_rule_id());
      revision->set_text(absl::StrCat("the credit of ", decision.revoked_staff_id(), " was taken away"));
      Revoke(decision.revoked_staff_id(), &vectors->performance);
      Revoke(decision.revoked_staff_id(), &vectors->bonus);
      continue;
    }
    if (revision->rule_id().empty()) revision->set_rule_id(reader.rules().decision_rule_id());
    if (OverridesDecisions(found, decision.time_us())) {
      revision->set_text("decided, and overridden by what happened in the dispute since");
      continue;
    }
    // A dispute leaves open what it does not name; an allocation counts whole.
    if (!decision.by_dispute() || !decision.performance().empty()) {
      vectors->performance = Decided(reader, decision.performance());
    }
    if (!decision.by_dispute() || !decision.bonus().empty())
      vectors->bonus = Decided(reader, decision.bonus());
    revision->set_text(absl::StrCat(decision.by_dispute() ? "the dispute's decision" : "allocated",
                                    ": performance ", SharesText(vectors->performance), "; bonus ",
                                    SharesText(vectors->bonus)));
    *answer->mutable_basis() = MakeBasis(revision->rule_id(), reader.policy, FromMicros(decision.time_us()));
    answer->mutable_basis()->add_positions(reader.deal.position());
    answer->mutable_basis()->add_positions(decision.position());
    answer->mutable_basis()->set_arithmetic(revision->text());
  }
}

void AddHoldings(const std::vector<HolderShare>& shares, const pb::Money* whole,
                 google::protobuf::RepeatedPtrField<pb::CreditHolding>* holdings) {
  for (const HolderShare& share : shares) {
    pb::CreditHolding* holding = holdings->Add();
    *holding->mutable_holder() = share.holder;
    holding->set_basis_points(share.basis_points);
    if (whole == nullptr) continue;
    holding->mutable_amount()->set_minor_units(share.amount);
    holding->mutable_amount()->set_currency_code(whole->currency_code());
  }
}

void Divide(const DealState& deal, Vectors* vectors, pb::DealCredit* answer) {
  const pb::Owner main = vectors->performance.empty() ? pb::Owner() : vectors->performance.front().holder;
  if (deal.has_amount()) SplitMoney(deal.amount().minor_units(), main, &vectors->performance);
  if (deal.has_bonus()) SplitMoney(deal.bonus().minor_units(), main, &vectors->bonus);
  AddHoldings(vectors->performance, deal.has_amount() ? &deal.amount() : nullptr,
              answer->mutable_performance());
  AddHoldings(vectors->bonus, deal.has_bonus() ? &deal.bonus() : nullptr, answer->mutable_bonus_holdings());
}

// When a need was met; nullopt: it is missing.
std::optional<int64_t> MetAt(const Reader& reader, pb::CreditNeed need) {
  const DealState& deal = reader.deal;
  const auto moment = [&](const MomentState& state) -> std::optional<int64_t> {
    if (!Happened(state, reader.at_us)) return std::nullopt;
    return state.time_us();
  };
  switch (need) {
    case pb::CREDIT_NEED_PAID: {
      // With a loan the bank's payment counts, whatever came in before.
      if (deal.down_payment().position() != 0 && deal.loan_released().position() != 0) {
        return moment(deal.loan_released());
      }
      return deal.paid().position() != 0 ? moment(deal.paid()) : moment(deal.loan_released());
    }
    case pb::CREDIT_NEED_DELIVERED:
      return moment(deal.delivered());
    case pb::CREDIT_NEED_PAPERS:
      return moment(deal.papers());
    case pb::CREDIT_NEED_CONSUMPTION:
      if (deal.has_consumption() && !deal.consumption().counts()) return std::nullopt;
      return deal.time_us();
    default:
      return std::nullopt;
  }
}

std::string MissingText(pb::CreditNeed need) {
  switch (need) {
    case pb::CREDIT_NEED_PAID:
      return "the price is not paid in full and no loan was paid out";
    case pb::CREDIT_NEED_DELIVERED:
      return "the goods are not delivered";
    case pb::CREDIT_NEED_PAPERS:
      return "its papers are not complete";
    case pb::CREDIT_NEED_CONSUMPTION:
      return "the consumption does not count: it lacks its reservation, its short message or an approved "
             "customer";
    default:
      return "an unknown condition";
  }
}

void ReadNeeds(const Reader& reader, pb::DealCredit* answer) {
  int64_t since = reader.deal.time_us();
  for (const pb::CreditCondition& condition : reader.rules().needs()) {
    const std::optional<int64_t> met = MetAt(reader, condition.need());
    if (met.has_value()) {
      since = std::max(since, *met);
      continue;
    }
    pb::MissingNeed* missing = answer->add_missing();
    missing->set_rule_id(condition.need() == pb::CREDIT_NEED_CONSUMPTION ? reader.deal.consumption().rule_id()
                                                                         : condition.rule_id());
    missing->set_text(MissingText(condition.need()));
  }
  answer->set_cancelled(Happened(reader.deal.cancelled(), reader.at_us));
  answer->set_counts(answer->missing().empty() && !answer->cancelled());
  if (answer->counts()) *answer->mutable_counts_since_time() = ToTimestamp(FromMicros(since));
}

pb::DealCredit ReadDeal(const Reader& reader) {
  const DealState& deal = reader.deal;
  pb::DealCredit answer;
  answer.set_deal_id(deal.deal_id());
  answer.set_kind(static_cast<pb::DealKind>(deal.kind()));
  answer.set_position(deal.position());
  *answer.mutable_deal_time() = ToTimestamp(FromMicros(deal.time_us()));
  if (deal.has_amount()) *answer.mutable_amount() = deal.amount();
  if (deal.has_bonus()) *answer.mutable_bonus() = deal.bonus();
  const DealCase found = CaseOfDeal(reader.rules(), reader.credit, deal, reader.at_us);
  Vectors vectors;
  if (found.fits != nullptr) vectors = ComputeCase(reader, found, answer.mutable_basis());
  ApplyDecisions(reader, found, &vectors, &answer);
  Divide(deal, &vectors, &answer);
  ReadNeeds(reader, &answer);
  return answer;
}

pb::EarnedReward MakeReward(const pb::ReferralReward& rule, const CreditState& credit,
                            const policy::PolicyVersion& policy, int64_t since_us, uint64_t position) {
  pb::EarnedReward reward;
  reward.set_customer_id(credit.referrer_customer_id());
  reward.set_kind(rule.kind());
  *reward.mutable_basis() = MakeBasis(rule.rule_id(), policy, FromMicros(since_us));
  if (credit.referrer_position() != 0 && credit.referrer_position() != position) {
    reward.mutable_basis()->add_positions(credit.referrer_position());
  }
  reward.mutable_basis()->add_positions(position);
  return reward;
}

void SetValue(const pb::ReferralReward& rule, int64_t times, pb::EarnedReward* reward) {
  if (rule.value_case() == pb::ReferralReward::kPoints) {
    reward->set_points(rule.points() * times);
  } else if (rule.value_case() == pb::ReferralReward::kAmount) {
    *reward->mutable_amount() = rule.amount();
    reward->mutable_amount()->set_minor_units(rule.amount().minor_units() * times);
  }
}

int64_t TimesFull(const pb::ReferralReward& rule, const DealState& deal) {
  if (!rule.has_per_full()) return 1;
  const int64_t full = rule.per_full().minor_units();
  if (full <= 0 || rule.per_full().currency_code() != deal.amount().currency_code()) return 0;
  return std::max<int64_t>(deal.amount().minor_units(), 0) / full;
}

}  // namespace

std::vector<pb::DealCredit> ReadCredit(const policy::Timeline& timeline, const CustomerState& state,
                                       absl::Time at) {
  std::vector<pb::DealCredit> answers;
  for (const DealState& deal : state.credit().deals()) {
    if (deal.time_us() > ToMicros(at)) break;
    const policy::PolicyVersion& policy = PolicyInForce(timeline, FromMicros(deal.time_us()));
    answers.push_back(ReadDeal({policy, state.credit(), deal, ToMicros(at)}));
  }
  return answers;
}

std::vector<pb::EarnedReward> ReadRewards(const policy::Timeline& timeline, const CustomerState& state,
                                          absl::Time at) {
  std::vector<pb::EarnedReward> rewards;
  const CreditState& credit = state.credit();
  if (credit.referrer_customer_id().empty()) return rewards;
  if (Happened(credit.attended(), ToMicros(at))) {
    const policy::PolicyVersion& policy = PolicyInForce(timeline, FromMicros(credit.attended().time_us()));
    for (const pb::ReferralReward& rule : policy.policy.credit().rewards()) {
      if (rule.reward_for() != pb::REWARD_FOR_ATTENDANCE) continue;
      pb::EarnedReward reward =
          MakeReward(rule, credit, policy, credit.attended().time_us(), credit.attended().position());
      SetValue(rule, 1, &reward);
      rewards.push_back(std::move(reward));
    }
  }
  for (const DealState& deal : credit.deals()) {
    if (deal.time_us() > ToMicros(at)) break;
    if (Happened(deal.cancelled(), ToMicros(at))) continue;
    const policy::PolicyVersion& policy = PolicyInForce(timeline, FromMicros(deal.time_us()));
    for (const pb::ReferralReward& rule : policy.policy.credit().rewards()) {
      const bool at_occasion =
          rule.reward_for() == pb::REWARD_FOR_DEAL_AT_OCCASION && !deal.occasion_id().empty();
      if (!at_occasion && rule.reward_for() != pb::REWARD_FOR_DEAL) continue;
      const int64_t times = TimesFull(rule, deal);
      if (times == 0) continue;
      pb::EarnedReward reward = MakeReward(rule, credit, policy, deal.time_us(), deal.position());
      reward.set_deal_id(deal.deal_id());
      SetValue(rule, times, &reward);
      if (rule.has_per_full()) {
        reward.mutable_basis()->set_arithmetic(absl::StrCat(deal.amount().minor_units(), " / ",
                                                            rule.per_full().minor_units(), " = ", times,
                                                            " full, in minor units"));
      }
      rewards.push_back(std::move(reward));
    }
  }
  return rewards;
}

std::vector<pb::QueuedDeal> ReadQueuedDeals(const policy::Timeline& timeline, const CustomerState& state,
                                            absl::Time at) {
  std::vector<pb::QueuedDeal> queued;
  const int64_t at_us = ToMicros(at);
  for (const DealState& deal : state.credit().deals()) {
    if (deal.time_us() > at_us || deal.kind() != pb::DEAL_KIND_ORDER) continue;
    if (Happened(deal.delivered(), at_us) || Happened(deal.cancelled(), at_us)) continue;
    const policy::PolicyVersion& policy = PolicyInForce(timeline, FromMicros(deal.time_us()));
    if (!policy.policy.credit().has_queue()) continue;
    const pb::DealQueue& rules = policy.policy.credit().queue();
    const bool by_loan = rules.down_payment_counts() && Happened(deal.down_payment(), at_us);
    const MomentState& paid = by_loan ? deal.down_payment() : deal.paid();
    const bool changed = Happened(deal.changed(), at_us);
    pb::QueuedDeal entry;
    entry.set_deal_id(deal.deal_id());
    entry.set_fully_paid(Happened(paid, at_us));
    *entry.mutable_order_time() =
        ToTimestamp(FromMicros(changed ? deal.changed().time_us() : deal.time_us()));
    if (deal.has_amount()) *entry.mutable_amount() = deal.amount();
    *entry.mutable_basis() =
        MakeBasis(by_loan && entry.fully_paid() ? rules.down_payment_rule_id() : rules.rule_id(), policy,
                  FromMicros(deal.time_us()));
    entry.mutable_basis()->add_positions(deal.position());
    if (changed) entry.mutable_basis()->add_positions(deal.changed().position());
    if (entry.fully_paid()) {
      *entry.mutable_paid_time() = ToTimestamp(FromMicros(paid.time_us()));
      entry.mutable_basis()->add_positions(paid.position());
    }
    queued.push_back(std::move(entry));
  }
  return queued;
}

bool QueuedBefore(const pb::QueuedDeal& a, const pb::QueuedDeal& b) {
  if (a.fully_paid() != b.fully_paid()) return a.fully_paid();
  if (a.fully_paid()) {
    if (a.amount().minor_units() != b.amount().minor_units()) {
      return a.amount().minor_units() > b.amount().minor_units();
    }
    const absl::Time a_paid = ToTime(a.paid_time());
    const absl::Time b_paid = ToTime(b.paid_time());
    if (a_paid != b_paid) return a_paid < b_paid;
  }
  const absl::Time a_order = ToTime(a.order_time());
  const absl::Time b_order = ToTime(b.order_time());
  if (a_order != b_order) return a_order < b_order;
  return a.basis().positions(0) < b.basis().positions(0);
}

}  // namespace ledger::rules
