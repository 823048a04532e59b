#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/report.h"

// The parts of a run. Each measures the ledger and its limits in alternating rounds, because a machine's speed changes
// while it runs, and reports medians of the rounds.
namespace ledger::bench {

struct PartSettings {
  std::string directory;     // for data; each part removes its own
  absl::Duration time;       // of measuring, in each part; loading and warming up come on top
  std::string ledgerd_path;  // the server that footprint starts
  bool with_10m = false;     // footprint also at 10 million events
};

// One durable event a call, 64 calls in flight.
absl::StatusOr<PartReport> MeasureAppendUnary(const PartSettings& settings);
// 100 events a message, 8 streams, each to a ledger of its own.
absl::StatusOr<PartReport> MeasureAppendStream(const PartSettings& settings);
// The whole log of a ledger through Subscribe.
absl::StatusOr<PartReport> MeasureCatchUp(const PartSettings& settings);
// The three projections over that log.
absl::StatusOr<PartReport> MeasureRebuild(const PartSettings& settings);
// Owners of customers picked at random, one question at a time.
absl::StatusOr<PartReport> MeasureQuery(const PartSettings& settings);
// Folding and deciding one customer's events under every shipped policy; the richest beside the default.
absl::StatusOr<PartReport> MeasureRules(const PartSettings& settings);
// Space, memory and start-up at a million events, of a server process.
absl::StatusOr<PartReport> MeasureFootprint(const PartSettings& settings);

}  // namespace ledger::bench
