#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "customerledger/v1/ledger_service.grpc.pb.h"
#include "customerledger/v1/operations_service.grpc.pb.h"
#include "grpcpp/channel.h"
#include "services/server/server.h"
#include "tests/scenarios/scenario.h"

// Runs scenarios against a server, over gRPC alone.
namespace ledger::scenarios {

// A whole server in this process, on a free port and a data directory of its own that goes with it. One thread.
class World {
 public:
  static absl::StatusOr<std::unique_ptr<World>> Start();
  ~World();

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  customerledger::v1::LedgerService::Stub& ledger() { return *ledger_; }
  customerledger::v1::OperationsService::Stub& operations() { return *operations_; }
  // A number that no other call gets.
  uint64_t NextNumber() { return ++numbers_; }

 private:
  World() = default;

  std::string data_;
  std::unique_ptr<services::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<customerledger::v1::LedgerService::Stub> ledger_;
  std::unique_ptr<customerledger::v1::OperationsService::Stub> operations_;
  uint64_t numbers_ = 0;
};

// How a case is run.
enum class Mode {
  // Each event when it happened; each question where it stands, once more after everything, and once more after the
  // views were rebuilt from the log.
  kInOrder,
  // What can be late is recorded after everything else, in a random order; then every question.
  kLate,
};

// What makes no sense in `scenario`: unknown words, events, fields, values, policies. Empty: it can be run.
std::vector<Problem> CheckScenario(const Scenario& scenario);

// Whether the case can be run late: nothing forbids it, and there is something that can be late.
bool HasLateMode(const Scenario& scenario, const Case& one);

// Runs one case in a new ledger. Returns a text for each line that turned out otherwise; empty: it passed. `file` is
// named in the texts; `seed` orders what is late. Requires: CheckScenario found nothing.
std::vector<std::string> RunCase(World& world, const std::string& file, const Scenario& scenario,
                                 const Case& one, Mode mode, uint64_t seed);

// Rules that the scenario lists and that no answer, refusal or added event names, and rules that it lists as unnamed
// although one does. Requires: CheckScenario found nothing.
std::vector<Problem> FindMisnamedRules(World& world, const std::string& file, const Scenario& scenario);

}  // namespace ledger::scenarios
