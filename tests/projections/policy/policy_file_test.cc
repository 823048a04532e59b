#include "projections/policy/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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

// Every file that is shipped, whoever adds one.
TEST(PolicyFileTest, ShippedPoliciesAreSound) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LEDGER_POLICIES)) {
    if (entry.path().extension() != ".textproto") continue;
    ++files;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    std::vector<PolicyFileError> errors;
    const auto policy = ParsePolicyText(text.str(), &errors);
    ASSERT_TRUE(policy.ok()) << entry.path() << ": " << policy.status();
    EXPECT_EQ(policy->id(), entry.path().stem().string());
    for (const LocatedFinding& found : LocateFindings(text.str(), PolicyErrors(*policy))) {
      ADD_FAILURE() << entry.path().string() << ":" << found.line << ":" << found.column << ": "
                    << found.finding.field() << ": " << found.finding.message();
    }
  }
  EXPECT_GE(files, 2);
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

TEST(PolicyFileTest, UnknownNamesAreAllNamedWithWhatWasMeant) {
  std::vector<PolicyFileError> errors;
  EXPECT_FALSE(
      ParsePolicyText("id: \"p\"\nlapses { a: 1 b { c: [2] } }\npol: 1\nzzzzzzzz: 1\n", &errors).ok());
  ASSERT_EQ(errors.size(), 3u);
  EXPECT_EQ(errors[0].line, 2);
  EXPECT_THAT(errors[0].message, testing::HasSubstr("Did you mean \"lapse\"?"));
  EXPECT_EQ(errors[0].column, 1);
  EXPECT_EQ(errors[1].line, 3);
  EXPECT_THAT(errors[1].message, testing::HasSubstr("Did you mean \"pool\"?"));
  EXPECT_EQ(errors[2].line, 4);
  EXPECT_THAT(errors[2].message, testing::Not(testing::HasSubstr("Did you mean")));
  const PolicyFileError value = FirstError("lapse { dormancy {\n evidence: EVIDENCE_CONTACTS } }");
  EXPECT_EQ(value.line, 2);
  EXPECT_EQ(value.column, 12);
  EXPECT_THAT(value.message, testing::HasSubstr("Did you mean \"EVIDENCE_CONTACT\"?"));
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
  const std::vector<LocatedFinding> located = LocateFindings(text, PolicyErrors(*policy));
  ASSERT_EQ(located.size(), 3u);
  // The evidence is missing: the dormancy that lacks it is shown.
  EXPECT_EQ(located[0].line, 4);
  EXPECT_EQ(located[0].column, 3);
  EXPECT_THAT(located[0].finding.field(), testing::Eq("lapse.dormancy.evidence"));
  EXPECT_EQ(located[1].line, 5);
  EXPECT_EQ(located[1].column, 14);
  EXPECT_EQ(located[2].line, 9);
  EXPECT_EQ(located[2].column, 27);
}

}  // namespace
}  // namespace ledger::policy
