#include "projections/policy/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace ledger::policy {
namespace {

TEST(Utf8Test, AcceptsEveryLengthAndTheBounds) {
  for (const char* text :
       {"", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe5\xae\xa2\xe6\x88\xb7"}) {
    EXPECT_EQ(FirstInvalidUtf8(text), absl::string_view::npos) << text;
  }
}

TEST(Utf8Test, NamesTheFirstBadByte) {
  // A lone continuation, overlong forms, surrogates, beyond U+10FFFF, cut short.
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc2", "\xe5\xae", "\xf0\x90\x80"}) {
    EXPECT_EQ(FirstInvalidUtf8("ok" + std::string(bad)), 2u) << bad;
  }
}

}  // namespace
}  // namespace ledger::policy
