#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/checks.h"
#include "projections/policy/field_path.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

constexpr uint32_t kWhole = 10'000;

using Parts = google::protobuf::RepeatedPtrField<pb::CreditPart>;

void CheckParts(const std::string& path, const Parts& parts, const pb::Credit& credit, Findings* findings) {
  uint64_t sum = 0;
  for (int i = 0; i < parts.size(); ++i) {
    const pb::CreditPart& part = parts.Get(i);
    sum += part.basis_points();
    if (part.role() == pb::CREDIT_ROLE_UNSPECIFIED) {
      findings->Error(path, "has a part without a role, which nobody would get; name one");
    }
    if (part.role() == pb::CREDIT_ROLE_DEPARTMENT && credit.department_unit_id().empty()) {
      findings->Error("credit.department_unit_id",
                      "is empty, but a case credits the department; name the department's unit");
    }
  }
  if (sum != kWhole) {
    findings->Error(path, absl::StrCat("comes to ", sum, " basis points; a whole vector is ", kWhole,
                                       ", or money would be lost or given twice"));
  }
}

void CheckVectors(const std::string& path, const pb::CreditVectors& vectors, const pb::Credit& credit,
                  Findings* findings) {
  CheckParts(JoinPath(path, "performance"), vectors.performance(), credit, findings);
  if (!vectors.bonus().empty()) CheckParts(JoinPath(path, "bonus"), vectors.bonus(), credit, findings);
}

void CheckCases(const pb::Credit& credit, Findings* findings) {
  std::set<int> seen;
  bool same_day = false;
  bool found_later = false;
  for (int i = 0; i < credit.cases_size(); ++i) {
    const pb::CreditCase& candidate = credit.cases(i);
    const std::string path = JoinPath("credit", "cases", i);
    if (candidate.when() == pb::CREDIT_WHEN_UNSPECIFIED) {
      findings->Error(JoinPath(path, "when"), "is not set, so the case would never fit; say when it does");
    } else if (candidate.when() != pb::CREDIT_WHEN_ASSIGNED && !seen.insert(candidate.when()).second) {
      findings->Warning(JoinPath(path, "when"),
                        "stands above already, so this case never decides anything; leave one of them out");
    }
    if (candidate.when() == pb::CREDIT_WHEN_ASSIGNED && candidate.rule_id().empty()) {
      findings->Error(JoinPath(path, "rule_id"),
                      "is empty, but the case fits the assignments that cite its rule; name the rule");
    }
    CheckVectors(JoinPath(path, "shares"), candidate.shares(), credit, findings);
    if (candidate.has_unprotected_shares()) {
      CheckVectors(JoinPath(path, "unprotected_shares"), candidate.unprotected_shares(), credit, findings);
    }
    if (candidate.has_same_day_shares()) {
      CheckVectors(JoinPath(path, "same_day_shares"), candidate.same_day_shares(), credit, findings);
      same_day = true;
    }
    found_later = found_later || candidate.when() == pb::CREDIT_WHEN_FORGOTTEN_FOUND;
  }
  if (credit.same_day_assist_split() && !same_day) {
    findings->Warning(
        "credit.same_day_assist_split",
        "is on, but no case has same_day_shares, so it changes nothing; add them or switch it off");
  }
  if (found_later && credit.found_by().empty()) {
    findings->Warning("credit.found_by",
                      "is empty, so a forgotten receiver would never be found; list the events that tell it");
  }
}

void CheckNeeds(const pb::Policy& policy, Findings* findings) {
  const pb::Credit& credit = policy.credit();
  for (int i = 0; i < credit.needs_size(); ++i) {
    const std::string path = JoinPath(JoinPath("credit", "needs", i), "need");
    switch (credit.needs(i).need()) {
      case pb::CREDIT_NEED_UNSPECIFIED:
        findings->Error(path, "is not set, so no deal would ever count; say what is needed");
        break;
      case pb::CREDIT_NEED_PAPERS:
        if (credit.papers().empty()) {
          findings->Error("credit.papers",
                          "is empty, but a deal needs its papers, so none would ever count; list the events");
        }
        break;
      case pb::CREDIT_NEED_CONSUMPTION:
        if (!policy.has_consumption()) {
          findings->Warning(path,
                            "asks the block consumption, which is not set, so every consumption counts; set "
                            "it or leave this out");
        }
        break;
      default:
        break;
    }
  }
  if (credit.cases().empty() &&
      (credit.needs_size() > 0 || credit.rewards_size() > 0 || credit.has_queue())) {
    findings->Error("credit.cases",
                    "is empty, so nothing about deals is kept and the rest of the block does "
                    "nothing; add a case");
  }
  for (int i = 0; i < credit.rewards_size(); ++i) {
    const pb::ReferralReward& reward = credit.rewards(i);
    const std::string path = JoinPath("credit", "rewards", i);
    if (reward.reward_for() == pb::REWARD_FOR_UNSPECIFIED) {
      findings->Error(JoinPath(path, "reward_for"),
                      "is not set, so nobody would earn it; say what it is for");
    }
    if (reward.value_case() == pb::ReferralReward::VALUE_NOT_SET) {
      findings->Error(path, "is worth nothing; give points or an amount");
    }
    if (reward.has_per_full() && reward.per_full().minor_units() <= 0) {
      findings->Error(JoinPath(path, "per_full"),
                      "is not more than 0, so nothing would be earned; give an amount");
    }
  }
}

using Presences = google::protobuf::RepeatedPtrField<std::string>;

void CheckPresences(const std::string& path, const Presences& presences, Findings* findings) {
  for (int i = 0; i < presences.size(); ++i) {
    const std::string& name = presences.Get(i);
    if (name == "on_site" || name == "busy" || name == "out_on_business" || name == "off") continue;
    findings->Error(JoinPath("reception", path, i),
                    absl::StrCat("\"", name,
                                 "\" is no presence, so it never holds; on_site, busy, "
                                 "out_on_business and off are"));
  }
}

}  // namespace

void CheckCredit(const pb::Policy& policy, Findings* findings) {
  if (!policy.has_credit()) return;
  CheckCases(policy.credit(), findings);
  CheckNeeds(policy, findings);
}

void CheckReception(const pb::Policy& policy, Findings* findings) {
  const pb::Reception& reception = policy.reception();
  CheckPresences("takes_turn_when", reception.takes_turn_when(), findings);
  CheckPresences("receives_own_when", reception.receives_own_when(), findings);
  CheckPresences("catches_up_after", reception.catches_up_after(), findings);
  if (!reception.rotation() && !reception.cases().empty()) {
    findings->Warning("reception.rotation",
                      "is off, so nobody is assigned whatever the cases say; switch it on or leave them out");
  }
  for (int i = 0; i < reception.cases_size(); ++i) {
    const std::string path = JoinPath("reception", "cases", i);
    if (reception.cases(i).when() == pb::RECEPTION_WHEN_UNSPECIFIED) {
      findings->Error(JoinPath(path, "when"), "is not set, so the case would never fit; say when it does");
    }
    if (reception.cases(i).receivers().empty()) {
      findings->Error(JoinPath(path, "receivers"),
                      "is empty, so nobody would receive these visitors; name a role");
    }
  }
}

}  // namespace ledger::policy
