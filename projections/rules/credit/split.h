#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "customerledger/v1/common.pb.h"

// Shares and exact money. Pure; any thread.
namespace ledger::rules {

inline constexpr int32_t kAllBasisPoints = 10'000;

// One holder's share of a vector.
struct HolderShare {
  customerledger::v1::Owner holder;
  int32_t basis_points = 0;
  int64_t since = 0;   // orders equal shares: the instant of the holder's first reception
  int64_t amount = 0;  // in minor units; set by SplitMoney
};

// Adds `basis_points` of `holder`, who stands in the vector once.
void AddShare(const customerledger::v1::Owner& holder, int32_t basis_points, int64_t since,
              std::vector<HolderShare>* shares);

// The largest share first; equal ones by `since`, then by holder.
void SortShares(std::vector<HolderShare>* shares);

// Divides `minor_units` by the shares, each rounded towards zero to the minor unit; what rounding leaves goes to
// `main`, who is added with no basis points where the vector does not name it. Shares that come to less than 10,000
// leave the rest to nobody. Source: conv.money.
void SplitMoney(int64_t minor_units, const customerledger::v1::Owner& main, std::vector<HolderShare>* shares);

// `basis_points` over `count` holders in whole basis points; the first gets what does not divide. Source: AMB-05.
std::vector<int32_t> DivideEqually(int32_t basis_points, int count);

}  // namespace ledger::rules
