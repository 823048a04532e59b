#include "services/ctl/output/stats_json.h"

#include <gtest/gtest.h>

namespace ledger::ctl {
namespace {

TEST(StatsJsonTest, NumbersAreNumbersAndOwnersAreWhatOwnerTakes) {
  customerledger::v1::GetStatsResponse stats;
  stats.set_events(65'535);
  stats.set_source_events(65'533);
  stats.set_customers(7'554);
  stats.set_owner_changes(20'649);
  stats.set_returning_customers(1'879);
  stats.mutable_position()->set_position(65'535);
  auto* first = stats.add_owners();
  first->mutable_owner()->set_staff_id("Sie\"bel");
  first->set_customers(5'264);
  auto* second = stats.add_owners();
  second->mutable_owner()->set_unit_id("V5 3rd");
  second->set_customers(200);
  EXPECT_EQ(*StatsJson(stats, /*indented=*/true),
            "{\n"
            "  \"events\": 65535,\n"
            "  \"source_events\": 65533,\n"
            "  \"customers\": 7554,\n"
            "  \"owner_changes\": 20649,\n"
            "  \"returning_customers\": 1879,\n"
            "  \"pooled_customers\": 0,\n"
            "  \"parked_customers\": 0,\n"
            "  \"position\": 65535,\n"
            "  \"simulated\": false,\n"
            "  \"owners\": [\n"
            "    {\"owner\": \"Sie\\\"bel\", \"customers\": 5264},\n"
            "    {\"owner\": \"unit:V5 3rd\", \"customers\": 200}\n"
            "  ]\n"
            "}\n");
}

TEST(StatsJsonTest, OnOneLine) {
  const std::string json = *StatsJson(customerledger::v1::GetStatsResponse(), /*indented=*/false);
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  EXPECT_NE(json.find("\"owners\": []}"), std::string::npos);
}

}  // namespace
}  // namespace ledger::ctl
