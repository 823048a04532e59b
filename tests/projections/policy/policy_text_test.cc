#include "projections/policy/policy_text.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "projections/policy/policy_diff.h"
#include "projections/policy/sentence_pattern.h"
#include "projections/policy/sentences.h"
#include "tests/projections/policy/full_policy.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using testing::HasSubstr;

pb::Policy Parse(const std::string& text) {
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &policy)) << text;
  return policy;
}

// One sentence to a line: "[depth] text (rule 「phrase」, ...)".
std::string Said(const pb::Policy& policy) {
  std::string said;
  const pb::PolicyText text = ExplainPolicy(policy);
  for (const pb::PolicySection& section : text.sections()) {
    absl::StrAppend(&said, "== ", section.title(), "\n");
    for (const pb::PolicySentence& sentence : section.sentences()) {
      absl::StrAppend(&said, std::string(2 * sentence.depth(), ' '), sentence.text());
      for (const pb::CitedRule& rule : sentence.rules()) {
        absl::StrAppend(&said, " (", rule.rule_id(), rule.phrase().empty() ? "" : " ", rule.phrase(), ")");
      }
      absl::StrAppend(&said, "\n");
    }
  }
  return said;
}

void CollectMessages(const google::protobuf::Descriptor* type,
                     std::set<const google::protobuf::Descriptor*>* types) {
  if (!types->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i)->message_type() != nullptr) CollectMessages(type->field(i)->message_type(), types);
  }
}

TEST(PolicyTextTest, EverythingThatIsSetIsSaid) {
  for (int variant = 0; variant < PolicyVariantsForTest(); ++variant) {
    for (const pb::Policy& policy : FullPoliciesForTest(variant)) {
      const std::string said = Said(policy);
      for (const Mutation& mutation : MutationsForTest(policy)) {
        if (Said(mutation.policy) == said)
          ADD_FAILURE() << "nothing says " << mutation.path << " in\n" << said;
      }
      if (HasFailure()) return;
    }
  }
}

TEST(PolicyTextTest, EveryChangeIsADifferenceAndNoneIsNone) {
  for (int variant = 0; variant < std::min(PolicyVariantsForTest(), 2); ++variant) {
    for (const pb::Policy& policy : FullPoliciesForTest(variant)) {
      EXPECT_EQ(DiffPolicies(policy, policy).sections_size(), 0);
      for (const Mutation& mutation : MutationsForTest(policy)) {
        EXPECT_NE(DiffPolicies(policy, mutation.policy).sections_size(), 0) << mutation.path;
        EXPECT_NE(DiffPolicies(mutation.policy, policy).sections_size(), 0) << mutation.path;
      }
      if (HasFailure()) return;
    }
  }
}

TEST(PolicyTextTest, KeysAreUnique) {
  for (const pb::Policy& policy : FullPoliciesForTest(0)) {
    std::set<std::string> seen;
    const pb::PolicyText text = ExplainPolicy(policy);
    for (const pb::PolicySection& section : text.sections()) {
      for (const pb::PolicySentence& sentence : section.sentences()) {
        EXPECT_TRUE(seen.insert(sentence.key()).second) << sentence.key();
        EXPECT_FALSE(sentence.text().empty()) << sentence.key();
      }
    }
  }
}

// A field that is renamed or removed takes its sentences along.
TEST(PolicyTextTest, SentencesFitTheirMessages) {
  std::set<const google::protobuf::Descriptor*> types;
  CollectMessages(pb::Policy::descriptor(), &types);
  std::set<std::string> names;
  for (const auto* type : types) {
    names.insert(type->name());
    for (const absl::string_view pattern : SentencesOf(*type)) {
      EXPECT_EQ(PatternError(pattern, *type), "") << pattern;
    }
    EXPECT_EQ(PatternError(PhrasePatternOf(*type), *type), "") << type->name();
  }
  for (const absl::string_view name : TypesWithSentences()) {
    EXPECT_TRUE(names.contains(std::string(name))) << "no message of a policy is called " << name;
  }
}

TEST(PolicyTextTest, SpeaksEnglishAndCites) {
  const std::string said = Said(Parse(R"(
    id: "p" title: "A trial" utc_offset_seconds: 28800 phone_region: "CN"
    lapse {
      protection { period { months: 2 } rule_id: "x.protection" }
      dormancy { period { days: 1 } evidence: EVIDENCE_CONTACT evidence: EVIDENCE_DEAL rule_id: "x.dormancy" }
    }
    rule_texts { rule_id: "x.protection" phrase: "有效期两个月" sentence: "Protected for two months." })"));
  EXPECT_THAT(said, HasSubstr("The policy \"p\": A trial.\n"));
  EXPECT_THAT(said, HasSubstr("Days begin at 00:00 of the local time UTC+08:00.\n"));
  EXPECT_THAT(said, HasSubstr("For 2 months from the day of the claim nobody else's claim counts"));
  EXPECT_THAT(said, HasSubstr("(x.protection 有效期两个月)\n"));
  EXPECT_THAT(said, HasSubstr("At least one of these must happen again within 1 day"));
  EXPECT_THAT(said, HasSubstr(": contact and deal; otherwise the customer goes to the public pool."));
  EXPECT_THAT(said, HasSubstr("x.protection 「有效期两个月」: Protected for two months.\n"));
}

TEST(PolicyTextTest, MechanismsThatAreOffAreNotSpokenOf) {
  const pb::PolicyText text = ExplainPolicy(Parse(R"(id: "p" phone_region: "CN")"));
  ASSERT_EQ(text.sections_size(), 1);
  EXPECT_EQ(text.sections(0).title(), "The policy");
}

}  // namespace
}  // namespace ledger::policy
