#include "projections/policy/checks.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ledger::policy {

namespace pb = ::customerledger::v1;

namespace {

void CheckCard(const pb::CardLife& card, Findings* findings) {
  findings->CheckPeriod("lapse.card.first", card.has_first());
  findings->CheckPeriod("lapse.card.further", card.has_further());
  if (card.has_signed_call_back()) {
    findings->CheckPeriod("lapse.card.signed_call_back.within", card.signed_call_back().has_within());
    if (card.signed_call_back().number() == 0) {
      findings->Error("lapse.card.signed_call_back.number",
                      "is 0, so that no call-back would wait for a signature; call-backs count from 1");
    }
  }
  if (!card.has_sms_streak()) return;
  if (card.sms_streak().length() < 2) {
    findings->Error("lapse.card.sms_streak.length",
                    absl::StrCat("is ", card.sms_streak().length(),
                                 ": a single short message would end the card; 2 or more are allowed"));
  }
  if (card.sms_streak().from_number() == 0) {
    findings->Error("lapse.card.sms_streak.from_number", "is 0; call-backs count from 1");
  }
}

void CheckBypass(const pb::Policy& policy, Findings* findings) {
  const uint32_t share = policy.lapse().bypass().share_basis_points();
  if (share < 1 || share > 10'000) {
    findings->Error("lapse.bypass.share_basis_points",
                    absl::StrCat("is ", share, "; 1 to 10,000 are allowed: 5,000 is a half"));
  }
}

}  // namespace

void CheckLapse(const pb::Policy& policy, Findings* findings) {
  const pb::Lapse& lapse = policy.lapse();
  if (lapse.has_card()) CheckCard(lapse.card(), findings);
  if (lapse.has_bypass()) CheckBypass(policy, findings);
  if (lapse.has_protection()) {
    findings->CheckPeriod("lapse.protection.period", lapse.protection().has_period());
  }
  if (!lapse.has_dormancy()) return;
  findings->CheckPeriod("lapse.dormancy.period", lapse.dormancy().has_period());
  const auto& evidence = lapse.dormancy().evidence();
  if (evidence.empty()) {
    findings->Error("lapse.dormancy.evidence",
                    "is empty: every customer would fall to the public pool however well it is kept. List "
                    "EVIDENCE_CONTACT, "
                    "EVIDENCE_VISIT or EVIDENCE_DEAL");
  }
  if (lapse.dormancy().result() == pb::DORMANCY_RESULT_OPEN_TO_OTHERS && policy.has_pool()) {
    findings->Warning("pool",
                      "stays empty of dormant customers: lapse.dormancy.result leaves them to their owners");
  }
  std::set<int> seen;
  for (int i = 0; i < evidence.size(); ++i) {
    const std::string path = absl::StrCat("lapse.dormancy.evidence[", i, "]");
    if (evidence[i] == pb::EVIDENCE_UNSPECIFIED) {
      findings->Error(path,
                      "names no evidence; EVIDENCE_CONTACT, EVIDENCE_VISIT and EVIDENCE_DEAL are allowed");
    } else if (!seen.insert(evidence[i]).second) {
      findings->Error(path, "is listed twice; once is enough");
    }
  }
}

}  // namespace ledger::policy
