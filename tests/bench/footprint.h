#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ledger::bench {

struct Footprint {
  uint64_t events = 0;
  uint64_t record_bytes = 0;    // of all records, as serialised
  uint64_t log_bytes = 0;       // of the log's files, after a clean stop
  uint64_t view_bytes = 0;      // of the views' files
  uint64_t data_bytes = 0;      // of the whole data directory
  uint64_t rss_bytes = 0;       // of the server, at the end of project_time
  absl::Duration load_time;     // until all was acknowledged
  absl::Duration project_time;  // from then until the projections had caught up, or 30 seconds
  uint64_t behind = 0;          // events that the projections were behind then, over all ledgers
  // From the start of the process to its first answer about the last ledger's customers.
  absl::Duration start_after_kill;
  absl::Duration start_after_clean_stop;
};

// Loads a server process with `events` events in 8 ledgers, kills it, starts it, stops it, starts it. `ledgerd_path` is
// the program, `directory` an empty or missing directory for its data.
absl::StatusOr<Footprint> TakeFootprint(const std::string& ledgerd_path, const std::string& directory,
                                        uint64_t events);

}  // namespace ledger::bench
