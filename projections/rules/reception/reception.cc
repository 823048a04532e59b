#include "projections/rules/reception/reception.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "projections/rules/civil_time.h"
#include "projections/rules/custody.h"
#include "projections/rules/mechanism.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

constexpr int kTurnsKept = 16;

const RotationMember* FindMember(const SiteState& site, absl::string_view staff_id) {
  for (const RotationMember& member : site.members()) {
    if (absl::string_view(member.staff_id()) == staff_id) return &member;
  }
  return nullptr;
}

RotationMember* FindMember(SiteState* site, absl::string_view staff_id) {
  return const_cast<RotationMember*>(FindMember(static_cast<const SiteState&>(*site), staff_id));
}

int OrderSize(const SiteState& site) {
  int size = 0;
  while (size < site.members_size() && site.members(size).in_order()) ++size;
  return size;
}

// Adds somebody outside the order, sorted by id.
RotationMember* AddOutsider(const std::string& staff_id, SiteState* site) {
  site->add_members()->set_staff_id(staff_id);
  auto* members = site->mutable_members();
  int place = members->size() - 1;
  for (; place > 0 && !members->Get(place - 1).in_order() && staff_id < members->Get(place - 1).staff_id();
       --place) {
    members->SwapElements(place, place - 1);
  }
  return members->Mutable(place);
}

pb::Presence PresenceOf(const RotationMember* member) {
  if (member == nullptr || member->presence() == pb::PRESENCE_UNSPECIFIED) return pb::PRESENCE_ON_SITE;
  return static_cast<pb::Presence>(member->presence());
}

// As policies name them.
absl::string_view NameOf(pb::Presence presence) {
  switch (presence) {
    case pb::PRESENCE_BUSY:
      return "busy";
    case pb::PRESENCE_OUT_ON_BUSINESS:
      return "out_on_business";
    case pb::PRESENCE_OFF:
      return "off";
    default:
      return "on_site";
  }
}

using Presences = google::protobuf::RepeatedPtrField<std::string>;

bool Lists(const Presences& presences, pb::Presence presence) {
  const absl::string_view name = NameOf(presence);
  return std::any_of(presences.begin(), presences.end(),
                     [name](const std::string& listed) { return absl::string_view(listed) == name; });
}

bool Holds(const Presences& presences, pb::Presence presence) {
  return presences.empty() ? presence == pb::PRESENCE_ON_SITE : Lists(presences, presence);
}

bool AtWork(const policy::Timeline& timeline, absl::string_view staff_id, absl::Time at) {
  switch (timeline.StaffStatusAt(staff_id, at)) {
    case pb::STAFF_STATUS_LEAVE:
    case pb::STAFF_STATUS_LONG_LEAVE:
    case pb::STAFF_STATUS_LEFT:
      return false;
    default:
      return true;
  }
}

// What a turn is given on.
struct Desk {
  const policy::Timeline& timeline;
  const pb::Reception& rules;
  const SiteState& site;
  absl::Time at;
  absl::string_view refused;  // nobody receives whom the visitor refuses

  bool TakesTurn(const RotationMember& member) const {
    return absl::string_view(member.staff_id()) != refused && AtWork(timeline, member.staff_id(), at) &&
           Holds(rules.takes_turn_when(), PresenceOf(&member));
  }
  bool ReceivesOwn(absl::string_view staff_id) const {
    return !staff_id.empty() && staff_id != refused && AtWork(timeline, staff_id, at) &&
           Holds(rules.receives_own_when(), PresenceOf(FindMember(site, staff_id)));
  }
};

