#include "tests/services/ledger/writer_fixture.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>

#include "absl/time/clock.h"
#include "projections/policy/policy_file.h"
#include "storage/record_codec.h"

namespace ledger::services {

namespace pb = ::customerledger::v1;

namespace {

pb::Policy DefaultPolicy() {
  std::ifstream file(LEDGER_POLICIES "/default.textproto");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<policy::PolicyFileError> errors;
  absl::StatusOr<pb::Policy> parsed = policy::ParsePolicyText(text, &errors);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return *parsed;
}

}  // namespace

void WriterTest::SetUp() {
  std::string pattern = (std::filesystem::temp_directory_path() / "ledger-writer-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  directory_ = pattern;
  Restart();
}

void WriterTest::Restart() {
  if (gated_ != nullptr) gated_->Open();
  sequencer_.reset();
  preparer_.reset();
  notifier_.reset();
  timelines_.reset();
  vault_.reset();
  gated_.reset();
  log_.reset();

  storage::LogOptions options;
  options.directory = directory_;
  options.create_if_missing = true;
  absl::StatusOr<std::unique_ptr<storage::RocksEventLog>> log = storage::RocksEventLog::Open(options);
  ASSERT_TRUE(log.ok()) << log.status();
  log_ = *std::move(log);
  gated_ = std::make_unique<GatedLog>(*log_);
  absl::StatusOr<std::unique_ptr<vault::Vault>> vault = vault::Vault::Open(directory_ + "/vault");
  if (!vault.ok()) vault = vault::Vault::Create(directory_ + "/vault");
  ASSERT_TRUE(vault.ok()) << vault.status();
  vault_ = *std::move(vault);
  timelines_ = std::make_unique<runtime::TimelineStore>(*gated_);
  notifier_ = std::make_unique<CommitNotifier>(*gated_);
  preparer_ = std::make_unique<Preparer>(*gated_, *vault_, *timelines_, gated_->StagedVaultSlot());
  sequencing_.on_commit = [this](storage::LedgerNumber ledger) { notifier_->Publish(ledger); };
  sequencing_.on_failure = [this](const absl::Status&) { ++failures_; };
  sequencer_ =
      std::make_unique<Sequencer>(*gated_, *timelines_, *preparer_, SystemRecordingClock(), sequencing_);
}

void WriterTest::TearDown() {
  if (gated_ != nullptr) gated_->Open();
  sequencer_.reset();
  preparer_.reset();
  gated_.reset();
  log_.reset();
  vault_.reset();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

void WriterTest::CreateLedger(const std::string& name, bool simulated,
                              const std::optional<pb::Policy>& policy) {
  std::promise<absl::Status> created;
  CreateLedgerJob job;
  job.name = name;
  job.policy = policy.has_value() ? *policy : DefaultPolicy();
  job.simulated = simulated;
  job.request_id = "create-" + name;
  job.recorded_time = absl::UnixEpoch();
  job.done = [&created](absl::StatusOr<storage::LedgerIdentity> outcome) {
    created.set_value(outcome.status());
  };
  ASSERT_TRUE(sequencer_->Submit(std::move(job)).ok());
  const absl::Status status = created.get_future().get();
  ASSERT_TRUE(status.ok()) << status;
}

absl::StatusOr<pb::AppendResponse> WriterTest::Append(pb::AppendRequest request, const std::string& producer,
                                                      uint64_t sequence) {
  absl::StatusOr<AppendJob> job = preparer_->Prepare(std::move(request), pb::Who(), producer, sequence);
  if (!job.ok()) return job.status();
  std::promise<absl::StatusOr<pb::AppendResponse>> answer;
  job->done = [&answer](absl::StatusOr<pb::AppendResponse> outcome) { answer.set_value(std::move(outcome)); };
  if (const absl::Status status = sequencer_->Submit(*std::move(job)); !status.ok()) return status;
  return answer.get_future().get();
}

absl::Status WriterTest::Submit(pb::AppendRequest request,
                                std::function<void(absl::StatusOr<pb::AppendResponse>)> done) {
  absl::StatusOr<AppendJob> job = preparer_->Prepare(std::move(request), pb::Who(), "", 0);
  if (!job.ok()) return job.status();
  job->done = std::move(done);
  return sequencer_->Submit(*std::move(job));
}

pb::Record WriterTest::RecordAt(uint64_t position) {
  const absl::StatusOr<std::string> bytes = gated_->Read(gated_->FindLedger("l")->number, position);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return *storage::ParseRecord(*bytes);
}

uint64_t WriterTest::Position(const std::string& ledger) {
  return gated_->CommittedPosition(gated_->FindLedger(ledger)->number);
}

pb::AppendRequest Request(const std::string& id, const std::string& customer) {
  pb::AppendRequest request;
  request.set_ledger("l");
  request.set_request_id(id);
  pb::SubjectCheck& check = *request.add_checks();
  check.mutable_subject()->set_kind(pb::SUBJECT_KIND_CUSTOMER);
  check.mutable_subject()->set_id(customer);
  check.mutable_any();
  pb::Event& event = *request.add_events()->mutable_event();
  event.mutable_occurred_time()->mutable_time()->set_seconds(absl::ToUnixSeconds(absl::Now()));
  return request;
}

pb::AppendRequest Registration(const std::string& id, const std::string& customer, const std::string& staff,
                               const std::string& phone) {
  pb::AppendRequest request = Request(id, customer);
  pb::CustomerRegistered& registered =
      *request.mutable_events(0)->mutable_event()->mutable_customer_registered();
  registered.set_customer_id(customer);
  registered.set_registrar_id(staff);
  if (!phone.empty()) {
    pb::ContactPoint& point = *request.mutable_events(0)->mutable_personal()->add_contact_points();
    point.set_kind(pb::CONTACT_POINT_KIND_PHONE);
    point.set_value(phone);
  }
  return request;
}

pb::AppendRequest Contact(const std::string& id, const std::string& customer, const std::string& staff) {
  pb::AppendRequest request = Request(id, customer);
  pb::ContactLogged& contact = *request.mutable_events(0)->mutable_event()->mutable_contact_logged();
  contact.set_customer_id(customer);
  contact.set_staff_id(staff);
  contact.set_channel(pb::CONTACT_CHANNEL_PHONE);
  return request;
}

}  // namespace ledger::services
