#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "projections/policy/checks.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

void CheckKinds(const pb::HandOver& rules, Findings* findings) {
  std::map<int, std::string> named;
  std::string otherwise;
  for (int i = 0; i < rules.procedures_size(); ++i) {
    const std::string path = absl::StrCat("hand_over.procedures[", i, "]");
    const auto& kinds = rules.procedures(i).kinds();
    if (kinds.empty()) {
      if (!otherwise.empty()) {
        findings->Error(path, absl::StrCat("names no kinds, as ", otherwise,
                                           " does, and would never be used; name its kinds"));
      } else {
        otherwise = path;
      }
    }
    for (int k = 0; k < kinds.size(); ++k) {
      const auto [known, added] = named.emplace(kinds[k], path);
      if (added) continue;
      findings->Error(absl::StrCat(path, ".kinds[", k, "]"),
                      absl::StrCat("is named in ", known->second,
                                   " already, which is the one that would be used; remove one of the two"));
    }
  }
}

// A hand-over makes the receiver the owner once, whichever steps concern it.
void CheckOwning(const pb::HandOverProcedure& procedure, const std::string& path, Findings* findings) {
  int same = 0, different = 0;
  for (const pb::HandOverAct& act : procedure.steps()) {
    if (!act.receiver_owns()) continue;
    same += act.post() == pb::POST_MATCH_DIFFERENT ? 0 : 1;
    different += act.post() == pb::POST_MATCH_SAME ? 0 : 1;
  }
  if (same <= 1 && different <= 1) return;
  findings->Error(path, absl::StrCat("the receiver would own from ", std::max(same, different),
                                     " steps on; set receiver_owns on one of them"));
}

void CheckSteps(const pb::HandOverProcedure& procedure, const std::string& path, Findings* findings) {
  if (procedure.steps().empty()) {
    findings->Error(absl::StrCat(path, ".steps"),
                    "is empty: a hand-over of these kinds could never begin; list the steps, or remove the "
                    "procedure");
    return;
  }
  for (int i = 0; i < procedure.steps_size(); ++i) {
    const pb::HandOverAct& act = procedure.steps(i);
    const std::string step = absl::StrCat(path, ".steps[", i, "]");
    if (act.step() == pb::HAND_OVER_STEP_UNSPECIFIED) {
      findings->Error(absl::StrCat(step, ".step"), "names no step; name one such as HAND_OVER_STEP_ACCEPT");
    } else if ((act.step() == pb::HAND_OVER_STEP_PROPOSE) != (i == 0)) {
      findings->Error(absl::StrCat(step, ".step"),
                      i == 0
                          ? "a hand-over that does not begin with HAND_OVER_STEP_PROPOSE could never begin; "
                            "put it first"
                          : "a hand-over is proposed once, and this step could never be taken; remove it");
    }
    if (i == 0 && act.may_be_skipped()) {
      findings->Error(absl::StrCat(step, ".may_be_skipped"), "the proposal begins the hand-over; remove it");
    }
    if (act.may_be_skipped() && act.receiver_owns()) {
      findings->Error(absl::StrCat(step, ".may_be_skipped"),
                      "a hand-over that skips it would never make the receiver the owner; remove it");
    }
    if (i == 0 && act.post() != pb::POST_MATCH_UNSPECIFIED) {
      findings->Error(absl::StrCat(step, ".post"), "the proposal is for all posts; remove it");
    }
    if (i == 0 && act.by_owner() && procedure.without_owner() && act.roles().empty()) {
      findings->Error(absl::StrCat(step, ".by_owner"),
                      "without_owner hands over what nobody owns, so nobody could propose it; name roles");
    }
    if (act.step() == pb::HAND_OVER_STEP_COMPLETE &&
        (act.by_owner() || act.by_receiver() || !act.roles().empty())) {
      findings->Warning(step, "a completed slip does not say who completed it; who may is not checked");
    }
    if (act.step() == pb::HAND_OVER_STEP_NOTIFY && (act.by_owner() || !act.roles().empty())) {
      findings->Warning(step,
                        "a message to the customer is a fact and is not refused; who may is not checked");
    }
  }
  CheckOwning(procedure, absl::StrCat(path, ".steps"), findings);
}

void CheckProcedure(const pb::HandOverProcedure& procedure, const std::string& path, Findings* findings) {
  CheckSteps(procedure, path, findings);
  if (procedure.without_owner() && procedure.owner_meanwhile() == pb::OWNER_MEANWHILE_NOBODY) {
    findings->Error(absl::StrCat(path, ".owner_meanwhile"),
                    "nobody owns such a customer anyway, and it stays where it is; remove it");
  }
  if (procedure.without_owner() && procedure.receiver_of_other_unit()) {
    findings->Error(absl::StrCat(path, ".receiver_of_other_unit"),
                    "nobody owns such a customer, so there is no unit to differ from; remove it");
  }
  const bool cites = !procedure.rule_id().empty() ||
                     std::all_of(procedure.steps().begin(), procedure.steps().end(),
                                 [](const pb::HandOverAct& act) { return !act.rule_id().empty(); });
  if (!cites) {
    findings->Warning(absl::StrCat(path, ".rule_id"),
                      "is missing, and so are rules of steps: answers could not say why the customer moved");
  }
}

}  // namespace

void CheckHandOver(const pb::Policy& policy, Findings* findings) {
  const pb::HandOver& rules = policy.hand_over();
  if (policy.has_hand_over() && rules.procedures().empty()) {
    findings->Error("hand_over.procedures",
                    "is empty: customers could not be handed over; list procedures, or remove hand_over");
  }
  CheckKinds(rules, findings);
  for (int i = 0; i < rules.procedures_size(); ++i) {
    CheckProcedure(rules.procedures(i), absl::StrCat("hand_over.procedures[", i, "]"), findings);
  }
}

}  // namespace ledger::policy
