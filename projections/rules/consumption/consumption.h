#pragma once

#include <cstdint>
#include <string>

#include "projections/rules/mechanism.h"

// What makes a consumption count: where a reservation system measures, a meal is nothing without its reservation. Lapse,
// pool and credit all ask here, so that they count the same meals.
namespace ledger::rules {

// A deal of kind CONSUMPTION, together with its reservation.
struct ConsumptionRecord {
  bool is_consumption = false;  // false: some other deal, and nothing below is set
  bool reserved = false;        // in the way the policy measures by: reservation and short message
  bool counts = false;          // for its customer: reserved, and the customer was approved
  std::string rule_id;          // where it does not count, the rule that says so
  std::string scope;
  std::string taken_by;    // who took it: the reservation's taker, else the deal's closer; a staff id
  bool via_owner = false;  // it came by way of the owner of that moment
  uint64_t reservation_position = 0;
};

void ApplyReservation(const Step& step, CustomerState* state);

// What the step's DealRecorded is; its reservation is used up. Once for each event.
ConsumptionRecord TakeConsumption(const Step& step, CustomerState* state);

}  // namespace ledger::rules
