#include "services/ctl/output/money.h"

#include <gtest/gtest.h>

namespace ledger::ctl {
namespace {

TEST(MoneyTest, ReadsExactMinorUnits) {
  EXPECT_EQ(ParseMoney("12.34", "cny")->minor_units(), 1234);
  EXPECT_EQ(ParseMoney("12.34", "cny")->currency_code(), "CNY");
  EXPECT_EQ(ParseMoney("12.3", "CNY")->minor_units(), 1230);
  EXPECT_EQ(ParseMoney("-0.05", "EUR")->minor_units(), -5);
  EXPECT_EQ(ParseMoney("1288", "JPY")->minor_units(), 1288);
  EXPECT_EQ(ParseMoney("1.234", "KWD")->minor_units(), 1234);
  EXPECT_EQ(ParseMoney("92233720368547758.07", "USD")->minor_units(), INT64_MAX);
  EXPECT_EQ(ParseMoney("-92233720368547758.08", "USD")->minor_units(), INT64_MIN);
}

TEST(MoneyTest, RefusesWhatIsNotExact) {
  for (const char* amount :
       {"", "-", ".", "12.", ".5", "12.345", "1e3", "12,34", " 12", "0x1", "+1", "92233720368547758.08"}) {
    EXPECT_EQ(ParseMoney(amount, "USD").status().code(), absl::StatusCode::kInvalidArgument) << amount;
  }
  EXPECT_FALSE(ParseMoney("1.5", "JPY").ok());
  EXPECT_FALSE(ParseMoney("1", "YUAN").ok());
  EXPECT_FALSE(ParseMoney("1", "C1Y").ok());
}

}  // namespace
}  // namespace ledger::ctl
