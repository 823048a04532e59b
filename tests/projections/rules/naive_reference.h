#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "customerledger/v1/record.pb.h"

// What the default policy says, written a second time in the plainest way: no state is kept between questions,
// days are counted one by one. Shares no code with the rules it is compared with; knows only the events that the
// random histories use, at whole seconds.
namespace ledger::rules::testing {

struct NaiveClaim {
  std::string claimant;
  uint64_t position = 0;
  std::string standing;  // "owns", "second", "past"
  std::string registered_as;
};

struct NaiveScope {
  std::string scope;
  std::string custody = "none";  // "none", "owned", "pooled"
  std::string owner;
  int64_t since = 0;
  bool disputed = false;
  std::string transfer_id;  // empty: none open
  std::vector<NaiveClaim> claims;
  int64_t lapse = 0;  // 0: none
  int64_t due = 0;    // 0: no call-back
};

struct NaiveAnswer {
  std::vector<NaiveScope> scopes;  // by name
  std::string tier;
  uint64_t events = 0;
  uint64_t owner_changes = 0;
  bool returned = false;
};

// The ids that are one with `customer`, itself included, by id.
std::vector<std::string> NaiveIdentities(const std::string& customer,
                                         const std::vector<customerledger::v1::Record>& log);

// Everything about `customer` at `true_at` (seconds since 1970), knowing the whole `log` (ascending positions).
NaiveAnswer AskNaively(const std::string& customer, const std::vector<customerledger::v1::Record>& log,
                       int64_t true_at);

}  // namespace ledger::rules::testing
