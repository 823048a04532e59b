#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "storage/status_macros.h"
#include "tests/bench/group_committer.h"
#include "tests/bench/limits_grpc.h"
#include "tests/bench/limits_rocksdb.h"
#include "tests/bench/load_client.h"
#include "tests/bench/parts.h"
#include "tests/bench/scratch.h"
#include "tests/bench/served_ledgers.h"
#include "tests/bench/workload.h"

namespace ledger::bench {
namespace {

constexpr int kRounds = 5;
constexpr absl::Duration kWarmUp = absl::Milliseconds(300);
constexpr uint64_t kCustomers = 100'000;

constexpr int kInFlight = 64;
constexpr absl::Duration kSampleTime = absl::Milliseconds(700);

constexpr int kStreams = 8;
constexpr int kEventsPerMessage = 100;
constexpr int kWindow = 4;
constexpr uint64_t kSampleMessages = 100;  // of each stream

// Writes batches from one thread for each ledger of `rows`, for `time`. Events per second.
absl::StatusOr<double> WriteBare(BareLog& log, const LoggedRows& rows, absl::Duration time,
                                 uint32_t* next_ledger) {
  std::vector<uint64_t> events(rows.ledgers.size());
  std::vector<absl::Status> outcomes(rows.ledgers.size());
  std::vector<uint32_t> cycles(rows.ledgers.size());
  std::vector<std::thread> threads;
  const absl::Time deadline = absl::Now() + time;
  for (size_t i = 0; i < rows.ledgers.size(); ++i) {
    threads.emplace_back([&, i, first_ledger = *next_ledger] {
      const std::vector<Rows>& batches = rows.ledgers[i];
      const uint32_t width = static_cast<uint32_t>(rows.ledgers.size());
      BareBatch batch;
      for (size_t next = 0; outcomes[i].ok(); ++next) {
        cycles[i] = static_cast<uint32_t>(next / batches.size());
        batch.PutAs(first_ledger + cycles[i] * width + static_cast<uint32_t>(i),
                    batches[next % batches.size()]);
        outcomes[i] = log.Write(batch);
        if (absl::Now() >= deadline) break;
        events[i] += kEventsPerMessage;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t total = 0;
  for (size_t i = 0; i < rows.ledgers.size(); ++i) {
    LEDGER_RETURN_IF_ERROR(outcomes[i]);
    total += events[i];
  }
  const uint32_t cycles_most = *std::max_element(cycles.begin(), cycles.end());
  *next_ledger += (cycles_most + 1) * static_cast<uint32_t>(rows.ledgers.size());
  return static_cast<double>(total) / absl::ToDoubleSeconds(time);
}

// Events of a log that was written message by message, as rows.
absl::StatusOr<LoggedRows> SampleStream(const std::string& directory) {
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served,
                          ServedLedgers::Start(directory, kStreams, kCustomers, /*register_first=*/false));
  LEDGER_RETURN_IF_ERROR(
      served.client()
          .AppendStreams(served.workloads(), kEventsPerMessage, kWindow, absl::Minutes(2), kSampleMessages)
          .status());
  const uint64_t first_events = served.first_events();
  served.Stop();
  return ReadLoggedRows(directory, kEventsPerMessage, first_events);
}

}  // namespace

absl::StatusOr<PartReport> MeasureAppendUnary(const PartSettings& settings) {
  LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
  // What one event writes, and what its answer looks like, is taken from the ledger itself.
  BareAnswers answers;
  LoggedRows rows;
  {
    LEDGER_ASSIGN_OR_RETURN(ServedLedgers sample, ServedLedgers::Start(scratch.Below("sample"), 1, kCustomers,
                                                                       /*register_first=*/false));
    LEDGER_RETURN_IF_ERROR(sample.client()
                               .AppendUnary(*sample.workloads()[0], kInFlight, kSampleTime, &answers.append)
                               .status());
    sample.Stop();
    LEDGER_ASSIGN_OR_RETURN(rows, ReadLoggedRows(scratch.Below("sample"), 1, sample.first_events()));
  }
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served, ServedLedgers::Start(scratch.Below("ledger"), 1, kCustomers,
                                                                     /*register_first=*/false));
  LEDGER_ASSIGN_OR_RETURN(const auto bare_log, BareLog::Create(scratch.Below("bare")));
  LEDGER_ASSIGN_OR_RETURN(const auto committer, GroupCommitter::Create(*bare_log, rows, ""));
  LEDGER_ASSIGN_OR_RETURN(const auto head_log, BareLog::Create(scratch.Below("bare-head")));
  LEDGER_ASSIGN_OR_RETURN(const auto head_committer,
                          GroupCommitter::Create(*head_log, rows, scratch.Below("head")));
  LEDGER_ASSIGN_OR_RETURN(const auto echo, BareServer::Start(answers, nullptr));
  LEDGER_ASSIGN_OR_RETURN(const auto handler, BareServer::Start(answers, committer.get()));
  LEDGER_ASSIGN_OR_RETURN(const auto head_handler, BareServer::Start(answers, head_committer.get()));
  LoadClient echo_client(echo->address());
  LoadClient handler_client(handler->address());
  LoadClient head_client(head_handler->address());

  LoadClient* const clients[] = {&served.client(), &echo_client, &handler_client, &head_client};
  std::vector<double> rates[std::size(clients)];
  const absl::Duration round_time = settings.time / (kRounds * std::size(clients));
  uint64_t lag = 0;
  for (int round = -1; round < kRounds; ++round) {
    for (size_t i = 0; i < std::size(clients); ++i) {
      LEDGER_ASSIGN_OR_RETURN(const double rate,
                              clients[i]->AppendUnary(*served.workloads()[0], kInFlight,
                                                      round < 0 ? kWarmUp : round_time, nullptr));
      if (round >= 0) rates[i].push_back(rate);
      if (i != 0) continue;
      LEDGER_ASSIGN_OR_RETURN(const uint64_t now_behind, served.ProjectionLag());
      lag = std::max(lag, now_behind);
      LEDGER_RETURN_IF_ERROR(served.WaitUntilProjected());
    }
  }
  PartReport report;
  const double ledger = Median(rates[0]);
  report.SetRatio(ledger, Median(rates[1]), "durable events per second", "higher");
  report.Set("handler", Median(rates[2]));
  report.Set("handler_ratio", ledger / Median(rates[2]));
  report.Set("handler_with_head", Median(rates[3]));
  report.Set("handler_with_head_ratio", ledger / Median(rates[3]));
  report.Set("projections_behind_events", static_cast<double>(lag));
  report.SetText("what",
                 "Append, 1 event, 64 in flight, one connection; projections are kept up to date meanwhile");
  report.SetText("limit_what", "the same messages answered at once over the same gRPC");
  report.SetText(
      "handler_what",
      "one thread writes the rows of all waiting events and of one commit, one synced WriteBatch a group; "
      "handler_with_head also overwrites and syncs a second file, as the ledger's head");
  return report;
}

absl::StatusOr<PartReport> MeasureAppendStream(const PartSettings& settings) {
  LEDGER_ASSIGN_OR_RETURN(const Scratch scratch, Scratch::Make(settings.directory));
  LEDGER_ASSIGN_OR_RETURN(const LoggedRows rows, SampleStream(scratch.Below("sample")));
  LEDGER_ASSIGN_OR_RETURN(ServedLedgers served,
                          ServedLedgers::Start(scratch.Below("ledger"), kStreams, kCustomers,
                                               /*register_first=*/false));
  LEDGER_ASSIGN_OR_RETURN(const auto bare_log, BareLog::Create(scratch.Below("bare")));
  std::vector<double> ledger;
  std::vector<double> limit;
  const absl::Duration round_time = settings.time / (kRounds * 2);
  uint32_t next_ledger = 1;
  uint64_t lag = 0;
  for (int round = -1; round < kRounds; ++round) {
    const absl::Duration time = round < 0 ? kWarmUp : round_time;
    LEDGER_ASSIGN_OR_RETURN(
        const double served_rate,
        served.client().AppendStreams(served.workloads(), kEventsPerMessage, kWindow, time, UINT64_MAX));
    LEDGER_ASSIGN_OR_RETURN(const uint64_t now_behind, served.ProjectionLag());
    lag = std::max(lag, now_behind);
    LEDGER_RETURN_IF_ERROR(served.WaitUntilProjected());
    LEDGER_ASSIGN_OR_RETURN(const double bare_rate, WriteBare(*bare_log, rows, time, &next_ledger));
    if (round < 0) continue;
    ledger.push_back(served_rate);
    limit.push_back(bare_rate);
  }
  PartReport report;
  report.SetRatio(Median(ledger), Median(limit), "durable events per second", "higher");
  report.Set("projections_behind_events", static_cast<double>(lag));
  report.SetText(
      "what",
      "AppendStream, 100 events a message, 8 streams, each to its ledger, 4 messages unanswered each");
  report.SetText(
      "limit_what",
      "8 threads put the ledger's own rows of 100 events each, sync=true, into a database opened alike");
  return report;
}

}  // namespace ledger::bench
