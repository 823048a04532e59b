#include "projections/policy/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "projections/policy/policy_check.h"

namespace ledger::policy {
namespace {

namespace pb = ::customerledger::v1;

PolicyFileError FirstError(absl::string_view text) {
  std::vector<PolicyFileError> errors;
  EXPECT_EQ(ParsePolicyText(text, &errors).status().code(), absl::StatusCode::kInvalidArgument);
  return errors.empty() ? PolicyFileError{} : errors.front();
}

TEST(PolicyFileTest, ShippedPoliciesAreSound) {
  for (const char* name : {"default", "recorded"}) {
    std::ifstream file(std::string(LEDGER_POLICIES) + "/" + name + ".textproto");
    std::stringstream text;
    text << file.rdbuf();
    std::vector<PolicyFileError> errors;
    const auto policy = ParsePolicyText(text.str(), &errors);
    ASSERT_TRUE(policy.ok()) << policy.status();
    EXPECT_EQ(policy->id(), name);
    EXPECT_TRUE(CheckPolicy(*policy).empty()) << CheckPolicy(*policy)[0].DebugString();
  }
}

TEST(PolicyFileTest, NamesLineAndColumn) {
  const PolicyFileError unknown = FirstError("id: \"p\"\n  lapses { }\n");
  EXPECT_EQ(unknown.line, 2);
  EXPECT_GE(unknown.column, 3);
  EXPECT_THAT(unknown.message, testing::HasSubstr("lapses"));

  const PolicyFileError twice = FirstError("id: \"p\"\nid: \"q\"\n");
  EXPECT_EQ(twice.line, 2);

  const PolicyFileError open = FirstError("id: \"p\"\nlapse {\n");
  EXPECT_EQ(open.line, 3);
}

TEST(PolicyFileTest, RefusesWhatIsNotUtf8) {
  const PolicyFileError error = FirstError("id: \"p\"\n# \xff\n");
  EXPECT_EQ(error.line, 2);
  EXPECT_EQ(error.column, 3);
}

TEST(PolicyFileTest, RefusesWhatIsTooLargeOrTooDeep) {
  const std::string large(kMaxPolicyFileBytes + 1, '\n');
  EXPECT_THAT(FirstError(large).message, testing::HasSubstr("1048576"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "lapse { ";
  FirstError(deep);
  FirstError(std::string(200'000, '{'));
}

TEST(PolicyFileTest, LocatesFindings) {
  const std::string text =
      "id: \"p\"\n"
      "phone_region: \"CN\"\n"
      "lapse {\n"
      "  dormancy {\n"
      "    period { months: 0 }\n"
      "  }\n"
      "}\n"
      "grade_schemes { name: \"s\" classes { name: \"A\" }\n"
      "                classes { name: \"A\" } }\n";
  std::vector<PolicyFileError> errors;
  const auto policy = ParsePolicyText(text, &errors);
  ASSERT_TRUE(policy.ok());
  const std::vector<PolicyFileError> located = LocateFindings(text, CheckPolicy(*policy));
  ASSERT_EQ(located.size(), 3u);
  // The evidence is missing: the dormancy that lacks it is shown.
  EXPECT_EQ(located[0].line, 4);
  EXPECT_EQ(located[0].column, 3);
  EXPECT_THAT(located[0].message, testing::StartsWith("lapse.dormancy.evidence: "));
  EXPECT_EQ(located[1].line, 5);
  EXPECT_EQ(located[1].column, 14);
  EXPECT_EQ(located[2].line, 9);
  EXPECT_EQ(located[2].column, 27);
}

}  // namespace
}  // namespace ledger::policy
