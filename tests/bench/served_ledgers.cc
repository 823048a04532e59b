#include "tests/bench/served_ledgers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/server/server.h"
#include "storage/status_macros.h"

namespace ledger::bench {

ServedLedgers::ServedLedgers() = default;
ServedLedgers::ServedLedgers(ServedLedgers&&) noexcept = default;

ServedLedgers::~ServedLedgers() { Stop(); }

absl::StatusOr<ServedLedgers> ServedLedgers::Start(const std::string& directory, int ledgers,
                                                   uint64_t customers, bool register_first) {
  services::ServerConfig config;
  config.set_data(directory);
  config.set_listen("127.0.0.1:0");
  ServedLedgers served;
  LEDGER_ASSIGN_OR_RETURN(served.server_, services::Server::Create(std::move(config)));
  served.client_ = std::make_unique<LoadClient>(served.server_->address());
  for (int i = 1; i <= ledgers; ++i) {
    const std::string name = absl::StrCat("book-", i);
    LEDGER_ASSIGN_OR_RETURN(served.first_events_,
                            served.client_->CreateLedger(name, LEDGER_BENCH_POLICY_FILE));
    served.workloads_.push_back(
        std::make_unique<Workload>(name, customers, register_first, static_cast<uint64_t>(i)));
    served.borrowed_.push_back(served.workloads_.back().get());
  }
  return served;
}

absl::StatusOr<uint64_t> ServedLedgers::ProjectionLag() {
  uint64_t lag = 0;
  for (const Workload* workload : borrowed_) {
    LEDGER_ASSIGN_OR_RETURN(const uint64_t of_ledger, client_->ProjectionLag(workload->ledger()));
    lag = std::max(lag, of_ledger);
  }
  return lag;
}

absl::Status ServedLedgers::WaitUntilProjected() {
  for (const Workload* workload : borrowed_) {
    LEDGER_RETURN_IF_ERROR(client_->WaitUntilProjected(workload->ledger()));
  }
  return absl::OkStatus();
}

void ServedLedgers::Stop() {
  if (server_ != nullptr) server_->Stop();
  client_.reset();
  server_.reset();
}

}  // namespace ledger::bench