// The next in turn: first whoever has turns to catch up with, then by the order. Null: nobody can.
const RotationMember* NextInTurn(const Desk& desk, bool* catches_up, bool* skipped) {
  const int size = OrderSize(desk.site);
  *catches_up = false;
  *skipped = false;
  const auto at = [&](int step) -> const RotationMember& {
    return desk.site.members((static_cast<int>(desk.site.next()) + step) % size);
  };
  for (int step = 0; step < size; ++step) {
    if (at(step).missed() == 0 || !desk.TakesTurn(at(step))) continue;
    *catches_up = true;
    return &at(step);
  }
  // Somebody who took a turn ahead is passed over once for each, so several rounds may go by.
  uint32_t rounds = 1;
  for (int step = 0; step < size; ++step) rounds = std::max(rounds, at(step).ahead() + 1);
  for (uint32_t round = 0; round < rounds; ++round) {
    for (int step = 0; step < size; ++step) {
      if (!desk.TakesTurn(at(step))) {
        *skipped = true;
        continue;
      }
      if (at(step).ahead() <= round) return &at(step);
    }
  }
  return nullptr;
}

bool CatchesUp(const pb::Reception& rules, pb::Presence presence) {
  return Lists(rules.catches_up_after(), presence);
}

// Moves the turn on to behind `staff_id`. Whoever is passed over while out on business may catch up later.
void UseTurn(const Desk& desk, const std::string& staff_id, SiteState* site) {
  const int size = OrderSize(*site);
  RotationMember* receiver = FindMember(site, staff_id);
  if (receiver == nullptr || !receiver->in_order()) return;
  // Walk on a copy: where the receiver is not next, nobody is passed over and the turn is one ahead.
  SiteState walked = *site;
  uint32_t rounds = 1;
  for (int i = 0; i < size; ++i) rounds = std::max(rounds, site->members(i).ahead() + 1);
  for (uint32_t step = 0; step < rounds * static_cast<uint32_t>(size); ++step) {
    RotationMember* member = walked.mutable_members(static_cast<int>(walked.next()));
    walked.set_next((walked.next() + 1) % static_cast<uint32_t>(size));
    if (member->ahead() > 0) {
      member->set_ahead(member->ahead() - 1);
      continue;
    }
    if (member->staff_id() == staff_id) {
      *site = std::move(walked);
      return;
    }
    if (desk.TakesTurn(*member)) break;  // it was this one's turn
    if (CatchesUp(desk.rules, PresenceOf(member))) member->set_missed(member->missed() + 1);
  }
  receiver->set_ahead(receiver->ahead() + 1);
}

void ApplyOrder(const pb::RotationSet& set, uint64_t position, SiteState* site) {
  SiteState before = *site;
  site->clear_members();
  for (const std::string& staff_id : set.staff_ids()) {
    if (FindMember(*site, staff_id) != nullptr) continue;
    RotationMember* member = site->add_members();
    if (const RotationMember* known = FindMember(before, staff_id)) *member = *known;
    member->set_staff_id(staff_id);
    member->set_ahead(0);
    member->set_in_order(true);
  }
  for (const RotationMember& member : before.members()) {
    if (FindMember(*site, member.staff_id()) != nullptr) continue;
    if (member.presence() == pb::PRESENCE_UNSPECIFIED) continue;
    RotationMember* outsider = AddOutsider(member.staff_id(), site);
    outsider->set_presence(member.presence());
    outsider->set_presence_since_us(member.presence_since_us());
  }
  site->set_next(0);
  site->set_order_position(position);
}

void ApplyPresence(const pb::PresenceChanged& changed, absl::Time at, SiteState* site) {
  RotationMember* member = FindMember(site, changed.staff_id());
  if (member == nullptr) member = AddOutsider(changed.staff_id(), site);
  member->set_presence(changed.presence());
  member->set_presence_since_us(ToMicros(at));
}

