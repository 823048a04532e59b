#include "projections/policy/policy_diff.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;
using testing::HasSubstr;
using testing::IsEmpty;

pb::Policy Parse(const std::string& text) {
  pb::Policy policy;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("id: 'p' " + text, &policy)) << text;
  return policy;
}

TEST(PolicyDiffTest, AChangedPeriodSaysWhatRunsOn) {
  const pb::PolicyDiff diff =
      DiffPolicies(Parse("lapse { protection { period { months: 2 } rule_id: 'x.two' } }"),
                   Parse("lapse { protection { period { months: 3 } rule_id: 'x.three' } }"));
  ASSERT_EQ(diff.sections_size(), 1);
  EXPECT_EQ(diff.sections(0).title(), "Lapse");
  ASSERT_EQ(diff.sections(0).changes_size(), 1);
  const pb::PolicyChange& change = diff.sections(0).changes(0);
  EXPECT_EQ(change.kind(), pb::POLICY_CHANGE_KIND_CHANGED);
  EXPECT_THAT(change.from().text(), HasSubstr("2 months"));
  EXPECT_EQ(change.from().rules(0).rule_id(), "x.two");
  EXPECT_THAT(change.to().text(), HasSubstr("3 months"));
  EXPECT_EQ(change.to().rules(0).rule_id(), "x.three");
  EXPECT_THAT(diff.sections(0).running_periods(), HasSubstr("keeps the length it began with"));
  EXPECT_THAT(diff.sections(0).running_periods(), HasSubstr("conv.policy-version"));
}

TEST(PolicyDiffTest, EntriesAreMatchedByName) {
  const pb::PolicyDiff diff =
      DiffPolicies(Parse("call_back { cadences { scheme: 's' class_name: 'A' every { days: 1 } }"
                         "            cadences { scheme: 's' class_name: 'B' every { days: 2 } } }"),
                   Parse("call_back { cadences { scheme: 's' class_name: 'B' every { days: 3 } }"
                         "            cadences { scheme: 's' class_name: 'C' every { days: 4 } } }"));
  ASSERT_EQ(diff.sections_size(), 1);
  ASSERT_EQ(diff.sections(0).changes_size(), 3);
  EXPECT_EQ(diff.sections(0).changes(0).kind(), pb::POLICY_CHANGE_KIND_CHANGED);
  EXPECT_THAT(diff.sections(0).changes(0).to().text(), HasSubstr("every 3 days"));
  EXPECT_EQ(diff.sections(0).changes(1).kind(), pb::POLICY_CHANGE_KIND_ADDED);
  EXPECT_THAT(diff.sections(0).changes(1).to().text(), HasSubstr("\"C\""));
  EXPECT_EQ(diff.sections(0).changes(2).kind(), pb::POLICY_CHANGE_KIND_REMOVED);
  EXPECT_THAT(diff.sections(0).changes(2).from().text(), HasSubstr("\"A\""));
}

TEST(PolicyDiffTest, AnotherOrderIsADifference) {
  const pb::PolicyDiff diff =
      DiffPolicies(Parse("grade_schemes { name: 's' classes { name: 'A' } classes { name: 'B' } }"),
                   Parse("grade_schemes { name: 's' classes { name: 'B' } classes { name: 'A' } }"));
  ASSERT_EQ(diff.sections_size(), 1);
  ASSERT_EQ(diff.sections(0).changes_size(), 1);
  EXPECT_THAT(diff.sections(0).changes(0).from().text(), HasSubstr("A and B"));
  EXPECT_THAT(diff.sections(0).changes(0).to().text(), HasSubstr("B and A"));
  EXPECT_THAT(diff.sections(0).running_periods(), IsEmpty());
}

TEST(PolicyDiffTest, AMechanismIsSwitchedOnOrOff) {
  const pb::Policy off = Parse("");
  const pb::Policy on = Parse("lapse { protection { period { months: 2 } rule_id: 'x.two' } }");
  const pb::PolicyDiff added = DiffPolicies(off, on);
  ASSERT_EQ(added.sections_size(), 1);
  EXPECT_EQ(added.sections(0).title(), "Lapse");
  EXPECT_EQ(added.sections(0).changes(0).kind(), pb::POLICY_CHANGE_KIND_ADDED);
  EXPECT_THAT(added.sections(0).running_periods(), HasSubstr("begins then or later"));
  const pb::PolicyDiff removed = DiffPolicies(on, off);
  ASSERT_EQ(removed.sections_size(), 1);
  EXPECT_EQ(removed.sections(0).title(), "Lapse");
  EXPECT_EQ(removed.sections(0).changes(0).kind(), pb::POLICY_CHANGE_KIND_REMOVED);
  EXPECT_THAT(removed.sections(0).running_periods(), HasSubstr("goes on to its end"));
}

TEST(PolicyDiffTest, ANewPhraseIsToldOnceAndNotForEverySentence) {
  const std::string parameter = "pool { claim_by_registration: true rule_id: 'x.y' } ";
  const pb::PolicyDiff diff = DiffPolicies(Parse(parameter + "rule_texts { rule_id: 'x.y' phrase: '甲' }"),
                                           Parse(parameter + "rule_texts { rule_id: 'x.y' phrase: '乙' }"));
  ASSERT_EQ(diff.sections_size(), 1);
  EXPECT_EQ(diff.sections(0).title(), "The rules");
  EXPECT_EQ(diff.sections(0).changes_size(), 1);
}

}  // namespace
}  // namespace ledger::policy
