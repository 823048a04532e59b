#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/services/ctl/fake_server.h"

// credit, reception.
namespace ledger::ctl {
namespace {

namespace pb = ::customerledger::v1;
using ::testing::HasSubstr;

class CreditTest : public ::testing::Test {
 protected:
  CtlHarness ctl_;
};

TEST_F(CreditTest, ShowsBothVectorsAndWhatADealLacks) {
  pb::DealCredit* deal = ctl_.fake.credit.add_deals();
  deal->set_deal_id("d-7");
  deal->mutable_basis()->set_rule_id("some.rule");
  pb::CreditHolding* holding = deal->add_performance();
  holding->mutable_holder()->set_staff_id("liu");
  holding->set_basis_points(10'000);
  holding = deal->add_bonus_holdings();
  holding->mutable_holder()->set_staff_id("wang");
  holding->set_basis_points(3'305);
  holding->mutable_amount()->set_minor_units(331);
  holding->mutable_amount()->set_currency_code("CNY");
  deal->add_missing()->set_text("the goods are not delivered");
  const Outcome shown = ctl_.Run({"credit", "show", "c-1", "--deal", "d-7"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("performance  liu     100%"));
  EXPECT_THAT(shown.out, HasSubstr("wang    33.05%  331 CNY"));
  EXPECT_THAT(shown.out, HasSubstr("the goods are not delivered"));
  EXPECT_EQ(ctl_.fake.get_credit.query().customer_id(), "c-1");
  EXPECT_EQ(ctl_.fake.get_credit.deal_id(), "d-7");
}

TEST_F(CreditTest, ShowsTheQueue) {
  EXPECT_THAT(ctl_.Run({"credit", "queue"}).out, HasSubstr("no order is open"));
  pb::QueuedDeal* deal = ctl_.fake.queue.add_deals();
  deal->set_place(1);
  deal->set_deal_id("O3");
  deal->set_customer_id("c-3");
  EXPECT_THAT(ctl_.Run({"credit", "queue"}).out, HasSubstr("O3"));
}

TEST_F(CreditTest, ShowsWhoseTurnItIs) {
  ctl_.fake.reception.set_site_id("hall");
  ctl_.fake.reception.set_next_staff_id("bo");
  ctl_.fake.reception.set_next_basis(pb::RECEPTION_BASIS_CATCH_UP);
  pb::RotationPlace* place = ctl_.fake.reception.add_order();
  place->set_staff_id("bo");
  place->set_missed_rounds(2);
  const Outcome shown = ctl_.Run({"reception", "show", "hall"});
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("bo (catch_up)"));
  EXPECT_THAT(shown.out, HasSubstr("on_site"));
  EXPECT_EQ(ctl_.fake.get_reception.site_id(), "hall");
}

}  // namespace
}  // namespace ledger::ctl
