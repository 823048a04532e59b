#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "customerledger/v1/record.pb.h"
#include "rocksdb/db.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/vault/vault.h"
#include "storage/views/view_store.h"
#include "tests/e2e/e2e_fixture.h"

namespace ledger::e2e {
namespace {

namespace fs = std::filesystem;

// Personal data as sent, and as it is normalised.
constexpr const char* kPlanted[] = {"Ouyang Plantedname",
                                    "138-1357-2468",
                                    "8613813572468",
                                    "13813572468",
                                    "Planted.Mail@Shop.Example",
                                    "planted.mail@shop.example",
                                    "77 Plantedaddress",
                                    "Plantednote likes tea"};
// What is not personal and must be found, or the search is blind.
constexpr const char* kKnown = "opaque-id-4711";

class PrivacyTest : public E2eTest {
 protected:
  void Plant() {
    pb::NewEvent registration = Registration(kKnown, "liu");
    pb::PersonalData& personal = *registration.mutable_personal();
    personal.set_name(kPlanted[0]);
    personal.set_address(kPlanted[6]);
    personal.set_note(kPlanted[7]);
    pb::ContactPoint& phone = *personal.add_contact_points();
    phone.set_kind(pb::CONTACT_POINT_KIND_PHONE);
    phone.set_value(kPlanted[1]);
    pb::ContactPoint& mail = *personal.add_contact_points();
    mail.set_kind(pb::CONTACT_POINT_KIND_EMAIL);
    mail.set_value(kPlanted[4]);
    appended_ = Append("shop", {registration});
    // A second claim by the same phone: joined, and still nothing in the clear.
    pb::NewEvent again = Registration("opaque-id-4712", "chen");
    *again.mutable_personal()->add_contact_points() = phone;
    appended_ = Append("shop", {again});
    EXPECT_EQ(OwnerOf("shop", "opaque-id-4712", appended_.position()), "liu");
  }

  // Counts the files that contain `text`.
  int FilesWith(const std::string& text) {
    int files = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(data_)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      if (bytes.find(text) == std::string::npos) continue;
      ++files;
      last_file_ = entry.path().string();
    }
    return files;
  }

  void ExpectNothingPlantedInFiles() {
    for (const char* planted : kPlanted) {
      EXPECT_EQ(FilesWith(planted), 0) << "'" << planted << "' is in " << last_file_;
    }
  }

  pb::AppendResponse appended_;
  std::string last_file_;
};

TEST_F(PrivacyTest, PersonalDataIsInNoFileInTheClear) {
  Start();
  CreateLedger("shop");
  Plant();
  EXPECT_GT(FilesWith(kKnown), 0);  // the write-ahead log
  ExpectNothingPlantedInFiles();
  Stop();
  ExpectNothingPlantedInFiles();

  // Into tables, and once more through a compaction. Tables are compressed, so rows are looked at as well.
  storage::LogOptions options;
  options.directory = data_;
  int known_rows = 0;
  const auto look = [&](absl::string_view key, absl::string_view value) {
    known_rows += absl::StrContains(key, kKnown) || absl::StrContains(value, kKnown);
    for (const char* planted : kPlanted) {
      EXPECT_FALSE(absl::StrContains(key, planted) || absl::StrContains(value, planted)) << planted;
    }
    return true;
  };
  {
    auto log = storage::RocksEventLog::Open(options);
    ASSERT_TRUE(log.ok()) << log.status();
    rocksdb::DB& database = (*log)->database();
    ASSERT_TRUE(database.Flush(rocksdb::FlushOptions()).ok());
    rocksdb::CompactRangeOptions compaction;
    compaction.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    ASSERT_TRUE(database.CompactRange(compaction, nullptr, nullptr).ok());
    const std::unique_ptr<rocksdb::Iterator> rows(database.NewIterator(rocksdb::ReadOptions()));
    for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
      look({rows->key().data(), rows->key().size()}, {rows->value().data(), rows->value().size()});
    }
  }
  EXPECT_GT(known_rows, 0);
  known_rows = 0;
  {
    auto views = views::ViewStore::Open(data_ + "/views");
    ASSERT_TRUE(views.ok()) << views.status();
    ASSERT_TRUE((*views)->Scan(absl::string_view("\0", 1), "\xff", look).ok());
  }
  EXPECT_GT(known_rows, 0);
  ExpectNothingPlantedInFiles();
}

