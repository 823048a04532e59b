#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/services/ctl/fake_server.h"

// import: the command around the importer, which has its own tests.
namespace ledger::ctl {
namespace {

using ::testing::HasSubstr;

class ImportCommandTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string Mapping() {
    return Write(
        "ctl_import.textproto",
        "delimited { separator: \",\" has_header: true } source: \"test\" customer { field: \"customer\" } "
        "time { field: \"time\" } activity { fields: \"activity\" }");
  }
  CtlHarness ctl_;
};

TEST_F(ImportCommandTest, AppendsGoodRecordsAndNamesBadOnes) {
  const std::string file = Write("ctl_import.csv",
                                 "customer,time,activity\n"
                                 "c-1,2026-03-01T09:00:00+08:00,called\n"
                                 "c-2,yesterday,called\n"
                                 "c-3,2026-03-01T10:00:00+08:00,called\n");
  const Outcome outcome = ctl_.Run({"import", file, "--mapping", Mapping(), "--name", "mine"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  ASSERT_FALSE(ctl_.fake.streamed.empty());
  EXPECT_EQ(ctl_.fake.streamed[0].append().ledger(), "demo");
  EXPECT_EQ(ctl_.fake.streamed[0].producer(), "import:mine");
  EXPECT_THAT(outcome.out, HasSubstr("appended  2 events\n"));
  EXPECT_THAT(outcome.err, HasSubstr("1 records could not be used"));
  EXPECT_THAT(outcome.err, HasSubstr("\n  line 3: "));
}

TEST_F(ImportCommandTest, AFileOfWhichNothingCanBeUsedIsAnError) {
  const std::string file = Write("ctl_import_bad.csv", "customer,time,activity\nc-1,yesterday,called\n");
  const Outcome outcome = ctl_.Run({"import", file, "--mapping", Mapping(), "--name", "mine"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no record could be used"));
}

TEST_F(ImportCommandTest, MissingFilesAndBadMappingsHaveTheirExitCodes) {
  EXPECT_EQ(ctl_.Run({"import", "/no/such.csv", "--mapping", Mapping()}).exit_code, 4);
  EXPECT_EQ(ctl_.Run({"import", "/no/such.csv", "--mapping", "/no/such.textproto"}).exit_code, 4);
  const Outcome bad = ctl_.Run({"import", "x.csv", "--mapping", Write("ctl_bad.textproto", "delimeted {}")});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("delimeted"));
  EXPECT_EQ(ctl_.Run({"import", "x.csv"}).exit_code, 2);
  EXPECT_TRUE(ctl_.fake.streamed.empty());
}

}  // namespace
}  // namespace ledger::ctl
