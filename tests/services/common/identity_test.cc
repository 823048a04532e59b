#include "services/common/identity.h"

#include "gtest/gtest.h"

namespace ledger::services {
namespace {

TEST(IdentityTest, APrincipalMustBeReadableInARecord) {
  EXPECT_TRUE(ValidatePrincipal("front-desk").ok());
  EXPECT_TRUE(ValidatePrincipal("前台").ok());
  EXPECT_TRUE(ValidatePrincipal(std::string(128, 'x')).ok());
  for (const std::string& bad : {std::string(), std::string("\xff\xfe"), std::string("a\xc3"),
                                 std::string("a\nb"), std::string("a\0b", 3), std::string(129, 'x')}) {
    EXPECT_EQ(ValidatePrincipal(bad).code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace ledger::services