TEST_F(PrivacyTest, AnErasedKeyLeavesEverythingElseAsItWas) {
  Start();
  CreateLedger("shop");
  Plant();
  ASSERT_EQ(History("shop", kKnown, true).personal().name(), kPlanted[0]);

  pb::ReadSubjectRequest request;
  request.set_ledger("shop");
  request.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  request.mutable_subject()->set_id(kKnown);
  request.set_include_personal_data(true);
  pb::ReadSubjectResponse before;
  {
    Context context;
    ASSERT_TRUE(ledger_->ReadSubject(&context, request, &before).ok());
  }
  ASSERT_GE(before.personal_size(), 1);
  EXPECT_EQ(before.personal(0).personal().name(), kPlanted[0]);
  pb::Record record;
  ASSERT_TRUE(record.ParseFromString(before.records(0)));
  const uint64_t slot = record.header().personal().vault_slot();
  ASSERT_GT(slot, 0u);
  const pb::LedgerSummary ledger_before = Summary("shop");
  const std::string owner_before = OwnerOf("shop", kKnown, appended_.position());
  const pb::GetHistoryResponse history_before = History("shop", kKnown, false);
  Stop();

  {
    auto vault = vault::Vault::Open(data_ + "/vault");
    ASSERT_TRUE(vault.ok()) << vault.status();
    ASSERT_TRUE((*vault)->Erase(slot).ok());
  }
  fs::remove_all(data_ + "/views");  // so that the projections replay from the first event
  Start();

  pb::ReadSubjectResponse after;
  {
    Context context;
    ASSERT_TRUE(ledger_->ReadSubject(&context, request, &after).ok());
  }
  ASSERT_EQ(after.records_size(), before.records_size());
  for (int i = 0; i < after.records_size(); ++i) EXPECT_EQ(after.records(i), before.records(i));
  ASSERT_GE(after.personal_size(), 1);
  EXPECT_TRUE(after.personal(0).erased());
  EXPECT_FALSE(after.personal(0).has_personal());
  EXPECT_EQ(History("shop", kKnown, true).personal().name(), "");
  EXPECT_EQ(Summary("shop").root(), ledger_before.root());
  EXPECT_EQ(OwnerOf("shop", kKnown, appended_.position()), owner_before);
  const pb::GetHistoryResponse history_after = History("shop", kKnown, false);
  ASSERT_EQ(history_after.entries_size(), history_before.entries_size());
  for (int i = 0; i < history_after.entries_size(); ++i) {
    EXPECT_EQ(history_after.entries(i).SerializeAsString(), history_before.entries(i).SerializeAsString());
  }
}

TEST_F(PrivacyTest, AVaultThatIsGoneIsNotReplaced) {
  Start();
  CreateLedger("shop");
  Plant();
  Stop();
  fs::rename(data_ + "/vault", scratch_ + "/vault");
  services::ServerConfig config;
  config.set_listen("127.0.0.1:0");
  config.set_data(data_);
  const auto server = services::Server::Create(config);
  EXPECT_TRUE(absl::IsDataLoss(server.status())) << server.status();
  EXPECT_TRUE(absl::StartsWith(server.status().message(), "VAULT_MISSING")) << server.status();
  EXPECT_FALSE(fs::exists(data_ + "/vault"));
  fs::rename(scratch_ + "/vault", data_ + "/vault");
  Start();
  EXPECT_EQ(History("shop", kKnown, true).personal().name(), kPlanted[0]);
}

}  // namespace
}  // namespace ledger::e2e
