#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "customerledger/v1/ledger_service.pb.h"
#include "customerledger/v1/policy.pb.h"
#include "gtest/gtest.h"
#include "projections/runtime/timelines.h"
#include "services/ledger/commit_notifier.h"
#include "services/ledger/prepare.h"
#include "services/ledger/sequencer.h"
#include "storage/mutex.h"
#include "storage/rocksdb/rocksdb_event_log.h"
#include "storage/vault/vault.h"

namespace ledger::services {

// The log of a data directory, with a gate in front of the disk: tests hold commits back to fill a group, or fail them.
class GatedLog final : public storage::EventLog {
 public:
  explicit GatedLog(storage::EventLog& log) : log_(log) {}

  // While closed, commits wait.
  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  void Open() {
    MutexLock lock(mutex_);
    closed_ = false;
    wake_.NotifyAll();
  }
  // The next commits fail, as a disk does: what was written is unknown.
  void FailCommits() { failing_.store(true); }
  // Waits until a commit stands at the closed gate.
  void AwaitCommitAtGate() {
    MutexLock lock(mutex_);
    while (!at_gate_) wake_.Wait(mutex_);
  }
  void RefuseAppends(absl::Status status) {
    MutexLock lock(mutex_);
    accepts_ = std::move(status);
  }

  absl::Status Commit(std::unique_ptr<storage::CommitGroup> group) override {
    {
      MutexLock lock(mutex_);
      at_gate_ = closed_;
      wake_.NotifyAll();
      while (closed_) wake_.Wait(mutex_);
      at_gate_ = false;
    }
    if (failing_.load()) return absl::UnavailableError("OUTCOME_UNKNOWN: injected");
    return log_.Commit(std::move(group));
  }
  absl::Status AcceptsAppends() const override {
    MutexLock lock(mutex_);
    return accepts_.ok() ? log_.AcceptsAppends() : accepts_;
  }

  const std::string& lineage() const override { return log_.lineage(); }
  std::vector<storage::LedgerIdentity> Ledgers() const override { return log_.Ledgers(); }
  absl::StatusOr<storage::LedgerIdentity> FindLedger(absl::string_view name) const override {
    return log_.FindLedger(name);
  }
  uint64_t CommittedPosition(storage::LedgerNumber l) const override { return log_.CommittedPosition(l); }
  absl::Time CommittedTime(storage::LedgerNumber l) const override { return log_.CommittedTime(l); }
  absl::Status Scan(storage::LedgerNumber l, uint64_t from, storage::Order order,
                    const std::function<bool(uint64_t, absl::string_view)>& visit) const override {
    return log_.Scan(l, from, order, visit);
  }
  absl::StatusOr<std::string> Read(storage::LedgerNumber l, uint64_t p) const override {
    return log_.Read(l, p);
  }
  absl::StatusOr<storage::SubjectHead> Head(storage::LedgerNumber l,
                                            const storage::SubjectKey& s) const override {
    return log_.Head(l, s);
  }
  absl::Status ScanSubject(storage::LedgerNumber l, const storage::SubjectKey& s, uint64_t from,
                           storage::Order order,
                           const std::function<bool(uint64_t, uint64_t)>& visit) const override {
    return log_.ScanSubject(l, s, from, order, visit);
  }
  absl::Status ScanSubjects(
      storage::LedgerNumber l, customerledger::v1::SubjectKind kind, absl::string_view after,
      const std::function<bool(absl::string_view, const storage::SubjectHead&)>& visit) const override {
    return log_.ScanSubjects(l, kind, after, visit);
  }
  absl::StatusOr<std::string> ReadCiphertext(storage::LedgerNumber l, uint64_t p) const override {
    return log_.ReadCiphertext(l, p);
  }
  absl::StatusOr<std::string> Root(storage::LedgerNumber l) const override { return log_.Root(l); }
  absl::StatusOr<std::pair<uint64_t, uint64_t>> Producer(storage::LedgerNumber l,
                                                         absl::string_view p) const override {
    return log_.Producer(l, p);
  }
  absl::StatusOr<std::vector<storage::StagedEvent>> Stage(storage::Transaction t) override {
    return log_.Stage(std::move(t));
  }
  void StageRequest(storage::LedgerNumber l, absl::string_view key, absl::string_view value) override {
    log_.StageRequest(l, key, value);
  }
  void StageProducer(storage::LedgerNumber l, absl::string_view p, uint64_t sequence,
                     uint64_t position) override {
    log_.StageProducer(l, p, sequence, position);
  }
  absl::StatusOr<storage::LedgerNumber> StageLedger(absl::string_view name, absl::string_view id,
                                                    bool simulated, absl::Time time) override {
    return log_.StageLedger(name, id, simulated, time);
  }
  void StageVaultSlot(uint64_t slot) override { log_.StageVaultSlot(slot); }
  uint64_t StagedPosition(storage::LedgerNumber l) const override { return log_.StagedPosition(l); }
  absl::Time StagedTime(storage::LedgerNumber l) const override { return log_.StagedTime(l); }
  absl::StatusOr<storage::SubjectHead> StagedHead(storage::LedgerNumber l,
                                                  const storage::SubjectKey& s) const override {
    return log_.StagedHead(l, s);
  }
  absl::StatusOr<std::string> StagedRead(storage::LedgerNumber l, uint64_t p) const override {
    return log_.StagedRead(l, p);
  }
  absl::StatusOr<std::optional<std::string>> StagedRequest(storage::LedgerNumber l,
                                                           absl::string_view key) const override {
    return log_.StagedRequest(l, key);
  }
  absl::StatusOr<std::pair<uint64_t, uint64_t>> StagedProducer(storage::LedgerNumber l,
                                                               absl::string_view p) const override {
    return log_.StagedProducer(l, p);
  }
  uint64_t StagedVaultSlot() const override { return log_.StagedVaultSlot(); }
  size_t OpenBytes() const override { return log_.OpenBytes(); }
  std::unique_ptr<storage::CommitGroup> Seal() override { return log_.Seal(); }
  uint64_t CommitNumber() const override { return log_.CommitNumber(); }