void ApplyReceived(const Desk& desk, const pb::Record& record, SiteState* site) {
  const pb::ReceptionAssigned& assigned = record.event().reception_assigned();
  for (const TurnState& turn : site->turns()) {
    // The desk confirms what was assigned already.
    if (!assigned.visit_id().empty() && turn.visit_id() == assigned.visit_id() &&
        turn.customer_id() == assigned.customer_id() && turn.staff_id() == assigned.staff_id()) {
      return;
    }
  }
  if (assigned.counts_in_rotation()) {
    RotationMember* receiver = FindMember(site, assigned.staff_id());
    if (assigned.basis() == pb::RECEPTION_BASIS_CATCH_UP && receiver != nullptr && receiver->missed() > 0) {
      receiver->set_missed(receiver->missed() - 1);
    } else {
      UseTurn(desk, assigned.staff_id(), site);
    }
  }
  TurnState* turn = site->add_turns();
  turn->set_customer_id(assigned.customer_id());
  turn->set_visit_id(assigned.visit_id());
  turn->set_staff_id(assigned.staff_id());
  turn->set_basis(assigned.basis());
  turn->set_counts(assigned.counts_in_rotation());
  turn->set_time_us(ToMicros(desk.at));
  turn->set_position(record.header().position());
  turn->set_rule_id(record.header().rule_id());
  if (site->turns_size() > kTurnsKept) {
    site->mutable_turns()->DeleteSubrange(0, site->turns_size() - kTurnsKept);
  }
}

// What is particular about a visitor.
struct Visitor {
  std::string asked_for;  // or the only one named
  bool several = false;
  bool refuses = false;
  bool forgotten = false;
  bool returning = false;
};

Visitor Describe(const pb::VisitLogged& visit, bool owned) {
  Visitor visitor;
  visitor.asked_for = visit.requested_staff_id();
  if (visitor.asked_for.empty() && visit.named_staff_ids_size() == 1)
    visitor.asked_for = visit.named_staff_ids(0);
  visitor.several = visitor.asked_for.empty() && visit.named_staff_ids_size() > 1;
  visitor.refuses = !visit.refused_staff_id().empty();
  visitor.forgotten = visit.came_before() == pb::CAME_BEFORE_UNKNOWN;
  visitor.returning = visit.came_before() == pb::CAME_BEFORE_YES || owned;
  return visitor;
}

bool Fits(pb::ReceptionWhen when, const Visitor& visitor) {
  switch (when) {
    case pb::RECEPTION_WHEN_REFUSED:
      return visitor.refuses;
    case pb::RECEPTION_WHEN_NAMED_ON_FIRST_VISIT:
      return !visitor.asked_for.empty() && !visitor.returning && !visitor.forgotten;
    case pb::RECEPTION_WHEN_NAMED:
      return !visitor.asked_for.empty();
    case pb::RECEPTION_WHEN_SEVERAL_NAMED:
      return visitor.several;
    case pb::RECEPTION_WHEN_FORGOTTEN:
      return visitor.forgotten;
    case pb::RECEPTION_WHEN_RETURNING:
      return visitor.returning;
    case pb::RECEPTION_WHEN_NEW:
      return true;
    default:
      return false;
  }
}

// The case of a visitor whom no case fits.
pb::ReceptionCase PlainTurn(const pb::Reception& rules) {
  pb::ReceptionCase plain;
  plain.set_when(pb::RECEPTION_WHEN_NEW);
  plain.add_receivers(pb::RECEPTION_ROLE_NEXT_IN_TURN);
  plain.set_counts(true);
  plain.set_rule_id(rules.rotation_rule_id());
  return plain;
}

Turn InTurn(const Desk& desk, const RotationMember& member, bool catches_up, bool skipped,
            const pb::ReceptionCase& fits) {
  Turn turn{member.staff_id(), pb::RECEPTION_BASIS_ASSIST, fits.counts(), fits.rule_id()};
  if (!fits.counts()) return turn;
  turn.basis = catches_up ? pb::RECEPTION_BASIS_CATCH_UP : pb::RECEPTION_BASIS_ROTATION;
  if (fits.when() != pb::RECEPTION_WHEN_NEW) return turn;
  if (catches_up) {
    turn.rule_id = desk.rules.catch_up_rule_id();
  } else if (skipped && !desk.rules.skip_rule_id().empty()) {
    turn.rule_id = desk.rules.skip_rule_id();
  }
  return turn;
}

