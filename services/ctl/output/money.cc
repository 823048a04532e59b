#include "services/ctl/output/money.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ledger::ctl {

namespace pb = ::customerledger::v1;

namespace {

// How many decimals ISO 4217 gives a currency; two where it is not listed.
size_t DecimalsOf(absl::string_view currency) {
  for (const char* none : {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                           "VND", "VUV", "XAF", "XOF", "XPF"}) {
    if (currency == none) return 0;
  }
  for (const char* three : {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}) {
    if (currency == three) return 3;
  }
  return 2;
}

bool AreDigits(absl::string_view text) { return std::all_of(text.begin(), text.end(), absl::ascii_isdigit); }

}  // namespace

absl::StatusOr<pb::Money> ParseMoney(absl::string_view amount, absl::string_view currency) {
  pb::Money money;
  const std::string code = absl::AsciiStrToUpper(currency);
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), absl::ascii_isupper)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", currency, "' is not a currency; three letters of ISO 4217, e.g. CNY"));
  }
  money.set_currency_code(code);
  absl::string_view rest = amount;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (negative) rest.remove_prefix(1);
  const size_t point = std::min(rest.find('.'), rest.size());
  const absl::string_view whole = rest.substr(0, point);
  const absl::string_view fraction = point < rest.size() ? rest.substr(point + 1) : absl::string_view();
  const size_t decimals = DecimalsOf(code);
  if (whole.empty() || !AreDigits(whole) || !AreDigits(fraction) || fraction.size() > decimals ||
      (point < rest.size() && fraction.empty())) {
    return absl::InvalidArgumentError(absl::StrCat("'", amount, "' is not an amount in ", code,
                                                   "; digits with at most ", decimals, " decimals, e.g. ",
                                                   decimals == 0   ? "1288"
                                                   : decimals == 3 ? "1288.500"
                                                                   : "1288.50"));
  }
  int64_t minor = 0;
  const std::string digits =
      absl::StrCat(negative ? "-" : "", whole, fraction, std::string(decimals - fraction.size(), '0'));
  if (!absl::SimpleAtoi(digits, &minor)) {
    return absl::InvalidArgumentError(absl::StrCat("'", amount, "' is larger than an amount can be"));
  }
  money.set_minor_units(minor);
  return money;
}

}  // namespace ledger::ctl
