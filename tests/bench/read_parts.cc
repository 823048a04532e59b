#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/status_macros.h"
#include "tests/bench/limits_grpc.h"
#include "tests/bench/limits_rocksdb.h"
#include "tests/bench/load_client.h"
#include "tests/bench/parts.h"
#include "tests/bench/scratch.h"
#include "tests/bench/served_ledgers.h"
#include "tests/bench/workload.h"

namespace ledger::bench {
namespace {

constexpr uint64_t kEvents = 100'000;
constexpr uint64_t kCustomers = 10'000;
constexpr int kEventsPerMessage = 100;
constexpr int kWindow = 8;
constexpr int kRoundsMin = 3;
constexpr int kRoundsMax = 25;
constexpr int kQuestionsPerRound = 500;

double PerSecond(uint64_t count, absl::Duration time) {
  return static_cast<double>(count) / absl::ToDoubleSeconds(time);
}

// A ledger of kEvents events: every customer's registration, then contacts. The server was started again since, so that
// everything is read from tables.
absl::StatusOr<ServedLedgers> Load(const std::string& directory, const std::string& copy) {
  {
    LEDGER_ASSIGN_OR_RETURN(ServedLedgers served,
                            ServedLedgers::Start(directory, 1, kCustomers, /*register_first=*/true));
    LEDGER_RETURN_IF_ERROR(served.client()
                               .AppendStreams(served.workloads(), kEventsPerMessage, kWindow,
                                              absl::Minutes(3), kEvents / kEventsPerMessage)
                               .status());
    LEDGER_RETURN_IF_ERROR(served.WaitUntilProjected());
  }
  if (!copy.empty()) {
    std::error_code error;
    std::filesystem::create_directories(copy, error);
    std::filesystem::copy(directory + "/log", copy + "/log", std::filesystem::copy_options::recursive, error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot copy the log: ", error.message()));
  }
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served,
                          ServedLedgers::Start(directory, 1, kCustomers, /*register_first=*/true));
  LEDGER_RETURN_IF_ERROR(served.WaitUntilProjected());
  return served;
}

// Whether one more round fits.
bool GoOn(int rounds, absl::Time start, absl::Duration time) {
  return rounds < kRoundsMin || (rounds < kRoundsMax && absl::Now() - start < time);
}

}  // namespace

absl::StatusOr<PartReport> MeasureCatchUp(const PartSettings& settings) {
  LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served, Load(scratch.Below("ledger"), ""));
  const std::string& name = served.workloads()[0]->ledger();
  BareAnswers answers;
  LEDGER_RETURN_IF_ERROR(served.client().CatchUp(name, &answers.log).status());
  const size_t messages = answers.log.size();
  LEDGER_ASSIGN_OR_RETURN(const auto bare, BareServer::Start(std::move(answers), nullptr));
  LoadClient bare_client(bare->address());
  LEDGER_RETURN_IF_ERROR(bare_client.CatchUp(name, nullptr).status());  // warms up

  std::vector<double> ledger;
  std::vector<double> limit;
  LoadClient::CatchUpResult read;
  const absl::Time start = absl::Now();
  for (int round = 0; GoOn(round, start, settings.time); ++round) {
    LEDGER_ASSIGN_OR_RETURN(read, served.client().CatchUp(name, nullptr));
    ledger.push_back(PerSecond(read.events, read.time));
    LEDGER_ASSIGN_OR_RETURN(const auto bare_read, bare_client.CatchUp(name, nullptr));
    limit.push_back(PerSecond(bare_read.events, bare_read.time));
  }
  PartReport report;
  report.SetRatio(Median(ledger), Median(limit), "events per second", "higher");
  report.Set("events", static_cast<double>(read.events));
  report.Set("record_bytes_per_event", static_cast<double>(read.bytes) / static_cast<double>(read.events));
  report.Set("messages", static_cast<double>(messages));
  report.SetText("what", "Subscribe from 0 until caught up, one reader");
  report.SetText("limit_what", "the same messages out of memory through a bare server stream");
  return report;
}

absl::StatusOr<PartReport> MeasureRebuild(const PartSettings& settings) {
  LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served, Load(scratch.Below("ledger"), scratch.Below("copy")));
  LEDGER_ASSIGN_OR_RETURN(const auto scan, BareScan::Open(scratch.Below("copy")));
  LEDGER_RETURN_IF_ERROR(scan->Scan().status());  // warms up
  std::vector<double> ledger;
  std::vector<double> limit;
  BareScan::Result scanned;
  const absl::Time start = absl::Now();
  for (int round = 0; GoOn(round, start, settings.time); ++round) {
    LEDGER_ASSIGN_OR_RETURN(const absl::Duration rebuilt,
                            served.client().Rebuild(served.workloads()[0]->ledger()));
    const absl::Time scan_start = absl::Now();
    LEDGER_ASSIGN_OR_RETURN(scanned, scan->Scan());
    limit.push_back(PerSecond(scanned.events, absl::Now() - scan_start));
    ledger.push_back(PerSecond(scanned.events, rebuilt));
  }
  PartReport report;
  report.SetRatio(Median(ledger), Median(limit), "events per second, all three projections", "higher");
  report.Set("events", static_cast<double>(scanned.events));
  report.SetText("what", "owner, tier and callback rebuilt at the same time, until all three have switched");
  report.SetText("limit_what",
                 "one scan of the same log's records with block checksums, nothing done with them");
  return report;
}

absl::StatusOr<PartReport> MeasureQuery(const PartSettings& settings) {
  LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served, Load(scratch.Below("ledger"), ""));
  Workload& workload = *served.workloads()[0];
  BareAnswers answers;
  LEDGER_RETURN_IF_ERROR(served.client().AskOwners(workload, kQuestionsPerRound, &answers.owner).status());
  if (answers.owner.ownerships().empty()) return absl::InternalError("a registered customer has no owner");
  const size_t answer_bytes = answers.owner.ByteSizeLong();
  LEDGER_ASSIGN_OR_RETURN(const auto bare, BareServer::Start(std::move(answers), nullptr));
  LoadClient bare_client(bare->address());
  LEDGER_RETURN_IF_ERROR(bare_client.AskOwners(workload, kQuestionsPerRound, nullptr).status());

  std::vector<double> ledger_p50, ledger_p99, limit_p50, limit_p99;
  const absl::Time start = absl::Now();
  for (int round = 0; GoOn(round, start, settings.time); ++round) {
    LEDGER_ASSIGN_OR_RETURN(const std::vector<double> asked,
                            served.client().AskOwners(workload, kQuestionsPerRound, nullptr));
    LEDGER_ASSIGN_OR_RETURN(const std::vector<double> echoed,
                            bare_client.AskOwners(workload, kQuestionsPerRound, nullptr));
    ledger_p50.push_back(Quantile(asked, 0.5));
    ledger_p99.push_back(Quantile(asked, 0.99));
    limit_p50.push_back(Quantile(echoed, 0.5));
    limit_p99.push_back(Quantile(echoed, 0.99));
  }
  PartReport report;
  report.SetRatio(Median(ledger_p50), Median(limit_p50), "microseconds", "lower");
  report.Set("ledger_p50_us", Median(ledger_p50));
  report.Set("ledger_p99_us", Median(ledger_p99));
  report.Set("limit_p50_us", Median(limit_p50));
  report.Set("limit_p99_us", Median(limit_p99));
  report.Set("answer_bytes", static_cast<double>(answer_bytes));
  report.SetText("what", "GetOwner of random customers, one at a time");
  report.SetText("limit_what", "the same request answered at once with an answer of the ledger's");
  return report;
}

}  // namespace ledger::bench