std::optional<Turn> Choose(const Desk& desk, const pb::ReceptionCase& fits, const pb::VisitLogged& visit,
                           const std::string& asked_for, const std::string& owner) {
  for (const int role : fits.receivers()) {
    switch (role) {
      case pb::RECEPTION_ROLE_NAMED:
        if (desk.ReceivesOwn(asked_for)) {
          return Turn{asked_for, pb::RECEPTION_BASIS_NAMED, fits.counts(), fits.rule_id()};
        }
        if (!asked_for.empty()) break;
        for (const std::string& named : visit.named_staff_ids()) {
          if (!desk.ReceivesOwn(named)) continue;
          return Turn{named, pb::RECEPTION_BASIS_NAMED, fits.counts(), fits.rule_id()};
        }
        break;
      case pb::RECEPTION_ROLE_OWNER:
        if (desk.ReceivesOwn(owner)) {
          return Turn{owner, pb::RECEPTION_BASIS_OWNER, fits.counts(), fits.rule_id()};
        }
        break;
      case pb::RECEPTION_ROLE_NEXT_IN_TURN: {
        bool catches_up = false;
        bool skipped = false;
        if (const RotationMember* next = NextInTurn(desk, &catches_up, &skipped)) {
          return InTurn(desk, *next, catches_up, skipped, fits);
        }
        break;
      }
      default:
        break;
    }
  }
  return std::nullopt;
}

}  // namespace

void ApplySite(const policy::Timeline& timeline, const pb::Record& record, SiteState* site) {
  site->set_version(site->version() + 1);
  const absl::Time at = ToTime(record.event().occurred_time().time());
  switch (record.event().body_case()) {
    case pb::Event::kRotationSet:
      return ApplyOrder(record.event().rotation_set(), record.header().position(), site);
    case pb::Event::kPresenceChanged:
      return ApplyPresence(record.event().presence_changed(), at, site);
    case pb::Event::kReceptionAssigned: {
      const Desk desk{timeline, PolicyInForce(timeline, at).policy.reception(), *site, at, ""};
      return ApplyReceived(desk, record, site);
    }
    default:
      return;
  }
}

std::optional<Turn> DecideTurn(const policy::Timeline& timeline, const SiteState& site,
                               const pb::VisitLogged& visit, const std::string& owner_staff_id,
                               absl::Time at) {
  const pb::Reception& rules = PolicyInForce(timeline, at).policy.reception();
  if (!rules.rotation()) return std::nullopt;
  const Desk desk{timeline, rules, site, at, visit.refused_staff_id()};
  const Visitor visitor = Describe(visit, !owner_staff_id.empty());
  pb::ReceptionCase fits = PlainTurn(rules);
  for (const pb::ReceptionCase& candidate : rules.cases()) {
    if (!Fits(candidate.when(), visitor)) continue;
    fits = candidate;
    break;
  }
  std::optional<Turn> turn = Choose(desk, fits, visit, visitor.asked_for, owner_staff_id);
  if (visit.staff_id().empty() || (turn.has_value() && turn->staff_id == visit.staff_id())) return turn;

  // Somebody else received than the rules would say. Whose place they took is told by the basis: ASSIST where the
  // one who should have was not there, DUTY where they were.
  Turn other{visit.staff_id(), pb::RECEPTION_BASIS_ASSIST, fits.counts(), fits.rule_id()};
  if (fits.counts()) {
    other.basis = pb::RECEPTION_BASIS_ROTATION;
  } else if (turn.has_value() &&
             (turn->basis == pb::RECEPTION_BASIS_NAMED || turn->basis == pb::RECEPTION_BASIS_OWNER)) {
    other.basis = pb::RECEPTION_BASIS_DUTY;
  }
  return other;
}