 private:
  storage::EventLog& log_;
  std::atomic<bool> failing_{false};
  mutable Mutex mutex_;
  CondVar wake_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool at_gate_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status accepts_ ABSL_GUARDED_BY(mutex_);
};

// A data directory of its own with everything that writes.
class WriterTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Stops the writing side and opens the directory again.
  void Restart();

  // Under the default policy unless another is given.
  void CreateLedger(const std::string& name, bool simulated = false,
                    const std::optional<customerledger::v1::Policy>& policy = std::nullopt);
  // Submits and waits.
  absl::StatusOr<customerledger::v1::AppendResponse> Append(customerledger::v1::AppendRequest request,
                                                            const std::string& producer = "",
                                                            uint64_t sequence = 0);
  // Submits; the answer comes to `done`.
  absl::Status Submit(customerledger::v1::AppendRequest request,
                      std::function<void(absl::StatusOr<customerledger::v1::AppendResponse>)> done);
  // The record at a position of ledger "l".
  customerledger::v1::Record RecordAt(uint64_t position);
  uint64_t Position(const std::string& ledger = "l");

  std::string directory_;
  std::unique_ptr<storage::RocksEventLog> log_;
  std::unique_ptr<GatedLog> gated_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<runtime::TimelineStore> timelines_;
  std::unique_ptr<CommitNotifier> notifier_;
  std::unique_ptr<Preparer> preparer_;
  std::unique_ptr<Sequencer> sequencer_;
  std::atomic<int> failures_{0};
  SequencerOptions sequencing_;  // counts from the next Restart
};

// Requests on ledger "l" by `customer`, with nothing required of it.
customerledger::v1::AppendRequest Request(const std::string& id, const std::string& customer);
customerledger::v1::AppendRequest Registration(const std::string& id, const std::string& customer,
                                               const std::string& staff, const std::string& phone = "");
customerledger::v1::AppendRequest Contact(const std::string& id, const std::string& customer,
                                          const std::string& staff);

}  // namespace ledger::services
