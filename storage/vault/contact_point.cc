#include "storage/vault/contact_point.h"

#include <phonenumbers/phonenumberutil.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "storage/vault/crypto.h"

namespace ledger::vault {

namespace pb = ::customerledger::v1;
using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace {

constexpr size_t kValueBytesMax = 320;
constexpr size_t kContactIdBytes = 16;
// E.164 allows 15 digits. The shortest subscriber numbers have 7 with their country's code; the tables call shorter
// ones possible, too, but whoever writes "12" would meet everybody else who did.
constexpr int kInternationalDigitsMin = 7;
constexpr int kInternationalDigitsMax = 15;
// Ids of up to 9 digits are common, and many of them would be valid numbers somewhere.
constexpr int kNationalDigitsMin = 10;

int CountDigits(absl::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), absl::ascii_isdigit));
}

bool IsPhoneText(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(c) || absl::string_view(" +-./()").find(c) != absl::string_view::npos;
  });
}

// "1-364285768": a number of a series, whatever the tables say of its digits.
bool IsSeriesNumber(absl::string_view text) {
  return text.size() > 2 && text[1] == '-' && CountDigits(text) + 1 == static_cast<int>(text.size());
}

bool HasSpaceOrControl(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isspace(c) || absl::ascii_iscntrl(c); });
}

// local@domain.domain, all parts there. Whether mail arrives is not ours to know.
bool IsEmail(absl::string_view text) {
  const size_t at = text.rfind('@');
  if (at == absl::string_view::npos || at == 0 || HasSpaceOrControl(text)) return false;
  if (text.substr(0, at).find('@') != absl::string_view::npos) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(text.substr(at + 1), '.');
  return labels.size() >= 2 &&
         std::none_of(labels.begin(), labels.end(), [](absl::string_view label) { return label.empty(); });
}

absl::StatusOr<std::string> NormalizeEmail(absl::string_view text) {
  if (!IsEmail(text)) {
    return absl::InvalidArgumentError(
        "not an e-mail address: write it as name@domain.example, with one @ and no spaces");
  }
  return absl::AsciiStrToLower(text);
}

absl::StatusOr<std::string> NormalizePhone(absl::string_view text, absl::string_view region) {
  const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  const PhoneNumberUtil::ErrorType parsed = util.Parse(std::string(text), std::string(region), &number);
  if (parsed == PhoneNumberUtil::INVALID_COUNTRY_CODE_ERROR) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a phone number of any country: begin it with + and the country's code, or name a known "
        "region (two capital letters, now \"",
        region, "\")"));
  }
  std::string e164;
  if (parsed == PhoneNumberUtil::NO_PARSING_ERROR) util.Format(number, PhoneNumberUtil::E164, &e164);
  if (CountDigits(e164) < kInternationalDigitsMin || !util.IsPossibleNumber(number)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "not a phone number: write it as +, the country's code and the number, or as it is dialled in ",
        "region \"", region, "\""));
  }
  // People behind one switchboard are not one person.
  if (number.has_extension()) absl::StrAppend(&e164, ";ext=", number.extension());
  return e164;
}

}  // namespace

absl::StatusOr<std::string> NormalizeContactPoint(pb::ContactPointKind kind, absl::string_view value,
                                                  absl::string_view region) {
  if (value.size() > kValueBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a contact point has at most ", kValueBytesMax, " bytes, not ", value.size()));
  }
  const absl::string_view text = absl::StripAsciiWhitespace(value);
  if (kind == pb::CONTACT_POINT_KIND_PHONE) return NormalizePhone(text, region);
  if (kind == pb::CONTACT_POINT_KIND_EMAIL) return NormalizeEmail(text);
  return absl::InvalidArgumentError(
      "a contact point's kind is CONTACT_POINT_KIND_PHONE or CONTACT_POINT_KIND_EMAIL");
}

std::string ContactPointId(absl::string_view contact_key, pb::ContactPointKind kind,
                           absl::string_view normalized) {
  const char kind_byte = static_cast<char>(kind);
  const std::string mac = HmacSha256(contact_key, absl::StrCat(absl::string_view(&kind_byte, 1), normalized));
  return absl::BytesToHexString(mac.substr(0, kContactIdBytes));
}

bool LooksLikeContactPoint(absl::string_view customer_id, absl::string_view region) {
  const absl::string_view text = absl::StripAsciiWhitespace(customer_id);
  if (IsEmail(text)) return true;
  if (!IsPhoneText(text)) return false;
  const int digits = CountDigits(text);
  if (text[0] == '+') return digits >= kInternationalDigitsMin && digits <= kInternationalDigitsMax;
  if (digits < kNationalDigitsMin || IsSeriesNumber(text) || region.empty()) return false;
  const PhoneNumberUtil& util = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  return util.Parse(std::string(text), std::string(region), &number) == PhoneNumberUtil::NO_PARSING_ERROR &&
         util.IsValidNumber(number);
}

}  // namespace ledger::vault