absl::StatusOr<Decision> DecideVisit(const Proposal& proposal, const DecisionContext& context,
                                     const pb::Event& event) {
  const pb::VisitLogged& visit = event.visit_logged();
  if (context.site == nullptr || visit.site_id().empty() || visit.direction() == pb::DIRECTION_OUTBOUND) {
    return Decision{};
  }
  for (const TurnState& turn : context.site->turns()) {
    const bool known = !visit.visit_id().empty() && turn.visit_id() == visit.visit_id() &&
                       turn.customer_id() == visit.customer_id();
    if (known) return Decision{};  // the desk said before the visit who receives
  }
  std::string owner;
  if (const ScopeState* scope = FindScope(proposal.customer, "");
      scope != nullptr && scope->custody() == CUSTODY_OWNED && !InLimbo(proposal.timeline, *scope)) {
    owner = scope->owner().has_staff_id() ? scope->owner().staff_id() : "";
  }
  const std::optional<Turn> turn =
      DecideTurn(proposal.timeline, *context.site, visit, owner, ToTime(event.occurred_time().time()));
  if (!turn.has_value()) return Decision{};
  Decision decision;
  decision.rule_id = turn->rule_id;
  pb::Event derived;
  *derived.mutable_occurred_time() = event.occurred_time();
  pb::ReceptionAssigned* assigned = derived.mutable_reception_assigned();
  assigned->set_customer_id(visit.customer_id());
  assigned->set_visit_id(visit.visit_id());
  assigned->set_staff_id(turn->staff_id);
  assigned->set_basis(turn->basis);
  assigned->set_counts_in_rotation(turn->counts);
  assigned->set_site_id(visit.site_id());
  decision.derived.push_back(std::move(derived));
  return decision;
}

pb::GetReceptionResponse ReadSite(const policy::Timeline& timeline, const SiteState& site, absl::Time at) {
  const policy::PolicyVersion& policy = PolicyInForce(timeline, at);
  const pb::Reception& rules = policy.policy.reception();
  pb::GetReceptionResponse response;
  for (int i = 0; i < OrderSize(site); ++i) {
    const RotationMember& member = site.members(i);
    pb::RotationPlace* place = response.add_order();
    place->set_staff_id(member.staff_id());
    place->set_presence(static_cast<pb::Presence>(member.presence()));
    if (member.presence_since_us() != 0) {
      *place->mutable_presence_since_time() = ToTimestamp(FromMicros(member.presence_since_us()));
    }
    place->set_missed_rounds(member.missed());
    place->set_turns_ahead(member.ahead());
    place->set_rule_id(member.missed() > 0 ? rules.catch_up_rule_id() : rules.rotation_rule_id());
  }
  for (int i = site.turns_size() - 1; i >= 0; --i) {
    const TurnState& turn = site.turns(i);
    pb::ReceptionTurn* answer = response.add_last_turns();
    answer->set_customer_id(turn.customer_id());
    answer->set_visit_id(turn.visit_id());
    answer->set_staff_id(turn.staff_id());
    answer->set_basis(static_cast<pb::ReceptionBasis>(turn.basis()));
    answer->set_counts_in_rotation(turn.counts());
    *answer->mutable_time() = ToTimestamp(FromMicros(turn.time_us()));
    answer->set_position(turn.position());
    answer->set_rule_id(turn.rule_id());
  }
  if (!rules.rotation()) return response;
  const Desk desk{timeline, rules, site, at, ""};
  bool catches_up = false;
  bool skipped = false;
  if (const RotationMember* next = NextInTurn(desk, &catches_up, &skipped)) {
    const Turn turn = InTurn(desk, *next, catches_up, skipped, PlainTurn(rules));
    response.set_next_staff_id(turn.staff_id);
    response.set_next_basis(turn.basis);
    *response.mutable_basis() = MakeBasis(turn.rule_id, policy, at);
    if (site.order_position() != 0) response.mutable_basis()->add_positions(site.order_position());
    if (site.turns_size() > 0)
      response.mutable_basis()->add_positions(site.turns(site.turns_size() - 1).position());
  }
  return response;
}

}  // namespace ledger::rules
