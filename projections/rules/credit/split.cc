#include "projections/rules/credit/split.h"

#include <algorithm>
#include <tuple>

#include "projections/rules/mechanism.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// minor_units * basis_points / 10,000, rounded towards zero, without overflow.
int64_t PartOf(int64_t minor_units, int64_t basis_points) {
  return minor_units / kAllBasisPoints * basis_points +
         minor_units % kAllBasisPoints * basis_points / kAllBasisPoints;
}

}  // namespace

void AddShare(const pb::Owner& holder, int32_t basis_points, int64_t since,
              std::vector<HolderShare>* shares) {
  for (HolderShare& share : *shares) {
    if (!SameHolder(share.holder, holder)) continue;
    share.basis_points += basis_points;
    share.since = std::min(share.since, since);
    return;
  }
  shares->push_back({holder, basis_points, since, 0});
}

void SortShares(std::vector<HolderShare>* shares) {
  std::sort(shares->begin(), shares->end(), [](const HolderShare& a, const HolderShare& b) {
    return std::make_tuple(-a.basis_points, a.since, HolderKey(a.holder)) <
           std::make_tuple(-b.basis_points, b.since, HolderKey(b.holder));
  });
}

void SplitMoney(int64_t minor_units, const pb::Owner& main, std::vector<HolderShare>* shares) {
  int64_t basis_points = 0;
  int64_t given = 0;
  for (HolderShare& share : *shares) {
    share.amount = PartOf(minor_units, share.basis_points);
    basis_points += share.basis_points;
    given += share.amount;
  }
  const int64_t rest = PartOf(minor_units, basis_points) - given;
  if (rest == 0) return;
  for (HolderShare& share : *shares) {
    if (!SameHolder(share.holder, main)) continue;
    share.amount += rest;
    return;
  }
  if (HolderKey(main).empty()) {
    if (!shares->empty()) shares->front().amount += rest;
    return;
  }
  shares->push_back({main, 0, 0, rest});
}

std::vector<int32_t> DivideEqually(int32_t basis_points, int count) {
  std::vector<int32_t> parts(static_cast<size_t>(count), count == 0 ? 0 : basis_points / count);
  if (count > 0) parts.front() += basis_points % count;
  return parts;
}

}  // namespace ledger::rules
