#include "projections/rules/registration/validators.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"

namespace ledger::rules {
namespace {

namespace pb = ::customerledger::v1;

// Forms of address and posts that stand behind a surname in place of a given name.
constexpr std::array<absl::string_view, 24> kTitles = {
    "先生", "女士", "小姐", "太太", "夫人", "老板", "老师", "师傅", "经理", "主任", "主管", "总监",
    "厂长", "局长", "处长", "科长", "校长", "院长", "医生", "同志", "阿姨", "总",   "董",   "某"};
constexpr std::array<absl::string_view, 8> kLatinTitles = {"mr", "mrs", "ms",    "miss",
                                                           "dr", "sir", "madam", "mx"};
// Surnames of two characters; any single character may be a surname.
constexpr std::array<absl::string_view, 20> kDoubleSurnames = {
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒",
    "令狐", "宇文", "长孙", "夏侯", "轩辕", "端木", "南宫", "百里", "东郭", "独孤"};
// What the names of places, districts and streets end with.
constexpr std::array<absl::string_view, 19> kPlaceEndings = {"省", "市", "区",   "县",     "州",  "盟", "旗",
                                                             "镇", "乡", "村",   "路",     "街",  "道", "巷",
                                                             "弄", "里", "大道", "开发区", "附近"};
// What tells one door from another where no figure does.
constexpr std::array<absl::string_view, 13> kDoorWords = {"号", "楼",   "栋",   "幢",   "座",   "室", "单元",
                                                          "层", "大厦", "广场", "小区", "公司", "组"};

// The characters of a UTF-8 text, as pieces of it.
std::vector<absl::string_view> Characters(absl::string_view text) {
  std::vector<absl::string_view> characters;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    characters.push_back(text.substr(i, length));
    i += length;
  }
  return characters;
}

bool HasDigit(absl::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

bool IsLatin(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string LatinNameError(absl::string_view name) {
  const std::vector<absl::string_view> words = absl::StrSplit(name, absl::ByAnyChar(" ."), absl::SkipEmpty());
  const bool titled = std::any_of(words.begin(), words.end(), [](absl::string_view word) {
    const std::string lower = absl::AsciiStrToLower(word);
    return std::find(kLatinTitles.begin(), kLatinTitles.end(), lower) != kLatinTitles.end();
  });
  if (titled) return "a form of address is no part of a name; write the full real name";
  if (words.size() < 2) return "a surname alone is not enough; write the full real name";
  return "";
}

std::string FullNameError(absl::string_view value) {
  const absl::string_view name = absl::StripAsciiWhitespace(value);
  if (HasDigit(name) || absl::StrContains(name, "*") || absl::StrContains(name, "?") ||
      absl::StrContains(name, "×") || absl::StrContains(name, "＊")) {
    return "a name with figures or left out characters is not real; write the full real name";
  }
  if (IsLatin(name)) return LatinNameError(name);
  for (const absl::string_view title : kTitles) {
    if (absl::EndsWith(name, title)) {
      return absl::StrCat("\"", title, "\" stands in place of a given name; write the full real name");
    }
  }
  if (Characters(name).size() < 2 ||
      std::find(kDoubleSurnames.begin(), kDoubleSurnames.end(), name) != kDoubleSurnames.end()) {
    return "a surname alone is not enough; write the full real name";
  }
  return "";
}

// A phone number without the marks people put between figures, and without China's country code.
struct Number {
  std::string digits;
  bool has_extension = false;
  bool has_other = false;
};
Number ReadNumber(absl::string_view value) {
  Number number;
  std::string text(value);
  for (const absl::string_view word : {"转", "ext", "EXT", "Ext", "分机", "总机", ",", ";", "#"}) {
    const size_t at = text.find(std::string(word));
    if (at == std::string::npos) continue;
    number.has_extension = true;
    text.resize(at);
  }
  int dashes = 0;
  for (const char c : text) {
    if (absl::ascii_isdigit(c)) {
      number.digits.push_back(c);
    } else if (c == '-') {
      ++dashes;
    } else if (c != ' ' && c != '+' && c != '(' && c != ')') {
      number.has_other = true;
    }
  }
  if (absl::StartsWith(text, "+86") || absl::StartsWith(text, "0086")) {
    number.digits.erase(0, text[0] == '+' ? 2 : 4);
  }
  // 029-88000000-801: what stands behind a second dash of a fixed number is an extension.
  if (dashes >= 2 && absl::StartsWith(number.digits, "0")) number.has_extension = true;
  return number;
}

bool IsMobile(const Number& number, const std::string& prefix) {
  if (number.digits.empty()) return false;
  return prefix.empty() ? number.digits[0] != '0' : absl::StartsWith(number.digits, prefix);
}

std::string NoLandlineError(const pb::FieldValidator& validator, const Number& number) {
  if (number.has_extension)
    return "a switchboard reaches nobody in particular; give the person's own mobile number";
  if (absl::StartsWith(number.digits, "0")) {
    return "a number with an area code is a landline; give the person's own mobile number";
  }
  if (absl::StartsWith(number.digits, "400") || absl::StartsWith(number.digits, "800") ||
      absl::StartsWith(number.digits, "95")) {
    return "a service number reaches nobody in particular; give the person's own mobile number";
  }
  if (!validator.mobile_prefix().empty() && !IsMobile(number, validator.mobile_prefix()) &&
      number.digits.size() >= 5 && number.digits.size() <= 8) {
    return "a number of this length is a landline; give the person's own mobile number";
  }
  return "";
}

std::string MobileDigitsError(const pb::FieldValidator& validator, const Number& number) {
  if (absl::StartsWith(number.digits, "0") && !number.digits.empty()) return "";
  if (number.has_other || !IsMobile(number, validator.mobile_prefix()) ||
      number.digits.size() != validator.digits()) {
    return absl::StrCat("a mobile number has exactly ", validator.digits(), " figures",
                        validator.mobile_prefix().empty() ? "" : " and begins with ",
                        validator.mobile_prefix());
  }
  return "";
}

std::string AddressError(absl::string_view value) {
  const absl::string_view address = absl::StripAsciiWhitespace(value);
  if (HasDigit(address)) return "";
  const bool door = std::any_of(kDoorWords.begin(), kDoorWords.end(), [address](absl::string_view word) {
    return absl::StrContains(address, word);
  });
  if (door) return "";
  const bool place = std::any_of(kPlaceEndings.begin(), kPlaceEndings.end(),
                                 [address](absl::string_view word) { return absl::EndsWith(address, word); });
  if (!place && Characters(address).size() > 3) return "";
  return "the bare name of a place is not enough; add the street and the number, or the name of the building";
}

std::string DateError(absl::string_view value) {
  const std::vector<absl::string_view> parts = absl::StrSplit(value, '-');
  int year = 0;
  int month = 0;
  int day = 0;
  const bool form = parts.size() == 3 && parts[0].size() == 4 && parts[1].size() == 2 &&
                    parts[2].size() == 2 && absl::SimpleAtoi(parts[0], &year) &&
                    absl::SimpleAtoi(parts[1], &month) && absl::SimpleAtoi(parts[2], &day);
  if (form && month >= 1 && month <= 12 && day >= 1) {
    const absl::CivilDay date(year, month, day);
    if (date.month() == month && date.day() == day) return "";
  }
  return absl::StrCat("\"", value, "\" is no date of the calendar; write it as 2026-03-01");
}

}  // namespace

std::string ValidatorError(const pb::FieldValidator& validator, absl::string_view value) {
  if (value.empty()) return "";
  switch (validator.kind()) {
    case pb::VALIDATOR_KIND_FULL_NAME:
      return FullNameError(value);
    case pb::VALIDATOR_KIND_NO_LANDLINE:
      return NoLandlineError(validator, ReadNumber(value));
    case pb::VALIDATOR_KIND_MOBILE_DIGITS:
      return MobileDigitsError(validator, ReadNumber(value));
    case pb::VALIDATOR_KIND_AREA_CODE: {
      const Number number = ReadNumber(value);
      if (absl::StartsWith(number.digits, "0") ||
          (!validator.mobile_prefix().empty() && IsMobile(number, validator.mobile_prefix()))) {
        return "";
      }
      return "a fixed number needs its area code; write it as 029-88000000";
    }
    case pb::VALIDATOR_KIND_SPECIFIC_ADDRESS:
      return AddressError(value);
    case pb::VALIDATOR_KIND_DATE:
      return DateError(value);
    case pb::VALIDATOR_KIND_ONE_OF: {
      const auto& values = validator.values();
      if (std::find(values.begin(), values.end(), std::string(value)) != values.end()) return "";
      return absl::StrCat("\"", value, "\" is none of ", absl::StrJoin(values, ", "));
    }
    case pb::VALIDATOR_KIND_UNSPECIFIED:
    case pb::ValidatorKind_INT_MIN_SENTINEL_DO_NOT_USE_:
    case pb::ValidatorKind_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return "";
}

}  // namespace ledger::rules
