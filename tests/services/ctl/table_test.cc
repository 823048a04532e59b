#include "services/ctl/output/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ledger::ctl {
namespace {

TEST(TableTest, WideCharactersCountTwoColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("张伟"), 4u);
  EXPECT_EQ(DisplayWidth("e\xCC\x81"), 1u);  // a combining accent takes no column
  EXPECT_EQ(DisplayWidth("\xFF\xFE"), 2u);   // not UTF-8: a column a byte
  EXPECT_EQ(DisplayWidth("\xE5\xBC"), 2u);   // cut off in the middle of a character
}

TEST(TableTest, AlignsColumnsByDisplayWidth) {
  Table table({"OWNER", "CUSTOMERS"});
  table.AddRow({"张伟丽", "12"});
  table.AddRow({"liu", "7"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "OWNER   CUSTOMERS\n"
            "张伟丽  12\n"
            "liu     7\n");
}

TEST(TableTest, LeavesOutEmptyColumnsAndTrailingSpaces) {
  Table table({"A", "B", "C"});
  table.AddRow({"1", "", ""});
  table.AddRow({"2", "", "x"});
  std::ostringstream out;
  table.Print(out, 2);
  EXPECT_EQ(out.str(), "  A  C\n  1\n  2  x\n");
}

TEST(TableTest, AnEmptyTableStillNamesItsColumns) {
  std::ostringstream out;
  Table({"A", "LONGER"}).Print(out);
  EXPECT_EQ(out.str(), "A  LONGER\n");
}

TEST(TableTest, StoredTextCannotMoveTheCursor) {
  EXPECT_EQ(Printable("a\nb\x1b[2J\xC2\x9B"), "a\\nb\\u001b[2J\\u009b");
  EXPECT_EQ(Printable("\xFF"), "\\xff");
  EXPECT_EQ(Printable("张伟"), "张伟");
}

TEST(TableTest, FieldsLeaveOutWhatIsEmpty) {
  Fields fields;
  fields.Add("owner", "liu");
  fields.Add("scope", "");
  fields.Add("since when", "x");
  std::ostringstream out;
  fields.Print(out);
  EXPECT_EQ(out.str(), "owner       liu\nsince when  x\n");
}

}  // namespace
}  // namespace ledger::ctl
